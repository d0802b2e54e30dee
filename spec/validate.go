package spec

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"
)

// checkTogether checks what concerns several services, and completes what depends on them.
func (l *loader) checkTogether(sd *serviceDecoder, s *Spec) {
	names := sd.names
	slices.Sort(names) // nearly for free, where the file has them in order
	for _, name := range names {
		l.checkDependencies(sd, name, names)
	}
	l.checkCycles(sd, names)
	l.checkNotified(sd)
	if s.Host.Restarts.Burst == 0 {
		s.Host.Restarts.Burst = max(minBurst, 2*len(s.Services))
	}
	claims := make(map[string]claim, len(s.Services))
	ports := make(map[int]claim, len(s.Services))
	if p := s.Host.Log.Path; p != "" {
		claims[l.paths.key(p)] = claim{}
	}
	for _, svc := range s.Services {
		entry := sd.entries[svc.Name]
		if svc.Log.Path == "" && entry.kept == nil {
			svc.Log.Path = s.Host.Logs.Dir + l.paths.separator() + svc.ID + ".log"
		}
		if e := svc.Log.Stderr; e != "" && entry.kept == nil && l.paths.key(e) == l.paths.key(svc.Log.Path) {
			// Lines say which stream they are of, but in a raw file, which needs the order of one pipe.
			svc.Log.Stderr = svc.Log.Path
			if svc.Log.Format == FormatRaw {
				svc.Log.Stderr = ""
			}
		}
		if svc.Enabled {
			l.claimLog(claims, svc, svc.Log.Path, "log.path", entry.logAt, entry)
			if svc.Log.Stderr != "" && svc.Log.Stderr != svc.Log.Path {
				l.claimLog(claims, svc, svc.Log.Stderr, "log.stderr", entry.stderrAt, entry)
			}
			l.claimPort(ports, svc, entry)
		}
	}
	if len(l.problems) > 0 {
		return
	}
	l.warnStopChain(sd, s)
	l.warnUntold(sd, s)
	c := &canonical{}
	for _, name := range names {
		entry := sd.entries[name]
		if entry.out || entry.kept != nil {
			continue
		}
		for _, svc := range entry.instances {
			svc.setHash(c)
		}
		entry.digest = digestOf(c, entry.instances)
	}
}

// claim is who uses something that only one can use.
type claim struct {
	name string // of the service; empty for the host itself
	id   string // of the instance
}

func (l *loader) claimLog(claims map[string]claim, svc *Service, path, key string, at *node, entry *serviceEntry) {
	folded := l.paths.key(path)
	first, taken := claims[folded]
	if !taken {
		claims[folded] = claim{svc.Name, svc.ID}
		return
	}
	hint := "each writes a file of its own"
	if first.name == svc.Name {
		hint = "put ${HOST_INSTANCE} into the name"
	}
	owner := "the host itself"
	if first.name != "" {
		owner = fmt.Sprintf("service %q", first.id)
	}
	if at == nil {
		at = entry.key
	}
	l.problemAt(at, "services."+svc.Name+"."+key, fmt.Sprintf("%s is written by %s too", quote(path), owner), hint)
}

func (l *loader) claimPort(ports map[int]claim, svc *Service, entry *serviceEntry) {
	if svc.Port <= 0 {
		return
	}
	first, taken := ports[svc.Port]
	if !taken {
		ports[svc.Port] = claim{svc.Name, svc.ID}
		return
	}
	message := fmt.Sprintf("port %d is that of service %q too", svc.Port, first.id)
	if svc.Instances > 1 {
		message = fmt.Sprintf("port %d of instance %d is that of service %q too", svc.Port, svc.Instance, first.id)
	}
	at := entry.portAt
	if at == nil {
		at = entry.key
	}
	l.problemAt(at, "services."+svc.Name+".port", message, "each instance takes the next number")
}

