package reload

import (
	"slices"

	"servicehost/spec"
)

const (
	binaryPath = "binary" // the field of a service that no file says
	configPath = "config" // what x-config holds
)

// binaryDiffers reports whether the watched files hold something else. Where nobody has looked before or
// after, or at other files, that is not known, and nothing is restarted for what is not known.
func binaryDiffers(before, after *spec.Service) bool {
	a, b := before.Binary, after.Binary
	if !a.Known() || !b.Known() {
		return false
	}
	return a.Problem != b.Problem || a.Content != b.Content && slices.Equal(before.Watch.Paths, after.Watch.Paths)
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
