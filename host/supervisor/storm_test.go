package supervisor

import (
	"context"
	"fmt"
	"maps"
	"math/rand/v2"
	"os"
	"slices"
	"strconv"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"servicehost/host/journal"
	"servicehost/host/process"
	"servicehost/host/process/processtest"
	"servicehost/host/requires"
	"servicehost/spec"
)

// dice is chance for many goroutines.
type dice struct {
	mu  sync.Mutex
	rnd *rand.Rand
}

func (d *dice) n(n int) int {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.rnd.IntN(n)
}

func (d *dice) upTo(t time.Duration) time.Duration { return time.Duration(d.n(int(t)) + 1) }

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
	deps      map[string]spec.Dependency
	edited    time.Time
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
			s.DependsOn = maps.Clone(c.deps)
			if c.requires {
				s.Requires.Files = []string{"now and then"}
			}
		}))
	}
	return out
}

// storm makes events of every kind on a supervisor and knows what has to hold.
type storm struct {
	*rig
	dice  *dice
	calm  atomic.Bool
	story []string

	mu      sync.Mutex
	recipes map[string]*recipe
	down    map[Key]time.Time
	watches []*fakeWatch
	passed  map[*fakeWatch]bool
	last    map[Key]time.Time // event of an instance
	faults  []string
	told    int
	n       int
}

func newStorm(t *testing.T, seed uint64) *storm {
	w := &storm{
		dice: &dice{rnd: rand.New(rand.NewPCG(seed, 7))}, recipes: map[string]*recipe{}, down: map[Key]time.Time{},
		passed: map[*fakeWatch]bool{}, last: map[Key]time.Time{},
	}
	w.boot(t, nil)
	return w
}

// boot starts a host over what the former one kept.
func (w *storm) boot(t *testing.T, store *memory) {
	fake := processtest.New()
	fake.Behave = w.behave
	w.rig = newRig(t, fake, store)
	w.sup.env.require = w.look
	w.probes.script = w.probe
	publish, sup := w.sup.env.publish, w.sup
	w.sup.env.publish = func(e journal.Event) {
		publish(e)
		w.watch(sup, e)
	}
}

func (w *storm) fault(format string, a ...any) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if len(w.faults) < 5 {
		w.faults = append(w.faults, fmt.Sprintf(format, a...))
	}
}

// behave says what a process does. Hooks fail and hang; jobs end; services crash, linger, and refuse to stop.
func (w *storm) behave(id process.RunID, r process.Request) processtest.Behavior {
	job := len(r.Args) > 1 && r.Args[1] != string(spec.TypeService)
	if w.calm.Load() {
		if job || id.Task != "" {
			return processtest.Behavior{ExitAfter: 500 * time.Millisecond}
		}
		return processtest.Behavior{}
	}
	b := processtest.Behavior{StopAfter: w.dice.upTo(3 * time.Second)}
	if id.Task != "" || job {
		b.ExitAfter = w.dice.upTo(8 * time.Second)
		if w.dice.n(4) == 0 {
			b.Code = 1
		}
	}
	switch w.dice.n(8) {
	case 0:
		if b.ExitAfter = w.dice.upTo(20 * time.Second); w.dice.n(2) == 0 {
			b.Code = 1
		}
	case 1:
		b.IgnoreStop = true
	case 2:
		b.Linger = w.dice.upTo(8 * time.Second)
	case 3:
		if w.dice.n(3) == 0 {
			b.StartError = &process.Error{Kind: process.ErrResources, Message: "no luck"}
		}
	case 4:
		if id.Task != "" || w.dice.n(3) == 0 {
			b.ExitAfter = 0 // it hangs
		}
	}
	return b
}

func (w *storm) look(ctx context.Context, _ spec.Requires, _ requires.Env) []requires.Unmet {
	select {
	case <-time.After(w.dice.upTo(2 * time.Second)):
	case <-ctx.Done():
	}
	if !w.calm.Load() && w.dice.n(3) == 0 {
		return []requires.Unmet{{Message: "not now"}}
	}
	return nil
}

// probe is what the probes of a new run find by themselves.
func (w *storm) probe(o Watched, say func(time.Duration, HealthChange, string)) {
	calm := w.calm.Load()
	v := w.probes.of(o.Spec.ID)
	w.mu.Lock()
	if w.watches = append(w.watches, v); len(w.watches) > 40 {
		delete(w.passed, w.watches[0])
		w.watches = slices.Delete(w.watches, 0, 1)
	}
	w.passed[v] = o.Spec.Health.Startup == nil
	w.mu.Unlock()
	at := time.Duration(0)
	if o.Spec.Health.Startup != nil {
		if !calm && w.dice.n(5) == 0 {
			return
		}
		at = w.dice.upTo(5 * time.Second)
		time.AfterFunc(at, func() { w.pass(v) })
	}
	if o.Spec.Health.Readiness != nil && (calm || w.dice.n(5) > 0) {
		say(at+w.dice.upTo(5*time.Second), BecameReady, "")
	}
}

