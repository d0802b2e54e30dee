package spec

import (
	"maps"
	"slices"
	"strconv"
	"strings"
)

// special decodes the keys of a service that are no plain values.
func (d *decoder) special(n *node, k *keyNode) {
	dr := d.draft
	switch k.path {
	case "command":
		dr.command = d.command(n)
		dr.commandDir = n.src.dir
	case "args":
		dr.args = d.command(n)
	case "env":
		env := d.env(n)
		if d.layer == layerDefaults {
			dr.envDefaults = env
		} else {
			dr.envOwn = env
		}
	case "env_file":
		d.envFile(n)
	case "port":
		if p, ok := d.port(n); ok {
			dr.svc.Port = p
		}
	case "depends_on":
		d.dependsOn(n, k)
	case "success_exit_codes":
		d.exitCodes(n)
	case "affinity":
		if cpus, ok := d.affinity(n); ok {
			dr.svc.Affinity = cpus
		}
	case "watch.paths":
		dr.svc.Watch.Paths = d.watchPaths(n)
	case "stop.steps":
		if steps := d.steps(n); steps != nil {
			dr.svc.Stop.Steps = steps
		}
	}
}

// command decodes a list, or a string that is split before its variables are replaced.
func (d *decoder) command(n *node) []string {
	if n.kind == scalarNode {
		if !d.checkEscapes(n) {
			return []string{""}
		}
		raw, err := splitCommand(n.value)
		if err != nil {
			d.fail(n, err)
			return []string{""}
		}
		out := make([]string, 0, len(raw))
		for i, word := range raw {
			if strings.HasPrefix(word, "'") && !strings.HasSuffix(word, "'") {
				d.l.warnAt(n, strings.Join(d.path, "."), "single quotes are plain characters in a command: "+quote(word)+" is an argument of its own",
					"use double quotes, or write the command as a list")
			}
			if i > 0 && shellWords[word] {
				d.l.warnAt(n, strings.Join(d.path, "."), quote(word)+" is handed over as an argument: there is no shell",
					"run the shell yourself if it is meant: [sh, -c, '…'] or [cmd, /c, '…']")
			}
			s, _ := d.expand(n, word)
			out = append(out, s)
		}
		return out
	}
	return d.texts(n)
}

// env decodes variables; nil stands for one that is removed.
func (d *decoder) env(n *node) map[string]*string {
	if n.kind == nullNode {
		return nil
	}
	if n.kind != mapNode {
		hint := ""
		if n.kind == listNode {
			hint = "write NAME: value in lines of their own, without - and ="
		}
		d.fail(n, words(hint, "must be a mapping, found %s", n.describe()))
		return nil
	}
	out := make(map[string]*string, len(n.pairs))
	for _, p := range n.pairs {
		name := p.key.value
		d.push(name)
		if name == "" || strings.ContainsAny(name, "=\x00") {
			d.problem(p.key, "%s is not the name of a variable", quote(name))
		} else if p.val.kind == nullNode {
			out[name] = nil
		} else if s, ok := d.text(p.val); ok {
			out[name] = &s
		}
		d.pop()
	}
	if d.l.paths.windows {
		seen := map[string]string{}
		for _, p := range n.pairs {
			upper := strings.ToUpper(p.key.value)
			if first, ok := seen[upper]; ok {
				d.push(p.key.value)
				d.problem(p.key, "is the same variable as %s: Windows does not tell upper case from lower", quote(first))
				d.pop()
			}
			seen[upper] = p.key.value
		}
	}
	return out
}

// envMerger lays sets of variables over each other; on Windows names that differ in case are one.
type envMerger struct {
	env   map[string]*string
	names map[string]string // upper case → as last written; Windows only
}

func newEnvMerger(size int, windows bool) *envMerger {
	m := &envMerger{env: make(map[string]*string, size)}
	if windows {
		m.names = make(map[string]string, size)
	}
	return m
}

func (m *envMerger) lay(over map[string]*string) {
	if m.names == nil {
		maps.Copy(m.env, over)
		return
	}
	for name, value := range over {
		m.set(name, value)
	}
}

func (m *envMerger) set(name string, value *string) {
	if m.names != nil {
		upper := strings.ToUpper(name)
		if was, ok := m.names[upper]; ok && was != name {
			delete(m.env, was)
		}
		m.names[upper] = name
	}
	m.env[name] = value
}

func (d *decoder) envFile(n *node) {
	items := []*node{n}
	if n.kind == listNode {
		list := *n
		list.items = slices.Clone(n.items)
		for i, item := range list.items {
			list.items[i] = optionalName(item)
		}
		n, items = &list, list.items
	}
	names := d.texts(n)
	d.draft.envFiles, d.draft.svc.EnvFile = nil, nil
	if len(names) != len(items) {
		return // said already
	}
	for i, name := range names {
		name, optional := strings.CutPrefix(name, "?")
		if err := checkPath(name, d.l.paths); err != nil {
			d.fail(items[i], err)
			continue
		}
		path := d.l.paths.abs(items[i].src.dir, name)
		d.draft.envFiles = append(d.draft.envFiles, envFileRef{items[i], path, name, optional})
		d.draft.svc.EnvFile = append(d.draft.svc.EnvFile, path)
	}
}

