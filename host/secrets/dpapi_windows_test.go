package secrets

import (
	"bytes"
	"encoding/base64"
	"os"
	"strings"
	"testing"
	"unsafe"

	"golang.org/x/sys/windows"
)

func TestProtectedSecretComesBack(t *testing.T) {
	for _, plain := range []string{"hunter2", "密码 with blanks", strings.Repeat("x", 4000)} {
		text, err := Protect([]byte(plain))
		if err != nil {
			t.Fatal(err)
		}
		if bytes.Contains(text, []byte("hunter2")) {
			t.Errorf("written as it is: %s", text)
		}
		for line := range strings.SplitSeq(string(text), "\n") {
			if len(line) > lineLength {
				t.Errorf("a line of %d characters", len(line))
			}
		}
		got, err := Resolver{}.Resolve(t.Context(), Source{From: FromDPAPI, Name: write(t, string(text))})
		if err != nil || got != plain {
			t.Errorf("%q, %v, want %q", got, err, plain)
		}
	}
}

// asked notes what is asked of the system.
type asked struct {
	entropy []byte
	flags   uint32
	err     error
}

func (a *asked) protect(plain, entropy []byte, flags uint32) ([]byte, error) {
	a.entropy, a.flags = entropy, flags
	return bytes.Clone(plain), a.err
}

func (a *asked) unprotect(blob, entropy []byte, flags uint32) ([]byte, error) {
	a.entropy, a.flags = entropy, flags
	return bytes.Clone(blob), a.err
}

func TestProtectionIsForTheMachineAndSilent(t *testing.T) {
	a := &asked{}
	defer func(was dpapi) { system = was }(system)
	system = a
	text, err := Protect([]byte("x"))
	if err != nil {
		t.Fatal(err)
	}
	if a.flags != 0x4|0x1 || string(a.entropy) != "servicehost/secret/1" {
		t.Errorf("protected with flags %#x, entropy %q", a.flags, a.entropy)
	}
	s := Source{From: FromDPAPI, Name: write(t, string(text))}
	if _, err := (Resolver{}).Resolve(t.Context(), s); err != nil {
		t.Fatal(err)
	}
	if a.flags != 0x1 || string(a.entropy) != "servicehost/secret/1" {
		t.Errorf("read with flags %#x, entropy %q", a.flags, a.entropy)
	}
	a.err = windows.ERROR_INVALID_DATA
	if _, err := (Resolver{}).Resolve(t.Context(), s); err == nil || !strings.Contains(err.Error(), "another machine") {
		t.Errorf("error %v", err)
	}
}

func TestFileThatIsNotProtectedIsSaid(t *testing.T) {
	for _, content := range []string{"hunter2!", "%%%%", "\n", base64.StdEncoding.EncodeToString([]byte("no blob of the system"))} {
		_, err := Resolver{}.Resolve(t.Context(), Source{From: FromDPAPI, Name: write(t, content)})
		if err == nil || strings.Contains(err.Error(), "hunter2") {
			t.Errorf("%q: %v", content, err)
		}
	}
}

func TestNewFileHasAListOfItsOwn(t *testing.T) {
	sd, err := windows.SecurityDescriptorFromString(newFileRights)
	if err != nil {
		t.Fatal(err)
	}
	control, _, err := sd.Control()
	if err != nil || control&windows.SE_DACL_PROTECTED == 0 {
		t.Errorf("control %#x, %v: rights of the folder would come in", control, err)
	}
	dacl, _, err := sd.DACL()
	if err != nil || dacl.AceCount != 3 {
		t.Errorf("list %+v, %v", dacl, err)
	}
	path := t.TempDir() + `\new`
	if err := WriteNew(path, []byte("x")); err != nil {
		t.Fatal(err)
	}
	if b, err := os.ReadFile(path); err != nil || string(b) != "x" {
		t.Errorf("content %q, %v", b, err)
	}
}

func TestCredentialIsTextInEitherForm(t *testing.T) {
	for b, want := range map[string]string{
		"h\x00u\x00n\x00":  "hun",
		"hunter2":          "hunter2",
		"even":             "even",
		"\xc6\x5b\x01\x78": "密码",
	} {
		if got := string(credentialText([]byte(b))); got != want {
			t.Errorf("%q gives %q, want %q", b, got, want)
		}
	}
}

func TestCredentialOfTheAccount(t *testing.T) {
	const name = "servicehost/test"
	target, err := windows.UTF16PtrFromString(name)
	if err != nil {
		t.Fatal(err)
	}
	blob := []byte("h\x00u\x00n\x00")
	c := credential{kind: credTypeGeneric, target: target, size: uint32(len(blob)), blob: &blob[0], persist: 1, user: target}
	if ok, _, err := advapi32.NewProc("CredWriteW").Call(uintptr(unsafe.Pointer(&c)), 0); ok == 0 {
		t.Skipf("this account has no Credential Manager: %v", err)
	}
	defer advapi32.NewProc("CredDeleteW").Call(uintptr(unsafe.Pointer(target)), credTypeGeneric, 0)
	got, err := Resolver{}.Resolve(t.Context(), Source{From: FromCredential, Name: name})
	if err != nil || got != "hun" {
		t.Errorf("%q, %v", got, err)
	}
	if _, err := (Resolver{}).Resolve(t.Context(), Source{From: FromCredential, Name: name + "-none"}); err == nil || !strings.Contains(err.Error(), "cmdkey") {
		t.Errorf("a credential that is not there: %v", err)
	}
}
