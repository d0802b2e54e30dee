package supervisor

import (
	"fmt"
	"maps"
	"slices"
	"strconv"
	"time"

	"servicehost/spec"
)

// recipe is what the specs of a service are made of.
type recipe struct {
	name      string
	kind      spec.Type
	version   int
	instances int
	enabled   bool
	live      string // description
	restart   spec.Restart
	health    spec.Health
	update    spec.Update
	hooks     spec.Hooks
	schedule  spec.Schedule
	requires  bool
	maxRun    time.Duration
	port      int // of what is started first
	onChange  *spec.OnChange
	config    int // version of the files that the program reads itself
	deps      map[string]spec.Dependency
	edited    time.Time

	configured time.Time // when config changed last
}

func (c *recipe) build() []*spec.Service {
	var out []*spec.Service
	for n := range c.instances {
		out = append(out, service(c.name, arg(string(c.kind)), arg(strconv.Itoa(c.version)), func(s *spec.Service) {
			s.Instance, s.Instances = n+1, c.instances
			if c.instances > 1 {
				s.ID = fmt.Sprintf("%s.%d", c.name, n+1)
			}
			s.Type, s.Enabled, s.Description, s.Restart = c.kind, c.enabled, c.live, c.restart
			s.Health, s.Update, s.Hooks, s.Schedule, s.MaxRuntime = c.health, c.update, c.hooks, c.schedule, c.maxRun
			s.OnChange, s.Config = c.onChange, strconv.Itoa(c.config)
			if s.Update.Order == spec.StartFirst {
				if s.Port = c.port; c.port > 0 {
					s.Port, s.Update.SharedPort = c.port+n, true
				}
			}
			s.DependsOn = maps.Clone(c.deps)
			if c.requires {
				s.Requires.Files = []string{"now and then"}
			}
		}))
	}
	return out
}

// edit changes, adds or removes one service.
func (w *storm) edit() string {
	w.mu.Lock()
	defer w.mu.Unlock()
	d, now := w.dice, time.Now()
	name := string(rune('a' + d.n(8)))
	c := w.recipes[name]
	if c != nil && d.n(8) == 0 {
		delete(w.recipes, name)
		w.unlink(name)
		return "removal of " + name
	}
	w.n++
	if c == nil || d.n(5) == 0 {
		w.recipes[name] = w.cook(name)
		w.recipes[name].edited, w.recipes[name].configured = now, now
		if c != nil && c.kind != w.recipes[name].kind {
			w.unlink(name)
		}
		return "new spec of " + name
	}
	was, to := c, w.cook(name)
	next := *was
	c = &next
	c.edited = now
	what := ""
	switch d.n(14) {
	case 0, 1, 2:
		what, c.version = "command", w.n
	case 10, 11, 12:
		what, c.config, c.configured = "config", w.n, now
	case 13:
		what, c.onChange = "on_change", to.onChange
	case 3:
		what, c.instances = "instances", to.instances
	case 4:
		what, c.health = "health", to.health
	case 5:
		what, c.update, c.port = "update", to.update, to.port
	case 6:
		what, c.hooks = "hooks", to.hooks
	case 7:
		what, c.requires, c.live = "requires", !c.requires, strconv.Itoa(w.n)
	case 8:
		what, c.enabled = "enabled", !c.enabled
	case 9:
		what, c.deps = "dependencies", to.deps
		if c.kind == spec.TypeScheduled && to.kind == spec.TypeScheduled {
			what, c.schedule = "schedule", to.schedule
		}
	}
	w.recipes[name] = c
	return what + " of " + name
}

// unlink ends what others want of a service.
func (w *storm) unlink(name string) {
	for n, o := range w.recipes {
		if _, on := o.deps[name]; on {
			o := *o
			o.edited, o.deps = time.Now(), maps.Clone(o.deps)
			delete(o.deps, name)
			w.recipes[n] = &o
		}
	}
}

