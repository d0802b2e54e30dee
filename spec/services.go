package spec

import (
	"cmp"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"time"
)

// serviceDecoder turns the section services into instances.
type serviceDecoder struct {
	l        *loader
	rootEnv  *node // env of the file
	defaults *node
	builtin  Service
	base     *draft // built-in values and defaults, where they are the same for every service
	work     *draft
	out      []*Service
	entries  map[string]*serviceEntry
	names    []string      // their keys; in order once all are there
	total    int           // instances
	text     int           // bytes of their arguments and environments
	entry    *serviceEntry // being decoded
}

// serviceEntry is what the checks of the whole need of one service.
type serviceEntry struct {
	key       *node // its name in the file
	out       bool  // out of profile
	enabled   bool
	instances []*Service
	text      int // bytes of the arguments and the environment of an instance
	dependsAt map[string]*node
	portAt    *node
	logAt     *node
	watchAt   *node // thresholds
	stderrAt  *node

	kept   *kept // the service is taken over: its instances are those of another spec, and must not be changed
	loud   bool  // something was said of it, or it was adapted to others: it can't be taken over
	digest [16]byte
	files  []string // its env files
	// What it adds to the limits of all.
	cost, expanded int
	weight         int32

	chain struct { // of services that are stopped one after another from this one on
		known bool
		total time.Duration
		next  string
	}
}

func (l *loader) decodeServices(root *node, s *Spec) {
	sd := &serviceDecoder{l: l, builtin: defaultService(l.paths.windows), work: newDraft()}
	l.services = sd
	sd.rootEnv, _ = root.get("env")
	sd.defaults, _ = root.get("defaults")
	sd.prepareBase()
	services, key := root.get("services")
	switch {
	case services == nil:
		l.report(Problem{File: root.src.name, Path: "services", Message: "is missing", Hint: "write services: {} if there are none"})
		return
	case services.kind == nullNode:
		l.problemAt(key, "services", "is empty", "write services: {} if there are none")
		return
	case services.kind != mapNode:
		l.problemAt(services, "services", "must be a mapping of names, found "+services.describe(), "")
		return
	}
	folded := make(map[string]*node, len(services.pairs))
	sd.entries, sd.names = make(map[string]*serviceEntry, len(services.pairs)), make([]string, 0, len(services.pairs))
	sd.out = slices.Grow(sd.out, len(services.pairs)) // none stays nil
	for _, p := range services.pairs {
		name := p.key.value
		if strings.HasPrefix(name, "x-") {
			continue
		}
		path := "services." + name
		if err := checkName(name, "service"); err != nil {
			message, hint := errorWords(err)
			l.problemAt(p.key, path, message, hint)
			continue
		}
		if first := folded[strings.ToLower(name)]; first != nil {
			l.problemAt(p.key, path, "is the same name as "+quote(first.value)+" in "+first.src.name+":"+strconv.Itoa(int(first.line))+": case does not count", "")
			continue
		}
		folded[strings.ToLower(name)] = p.key
		sd.names = append(sd.names, name)
		if p.val.kind == keptNode {
			sd.takeOver(p, l.taken[p.val.height])
			continue
		}
		warned, cost, expanded := len(l.warnings), sd.text, l.expanded
		sd.service(p)
		e := sd.entries[name]
		e.loud = e.loud || len(l.warnings) > warned
		e.cost, e.expanded, e.weight = sd.text-cost, l.expanded-expanded, p.val.weight+1
	}
	slices.SortStableFunc(sd.out, func(a, b *Service) int {
		return cmp.Or(strings.Compare(a.Name, b.Name), cmp.Compare(a.Instance, b.Instance))
	})
	s.Services = sd.out
	l.checkTogether(sd, s)
}

