package osservice

import (
	"unsafe"

	"golang.org/x/sys/windows"
)

var (
	advapi32                = windows.NewLazySystemDLL("advapi32.dll")
	procLsaOpenPolicy       = advapi32.NewProc("LsaOpenPolicy")
	procLsaAddAccountRights = advapi32.NewProc("LsaAddAccountRights")
	procLsaClose            = advapi32.NewProc("LsaClose")
	procLsaNtStatusToWin    = advapi32.NewProc("LsaNtStatusToWinError")
)

// Rights to the local policy, of ntsecapi.h.
const (
	policyCreateAccount = 0x10
	policyLookupNames   = 0x800
)

// lsaObjectAttributes is LSA_OBJECT_ATTRIBUTES, of which nothing but the length is used.
type lsaObjectAttributes struct {
	length             uint32
	rootDirectory      windows.Handle
	objectName         uintptr
	attributes         uint32
	securityDescriptor uintptr
	securityQoS        uintptr
}

// logonRight gives SeServiceLogonRight; an account that has it keeps it. services.msc does the same, sc.exe
// does not, and the service then fails to start with 1069.
// https://learn.microsoft.com/windows/win32/api/ntsecapi/nf-ntsecapi-lsaaddaccountrights
func (s system) logonRight(account string) error {
	if len(account) > 2 && account[:2] == `.\` {
		account = s.computer() + account[1:]
	}
	sid, _, _, err := windows.LookupSID("", account)
	if err != nil {
		return err
	}
	attributes := lsaObjectAttributes{}
	attributes.length = uint32(unsafe.Sizeof(attributes))
	var policy windows.Handle
	if err := lsa(procLsaOpenPolicy, 0, uintptr(unsafe.Pointer(&attributes)), policyCreateAccount|policyLookupNames,
		uintptr(unsafe.Pointer(&policy))); err != nil {
		return err
	}
	defer func() { _, _, _ = procLsaClose.Call(uintptr(policy)) }()
	right, err := windows.NewNTUnicodeString("SeServiceLogonRight") // LSA_UNICODE_STRING is the same
	if err != nil {
		return err
	}
	return lsa(procLsaAddAccountRights, uintptr(policy), uintptr(unsafe.Pointer(sid)), uintptr(unsafe.Pointer(right)), 1)
}

// lsa calls a function that returns an NTSTATUS.
//
//go:uintptrescapes
func lsa(p *windows.LazyProc, args ...uintptr) error {
	if err := p.Find(); err != nil {
		return windows.ERROR_CALL_NOT_IMPLEMENTED
	}
	status, _, _ := p.Call(args...)
	if status == 0 {
		return nil
	}
	no, _, _ := procLsaNtStatusToWin.Call(status)
	return windows.Errno(no)
}
