package spec

import (
	"os"
	"path/filepath"
	"slices"
	"testing"
)

// loadWithDrives loads a spec of Windows on a machine with these drives.
func loadWithDrives(t *testing.T, text string, managed bool) (warnings []string) {
	t.Helper()
	path := filepath.Join(t.TempDir(), "services.yaml")
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	l := newLoader(Options{Files: []string{path}, Platform: "windows", Managed: managed})
	asked := map[string]int{}
	l.driveOf = func(letter string) drive {
		asked[letter]++
		switch letter {
		case "N":
			return drive{remote: true, share: `\\nas\apps`}
		case "R":
			return drive{remote: true}
		case "X":
			return drive{missing: true}
		}
		return drive{}
	}
	l.load()
	if len(l.problems) > 0 {
		t.Fatal(l.problems)
	}
	for letter, n := range asked {
		if n > 1 {
			t.Errorf("drive %s was looked at %d times", letter, n)
		}
	}
	for _, w := range tidy(l.warnings) {
		warnings = append(warnings, w.Path+" "+w.Message+"; "+w.Hint)
	}
	slices.Sort(warnings)
	return warnings
}

func TestDrivesThatAServiceDoesNotSeeAreWarnedOf(t *testing.T) {
	spec := `
host: {logs: {dir: 'n:\logs'}}
services:
  api: {command: 'N:\api\api.exe', dir: 'R:\api', log: {path: 'X:\api${HOST_INSTANCE}.log'}, instances: 2, args: ['N:\x']}
  web: {command: 'C:\web.exe', dir: 'D:\web'}
`
	remote := []string{
		`host.logs.dir is on the network drive N:, which a service does not see; write "\\nas\apps\logs"`,
		`services.api.command is on the network drive N:, which a service does not see; write "\\nas\apps\api\api.exe"`,
		`services.api.dir is on the network drive R:, which a service does not see; write \\server\share\... instead of the letter`,
	}
	missing := `services.api.log.path is on drive X:, which is not there for this service; a drive that somebody mapped is his alone: write \\server\share\...`
	if got := loadWithDrives(t, spec, false); !slices.Equal(got, remote) {
		t.Errorf("warnings: %q", got)
	}
	if got := loadWithDrives(t, spec, true); !slices.Equal(got, append(remote, missing)) {
		t.Errorf("warnings under a service manager: %q", got)
	}
}

func TestSpecOnANetworkDriveIsWarnedOf(t *testing.T) {
	l := newLoader(Options{Files: []string{`services.yaml`}, Platform: "windows"})
	l.driveOf = func(string) drive { return drive{remote: true, share: `\\nas\apps`} }
	if message, hint := l.driveTrouble(`n:\conf\services.yaml`); message != "is on the network drive N:, which a service does not see" || hint != `write "\\nas\apps\conf\services.yaml"` {
		t.Errorf("%s; %s", message, hint)
	}
	for _, path := range []string{`\\nas\apps\x`, `\x`, "", "x"} {
		if message, _ := l.driveTrouble(path); message != "" {
			t.Errorf("%q: %s", path, message)
		}
	}
}
