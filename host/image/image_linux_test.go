package image

import (
	"fmt"
	"os"
	"reflect"
	"strings"
	"testing"

	"golang.org/x/sys/unix"
)

func TestGiveBackLetsGoOfTheExecutable(t *testing.T) {
	own := own(t)
	if len(own) == 0 {
		t.Fatal("nothing of the executable is found")
	}
	var size int64
	for _, a := range own {
		size += int64(a.end - a.begin)
		_, _, errno := unix.Syscall(unix.SYS_MADVISE, uintptr(a.begin), uintptr(a.end-a.begin), unix.MADV_POPULATE_READ)
		if errno != 0 {
			t.Skipf("this kernel does not bring pages in when it is asked to: %v", errno)
		}
	}
	before := Resident()
	if before < size {
		t.Fatalf("%d bytes of files are in memory, and the executable alone has %d", before, size)
	}
	if given := GiveBack(); given != size {
		t.Errorf("%d bytes were given back, want %d", given, size)
	}
	if after := Resident(); after > before-size/2 { // the rest is in use: this very test
		t.Errorf("of %d bytes of files %d are still in memory; the executable has %d", before, after, size)
	}
}

func own(t *testing.T) []area {
	t.Helper()
	f, err := os.Open("/proc/self/smaps")
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	return clean(f, uint64(reflect.ValueOf(GiveBack).Pointer()))
}

// mapping is a mapping in smaps, with what the kernel says that matters here.
func mapping(at int, mode, file, anonymous, swap string) string {
	return fmt.Sprintf("%08x-%08x %s 00000000 fe:00 %s\nSize: 64 kB\nRss: 64 kB\nAnonymous: %s\nSwap: %s\nVmFlags: rd ex mr\n", at, at+0x10000, mode, file, anonymous, swap)
}

func TestCleanTakesOnlyWhatIsInTheFile(t *testing.T) {
	const text = 0x400000
	code := mapping(text, "r-xp", "17      /srv/host (deleted)", "0 kB", "0 kB")
	for _, c := range []struct {
		name, smaps string
		want        []int
	}{
		{"code", code, []int{text}},
		{"constants", code + mapping(0x500000, "r--p", "17 /srv/host (deleted)", "0 kB", "0 kB"), []int{text, 0x500000}},
		{"constants before the code", mapping(0x300000, "r--p", "17 /srv/host", "0 kB", "0 kB") + code, []int{0x300000, text}},
		{"data", code + mapping(0x500000, "rw-p", "17 /srv/host", "0 kB", "0 kB"), []int{text}},
		{"shared", code + mapping(0x500000, "r--s", "17 /srv/host", "0 kB", "0 kB"), []int{text}},
		{"relocated", code + mapping(0x500000, "r--p", "17 /srv/host", "4 kB", "0 kB"), []int{text}},
		{"relocated and paged out", code + mapping(0x500000, "r--p", "17 /srv/host", "0 kB", "4 kB"), []int{text}},
		{"breakpoint", mapping(text, "r-xp", "17 /srv/host", "4 kB", "0 kB"), nil},
		{"library", code + mapping(0x500000, "r--p", "18 /lib/libc.so", "0 kB", "0 kB"), []int{text}},
		{"no file", mapping(text, "r-xp", "0", "0 kB", "0 kB") + mapping(0x500000, "r-xp", "0", "0 kB", "0 kB"), nil},
		{"code elsewhere", mapping(0x500000, "r-xp", "17 /srv/host", "0 kB", "0 kB"), nil},
		{"old kernel", strings.ReplaceAll(code, "Anonymous:", "Unknown:"), nil},
		{"old kernel, the last", code + strings.ReplaceAll(mapping(0x500000, "r--p", "17 /srv/host", "0 kB", "0 kB"), "Swap:", "Unknown:"), []int{text}},
		{"nothing but lines of maps", "00400000-00410000 r-xp 00000000 fe:00 17 /srv/host\n", nil},
		{"nothing", "", nil},
		{"noise", "00400000 r-xp\n-\nAnonymous: 0 kB\nzz-00410000 r-xp 0 fe:00 17\n00410000-00400000 r-xp 0 fe:00 17\n", nil},
	} {
		t.Run(c.name, func(t *testing.T) {
			var got []int
			for _, a := range clean(strings.NewReader(c.smaps), text+0x100) {
				got = append(got, int(a.begin))
			}
			if !reflect.DeepEqual(got, c.want) {
				t.Errorf("got %x, want %x", got, c.want)
			}
		})
	}
}

func TestFilesOfAServerAreKept(t *testing.T) {
	for fs, want := range map[uint32]bool{
		0xef53: false, 0x58465342: false, 0x9123683e: false, 0x01021994: false, 0x794c7630: false, // ext4, XFS, Btrfs, tmpfs, overlay
		0x6969: true, 0xff534d42: true, 0xfe534d42: true, 0x65735546: true, // NFS, CIFS, SMB 2, FUSE
	} {
		if got := remote(fs); got != want {
			t.Errorf("%#x: %v", fs, got)
		}
	}
}

func BenchmarkGiveBack(b *testing.B) {
	for b.Loop() {
		GiveBack()
	}
}
