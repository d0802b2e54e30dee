package human

import "testing"

func TestSizeReadsAsInASpec(t *testing.T) {
	for n, want := range map[int64]string{
		0: "0B", 1000: "1000B", 1024: "1KiB", 512 << 20: "512MiB", 3 << 29: "1.5GiB", 1<<30 + 1: "1GiB", 1 << 62: "4EiB",
	} {
		if got := Size(n); got != want {
			t.Errorf("Size(%d) = %q, want %q", n, got, want)
		}
	}
}