// checkDependencies checks the dependencies of one service, and leaves out those that can't be met and needn't be.
func (l *loader) checkDependencies(sd *serviceDecoder, name string, names []string) {
	entry := sd.entries[name]
	if entry.out || len(entry.instances) == 0 {
		return
	}
	deps := entry.instances[0].DependsOn
	if len(deps) == 0 && entry.kept != nil {
		return
	}
	var drop map[string]bool // of those that are left out
	leaveOut := func(other string) {
		if drop == nil {
			drop = map[string]bool{}
		}
		drop[other] = true
	}
	for _, other := range dependencyNames(deps) {
		dep, at := deps[other], entry.dependsAt[other]
		if at == nil {
			at = entry.key
		}
		path := "services." + name + ".depends_on." + other
		target := sd.entries[other]
		fail := func(message, hint string) { l.problemAt(at, path, message, hint) }
		switch {
		case other == name && entry.fromDefaults(sd, at):
			leaveOut(other)
		case other == name:
			fail("depends on itself", "")
		case target == nil:
			hint := ""
			near := ""
			if l.mayHint(len(names)) {
				near = nearest(other, names)
			}
			if near != "" {
				hint = fmt.Sprintf("did you mean %q?", near)
			} else if bare, _, ok := strings.Cut(other, "."); ok && sd.entries[bare] != nil {
				hint = fmt.Sprintf("name the service %q; all its instances are meant", bare)
			}
			fail("there is no service "+quote(other), hint)
		case target.out && dep.Required:
			fail("service "+quote(other)+" is not in the chosen profiles", "choose its profile, or write required: false")
		case target.out:
			leaveOut(other)
		case len(target.instances) == 0:
		case !target.enabled && dep.Required && entry.enabled:
			fail("service "+quote(other)+" is disabled", "enable it, or write required: false")
		case !target.enabled:
			leaveOut(other)
		case dep.Condition == ConditionCompleted && target.instances[0].Type == TypeService && target.instances[0].Restart.Policy == RestartAlways:
			fail("waits until "+quote(other)+" has completed, but that is restarted after every exit", "give it type: oneshot, or restart: on-failure")
		}
	}
	if entry.kept != nil {
		l.doubt = l.doubt || len(drop) > 0
		return
	}
	if len(deps) == 0 {
		for _, s := range entry.instances {
			s.DependsOn = nil
		}
		return
	}
	if len(drop) == 0 {
		return
	}
	entry.loud = true
	kept := maps.Clone(deps)
	maps.DeleteFunc(kept, func(other string, _ Dependency) bool { return drop[other] })
	if len(kept) == 0 {
		kept = nil
	}
	for _, s := range entry.instances {
		s.DependsOn = kept
	}
}

// needs are the dependencies of a service that is used.
func (e *serviceEntry) needs() map[string]Dependency {
	if e == nil || e.out || len(e.instances) == 0 {
		return nil
	}
	return e.instances[0].DependsOn
}

// dependencyNames are in order.
func dependencyNames(deps map[string]Dependency) []string {
	if len(deps) == 0 {
		return nil
	}
	names := make([]string, 0, len(deps))
	for name := range deps {
		names = append(names, name)
	}
	slices.Sort(names)
	return names
}

// fromDefaults reports whether a dependency stands in defaults and not in the service.
func (e *serviceEntry) fromDefaults(sd *serviceDecoder, at *node) bool {
	deps, _ := sd.defaults.get("depends_on")
	if deps == nil {
		return false
	}
	return deps == at || slices.Contains(deps.items, at) ||
		slices.ContainsFunc(deps.pairs, func(p pair) bool { return p.key == at })
}

func (l *loader) checkCycles(sd *serviceDecoder, names []string) {
	needs := map[string][]string{}
	for _, name := range names {
		// What needs nothing is in no circle, nor is what needs only such.
		deps := sd.entries[name].needs()
		deep := false
		for other := range deps {
			deep = deep || len(sd.entries[other].needs()) > 0
		}
		if !deep {
			continue
		}
		for _, other := range dependencyNames(deps) {
			if other != name && sd.entries[other] != nil {
				needs[name] = append(needs[name], other)
			}
		}
	}
	for _, cycle := range findCycles(needs) {
		entry := sd.entries[cycle[0]]
		at := entry.dependsAt[cycle[1]]
		if at == nil {
			at = entry.key
		}
		l.problemAt(at, "services."+cycle[0]+".depends_on."+cycle[1], "the services wait for each other: "+joinCycle(cycle), "")
	}
}

