package doctor

import (
	"fmt"
	"slices"
	"strings"
	"unsafe"

	"golang.org/x/sys/windows"

	"servicehost/host/files"
	"servicehost/host/human"
	"servicehost/spec"
)

// The rights by which a file, or what lies in a folder, can be changed, or its rights be.
// https://learn.microsoft.com/en-us/windows/win32/fileio/file-access-rights-constants
const (
	fileWriteData   = 0x2
	fileAppendData  = 0x4
	fileDeleteChild = 0x40
	fileReadData    = 0x1

	toWrite = fileWriteData | fileDeleteChild | windows.DELETE | windows.WRITE_DAC | windows.WRITE_OWNER | windows.GENERIC_WRITE | windows.GENERIC_ALL
	toRead  = fileReadData | windows.GENERIC_READ | windows.GENERIC_ALL
)

// manyKinds are accounts that stand for many people.
var manyKinds = []windows.WELL_KNOWN_SID_TYPE{windows.WinWorldSid, windows.WinAuthenticatedUserSid, windows.WinBuiltinUsersSid, windows.WinInteractiveSid, windows.WinBuiltinGuestsSid}

// writers says who of many people may change a file or folder; empty: nobody.
func writers(path string) (who, hint string) {
	if who = granted(path, toWrite); who == "" {
		return "", ""
	}
	return who, fmt.Sprintf(`icacls "%s" shows the rights; /inheritance:d and /remove take some away`, path)
}

// readers says who of many people may read a file; empty: nobody.
func readers(path string) (who, hint string) {
	if who = granted(path, toRead); who == "" {
		return "", ""
	}
	return who, fmt.Sprintf(`icacls "%s" /inheritance:r /grant *S-1-5-18:F *S-1-5-32-544:F leaves it to the system and the administrators`, path)
}

func granted(path string, rights windows.ACCESS_MASK) string {
	sd, err := windows.GetNamedSecurityInfo(files.Long(path), windows.SE_FILE_OBJECT, windows.DACL_SECURITY_INFORMATION)
	if err != nil {
		return ""
	}
	return grantedBy(sd, rights)
}

// grantedBy is the account of many people that a list allows one of the rights; entries that refuse are not
// weighed against those that allow, for who writes both is to look himself.
func grantedBy(sd *windows.SECURITY_DESCRIPTOR, rights windows.ACCESS_MASK) string {
	list, _, err := sd.DACL()
	if err != nil {
		return ""
	}
	if list == nil {
		return "everybody (it has no access list)"
	}
	for n := range uint32(list.AceCount) {
		var ace *windows.ACCESS_ALLOWED_ACE
		if windows.GetAce(list, n, &ace) != nil || ace.Header.AceType != windows.ACCESS_ALLOWED_ACE_TYPE ||
			ace.Header.AceFlags&windows.INHERIT_ONLY_ACE != 0 || ace.Mask&rights == 0 {
			continue
		}
		sid := (*windows.SID)(unsafe.Pointer(&ace.SidStart))
		if slices.ContainsFunc(manyKinds, sid.IsWellKnown) {
			return nameOf(sid)
		}
	}
	return ""
}

func nameOf(sid *windows.SID) string {
	name, domain, _, err := sid.LookupAccount("")
	switch {
	case err != nil:
		return sid.String()
	case domain == "":
		return name
	}
	return domain + `\` + name
}

func groupThere(name string) error { return known(name, "group") }

func known(name, what string) error {
	plain := strings.TrimPrefix(name, `.\`)
	if _, _, _, err := windows.LookupSID("", plain); err != nil {
		return fmt.Errorf("there is no %s %s on this machine or in its domain", what, human.Path(name))
	}
	return nil
}

// builtin are accounts that are there under any language, folded and without NT AUTHORITY.
var builtin = map[string]bool{"localsystem": true, "system": true, "localservice": true, "networkservice": true}

// account says why a service can't be run as its user.
func account(s *spec.Service) (problem, hint string) {
	folded := strings.ReplaceAll(strings.TrimPrefix(strings.ToLower(s.User), `nt authority\`), " ", "")
	if s.User == "" || builtin[folded] || strings.HasPrefix(folded, `ntservice\`) || strings.HasPrefix(folded, `iisapppool\`) {
		return "", ""
	}
	if err := known(s.User, "account"); err != nil {
		return err.Error(), "make it, or name another"
	}
	return "", ""
}

// space is what this account may use of the volume of a folder, and its size.
func space(dir string) (free, size int64, err error) {
	name, err := windows.UTF16PtrFromString(strings.TrimRight(files.Long(nearest(dir)), `\`) + `\`)
	if err != nil {
		return 0, 0, err
	}
	var mine, total, all uint64
	if err := windows.GetDiskFreeSpaceEx(name, &mine, &total, &all); err != nil {
		return 0, 0, err
	}
	return int64(mine), int64(total), nil
}

// parentOf looks through the processes; 0: it is not known.
func parentOf(pid int) int {
	h, err := windows.CreateToolhelp32Snapshot(windows.TH32CS_SNAPPROCESS, 0)
	if err != nil {
		return 0
	}
	defer windows.CloseHandle(h)
	var p windows.ProcessEntry32
	p.Size = uint32(unsafe.Sizeof(p))
	for err := windows.Process32First(h, &p); err == nil; err = windows.Process32Next(h, &p) {
		if int(p.ProcessID) == pid {
			return int(p.ParentProcessID)
		}
	}
	return 0
}
