package main

import (
	"bytes"
	"debug/pe"
	"encoding/binary"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"testing"
)

func TestAlignedProgramIsTheSameInMemory(t *testing.T) {
	path := program(t)
	before, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if err := alignFile(path); err != nil {
		t.Fatal(err)
	}
	after, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	from, to := parsed(t, before), parsed(t, after)
	if len(from.Sections) == 0 || len(to.Sections) != len(from.Sections) {
		t.Fatalf("%d sections, then %d", len(from.Sections), len(to.Sections))
	}
	if h := to.OptionalHeader.(*pe.OptionalHeader64); h.FileAlignment != page || h.SizeOfHeaders%page != 0 || h.SizeOfHeaders == 0 {
		t.Errorf("alignment %d, %d bytes of headers", h.FileAlignment, h.SizeOfHeaders)
	}
	for i, a := range from.Sections {
		b := to.Sections[i]
		if a.Name != b.Name || a.VirtualAddress != b.VirtualAddress || a.VirtualSize != b.VirtualSize || a.Characteristics != b.Characteristics {
			t.Errorf("section %+v has become %+v", a.SectionHeader, b.SectionHeader)
		}
		if b.Offset%page != 0 || b.Size%page != 0 {
			t.Errorf("section %s: %d bytes at %d", b.Name, b.Size, b.Offset)
		}
		was, is := content(t, a), content(t, b)
		if !bytes.HasPrefix(is, was) || len(bytes.Trim(is[len(was):], "\x00")) != 0 {
			t.Errorf("section %s has other content", b.Name)
		}
	}
	symbols := func(all []*pe.Symbol) (text []pe.Symbol) {
		for _, s := range all {
			text = append(text, *s)
		}
		return text
	}
	if !slices.Equal(symbols(from.Symbols), symbols(to.Symbols)) {
		t.Error("the symbols are lost")
	}
	if again, err := align(after); err != nil || !bytes.Equal(again, after) {
		t.Errorf("aligned once more it is another: %v", err)
	}
	runs(t, path)
}

func parsed(t *testing.T, b []byte) *pe.File {
	t.Helper()
	f, err := pe.NewFile(bytes.NewReader(b))
	if err != nil {
		t.Fatal(err)
	}
	return f
}

func content(t *testing.T, s *pe.Section) []byte {
	t.Helper()
	if s.Size == 0 {
		return nil
	}
	b, err := s.Data()
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func TestWhatCannotBeAlignedIsLeftAlone(t *testing.T) {
	path := program(t)
	whole, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	header := int(binary.LittleEndian.Uint32(whole[headerAt:]))
	set := func(at int, v uint32) []byte {
		b := slices.Clone(whole)
		binary.LittleEndian.PutUint32(b[at:], v)
		return b
	}
	first := header + optionalAt + int(binary.LittleEndian.Uint16(whole[header+optionalIn:]))
	for name, c := range map[string]struct {
		exe  []byte
		want error
	}{
		"empty":                  {nil, errFormat},
		"a program of Linux":     {[]byte("\x7fELF" + string(make([]byte, 100))), errFormat},
		"only the beginning":     {whole[:header+10], errFormat},
		"header outside":         {set(headerAt, 1<<31), errFormat},
		"32 bits":                {set(header+optionalAt, 0x10b), errFormat},
		"a section outside":      {set(first+rawAt, uint32(len(whole))), errBroken},
		"a section of 4 GiB":     {set(first+rawSize, 1<<32-1), errBroken},
		"headers outside":        {set(header+optionalAt+headersSizeAt, 1<<32-1), errBroken},
		"too many directories":   {set(header+optionalAt+directoryCount, 1<<32-1), errBroken},
		"signed":                 {set(header+optionalAt+certificateAt, 1), errSigned},
		"a debug directory":      {set(header+optionalAt+debugAt, 1), errDebug},
		"something at the end":   {append(slices.Clone(whole), 1), errBehind},
		"half of the last parts": {whole[:len(whole)-page], errBroken},
	} {
		if _, err := align(c.exe); !errors.Is(err, c.want) {
			t.Errorf("%s: %v, want %v", name, err, c.want)
		}
	}

	signed := filepath.Join(t.TempDir(), "signed.exe")
	if err := os.WriteFile(signed, set(header+optionalAt+certificateAt, 1), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := alignFile(signed); !errors.Is(err, errSigned) {
		t.Errorf("error %v", err)
	}
	left, err := os.ReadDir(filepath.Dir(signed))
	if err != nil || len(left) != 1 {
		t.Errorf("files %v, error %v", left, err)
	}
}
