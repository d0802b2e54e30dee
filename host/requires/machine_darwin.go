package requires

import "golang.org/x/sys/unix"

// systemVersion is that of macOS, not of its kernel.
func systemVersion() string {
	if v, err := unix.Sysctl("kern.osproductversion"); err == nil && v != "" {
		return v
	}
	return kernelVersion()
}
