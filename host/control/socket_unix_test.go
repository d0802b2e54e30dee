//go:build unix

package control

import (
	"context"
	"errors"
	"io/fs"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"testing"
)

func TestCanonicalFollowsLinks(t *testing.T) {
	dir := tempDir(t)
	real := filepath.Join(dir, "release-1")
	if err := errors.Join(os.Mkdir(real, 0o755), os.Symlink(real, filepath.Join(dir, "current")),
		os.WriteFile(filepath.Join(real, "services.yaml"), nil, 0o600)); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"services.yaml", "missing.yaml"} {
		if got, want := Canonical(filepath.Join(dir, "current", name)), Canonical(filepath.Join(real, name)); got != want {
			t.Errorf("by the link %q, by the folder %q", got, want)
		}
	}
}

// A deployment switches the link while the host runs: the host must still be found, and no second one started.
func TestEntryIsFoundAfterItsLinkWasSwitched(t *testing.T) {
	dir := testDir(t)
	link := filepath.Join(dir, "current")
	for _, release := range []string{"release-1", "release-2"} {
		if err := os.Mkdir(filepath.Join(dir, release), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.Symlink("release-1", link); err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(link, "services.yaml")
	s, _ := serve(t, dir, newFakeHost(), Entry{Name: "x", Files: []string{file}})
	if err := errors.Join(os.Remove(link), os.Symlink("release-2", link)); err != nil {
		t.Fatal(err)
	}
	for _, f := range []string{file, filepath.Join(dir, "release-1", "services.yaml")} {
		if e, err := Find(t.Context(), Selector{Files: []string{f}}); err != nil || e.PID != s.Entry().PID {
			t.Errorf("by %s: %+v, %v", f, e, err)
		}
	}
	var running *AlreadyRunningError
	if _, err := listenIn(dir, Config{Host: newFakeHost(), Entry: Entry{Files: []string{file}}}); !errors.As(err, &running) || running.PID != os.Getpid() {
		t.Errorf("a second host: %v", err)
	}
}

func TestSocketOfADeadHostIsReplaced(t *testing.T) {
	dir := testDir(t)
	s, _ := serve(t, dir, newFakeHost(), Entry{})
	address := s.Entry().Address
	_ = s.Close()
	for _, left := range []string{address, strings.TrimSuffix(address, ".sock") + ".lock"} {
		if err := os.WriteFile(left, []byte("4711\n"), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	_, c := serve(t, dir, newFakeHost(), Entry{})
	if _, err := c.Status(t.Context()); err != nil {
		t.Error(err)
	}
}

func TestSocketIsForOwnerAndGroup(t *testing.T) {
	s, _ := serve(t, testDir(t), newFakeHost(), Entry{})
	info, err := os.Stat(s.Entry().Address)
	if err != nil || info.Mode().Perm() != socketMode || info.Mode().Type() != fs.ModeSocket {
		t.Errorf("%v, %v", info.Mode(), err)
	}
}

func TestUnknownGroupIsToldButNotTheEnd(t *testing.T) {
	dir := testDir(t)
	var told []error
	s, err := listenIn(dir, Config{Host: newFakeHost(), Group: "no-such-group-here", Entry: Entry{Files: []string{"x"}},
		Trouble: func(err error) { told = append(told, err) }})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	if len(told) != 1 || !strings.Contains(told[0].Error(), `cannot let group "no-such-group-here"`) {
		t.Errorf("told %v", told)
	}
	if s.policy.gid != -1 {
		t.Errorf("gid %d", s.policy.gid)
	}
}

func TestPolicyGivesAccess(t *testing.T) {
	tests := []struct {
		name string
		p    policy
		c    credentials
		want Access
	}{
		{"root", policy{gid: -1}, credentials{uid: 0}, Admin},
		{"owner", policy{gid: -1}, credentials{uid: 1000, groups: []int{1000}}, Admin},
		{"member", policy{gid: 50}, credentials{uid: 1001, groups: []int{1001, 50}}, Act},
		{"no member", policy{gid: 50}, credentials{uid: 1001, groups: []int{1001}}, None},
		{"no group set", policy{gid: -1}, credentials{uid: 1001, groups: []int{0, 1001}}, None},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if got := tt.p.access(tt.c, 1000); got != tt.want {
				t.Errorf("got %s, want %s", got, tt.want)
			}
		})
	}
}

// newRecorder asks the server without a network, as whoever conn says.
func newRecorder(t *testing.T, s *Server, conn *peerConn, method, path string) *httptest.ResponseRecorder {
	t.Helper()
	r := httptest.NewRequest(method, path, nil)
	w := httptest.NewRecorder()
	s.serve(w, r.WithContext(context.WithValue(t.Context(), peerKey{}, conn)))
	return w
}

func TestServerRefusesWhoHasNoAccess(t *testing.T) {
	s, c := serve(t, testDir(t), newFakeHost(), Entry{})
	for _, r := range routes {
		conn := &peerConn{peer: peer{access: r.access - 1, name: "li.wei"}}
		conn.once.Do(func() {})
		w := newRecorder(t, s, conn, r.method, r.path)
		if w.Code != 403 || !strings.Contains(w.Body.String(), "li.wei may not do this") || !strings.Contains(w.Body.String(), "hint") {
			t.Errorf("%s: %d %s", r.path, w.Code, w.Body)
		}
	}
	if _, err := c.Status(t.Context()); err != nil {
		t.Error(err)
	}
}

func TestRunDirIsNotTakenFromOthers(t *testing.T) {
	base := tempDir(t)
	open := filepath.Join(base, "open")
	link := filepath.Join(base, "link")
	file := filepath.Join(base, "file")
	if err := errors.Join(os.Mkdir(open, 0o777), os.Chmod(open, 0o777), os.Symlink(tempDir(t), link), os.WriteFile(file, nil, 0o600)); err != nil {
		t.Fatal(err)
	}
	for _, dir := range []string{open, link, file} {
		t.Setenv(runDirVariable, dir)
		if got, err := runDir(); err == nil {
			t.Errorf("%s is used as %s", dir, got)
		}
		if got := lookupDirs(); len(got) != 0 {
			t.Errorf("%v is looked at", got)
		}
	}
	if os.Geteuid() == 0 {
		foreign := filepath.Join(base, "foreign")
		if err := errors.Join(os.Mkdir(foreign, 0o755), os.Chown(foreign, 12345, 12345)); err != nil {
			t.Fatal(err)
		}
		t.Setenv(runDirVariable, foreign)
		if got, err := runDir(); err == nil {
			t.Errorf("%s is used", got)
		}
	}
}

func TestSocketPathThatIsTooLong(t *testing.T) {
	dir := filepath.Join(tempDir(t), strings.Repeat("d", 90))
	t.Setenv(runDirVariable, dir)
	made, err := runDir()
	if err != nil {
		t.Fatal(err)
	}
	if _, err := listenIn(made, Config{Host: newFakeHost(), Entry: Entry{Files: []string{"x"}}}); err == nil || !strings.Contains(err.Error(), "too long for a socket") {
		t.Errorf("got %v", err)
	}
	left, err := os.ReadDir(made)
	if err != nil || len(left) != 0 {
		t.Errorf("left behind: %v, %v", left, err)
	}
}

func TestLeftoversOfKilledHostsAreSwept(t *testing.T) {
	dir := testDir(t)
	_, c := serve(t, dir, newFakeHost(), Entry{Name: "alive"})
	for _, name := range []string{"0123456789abcdef.lock", "0123456789abcdef.sock", "0123456789abcdef.json", "notes.txt"} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte("4711\n"), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	serve(t, dir, newFakeHost(), Entry{Name: "next", Files: []string{filepath.Join(dir, "next.yaml")}})
	if left, _ := filepath.Glob(filepath.Join(dir, "0123456789abcdef.*")); len(left) != 0 {
		t.Errorf("left behind: %v", left)
	}
	if _, err := os.Stat(filepath.Join(dir, "notes.txt")); err != nil {
		t.Errorf("a foreign file is gone: %v", err)
	}
	if _, err := c.Status(t.Context()); err != nil {
		t.Errorf("the living host was swept: %v", err)
	}
	if all, err := Running(t.Context()); err != nil || len(all) != 2 {
		t.Errorf("running: %v, %v", all, err)
	}
}

// Many hosts that start at once sweep the same folder, and each still gets its own claim.
func TestHostsStartBesideEachOther(t *testing.T) {
	dir := testDir(t)
	var wg sync.WaitGroup
	errs := make(chan error, 20)
	for n := range 20 {
		wg.Go(func() {
			s, err := listenIn(dir, Config{Host: newFakeHost(), Trouble: func(error) {}, Entry: Entry{Files: []string{filepath.Join(dir, strconv.Itoa(n))}}})
			if err == nil {
				err = s.Close()
			}
			errs <- err
		})
	}
	wg.Wait()
	close(errs)
	for err := range errs {
		if err != nil {
			t.Error(err)
		}
	}
	if left, err := os.ReadDir(dir); err != nil || len(left) != 0 {
		t.Errorf("left behind: %v, %v", left, err)
	}
}