// warnStopChain tells when services that are stopped one after another may not fit into host.shutdown_timeout.
func (l *loader) warnStopChain(sd *serviceDecoder, s *Spec) {
	var longest func(e *serviceEntry) time.Duration
	longest = func(e *serviceEntry) time.Duration {
		if e == nil || e.out {
			return 0
		}
		c := &e.chain
		if c.known {
			return c.total
		}
		c.known = true
		i := slices.IndexFunc(e.instances, func(s *Service) bool { return s.Enabled })
		if i < 0 {
			return 0
		}
		svc := e.instances[i]
		own := svc.Stop.Delay + svc.Stop.Timeout
		for _, hooks := range [][]Action{svc.Hooks.PreStop, svc.Hooks.PostStop} {
			for _, a := range hooks {
				own += a.Timeout
			}
		}
		c.total = own
		for _, other := range dependencyNames(svc.DependsOn) {
			if behind := longest(sd.entries[other]); own+behind > c.total {
				c.total, c.next = own+behind, other
			}
		}
		return c.total
	}
	var worst time.Duration
	first := ""
	for _, name := range sd.names {
		if total := longest(sd.entries[name]); total > worst {
			worst, first = total, name
		}
	}
	if worst <= s.Host.ShutdownTimeout {
		return
	}
	var names []string
	for name := first; name != "" && len(names) < 20; name = sd.entries[name].chain.next {
		names = append(names, name)
	}
	l.warnings = append(l.warnings, Problem{File: l.o.Files[0], Path: "host.shutdown_timeout",
		Message: fmt.Sprintf("is %s, but stopping %s may take %s", FormatDuration(s.Host.ShutdownTimeout), joinCycle(names), FormatDuration(worst)),
		Hint:    "raise it, or lower stop.timeout"})
}

// warnUntold tells when thresholds are to be told to notifiers that there are not.
func (l *loader) warnUntold(sd *serviceDecoder, s *Spec) {
	if len(s.Notify) > 0 {
		return
	}
	told := map[*node]bool{}
	for _, svc := range s.Services {
		at := sd.entries[svc.Name].watchAt
		if at == nil || told[at] || !slices.ContainsFunc(svc.Thresholds, func(t Threshold) bool { return t.Action.Do == ThresholdNotify }) {
			continue
		}
		told[at] = true
		sd.entries[svc.Name].loud = true
		l.warnAt(at, "services."+svc.Name+".thresholds", "nobody is told: there is no notify", "add it: notify: [{webhook: \"https://…\"}]")
	}
}

// validate checks the host's section.
func (l *loader) validate(root *node, s *Spec) {
	section, key := root.get("host")
	at := func(path string) *node {
		n := section
		for part := range strings.SplitSeq(path, ".") {
			v, k := n.get(part)
			if v == nil {
				return firstNode(k, firstNode(key, root))
			}
			n = v
		}
		return n
	}
	fail := func(path string, wrong bool, message, hint string) {
		if wrong {
			l.problemAt(at(path), "host."+path, message, hint)
		}
	}
	h := &s.Host
	bad := strings.IndexFunc(h.Name, func(r rune) bool { return r < ' ' || strings.ContainsRune(`<>:"/\|?*`, r) }) >= 0
	fail("name", bad || len(h.Name) > 200 || strings.Trim(h.Name, ". ") != h.Name || reservedDevice(h.Name),
		quote(h.Name)+" can't be the name of a folder, which the host's name is", "")
	fail("shutdown_timeout", h.ShutdownTimeout == 0, "must be more than 0", "")
	if h.Control.Group != "" && strings.TrimSpace(h.Control.Group) == "" {
		fail("control.group", true, "is empty", "")
	}
	listener(h.HTTP, fail)
	l.warnDrives(s, section)
}
