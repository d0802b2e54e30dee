package spec

import (
	"net"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"
)

// Requires is what must be there before a service is started. Paths are absolute.
type Requires struct {
	// OS and Arch are alternatives: one of them must be that of the machine. Of the others each must be there.
	OS       []Need   `key:"os" class:"live" json:",omitzero"`
	Arch     []string `key:"arch" class:"live" json:",omitzero"`
	Files    []string `key:"files" class:"live" json:",omitzero"`
	Folders  []string `key:"folders" class:"live" json:",omitzero"`
	Ports    []int    `key:"ports" class:"live" json:",omitzero"`
	Commands []Need   `key:"commands" class:"live" json:",omitzero"`
	TCP      []string `key:"tcp" class:"live" json:",omitzero"`
	Services []string `key:"services" class:"live" json:",omitzero"`
}

// Need is something that has a version: java >= 17.
type Need struct {
	Name    string `json:",omitzero"`
	Op      string `json:",omitzero"` // >= > = < <=; empty: any version
	Version string `json:",omitzero"` // numbers with dots between
}

// String is how a spec writes it.
func (n Need) String() string {
	if n.Op == "" {
		return n.Name
	}
	return n.Name + " " + n.Op + " " + n.Version
}

// None reports whether nothing is required.
func (r Requires) None() bool {
	return len(r.OS)+len(r.Arch)+len(r.Files)+len(r.Folders)+len(r.Ports)+len(r.Commands)+len(r.TCP)+len(r.Services) == 0
}

var (
	systems       = []string{"linux", "windows", "darwin", "freebsd", "openbsd", "netbsd"}
	architectures = []string{"amd64", "arm64", "386", "arm", "riscv64", "ppc64le", "s390x", "loong64"}
	// otherNames are what others call systems and architectures.
	otherNames = map[string]string{
		"macos": "darwin", "mac": "darwin", "osx": "darwin", "win": "windows", "win32": "windows", "win64": "windows",
		"x8664": "amd64", "x64": "amd64", "aarch64": "arm64", "x86": "386", "i386": "386", "i686": "386", "armv7l": "arm",
	}
)

// required decodes one list of requires into what its field holds.
func (d *decoder) required(n *node, name string) any {
	switch name {
	case "os":
		return eachText(d, n, func(s string) (Need, error) {
			need, err := parseNeed(s)
			if err == nil {
				need.Name, err = oneOf(need.Name, systems)
			}
			return need, err
		})
	case "arch":
		return eachText(d, n, func(s string) (string, error) { return oneOf(s, architectures) })
	case "ports":
		return eachText(d, n, func(s string) (int, error) {
			p, err := parseInt(s)
			if err != nil || p < 1 || p > 65535 {
				return 0, words("", "must be a number from 1 to 65535, found %s", quote(s))
			}
			return int(p), nil
		})
	case "commands":
		return eachText(d, n, func(s string) (Need, error) {
			need, err := parseNeed(s)
			if style := d.l.paths; err == nil && style.hasSeparator(need.Name) && !style.isAbs(need.Name) {
				need.Name = style.abs(n.src.dir, need.Name)
			}
			return need, err
		})
	case "tcp":
		return eachText(d, n, func(s string) (string, error) {
			host, port, err := net.SplitHostPort(s)
			number, numErr := strconv.Atoi(port)
			if err != nil || host == "" || numErr != nil || number < 1 || number > 65535 {
				return "", words("for example db:5432", "%s is not host:port", quote(s))
			}
			return s, nil
		})
	case "services":
		return eachText(d, n, func(s string) (string, error) {
			if s == "" || strings.HasPrefix(s, "-") || strings.ContainsFunc(s, func(r rune) bool { return r < ' ' || strings.ContainsRune(`/\`, r) }) {
				return "", words("", "%s is not the name of a service of the system", quote(s))
			}
			return s, nil
		})
	}
	return eachText(d, n, func(s string) (string, error) { return d.pathValue(n, s) }) // files and folders
}

// eachText decodes a list, or a single value, by element; an element that comes twice is taken once.
func eachText[T comparable](d *decoder, n *node, parse func(string) (T, error)) []T {
	items := []*node{n}
	if n.kind == listNode {
		items = n.items
	}
	all := d.texts(n)
	if len(all) != len(items) {
		return nil // said already
	}
	var out []T
	for i, s := range all {
		if strings.Contains(s, AutoPort) {
			d.fail(items[i], words("a free port is chosen at the start itself", "needs ${PORT}, which `port: auto` does not know before the start"))
			continue
		}
		v, err := parse(strings.TrimSpace(s))
		if err != nil {
			d.fail(items[i], err)
			continue
		}
		if !slices.Contains(out, v) {
			out = append(out, v)
		}
	}
	return out
}

var needPattern = sync.OnceValue(func() *regexp.Regexp {
	return regexp.MustCompile(`^(.*?)\s*(>=|<=|==|=|>|<)\s*[vV]?(\d{1,9}(?:\.\d{1,9}){0,5})$`)
})

// parseNeed reads a name, alone or with a version: java >= 17.
func parseNeed(s string) (Need, error) {
	const hint = "for example java, or java >= 17"
	if s == "" {
		return Need{}, words(hint, "is empty")
	}
	if !strings.ContainsAny(s, "<>=") {
		return Need{Name: s}, nil
	}
	m := needPattern().FindStringSubmatch(s)
	if m == nil || m[1] == "" || strings.ContainsAny(m[1], "<>=") {
		return Need{}, words(hint, "%s is not a name with a version", quote(s))
	}
	op := m[2]
	if op == "==" {
		op = "="
	}
	return Need{Name: m[1], Op: op, Version: m[3]}, nil
}

func oneOf(s string, known []string) (string, error) {
	if v, err := parseEnum(s, known); err == nil {
		return v, nil
	}
	hint := ""
	if ours := otherNames[foldKey(s)]; slices.Contains(known, ours) {
		hint = "it is called " + ours + " here"
	} else if near := nearest(s, known); near != "" {
		hint = "did you mean " + strconv.Quote(near) + "?"
	}
	return "", words(hint, "%s is not one of %s", quote(s), strings.Join(known, ", "))
}
