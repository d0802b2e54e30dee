package spec

import (
	"slices"
	"strconv"
	"strings"
)

// maxCPU bounds the number of a logical CPU: the most that any system counts.
const maxCPU = 8191

// affinity decodes logical CPUs: 0-3, "0,2,4-7" or a list of such.
func (d *decoder) affinity(n *node) ([]int, bool) {
	var cpus []int
	for _, text := range d.texts(n) {
		for part := range strings.SplitSeq(text, ",") {
			part = strings.TrimSpace(part)
			first, last, span := strings.Cut(part, "-")
			from, err := strconv.Atoi(strings.TrimSpace(first))
			to := from
			if err == nil && span {
				to, err = strconv.Atoi(strings.TrimSpace(last))
			}
			if err != nil || from < 0 || to < from || to > maxCPU {
				d.fail(n, words("write the numbers of CPUs: 0-3, or [0, 2, 4-7]", "%s is not a CPU", quote(part)))
				return nil, false
			}
			for cpu := from; cpu <= to; cpu++ {
				cpus = append(cpus, cpu)
			}
		}
	}
	slices.Sort(cpus)
	return slices.Compact(cpus), true
}

// secretKeys are the sources of a secret, in the order of the reference.
var secretKeys = []string{"file", "env", "exec", "dpapi", "credential"}

// secret decodes where a secret is found.
func (d *decoder) secret(n *node) (*Secret, bool) {
	if n.kind != mapNode {
		d.fail(n, words("a secret never stands in the file; write {file: secrets/db}, {env: NAME}, {exec: [...]}, {dpapi: FILE} or {credential: NAME}",
			"must be a mapping, found something else")) // which may be the secret
		return nil, false
	}
	out, found, ok := &Secret{}, 0, true
	for _, p := range n.pairs {
		name := p.key.value
		if strings.HasPrefix(name, "x-") || p.val.kind == nullNode {
			continue
		}
		d.push(name)
		good := true
		switch name {
		case "file", "dpapi":
			var s string
			if s, good = d.text(p.val); !good {
				break
			}
			path, err := d.pathValue(p.val, s)
			if err != nil {
				d.fail(p.val, err)
				good = false
			} else if name == "file" {
				out.File = path
			} else {
				out.DPAPI = path
			}
		case "env", "credential":
			var s string
			if s, good = d.text(p.val); good && s == "" {
				d.problem(p.val, "is empty")
				good = false
			} else if name == "env" {
				out.Env = s
			} else {
				out.Credential = s
			}
		case "exec":
			out.Exec = d.command(p.val)
			if len(out.Exec) == 0 || out.Exec[0] == "" {
				d.problem(p.val, "is empty")
				good = false
			} else if style := d.l.paths; style.hasSeparator(out.Exec[0]) && !style.isAbs(out.Exec[0]) {
				out.Exec[0] = style.abs(p.val.src.dir, out.Exec[0])
			}
		default:
			d.l.problemAt(p.key, strings.Join(d.path, "."), "unknown key", keyHint(name, secretKeys, nil, nil))
			good = false
		}
		found++
		ok = ok && good
		d.pop()
	}
	if ok && found != 1 {
		d.problem(n, "needs one of %s", strings.Join(secretKeys, ", "))
		return nil, false
	}
	return out, ok
}

// watchPaths decodes the files that a service is restarted for.
func (d *decoder) watchPaths(n *node) []string {
	items := []*node{n}
	if n.kind == listNode {
		items = n.items
	}
	names := d.texts(n)
	if len(names) != len(items) {
		return nil // said already
	}
	var out []string
	for i, name := range names {
		path, err := d.pathValue(items[i], name)
		if err != nil {
			d.fail(items[i], err)
			continue
		}
		if !slices.Contains(out, path) {
			out = append(out, path)
		}
	}
	return out
}

// builtinAccounts are the accounts of Windows that have no password, folded.
var builtinAccounts = []string{"localsystem", "system", "localservice", "networkservice", "local service", "network service"}

// needsPassword reports whether an account of Windows can only be signed in with one.
func needsPassword(user string) bool {
	folded := strings.ToLower(user)
	folded = strings.TrimPrefix(folded, `nt authority\`)
	return !slices.Contains(builtinAccounts, folded) && !isVirtual(user) && !strings.HasSuffix(folded, "$")
}

// isVirtual reports whether an account is the virtual one of a service of Windows. It exists as long as that
// service does, and no other program can be sure of it.
func isVirtual(user string) bool { return strings.HasPrefix(strings.ToLower(user), `nt service\`) }

// identity checks who the service runs as and what it may use.
func (f *finisher) identity() {
	s, windows := f.s, f.d.l.paths.windows
	user := s.Session == SessionUser
	if windows {
		f.refuse("group", s.Group != "", "is for Unix; Windows knows only user", "")
		f.refuse("password", s.Password != nil && s.User == "", "there is no user that it belongs to", "set user")
		f.refuse("password", s.Password != nil && s.User != "" && !needsPassword(s.User), quote(s.User)+" has no password", "leave it out")
		f.refuse("user", s.Password == nil && s.User != "" && needsPassword(s.User), quote(s.User)+" needs a password",
			"set password: {dpapi: FILE}, made with host secret protect; a managed service account ends in $ and needs none")
		f.warn("user", isVirtual(s.User), "signs in only where a service with that name is installed, and only for a host that runs as LocalSystem",
			`NT AUTHORITY\LocalService needs neither`)
		f.refuse("session", user && s.User != "", "runs as the signed-in user, not as "+quote(s.User), "leave out user")
		f.refuse("limits.open_files", s.Limits.OpenFiles > 0, "is for Unix; Windows has no such limit", "")
	} else {
		f.refuse("password", s.Password != nil, "is for Windows; elsewhere the host changes the user without one", "leave it out")
		f.refuse("session", user, "user is for Windows", "")
		f.refuse("integrity", s.Integrity != "", "is for Windows", "")
		f.warn("allow_breakaway", s.AllowBreakaway, "does nothing here: it is for Windows", "")
		f.refuse("raw_args", s.RawArgs != "", "is for Windows; elsewhere there is no command line, only arguments", "use args")
	}
	const least = 1 << 20
	f.refuse("limits.memory", s.Limits.Memory > 0 && s.Limits.Memory < least, "is less than 1MiB: nothing could start", "")
	if s.Limits.Memory == 0 {
		s.Limits.Action = ""
	}
}

// watched checks what is watched. A program that is looked for in PATH has no folder of its own to copy.
func (f *finisher) watched() {
	w, style := &f.s.Watch, f.d.l.paths
	if !w.On() {
		w.Quiet = 0
		return
	}
	if len(f.s.Command) > 0 && w.ShadowCopy {
		f.refuse("watch.shadow_copy", !style.windows && !style.hasSeparator(f.s.Command[0]), quote(f.s.Command[0])+" is looked for in PATH, whose folders are not copied",
			"write where the program is: ./"+f.s.Command[0])
	}
}
