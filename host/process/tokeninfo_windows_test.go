package process_test

import (
	"slices"
	"unsafe"

	"golang.org/x/sys/windows"
)

// tokenInfo reads one kind of information; nil where the system has none.
func tokenInfo(t windows.Token, class uint32) []byte {
	var n uint32
	_ = windows.GetTokenInformation(t, class, nil, 0, &n) // says how much there is
	if n == 0 {
		return nil
	}
	buf := make([]byte, n)
	if windows.GetTokenInformation(t, class, &buf[0], n, &n) != nil {
		return nil
	}
	return buf
}

var procLookupPrivilegeName = windows.NewLazySystemDLL("advapi32.dll").NewProc("LookupPrivilegeNameW")

func privileges(t windows.Token) []string {
	buf := tokenInfo(t, windows.TokenPrivileges)
	if buf == nil {
		return nil
	}
	var out []string
	for _, p := range (*windows.Tokenprivileges)(unsafe.Pointer(&buf[0])).AllPrivileges() {
		var name [64]uint16
		n := uint32(len(name))
		if ok, _, _ := procLookupPrivilegeName.Call(0, uintptr(unsafe.Pointer(&p.Luid)), uintptr(unsafe.Pointer(&name[0])), uintptr(unsafe.Pointer(&n))); ok != 0 {
			out = append(out, windows.UTF16ToString(name[:n]))
		}
	}
	slices.Sort(out)
	return out
}

func integrity(t windows.Token) string {
	buf := tokenInfo(t, windows.TokenIntegrityLevel)
	if buf == nil {
		return "unknown"
	}
	return (*windows.Tokenmandatorylabel)(unsafe.Pointer(&buf[0])).Label.Sid.String()
}
