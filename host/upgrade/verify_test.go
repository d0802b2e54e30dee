package upgrade

import (
	"bytes"
	"cmp"
	"encoding/binary"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestVersionsAreOrdered(t *testing.T) {
	order := []string{"v0.9", "0.9.1", "1.0.0-alpha", "1.0.0-alpha.1", "1.0.0-alpha.beta", "1.0.0-rc.2", "1.0.0-rc.11", "1.0.0", "1.0.1+build", "1.10.0", "v2"}
	for i, a := range order {
		for j, b := range order {
			got, ok := compareVersions(a, b)
			if !ok || cmp.Compare(got, 0) != cmp.Compare(i, j) {
				t.Errorf("%s to %s: %d, %v", a, b, got, ok)
			}
		}
	}
	for _, s := range []string{"", "dev", "1.x", "1.2.3.4", "1.-1", "1.0-", "99999999999"} {
		if _, ok := compareVersions(s, "1.0.0"); ok {
			t.Errorf("%q is a version", s)
		}
	}
}

func TestSumIsFoundInAList(t *testing.T) {
	one, two := strings.Repeat("a1", 32), strings.Repeat("B2", 32)
	list := one + "  other.exe\r\n" + two + " *dist/host.exe\r\n"
	for _, c := range []struct {
		text, name string
		alone      bool
		want       string
	}{
		{list, "host.exe", false, strings.ToLower(two)},
		{list, "other.exe", true, one},
		{list, "third.exe", true, ""},
		{one + "\n", "x", true, one},
		{one + "\n", "x", false, ""},
		{one + "  released-as.exe\n", "x", true, one},
		{"\ufeff" + one + "  x", "x", false, one},
		{"abc  x", "x", true, ""},
	} {
		got, err := sumIn([]byte(c.text), c.name, c.alone)
		if got != c.want || (err == nil) != (c.want != "") {
			t.Errorf("%q in %q: %q, %v", c.name, c.text, got, err)
		}
	}
}

func TestFileBesideIsLookedAt(t *testing.T) {
	exe, _ := rig(t, true)
	file := next(t, program{Version: "2.0.0"})
	if err := os.WriteFile(file+".sha256", []byte(strings.Repeat("0", 64)), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := Run(t.Context(), options(exe, file)); err == nil || !strings.Contains(err.Error(), "damaged") {
		t.Errorf("error %v", err)
	}
	inPlace(t, exe, "1.0.0")
}

func TestImageIsOfThisMachine(t *testing.T) {
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	if err := checkImage(self); err != nil {
		t.Errorf("the test itself: %v", err)
	}
	b, err := os.ReadFile(self)
	if err != nil {
		t.Fatal(err)
	}
	write := func(b []byte) string {
		path := filepath.Join(t.TempDir(), "x")
		if err := os.WriteFile(path, b, 0o600); err != nil {
			t.Fatal(err)
		}
		return path
	}
	for want, b := range map[string][]byte{
		"empty":      nil,
		"no program": []byte("hello"),
		"script":     []byte("#!/bin/sh\n"),
		"archive":    []byte("PK\x03\x04"),
		"no whole":   b[:len(b)/2],
		"whole":      b[:40],
	} {
		if err := checkImage(write(b)); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v", want, err)
		}
	}
}

// The headers are made here, so that each system looks at those of the others.
func TestImagesOfOtherSystemsAreNamed(t *testing.T) {
	le := binary.LittleEndian
	pe := make([]byte, 512)
	copy(pe, "MZ")
	le.PutUint32(pe[0x3c:], 0x40)
	copy(pe[0x40:], "PE\x00\x00")
	le.PutUint16(pe[0x44:], 0xaa64)
	le.PutUint16(pe[0x44+18:], 0x0002)
	dll := bytes.Clone(pe)
	le.PutUint16(dll[0x44+18:], 0x2002)

	elf := make([]byte, 64)
	copy(elf, "\x7fELF\x02\x01\x01")
	le.PutUint16(elf[16:], 2)
	le.PutUint16(elf[18:], 183)
	le.PutUint32(elf[20:], 1)
	le.PutUint16(elf[52:], 64)

	mach := make([]byte, 32)
	copy(mach, "\xcf\xfa\xed\xfe")
	le.PutUint32(mach[4:], 0x0100000c)
	le.PutUint32(mach[12:], 2)

	for _, c := range []struct {
		b          []byte
		kind, arch string
	}{
		{pe, windowsPE, "arm64"}, {dll, "", ""}, {elf, unixELF, "arm64"}, {mach, appleMach, "arm64"},
	} {
		kind, arch, err := imageOf(bytes.NewReader(c.b))
		if kind != c.kind || arch != c.arch || (err == nil) != (c.kind != "") {
			t.Errorf("%q: %s %s, %v; want %s %s", c.b[:4], kind, arch, err, c.kind, c.arch)
		}
	}
}