func (d *decoder) port(n *node) (int, bool) {
	s, ok := d.text(n)
	if !ok {
		return 0, false
	}
	if strings.EqualFold(s, "auto") {
		return PortAuto, true
	}
	p, err := parseInt(s)
	if err != nil || p < 1 || p > 65535 {
		hint := ""
		if at := strings.LastIndexByte(s, ':'); at >= 0 {
			hint = "only the number on which the program listens; nothing is mapped"
		}
		d.fail(n, words(hint, "must be auto or a number from 1 to 65535, found %s", quote(s)))
		return 0, false
	}
	return int(p), true
}

// dependsOn decodes NAME: {condition, required} or a list of names, over what the defaults say.
func (d *decoder) dependsOn(n *node, k *keyNode) {
	dr := d.draft
	deps := maps.Clone(dr.svc.DependsOn)
	at := maps.Clone(dr.dependsAt)
	if deps == nil {
		deps, at = map[string]Dependency{}, map[string]*node{}
	}
	fresh := Dependency{Condition: ConditionStarted, Required: true}
	switch n.kind {
	case listNode, scalarNode:
		items := n.items
		if n.kind == scalarNode {
			items = []*node{n}
		}
		seen := map[string]bool{}
		for _, item := range items {
			s, ok := d.text(item)
			if !ok {
				continue
			}
			if seen[s] {
				d.problem(item, "%s is listed twice", quote(s))
			}
			seen[s] = true
			deps[s], at[s] = fresh, item
		}
	case mapNode:
		each := k.children["*"]
		for _, p := range n.pairs {
			name := p.key.value
			if strings.HasPrefix(name, "x-") {
				continue
			}
			d.push(name)
			dep, ok := deps[name]
			if !ok {
				dep = fresh
			}
			if p.val.kind != nullNode {
				d.dependency(p.val, each, &dep)
			}
			deps[name], at[name] = dep, p.key
			d.pop()
		}
	default:
		d.problem(n, "must be a list of names or a mapping, found %s", n.describe())
	}
	dr.svc.DependsOn, dr.dependsAt = deps, at
}

func (d *decoder) dependency(n *node, each *keyNode, dep *Dependency) {
	condition, required, restart := each.children["condition"], each.children["required"], each.children["restart"]
	if n.kind == scalarNode {
		if s, ok := d.text(n); ok {
			if v, err := d.enum(s, condition); err != nil {
				d.fail(n, err)
			} else {
				dep.Condition = Condition(v)
			}
		}
		return
	}
	if n.kind != mapNode {
		d.problem(n, "must be a mapping such as {condition: started}, found %s", n.describe())
		return
	}
	for _, p := range n.pairs {
		child := each.children[p.key.value]
		if strings.HasPrefix(p.key.value, "x-") {
			continue
		}
		d.push(p.key.value)
		switch {
		case child == nil:
			d.unknown(p.key, each)
		case child.kind == kindLater:
			d.later(p.key, p.val, child)
		case p.val.kind == nullNode:
		default:
			s, ok := d.text(p.val)
			if !ok {
				break
			}
			if child == condition {
				if v, err := d.enum(s, condition); err != nil {
					d.fail(p.val, err)
				} else {
					dep.Condition = Condition(v)
				}
			} else if v, err := parseBool(s); err != nil {
				d.fail(p.val, err)
			} else if child == required {
				dep.Required = v
			} else if child == restart {
				dep.Restart = v
			}
		}
		d.pop()
	}
}

// exitCodes decodes codes; those of Windows are the uint32, whether written 0xC0000005 or -1073741819.
func (d *decoder) exitCodes(n *node) {
	items := n.items
	if n.kind == scalarNode {
		items = []*node{n}
	} else if n.kind != listNode {
		d.problem(n, "must be a list of exit codes, found %s", n.describe())
		return
	}
	codes := make([]int, 0, len(items))
	for i, item := range items {
		d.push(strconv.Itoa(i))
		if s, ok := d.text(item); ok {
			c, err := parseInt(s)
			switch {
			case err != nil:
				d.fail(item, err)
			case d.l.paths.windows && (c < -1<<31 || c > 1<<32-1):
				d.problem(item, "%s is no exit code of Windows", quote(s))
			case d.l.paths.windows:
				codes = append(codes, int(uint32(c)))
			case c < 0 || c > 255:
				d.problem(item, "must be 0 to 255, found %s", quote(s))
			default:
				codes = append(codes, int(c))
			}
		}
		d.pop()
	}
	slices.Sort(codes)
	d.draft.svc.SuccessExitCodes = slices.Compact(codes)
}
