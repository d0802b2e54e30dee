package shadow

import (
	"os"
	"path/filepath"
	"testing"
	"unsafe"

	"golang.org/x/sys/windows"
)

// TestGrantAddsOneEntry: the account of the service may read and run what is in the copy, and no more; whoever
// could do so before still can.
func TestGrantAddsOneEntry(t *testing.T) {
	dir := t.TempDir()
	sd, err := windows.GetNamedSecurityInfo(dir, windows.SE_FILE_OBJECT, windows.DACL_SECURITY_INFORMATION)
	must(t, err)
	before, _, err := sd.DACL()
	must(t, err)
	acl, err := grant(dir, `NT AUTHORITY\LocalService`)
	must(t, err)
	if acl.AceCount != before.AceCount+1 {
		t.Errorf("%d entries, %d before", acl.AceCount, before.AceCount)
	}
	want, err := windows.CreateWellKnownSid(windows.WinLocalServiceSid)
	must(t, err)
	for n := range uint32(acl.AceCount) {
		var ace *windows.ACCESS_ALLOWED_ACE
		must(t, windows.GetAce(acl, n, &ace))
		if (*windows.SID)(unsafe.Pointer(&ace.SidStart)).Equals(want) {
			const writes = windows.GENERIC_WRITE | windows.GENERIC_ALL | windows.FILE_WRITE_DATA | windows.FILE_APPEND_DATA | windows.DELETE | windows.WRITE_DAC | windows.WRITE_OWNER
			if ace.Header.AceType != windows.ACCESS_ALLOWED_ACE_TYPE || ace.Mask&writes != 0 || ace.Mask == 0 ||
				ace.Header.AceFlags&(windows.CONTAINER_INHERIT_ACE|windows.OBJECT_INHERIT_ACE) != windows.CONTAINER_INHERIT_ACE|windows.OBJECT_INHERIT_ACE {
				t.Errorf("type %d, flags %#x, rights %#x", ace.Header.AceType, ace.Header.AceFlags, ace.Mask)
			}
			return
		}
	}
	t.Error("no entry for the account")
}

// TestPruneTriesAgainLaterWhatIsOpen: a program that runs can't be deleted.
func TestPruneTriesAgainLaterWhatIsOpen(t *testing.T) {
	s, src := rig(t)
	program, err := s.Make(t.Context(), src)
	must(t, err)
	name, err := windows.UTF16PtrFromString(program)
	must(t, err)
	h, err := windows.CreateFile(name, windows.GENERIC_READ, windows.FILE_SHARE_READ, nil, windows.OPEN_EXISTING, 0, 0)
	must(t, err)
	if n, err := s.Prune(nil); n != 1 || err != nil {
		t.Errorf("while it is open: %d left, %v", n, err)
	}
	if p, ok := s.Find(src); ok {
		if _, err := os.Stat(filepath.Join(filepath.Dir(p), "lib", "deep", "a.dll")); err != nil {
			t.Error("a copy is found of which a part is gone")
		}
	}
	must(t, windows.CloseHandle(h))
	if n, err := s.Prune(nil); n != 0 || err != nil {
		t.Errorf("later: %d left, %v", n, err)
	}
	if _, err := os.Stat(filepath.Join(s.Dir(), "api")); err == nil {
		t.Error("it is still there")
	}
}

func TestReadOnlyFilesAreCopiedAndDeleted(t *testing.T) {
	s, src := rig(t)
	must(t, os.Chmod(filepath.Join(filepath.Dir(src.Program), "lib", "deep", "a.dll"), 0o400))
	program, err := s.Make(t.Context(), src)
	must(t, err)
	if st, err := os.Stat(filepath.Join(filepath.Dir(program), "lib", "deep", "a.dll")); err != nil || st.Mode().Perm()&0o200 != 0 {
		t.Errorf("%v, %v", st.Mode(), err)
	}
	if n, err := s.Prune(nil); n != 0 || err != nil {
		t.Errorf("%d left, %v", n, err)
	}
	must(t, os.Chmod(filepath.Join(filepath.Dir(src.Program), "lib", "deep", "a.dll"), 0o600))
}