func (w *storm) pass(v *fakeWatch) {
	w.mu.Lock()
	w.passed[v] = true
	w.mu.Unlock()
	v.say(StartupPassed, "")
}

// asks are the probes of now.
func (w *fakeWatch) asks() spec.Health {
	w.mu.Lock()
	defer w.mu.Unlock()
	if n := len(w.applied); n > 0 {
		return w.applied[n-1]
	}
	return w.Spec.Health
}

// said has a probe find something, also of a run that is gone.
func (w *storm) said() string {
	w.mu.Lock()
	if len(w.watches) == 0 {
		w.mu.Unlock()
		return "no probe"
	}
	v := w.watches[w.dice.n(len(w.watches))]
	passed := w.passed[v]
	w.mu.Unlock()
	h := v.asks()
	var c HealthChange
	switch {
	case !passed && w.dice.n(2) == 0:
		w.pass(v)
		return "startup passed of " + v.Run.String()
	case !passed:
		c = StartupFailed
	case h.Readiness == nil && h.Liveness == nil:
		return "no probe"
	case h.Readiness == nil:
		c = LivenessFailed
	default:
		c = []HealthChange{BecameReady, BecameReady, BecameNotReady, BecameNotReady, LivenessFailed}[w.dice.n(5)]
	}
	v.report(HealthEvent{Change: c, Reason: "by chance"})
	return fmt.Sprintf("probe %d of %v", c, v.Run)
}

// watch looks at every event: whether what starts may.
func (w *storm) watch(sup *Supervisor, e journal.Event) {
	k := Key{e.Service, e.Instance}
	now := time.Now()
	w.mu.Lock()
	w.told++
	last := maps.Clone(w.last)
	w.last[k] = now
	c := w.recipes[e.Service]
	stopped, down := w.down[k]
	w.mu.Unlock()
	if e.Kind != journal.StateChanged || e.To != string(Starting) {
		return
	}
	if down && now.Sub(stopped) > 3*time.Minute {
		w.fault("%v is started although it was stopped %v ago", k, now.Sub(stopped))
	}
	if c == nil || !c.edited.Before(now) {
		return
	}
	for name, d := range c.deps {
		w.mu.Lock()
		on := w.recipes[name]
		w.mu.Unlock()
		if !d.Required || on == nil || !on.edited.Before(now) {
			continue
		}
		for n := range on.instances {
			dk := Key{name, n + 1}
			i := sup.instance(dk)
			if i == nil || !last[dk].Before(now) {
				continue
			}
			if why, _ := unmet(&slot{key: dk, inst: i, wanted: i.snap.Load().Spec}, d.Condition); why != "" {
				w.fault("%v is started although it %s (%s)", k, why, e.Reason)
			}
		}
	}
}

func (w *storm) names() []string { return slices.Sorted(maps.Keys(w.recipes)) }

