package spec

import "strings"

// drive is what stands behind a letter of Windows.
type drive struct {
	missing bool
	remote  bool
	share   string // the UNC name of a remote one, where it is known
}

// warnDrives warns of drives that a service does not see: a letter that is mapped belongs to one sign-in.
// https://learn.microsoft.com/en-us/windows/win32/services/services-and-redirected-drives
func (l *loader) warnDrives(s *Spec, section *node) {
	if l.driveOf == nil || !l.paths.windows {
		return
	}
	if message, hint := l.driveTrouble(absolute(l.o.Files[0])); message != "" {
		l.warnings = append(l.warnings, Problem{File: l.o.Files[0], Message: "the file " + message, Hint: hint})
	}
	for path, value := range map[string]string{"state_dir": s.Host.StateDir, "logs.dir": s.Host.Logs.Dir, "log.path": s.Host.Log.Path} {
		n := section
		for part := range strings.SplitSeq(path, ".") {
			n, _ = n.get(part)
		}
		if n != nil {
			if message, hint := l.driveTrouble(value); message != "" {
				l.warnAt(n, "host."+path, message, hint)
			}
		}
	}
}

// drives does the same for what a service names itself.
func (f *finisher) drives() {
	if f.d.l.driveOf == nil || !f.d.l.paths.windows || len(f.s.Command) == 0 {
		return
	}
	for path, value := range map[string]string{
		"command": f.s.Command[0], "dir": f.s.Dir, "log.path": f.s.Log.Path, "log.stderr": f.s.Log.Stderr,
	} {
		if n, _ := f.dr.where(path); n != nil {
			message, hint := f.d.l.driveTrouble(value)
			f.warn(path, message != "", message, hint)
		}
	}
}

// driveTrouble says what is wrong with the drive of a path. One that is not there matters under a service
// manager alone: a file is often checked on another machine than the one it is for.
func (l *loader) driveTrouble(path string) (message, hint string) {
	if len(path) < 2 || path[1] != ':' {
		return "", ""
	}
	letter := strings.ToUpper(path[:1])
	d, known := l.drives[letter]
	if !known {
		d = l.driveOf(letter)
		if l.drives == nil {
			l.drives = map[string]drive{}
		}
		l.drives[letter] = d
	}
	switch {
	case d.remote && d.share != "":
		return "is on the network drive " + letter + ":, which a service does not see", "write " + quote(d.share+path[2:])
	case d.remote:
		return "is on the network drive " + letter + ":, which a service does not see", `write \\server\share\... instead of the letter`
	case d.missing && l.o.Managed:
		return "is on drive " + letter + ":, which is not there for this service", `a drive that somebody mapped is his alone: write \\server\share\...`
	}
	return "", ""
}
