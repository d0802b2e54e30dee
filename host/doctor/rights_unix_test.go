//go:build unix

package doctor

import (
	"os"
	"path/filepath"
	"runtime"
	"testing"
)

const holdersAreTold = runtime.GOOS == "linux"

func chmod(t *testing.T, path string, mode os.FileMode) {
	t.Helper()
	if err := os.Chmod(path, mode); err != nil {
		t.Fatal(err)
	}
}

func TestWhatEverybodyMayChangeIsFound(t *testing.T) {
	dir := t.TempDir()
	for _, name := range []string{"app", "vars.env", "token", "web"} {
		if err := os.WriteFile(filepath.Join(dir, name), nil, 0o700); err != nil {
			t.Fatal(err)
		}
	}
	text := "host: {log_targets: {l: {type: loki, url: 'http://127.0.0.1', token: {file: token}}}, http: {listen: '127.0.0.1:9180', tokens: [{name: ops, role: act, file: web}]}}\nservices:\n  a: {command: [./app], env_file: vars.env}\n"
	wantFindings(t, examineIn(t, dir, text, nil))
	chmod(t, filepath.Join(dir, "app"), 0o777)
	chmod(t, filepath.Join(dir, "vars.env"), 0o666)
	chmod(t, filepath.Join(dir, "token"), 0o644)
	chmod(t, filepath.Join(dir, "web"), 0o644)
	chmod(t, dir, 0o777)
	wantFindings(t, examineIn(t, dir, text, nil),
		Finding{Error, dir, "may be changed by everybody (mode 0777)", "chmod o-w"},
		Finding{Error, "vars.env", "may be changed by everybody (mode 0666)", "chmod o-w"},
		Finding{Error, "token", "may be read by everybody (mode 0644)", "chmod 600"},
		Finding{Error, "web", "may be read by everybody (mode 0644)", "chmod 600"},
		Finding{Error, "app", "may be changed by everybody (mode 0777)", "chmod o-w"})
	chmod(t, dir, 0o777|os.ModeSticky) // each may change only what is his
	if got := examineIn(t, dir, text, nil); len(got) != 4 {
		t.Errorf("in a folder like /tmp: %+v", got)
	}
}

func TestUnknownAccountsAreFound(t *testing.T) {
	got := examine(t, "host: {control: {group: no-such-group-here}}\nservices:\n  a: {command: [EXE], user: no-such-user-here}\n  b: {command: [EXE], group: no-such-group-here}\n", nil)
	wantFindings(t, got,
		Finding{Error, "host.control.group", `there is no group "no-such-group-here"`, "make it"},
		Finding{Error, "services.a.user", `there is no user "no-such-user-here"`, "make it"},
		Finding{Error, "services.b.user", `there is no group "no-such-group-here"`, "make it"})
}

func TestOtherUserNeedsRoot(t *testing.T) {
	got := examine(t, "services:\n  a: {command: [EXE], user: daemon}\n", nil)
	if os.Geteuid() == 0 {
		wantFindings(t, got)
		return
	}
	wantFindings(t, got, Finding{Error, "services.a.user", `"a" can't be started as another user`, "root"})
}
