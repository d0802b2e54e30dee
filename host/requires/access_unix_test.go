//go:build unix

package requires

import (
	"os"
	"os/user"
	"path/filepath"
	"strings"
	"testing"

	"servicehost/spec"
)

func makeFolder(t *testing.T, path string, mode os.FileMode) string {
	t.Helper()
	if err := os.Mkdir(path, 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.Chmod(path, mode); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.Chmod(path, 0o700) })
	return path
}

func TestFolderOfAnotherUserIsNotWritable(t *testing.T) {
	open, err := os.MkdirTemp("/tmp", "requires") // below folders that let everybody through
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(open) })
	if err := os.Chmod(open, 0o755); err != nil {
		t.Fatal(err)
	}
	shared, closed := makeFolder(t, filepath.Join(open, "shared"), 0o777), makeFolder(t, filepath.Join(open, "closed"), 0o755)
	hidden := makeFolder(t, filepath.Join(open, "hidden"), 0o700)
	inside := makeFolder(t, filepath.Join(hidden, "inside"), 0o777)
	other := "nobody"
	if me, err := user.Current(); err == nil && me.Username == other {
		other = "daemon"
	}
	nobody := Env{User: other}
	got := check(t, spec.Requires{Folders: []string{shared, closed, inside}}, nobody)
	wantOnly(t, got, `closed" is not writable for user "`+other+`": its mode is 0755`, `hidden" lets it not through, its mode is 0700`)

	secret := filepath.Join(open, "secret")
	if err := os.WriteFile(secret, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	got = check(t, spec.Requires{Files: []string{secret}}, nobody)
	wantOnly(t, got, `secret" can't be read for user "`+other+`": its mode is 0600`)
	if err := Readable(secret, Env{User: "root"}); err != nil {
		t.Errorf("for root: %v", err)
	}
	if err := Readable(secret, Env{User: "no-such-user-here"}); err == nil || !strings.Contains(err.Error(), `there is no user "no-such-user-here"`) {
		t.Errorf("for somebody who is not there: %v", err)
	}
	if err := Readable(secret, Env{Group: "no-such-group-here"}); err == nil || !strings.Contains(err.Error(), `there is no group "no-such-group-here"`) {
		t.Errorf("for a group that is not there: %v", err)
	}
}

func TestOwnFolderIsAskedForByTheSystem(t *testing.T) {
	dir := makeFolder(t, filepath.Join(t.TempDir(), "a"), 0o500)
	err := Fillable(dir, Env{})
	if os.Geteuid() == 0 {
		if err != nil {
			t.Errorf("root may write everywhere: %v", err)
		}
		dir = "/proc"
		if err = Fillable(dir, Env{}); err != nil {
			return // no system has anything to be made there, and some say so only when it is tried
		}
		t.Skip("nothing here refuses root")
	}
	if err == nil {
		t.Error("a folder without the right to write is writable")
	}
}
