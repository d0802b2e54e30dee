package logs

import (
	"testing"
	"unicode/utf16"

	"golang.org/x/sys/windows"
	"golang.org/x/text/transform"

	"servicehost/spec"
)

// wide decodes as Windows does.
func wide(t *testing.T, page uint32, b []byte) string {
	t.Helper()
	var w [16]uint16
	n, err := windows.MultiByteToWideChar(page, 0, &b[0], int32(len(b)), &w[0], int32(len(w)))
	if err != nil {
		t.Fatal(err)
	}
	return string(utf16.Decode(w[:n]))
}

// A test binary has no manifest: the pages of the process are those of the machine.
func TestSystemPageDecodesAsWindowsDoes(t *testing.T) {
	for kind, page := range map[string]uint32{spec.EncodingOEM: 1, spec.EncodingANSI: 0} { // CP_OEMCP, CP_ACP
		fresh := systemPage(kind)
		if fresh == nil {
			t.Fatalf("no %s code page", kind)
		}
		for _, text := range []string{"plain", "\x82\xa0", "\xe9\x41"} {
			got, _, err := transform.String(fresh(), text)
			if want := wide(t, page, []byte(text)); err != nil || got != want {
				t.Errorf("%s: %q is %q, %v; Windows says %q", kind, text, got, err, want)
			}
		}
	}
}

func TestPagesThatOnlyWindowsKnows(t *testing.T) {
	for page, want := range map[uint32]string{737: "\u0391\u03a9", 775: "\u0106\u015a", 857: "\u00c7\u00f9"} {
		fresh := pageDecoder(page)
		if fresh == nil {
			t.Fatalf("no page %d", page)
		}
		b := []byte{0x80, 0x97}
		if got, _, err := transform.Bytes(fresh(), b); err != nil || string(got) != want || want != wide(t, page, b) {
			t.Errorf("%d: %q, %v; Windows says %q", page, got, err, wide(t, page, b))
		}
	}
	if pageDecoder(4711) != nil {
		t.Error("page 4711 is known")
	}
}
