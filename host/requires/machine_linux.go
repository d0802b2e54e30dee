package requires

// systemVersion is that of the kernel: of a distribution there is no one number.
func systemVersion() string { return kernelVersion() }
