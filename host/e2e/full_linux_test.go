package e2e

import (
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"golang.org/x/sys/unix"
)

// smallDisk mounts 64 MiB of memory at logs in the folder of the rig.
func (r *rig) smallDisk() string {
	r.t.Helper()
	dir := filepath.Join(r.dir, "disk")
	if err := os.Mkdir(dir, 0o755); err != nil {
		r.t.Fatal(err)
	}
	if err := unix.Mount("tmpfs", dir, "tmpfs", 0, "size=64m"); err != nil {
		r.t.Skip("a tmpfs can't be mounted here: ", err)
	}
	r.t.Cleanup(func() {
		if err := unix.Unmount(dir, unix.MNT_DETACH); err != nil {
			r.t.Error(err)
		}
	})
	return dir
}

const (
	fullServices = 4
	fullLines    = 600_000 // 115 MB of all
)

// fill runs services whose output is more than there is room for, until three quarters of it are written.
func (r *rig) fill(dir, limits, log string) (goFile string, pids map[string]int) {
	r.t.Helper()
	goFile = filepath.Join(r.dir, "go")
	text := fmt.Sprintf("version: 1\nhost: {logs: {dir: %s, %s}}\nservices:\n", dir, limits)
	for i := range fullServices {
		name := fmt.Sprintf("s%d", i)
		text += svc(name, r.child("flood", name, strconv.Itoa(fullLines), goFile), "log: {"+log+"}")
	}
	r.write(text)
	r.start()
	pids = r.allRunning()
	r.allMade(goFile, "")
	return goFile, pids
}

func (r *rig) allMade(file, suffix string) {
	r.t.Helper()
	for i := range fullServices {
		name := fmt.Sprintf("%s.s%d%s", file, i, suffix)
		r.poll(filepath.Base(name)+" to be made", func() bool { _, err := os.Stat(name); return err == nil })
	}
}

// finish lets the services write the rest, sees that they were never restarted, and stops the host.
func (r *rig) finish(goFile string, pids map[string]int) {
	r.t.Helper()
	if err := os.WriteFile(goFile, nil, 0o600); err != nil {
		r.t.Fatal(err)
	}
	r.allMade(goFile, ".done")
	if after := r.pidsOf(); !maps.Equal(pids, after) {
		r.t.Errorf("something was started again: %v, then %v", pids, after)
	}
	if code := r.stop(); code != 0 {
		r.t.Errorf("host run: %d", code)
	}
}

var dropped = regexp.MustCompile(`^\[host\] dropped (\d+) lines \(\d+ bytes\) between \S+Z and \S+Z: no space left on device$`)

// numbersOf reads the files of a service: how many numbered lines are in them, the first and last of these, how many
// are told of as dropped, and in how many marks. Numbers have to rise.
func (r *rig) numbersOf(dir, name string) (whole, first, last, lost, marks int) {
	r.t.Helper()
	older, err := filepath.Glob(filepath.Join(dir, name+"-*.log"))
	if err != nil {
		r.t.Fatal(err)
	}
	first, last = -1, -1
	for _, path := range append(older, filepath.Join(dir, name+".log")) {
		b, err := os.ReadFile(path)
		if err != nil {
			r.t.Fatal(err)
		}
		for line := range strings.Lines(string(b)) {
			line = strings.TrimSuffix(line, "\n")
			if m := dropped.FindStringSubmatch(line); m != nil {
				n, _ := strconv.Atoi(m[1])
				lost += n
				marks++
				continue
			}
			rest, ok := strings.CutSuffix(line, " the quick brown fox jumps over the lazy dog")
			if rest, ok2 := strings.CutPrefix(rest, name+" "); ok && ok2 {
				n, err := strconv.Atoi(rest)
				if err != nil || n <= last {
					r.t.Errorf("%s: %q follows number %d", name, line, last)
				}
				if first < 0 {
					first = n
				}
				last = n
				whole++
				continue
			}
			if !strings.Contains(name+" is up", line) && !strings.HasPrefix(fmt.Sprintf("%s %08d the quick brown fox jumps over the lazy dog", name, last+1), line) {
				r.t.Errorf("%s: %q follows number %d", name, line, last)
			}
		}
	}
	return whole, first, last, lost, marks
}

// TestFullDiskHarmsNobody fills a disk to the last byte, with services that go on writing. Nothing waits and nothing
// ends, and when there is room again the files tell exactly what they lack.
func TestFullDiskHarmsNobody(t *testing.T) {
	r := newRig(t)
	dir := r.smallDisk()
	goFile, pids := r.fill(dir, "max_total: 0, min_free: 0", "max_size: 4MiB, max_files: 1000, compress: none")
	var st unix.Statfs_t
	if err := unix.Statfs(dir, &st); err != nil || st.Bavail != 0 {
		t.Errorf("the disk has room left: %d, %v", st.Bavail, err)
	}
	r.allRunning()
	if err := unix.Mount("tmpfs", dir, "tmpfs", unix.MS_REMOUNT, "size=512m"); err != nil {
		t.Fatal(err)
	}
	r.finish(goFile, pids)
	all := 0
	for name := range pids {
		whole, first, last, lost, marks := r.numbersOf(dir, name)
		t.Logf("%s: %d lines, %d told of as dropped in %d marks", name, whole, lost, marks)
		if whole+lost != fullLines || first != 0 || last != fullLines-1 && lost == 0 {
			t.Errorf("%s: %d lines and %d dropped ones are not %d; from %d to %d", name, whole, lost, fullLines, first, last)
		}
		all += lost
	}
	if all == 0 {
		t.Error("nothing was dropped")
	}
}

// TestOldLogsMakeRoomForNewOnes is the same with min_free: no line is lost but the oldest ones of all.
func TestOldLogsMakeRoomForNewOnes(t *testing.T) {
	r := newRig(t)
	dir := r.smallDisk()
	goFile, pids := r.fill(dir, "max_total: 0, min_free: 8MiB", "max_size: 1MiB, max_files: 1000, compress: none")
	r.finish(goFile, pids)
	for name := range pids {
		whole, first, last, lost, _ := r.numbersOf(dir, name)
		t.Logf("%s: %d lines, from %d to %d", name, whole, first, last)
		if lost != 0 || last != fullLines-1 || whole != last-first+1 || whole < fullLines/10 {
			t.Errorf("%s: %d lines from %d to %d, %d told of as dropped", name, whole, first, last, lost)
		}
	}
	if !strings.Contains(r.out.String(), "deleted early, as host.logs.min_free wants") {
		t.Error("nobody was told of deleted logs")
	}
}
