package image

import (
	"bufio"
	"io"
	"os"
	"reflect"
	"strconv"
	"strings"

	"golang.org/x/sys/unix"
)

func giveBack() int64 {
	var sf unix.Statfs_t
	if unix.Statfs("/proc/self/exe", &sf) != nil || remote(uint32(sf.Type)) {
		return 0
	}
	f, err := os.Open("/proc/self/smaps")
	if err != nil {
		return 0
	}
	defer f.Close()
	var given int64
	for _, a := range clean(f, uint64(reflect.ValueOf(GiveBack).Pointer())) {
		_, _, errno := unix.Syscall(unix.SYS_MADVISE, uintptr(a.begin), uintptr(a.end-a.begin), unix.MADV_DONTNEED)
		if errno == 0 { // memory that is locked is refused
			given += int64(a.end - a.begin)
		}
	}
	return given
}

// remote reports whether a file system, by its number in statfs(2), gets its files from elsewhere, so that a page that is
// read again may end in SIGBUS.
func remote(fs uint32) bool {
	switch fs {
	case unix.NFS_SUPER_MAGIC, unix.SMB_SUPER_MAGIC, unix.CIFS_SUPER_MAGIC, unix.SMB2_SUPER_MAGIC, unix.FUSE_SUPER_MAGIC,
		unix.V9FS_MAGIC, unix.AFS_SUPER_MAGIC, unix.AFS_FS_MAGIC, unix.CEPH_SUPER_MAGIC, unix.CODA_SUPER_MAGIC:
		return true
	}
	return false
}

func resident() int64 {
	b, err := os.ReadFile("/proc/self/statm")
	field := strings.Fields(string(b))
	if err != nil || len(field) < 3 {
		return 0
	}
	pages, err := strconv.ParseInt(field[2], 10, 64)
	if err != nil {
		return 0
	}
	return pages * int64(os.Getpagesize())
}

// area is one mapping of a process, as proc(5) has it in smaps.
type area struct {
	begin, end uint64
	mode       string // r-xp
	file       string // device and inode, which hold when it was replaced or deleted
	own        bool   // pages of it are this process's own, or it is not known that none are
}

// clean returns, out of smaps, the mappings of the file that the code at pc is in, as far as nothing but that file is
// in them. Others may look alike: what a position-independent executable relocates at its start is read-only later, and
// would be lost, as would the breakpoints of a debugger.
func clean(smaps io.Reader, pc uint64) []area {
	var all []area
	file, known := "", 0 // known counts what was told of the last one
	settle := func() {
		if n := len(all); n > 0 && known < 2 {
			all[n-1].own = true
		}
		known = 0
	}
	in := bufio.NewScanner(smaps)
	for in.Scan() {
		line := in.Text()
		if a, ok := parseArea(line); ok {
			settle()
			all = append(all, a)
			if a.begin <= pc && pc < a.end {
				file = a.file
			}
			continue
		}
		name, value, _ := strings.Cut(line, ":")
		if len(all) > 0 && (name == "Anonymous" || name == "Swap") {
			known++
			if strings.TrimSpace(value) != "0 kB" {
				all[len(all)-1].own = true
			}
		}
	}
	settle()
	if in.Err() != nil || file == "" {
		return nil
	}
	var out []area
	for _, a := range all {
		if a.file == file && (a.mode == "r-xp" || a.mode == "r--p") && !a.own {
			out = append(out, a)
		}
	}
	return out
}

// parseArea reads the first line of a mapping: 00400000-00b98000 r-xp 00000000 fe:00 4711 /path.
func parseArea(line string) (a area, ok bool) {
	field := strings.Fields(line)
	if len(field) < 5 {
		return a, false
	}
	begin, end, ok := strings.Cut(field[0], "-")
	if !ok {
		return a, false
	}
	var err, err2 error
	a.begin, err = strconv.ParseUint(begin, 16, 64)
	a.end, err2 = strconv.ParseUint(end, 16, 64)
	if err != nil || err2 != nil || a.begin >= a.end {
		return a, false
	}
	a.mode = field[1]
	if field[4] != "0" {
		a.file = field[3] + " " + field[4]
	}
	return a, true
}