// checkName says why a name is none of a service or target.
func checkName(name, of string) error {
	const hint = "names have letters, digits, - and _, at most 63 of them, and begin with a letter or digit"
	if name == "" {
		return words(hint, "the name is empty")
	}
	for i := range len(name) {
		c := name[i]
		if !isLetter(c) && (c < '0' || c > '9') && (i == 0 || c != '-' && c != '_') {
			return words(hint, "%s is not the name of a %s", quote(name), of)
		}
	}
	if len(name) > 63 {
		return words(hint, "%s is too long for a name", quote(name))
	}
	if reservedDevice(name) {
		return words("choose another name", "%s is a device of Windows", quote(name))
	}
	return nil
}

// reservedDevice reports whether Windows takes a file name for a device, with any extension.
func reservedDevice(name string) bool {
	name, _, _ = strings.Cut(name, ".")
	name = strings.ToUpper(strings.TrimRight(name, " "))
	switch name {
	case "CON", "PRN", "AUX", "NUL", "CONIN$", "CONOUT$":
		return true
	}
	if rest, ok := strings.CutPrefix(name, "COM"); ok || strings.HasPrefix(name, "LPT") {
		if !ok {
			rest = name[3:]
		}
		return len(rest) == 1 && rest[0] >= '1' && rest[0] <= '9' || rest == "¹" || rest == "²" || rest == "³"
	}
	return false
}

// prepareBase decodes defaults once when nothing in them differs between services.
func (sd *serviceDecoder) prepareBase() {
	probe := &scope{l: sd.l, own: map[string]string{"HOST_SERVICE": "x", "HOST_INSTANCE": "1", "PORT": "1"}}
	base := newDraft()
	sd.layDefaults(base, probe, probe.perService)
	if !probe.perService {
		sd.base = base
	}
}

// layDefaults fills a draft with the built-in values, env of the file and defaults.
func (sd *serviceDecoder) layDefaults(dr *draft, sc *scope, foreign bool) {
	dr.svc = sd.builtin
	if n := sd.rootEnv; n != nil {
		d := &decoder{l: sd.l, scope: sc, section: serviceSection(), path: []string{"env"}, draft: dr, foreign: foreign}
		dr.envBase = d.env(n)
	}
	if n := sd.defaults; n != nil && n.kind != nullNode {
		d := sd.decoder(dr, sc, layerDefaults, foreign)
		d.path = append(d.path, "defaults")
		sd.run(d, n)
	}
}

func (sd *serviceDecoder) decoder(dr *draft, sc *scope, from layer, foreign bool) *decoder {
	return &decoder{l: sd.l, scope: sc, section: serviceSection(), others: elsewhere, draft: dr, layer: from, foreign: foreign, path: make([]string, 0, 8)}
}

func (sd *serviceDecoder) run(d *decoder, n *node) {
	d.group(n, d.section.root, d.draft.fields(), reflect.ValueOf(&sd.builtin).Elem())
}

// key finds a key of a service, or else of defaults; a null in the service goes back to the built-in value.
func (sd *serviceDecoder) key(n *node, name string) *node {
	if v, _ := n.get(name); v != nil {
		if v.kind == nullNode {
			return nil
		}
		return v
	}
	if v, _ := sd.defaults.get(name); v != nil && v.kind != nullNode {
		return v
	}
	return nil
}