func (w *storm) spec() *spec.Spec {
	var all []*spec.Service
	for _, n := range w.names() {
		all = append(all, w.recipes[n].build()...)
	}
	return makeSpec(all...)
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
		w.recipes[name].edited = now
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
	switch d.n(10) {
	case 0, 1, 2:
		what, c.version = "command", w.n
	case 3:
		what, c.instances = "instances", to.instances
	case 4:
		what, c.health = "health", to.health
	case 5:
		what, c.update = "update", to.update
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
			Order: spec.StopFirst, Parallelism: 1 + d.n(2), Timeout: time.Duration(5+d.n(60)) * time.Second, Monitor: time.Duration(d.n(10)) * time.Second,
			FailureAction: []spec.FailureAction{spec.FailureRollback, spec.FailurePause, spec.FailureContinue}[d.n(3)],
		},
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

// beside calls f and does not wait for longer than what can happen at once.
func (w *storm) beside(f func(context.Context)) {
	ctx, cancel := context.WithCancel(context.Background())
	go func() { defer cancel(); f(ctx) }()
	synctest.Wait()
	cancel() // what was begun goes on
}

func (w *storm) operate() string {
	w.mu.Lock()
	names := w.names()
	w.mu.Unlock()
	if len(names) == 0 {
		return "nobody there"
	}
	c := w.recipes[names[w.dice.n(len(names))]]
	name, from, to := c.name, 1, c.instances
	if w.dice.n(3) == 0 {
		from = 1 + w.dice.n(c.instances)
		name, to = Key{c.name, from}.String(), from
	}
	verb := []Verb{Start, Stop, Restart, RunNow}[w.dice.n(4)]
	w.mu.Lock()
	for n := from; n <= to; n++ {
		switch k := (Key{c.name, n}); verb {
		case Stop:
			w.down[k] = time.Now()
		case Start, Restart:
			delete(w.down, k)
		}
	}
	w.mu.Unlock()
	sup := w.sup
	w.beside(func(ctx context.Context) { sup.Do(ctx, Act{Verb: verb, Names: []string{name}, Actor: "walker"}) })
	return string(verb) + " " + name
}

func (w *storm) event() string {
	sup := w.sup
	switch k := w.dice.n(100); {
	case k < 25:
		what, sp := w.edit(), w.spec()
		w.beside(func(ctx context.Context) { sup.Apply(ctx, sp, nil, w.dice.n(2) == 0) })
		return what
	case k < 40:
		living := w.fake.Living()
		for _, id := range slices.Sorted(maps.Keys(living)) {
			if w.dice.n(len(living)) == 0 {
				w.fake.Exit(living[id], w.dice.n(3), "")
				return "exit of " + id
			}
		}
		return "no exit"
	case k < 65:
		return w.said()
	case k < 85:
		return w.operate()
	case k < 88:
		sup.Pause(true)
		return "pause"
	case k < 92:
		sup.Pause(false)
		return "resume"
	case k < 96:
		names := w.names()
		if len(names) == 0 {
			return "nothing to retry"
		}
		name := names[w.dice.n(len(names))]
		sp := w.spec()
		w.beside(func(ctx context.Context) { sup.Apply(ctx, sp, []string{name}, false) })
		return "retry of " + name
	case k < 98:
		settle(w.dice.upTo(20 * time.Minute))
		return "a pause"
	case k == 98:
		w.reboot()
		return "restart of the host"
	}
	return "nothing"
}

// reboot ends the host and starts it anew, with what the one above it keeps.
func (w *storm) reboot() {
	for _, p := range w.sup.Snapshots() {
		if p.State == Running && !p.Proving && p.SpecState == SpecApplied {
			w.store.Put(KeepApplied+p.Key.String(), p.Spec)
		}
	}
	begin, budget := time.Now(), w.dice.upTo(time.Minute)
	w.sup.Shutdown(context.Background(), budget)
	if d := time.Since(begin); d > budget+30*time.Second {
		w.fault("the shutdown took %v, its budget was %v", d, budget)
	}
	if n := len(w.fake.Living()); n > 0 {
		w.fault("%d runs outlive the host", n)
	}
	w.mu.Lock()
	w.watches, w.passed = nil, map[*fakeWatch]bool{}
	w.mu.Unlock()
	w.boot(w.t, w.store)
	sup, sp := w.sup, w.spec()
	w.beside(func(ctx context.Context) { sup.Apply(ctx, sp, nil, false) })
}

// soothe has everything work from now on.
func (w *storm) soothe() {
	w.calm.Store(true)
	w.sup.Pause(false)
	w.probes.mu.Lock()
	watches := slices.Collect(maps.Values(w.probes.watches))
	w.probes.mu.Unlock()
	for _, v := range watches {
		w.pass(v)
		if v.asks().Readiness != nil {
			v.say(BecameReady, "")
		}
	}
	settle(time.Hour)
	for _, p := range w.sup.Snapshots() { // only an operator starts these again
		if p.Spec.Type == spec.TypeOneshot && p.Up && p.ForGood {
			w.beside(func(ctx context.Context) {
				w.sup.Do(ctx, Act{Verb: Start, Names: []string{p.Key.String()}, Actor: "walker"})
			})
		}
	}
	settle(time.Hour)
}

// judge compares what there is with what has to be.
func (w *storm) judge() {
	got := map[Key]*Snapshot{}
	for _, p := range w.sup.Snapshots() {
		got[p.Key] = p
	}
	total := 0
	for _, name := range w.names() {
		c := w.recipes[name]
		stalled := slices.ContainsFunc(w.sup.Snapshots(), func(p *Snapshot) bool { return p.Key.Service == name && p.Stalled != "" })
		for _, s := range c.build() {
			total++
			k := keyOf(s)
			p := got[k]
			if p == nil {
				w.fault("%v is not there", k)
				continue
			}
			_, down := w.down[k]
			if up := c.enabled && !down; !up {
				if p.State != Stopped {
					w.fault("%v is %s (%s), it was to be down", k, p.State, p.Reason)
				}
				continue
			}
			open, kind := w.open(c), p.Spec.Type // which may be that of the spec it went back to
			ok := false
			switch p.State {
			case Running:
				ok = p.Health == HealthHealthy && kind == spec.TypeService || open && kind != spec.TypeService
			case Exited:
				ok = kind == spec.TypeOneshot
			case Waiting:
				ok = !open || kind == spec.TypeScheduled && (!p.NextTry.Before(time.Now()) && time.Until(p.NextTry) < 6*time.Minute || time.Since(p.ExitAt) < 7*time.Minute)
			case Failed:
				ok = !open
			case Stopped, Starting, Stopping, Killing, Backoff: // not for hours
			}
			if !ok {
				w.fault("%v is %s, %s (%s), next %v; gates open: %v; now %v, plan %+v, well %+v, target %+v", k, p.State, p.Health, p.Reason, p.NextTry, open, time.Now(), w.sup.instance(k).plan, w.sup.instance(k).well, *w.sup.instance(k).target)
			}
			if p.State == Running && p.SpecState != SpecRolledBack && !stalled && p.Spec.Hash != s.Hash {
				w.sup.do(func() {
					l := w.sup.slots[k]
					w.fault("%v runs %v, %s, proving %v, want %v, known as %v, target %v; held %v, veto %q, stalled by %+v; flux %v, removing %v; deps %v, target %+v", k, p.Spec.Command[1:], p.SpecState, p.Proving, s.Command[1:],
						l.wanted.Command[1:], l.target.spec.Command[1:], w.sup.held(l), w.sup.vetoOf(l), w.sup.stalledBy(l), w.sup.flux, w.sup.removing(), l.deps, *l.target)
				})
			}
			if args := w.fake.Request(p.Run).Args; p.State == Running && kind == spec.TypeService && !slices.Equal(args, p.Spec.Command) {
				w.fault("%v runs %v, says %v", k, args, p.Spec.Command)
			}
			if len(p.Runs) > maxJobRuns {
				w.fault("%v remembers %d runs", k, len(p.Runs))
			}
		}
	}
	if total != len(got) {
		w.fault("%d instances, want %d", len(got), total)
	}
}

// open reports whether what a service depends on is there.
func (w *storm) open(c *recipe) bool {
	for name, d := range c.deps {
		on := w.recipes[name]
		for n := range on.instances {
			k := Key{name, n + 1}
			_, down := w.down[k]
			i := w.sup.instance(k)
			if i == nil {
				return false
			}
			why, forGood := unmet(&slot{key: k, inst: i, wanted: i.snap.Load().Spec}, d.Condition)
			if why != "" && (d.Required || !forGood && on.enabled && !down) {
				return false
			}
		}
	}
	return true
}

// rest looks that nothing is done where there is nothing to do.
func (w *storm) rest() {
	before := w.sup.Snapshots()
	jobs := 0
	for _, p := range before {
		if p.Spec.Type == spec.TypeScheduled {
			jobs++
		}
	}
	w.mu.Lock()
	told := w.told
	w.mu.Unlock()
	settle(time.Hour)
	for n, p := range w.sup.Snapshots() {
		if p != before[n] && p.Spec.Type != spec.TypeScheduled {
			w.fault("%v was published again: %s (%s), was %s (%s), target %+v", p.Key, p.State, p.Reason, before[n].State, before[n].Reason, *w.sup.instance(p.Key).target)
		}
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	if n := w.told - told; n > jobs*180*8 { // three runs a minute
		w.faults = append(w.faults, fmt.Sprintf("%d events within an hour of rest, with %d jobs", n, jobs))
	}
}

// TestStormEndsWhereTheModelSays is the walk through everything: probes, hooks, requirements, jobs, rollouts,
// instances that come and go, and hosts that are started anew. HOST_STORM_EVENTS makes the walks longer,
// HOST_STORM_SEED shows one again, as far as goroutines let it be the same.
func TestStormEndsWhereTheModelSays(t *testing.T) {
	walks, events := 25, 300
	if testing.Short() {
		walks = 5
	}
	if v, err := strconv.Atoi(os.Getenv("HOST_STORM_EVENTS")); err == nil {
		events = v
	}
	for range walks {
		seed := rand.Uint64()
		if v, err := strconv.ParseUint(os.Getenv("HOST_STORM_SEED"), 10, 64); err == nil {
			seed = v
		}
		synctest.Test(t, func(t *testing.T) {
			w := newStorm(t, seed)
			begin := time.Now()
			for range events {
				w.story = append(w.story, w.event())
				settle(time.Duration(w.dice.n(int(4 * time.Second))))
			}
			w.mu.Lock()
			told := w.told
			w.mu.Unlock()
			if n, limit := told, 2000+int(time.Since(begin)/time.Second)*12; n > limit {
				w.fault("%d events within %v", n, time.Since(begin))
			}
			w.soothe()
			w.judge()
			w.rest()
			w.mu.Lock()
			defer w.mu.Unlock()
			for _, f := range w.faults {
				t.Errorf("seed %d: %s", seed, f)
			}
			if t.Failed() {
				t.Logf("the last events: %q", w.story[max(0, len(w.story)-40):])
			}
		})
		if t.Failed() {
			return
		}
	}
}
