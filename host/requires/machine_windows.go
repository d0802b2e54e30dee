package requires

import (
	"fmt"
	"runtime"

	"golang.org/x/sys/windows"
)

// systemVersion is what the kernel says, whatever the manifest of this program does.
func systemVersion() string {
	v := windows.RtlGetVersion()
	return fmt.Sprintf("%d.%d.%d", v.MajorVersion, v.MinorVersion, v.BuildNumber)
}

// machine is the architecture of the machine, also where this program is one for another that is emulated.
// https://learn.microsoft.com/en-us/windows/win32/sysinfo/image-file-machine-constants
func machine() string {
	var process, native uint16
	if err := windows.IsWow64Process2(windows.CurrentProcess(), &process, &native); err == nil {
		switch native {
		case 0x8664:
			return "amd64"
		case 0xaa64:
			return "arm64"
		case 0x14c:
			return "386"
		case 0x1c0, 0x1c4:
			return "arm"
		}
	}
	return runtime.GOARCH
}