func (sd *serviceDecoder) service(p pair) {
	l, name, n := sd.l, p.key.value, p.val
	entry := &serviceEntry{key: p.key}
	sd.entries[name], sd.entry = entry, entry
	if sd.text > maxTotalText || sd.total > maxTotalInstances {
		return // said already; going on would cost what the limit saves
	}
	if n.kind != mapNode {
		message, hint := "must be a mapping, found "+n.describe(), ""
		if n.kind == scalarNode {
			hint = "write " + name + ": {command: …}"
		}
		at := n
		if n.kind == nullNode {
			at, message = p.key, "has no keys; a command is needed"
		}
		l.problemAt(at, "services."+name, message, hint)
		return
	}
	sc := &scope{l: l, own: map[string]string{"HOST_SERVICE": name, "HOST_INSTANCE": "1"}}
	// What the rest needs to be known first: whether it is used at all, how often, and its ports.
	peek := sd.decoder(sd.work, sc, layerService, false)
	peek.path = append(peek.path, "services", name)
	if v := sd.key(n, "profiles"); v != nil {
		peek.push("profiles")
		wanted := peek.texts(v)
		peek.pop()
		entry.out = !slices.ContainsFunc(wanted, func(s string) bool { return slices.Contains(l.o.Profiles, s) })
		if len(wanted) == 0 {
			entry.out = false
		}
	}
	peek.foreign = entry.out
	count := 1
	if v := sd.key(n, "instances"); v != nil && v.kind == scalarNode {
		if s, err := sc.expand(v.value); err == nil {
			if i, err := parseInt(s); err == nil && i >= 1 && i <= maxInstances {
				count = int(i)
			}
		}
	}
	port := 0
	if v := sd.key(n, "port"); v != nil && v.kind == scalarNode {
		peek.push("port")
		port, _ = peek.port(v)
		peek.pop()
	}
	if entry.out {
		count = 1
	}
	if sd.total += count; sd.total > maxTotalInstances {
		if sd.total-count <= maxTotalInstances {
			l.problemAt(p.key, "services."+name, "with this one there are more than "+strconv.Itoa(maxTotalInstances)+" instances in all", "")
		}
		return
	}
	for i := 1; i <= count; i++ {
		sc.own["HOST_INSTANCE"] = strconv.Itoa(i)
		switch {
		case port == PortAuto:
			sc.own["PORT"] = AutoPort
		case port > 0:
			sc.own["PORT"] = strconv.Itoa(port + i - 1)
		}
		var s *Service
		if i == 1 || sc.perInstance {
			before := len(l.problems)
			s = sd.instance(p, sc, entry)
			if len(l.problems) > before && i > 1 {
				return // the next ones would say the same
			}
		} else {
			same := *entry.instances[0]
			s = &same
		}
		weight := entry.text
		if i > 1 && !sc.perInstance {
			weight /= 8 // shares the memory, and is only hashed
		}
		if sd.text += weight; sd.text > maxTotalText {
			if sd.text-weight <= maxTotalText {
				l.problemAt(p.key, "services."+name, "with this one the arguments and environments of all have more than "+strconv.Itoa(maxTotalText>>20)+" MiB", "")
			}
			return
		}
		s.Name, s.Instance, s.ID = name, i, name
		if count > 1 {
			s.ID = name + "." + strconv.Itoa(i)
		}
		if port > 0 {
			s.Port = port + i - 1
		}
		entry.instances = append(entry.instances, s)
		if !entry.out {
			sd.out = append(sd.out, s)
		}
	}
	if port > 0 && port+count-1 > 65535 {
		l.problemAt(sd.key(n, "port"), "services."+name+".port", "with "+strconv.Itoa(count)+" instances the ports go up to "+strconv.Itoa(port+count-1)+", more than 65535", "")
	}
}

// instance decodes the keys of a service for the variables of one instance.
func (sd *serviceDecoder) instance(p pair, sc *scope, entry *serviceEntry) *Service {
	l, dr := sd.l, sd.work
	if sd.base != nil {
		dr.copyFrom(sd.base)
	} else {
		clear(dr.at)
		clear(dr.from)
		*dr = draft{at: dr.at, from: dr.from}
		sd.layDefaults(dr, sc, entry.out)
	}
	before := len(l.problems)
	d := sd.decoder(dr, sc, layerService, entry.out)
	d.path = append(d.path, "services", p.key.value)
	sd.run(d, p.val)
	s := new(Service)
	*s = dr.svc
	f := finisher{sd: sd, d: d, dr: dr, s: s, key: p.key}
	f.finish(len(l.problems) == before)
	entry.text = f.text
	entry.enabled = s.Enabled
	entry.dependsAt = dr.dependsAt // made anew for each service that has any
	at := func(path string) *node {
		n, _ := dr.where(path)
		return n
	}
	entry.portAt, entry.logAt, entry.stderrAt = at("port"), at("log.path"), at("log.stderr")
	entry.watchAt = at("thresholds")
	return s
}