func (w *storm) cook(name string) *recipe {
	d := w.dice
	c := &recipe{
		name: name, kind: spec.TypeService, version: w.n, instances: 1 + max(0, d.n(5)-2), enabled: d.n(8) > 0, deps: map[string]spec.Dependency{},
		restart:  spec.Restart{Policy: spec.RestartAlways, Delay: time.Second, Factor: 2, MaxDelay: time.Minute, ResetAfter: 30 * time.Second, RetryAfter: 2 * time.Minute},
		requires: d.n(4) == 0,
		update: spec.Update{
			Order: []spec.UpdateOrder{spec.StopFirst, spec.StartFirst}[d.n(2)], Parallelism: 1 + d.n(2), Timeout: time.Duration(5+d.n(60)) * time.Second, Monitor: time.Duration(d.n(10)) * time.Second,
			FailureAction: []spec.FailureAction{spec.FailureRollback, spec.FailurePause, spec.FailureContinue}[d.n(3)],
		},
	}
	c.port, c.config = []int{spec.PortAuto, 0, 8080}[d.n(3)], w.n
	switch d.n(4) {
	case 0, 1:
		c.onChange = &spec.OnChange{Signal: "SIGHUP"}
	case 2:
		c.onChange = &spec.OnChange{Action: &spec.Action{Exec: []string{trueProgram, "reload"}, Timeout: 5 * time.Second}}
	}
	if d.n(3) == 0 {
		c.restart.Limit, c.restart.Window = 3, 10*time.Minute
	}
	switch d.n(8) {
	case 0:
		c.kind, c.instances, c.restart.Policy = spec.TypeOneshot, 1, spec.RestartNo
	case 1, 2:
		c.kind, c.restart.Policy = spec.TypeScheduled, spec.RestartNo
		if d.n(2) == 0 {
			c.restart.Policy, c.restart.Limit, c.restart.Window = spec.RestartOnFailure, 2, 10*time.Minute
		}
		c.schedule = spec.Schedule{
			Cron: []string{"* * * * *", "*/5 * * * *", "*/20 * * * * *"}[d.n(3)], Timezone: "UTC", CatchUp: d.n(2) == 0,
			Overlap: []spec.Overlap{spec.OverlapSkip, spec.OverlapQueue, spec.OverlapReplace}[d.n(3)], Jitter: time.Duration(d.n(2)*d.n(20)) * time.Second,
		}
		if c.maxRun = time.Duration(10+d.n(100)) * time.Second; d.n(2) == 0 {
			c.maxRun = 30 * time.Second
		}
	default:
		probe := func(one int) *spec.Probe {
			if d.n(one) > 0 {
				return nil
			}
			return &spec.Probe{TCP: "127.0.0.1:1", Period: time.Duration(1+d.n(5)) * time.Second}
		}
		c.health = spec.Health{Startup: probe(4), Readiness: probe(2), Liveness: probe(3)}
	}
	hooks := func() []spec.Action {
		if d.n(8) > 0 {
			return nil
		}
		return []spec.Action{{Exec: []string{trueProgram, "hook"}, Timeout: time.Duration(1+d.n(6)) * time.Second, IgnoreFailure: d.n(2) == 0}}
	}
	c.hooks = spec.Hooks{PreStart: hooks(), PostStart: hooks(), PreStop: hooks(), PostStop: hooks(), OnFailure: hooks()}
	for _, on := range slices.Sorted(maps.Keys(w.recipes)) {
		if k := w.recipes[on].kind; on < name && k != spec.TypeScheduled && d.n(4) == 0 {
			dep := spec.Dependency{Condition: []spec.Condition{spec.ConditionStarted, spec.ConditionHealthy}[d.n(2)], Required: d.n(4) > 0, Restart: d.n(3) == 0}
			if k == spec.TypeOneshot {
				dep.Condition, dep.Restart = spec.ConditionCompleted, false
			}
			c.deps[on] = dep
		}
	}
	return c
}
