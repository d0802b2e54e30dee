package reload

import "servicehost/spec"

// binaryPath is the field of a service that no file says.
const binaryPath = "binary"

// binaryDiffers reports whether the watched files hold something else. Where nobody has looked before or
// after, that is not known, and nothing is restarted for what is not known.
func binaryDiffers(before, after spec.Binary) bool {
	return before.Known() && after.Known() && (before.Content != after.Content || before.Problem != after.Problem)
}

// ShowBinary is the content of watched files for people.
func ShowBinary(b spec.Binary) string {
	const most = 12
	switch {
	case b.Content == "":
		return "unknown"
	case b.Problem != "":
		return "sha256 " + b.Content[:min(most, len(b.Content))] + " (" + b.Problem + ")"
	}
	return "sha256 " + b.Content[:min(most, len(b.Content))]
}
