package supervisor

import (
	"context"
	"fmt"
	"maps"
	"math/rand/v2"
	"os"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"servicehost/host/journal"
	"servicehost/host/process"
	"servicehost/host/process/processtest"
	"servicehost/host/requires"
	"servicehost/host/state/statetest"
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
	last    map[Key]time.Time           // event of an instance
	alive   map[Key][]uint64            // incarnations whose end nobody has told
	reads   map[process.RunID]time.Time // when a run read its files last
	faults  []string
	told    int
	n       int
}

func newStorm(t *testing.T, seed uint64) *storm {
	w := &storm{
		dice: &dice{rnd: rand.New(rand.NewPCG(seed, 7))}, recipes: map[string]*recipe{}, down: map[Key]time.Time{},
		passed: map[*fakeWatch]bool{}, last: map[Key]time.Time{}, alive: map[Key][]uint64{}, reads: map[process.RunID]time.Time{},
	}
	w.boot(t, nil)
	return w
}

// boot starts a host over what the former one kept.
func (w *storm) boot(t *testing.T, store *statetest.Memory) {
	fake := processtest.New()
	fake.Beside, fake.Behave, fake.Step = true, w.behave, w.step
	var before []journal.Event
	if w.rig != nil {
		before = w.events
	}
	w.rig = newRig(t, fake, store)
	w.events = before
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

// read notes that a run reads the files that its program reads itself.
func (w *storm) read(id process.RunID) {
	w.mu.Lock()
	defer w.mu.Unlock()
	id.Task = ""
	w.reads[id] = time.Now()
}

func (w *storm) step(id process.RunID, do string) error {
	if do == "SIGHUP" {
		w.read(id)
	}
	return nil
}

// began looks whether a process may be started while another of its instance is still there.
func (w *storm) began(id process.RunID) {
	k := Key{id.Service, id.Instance}
	i := w.sup.instance(k) // on whose goroutine this is
	w.mu.Lock()
	alive := slices.Clone(w.alive[k])
	w.alive[k] = append(w.alive[k], id.Incarnation)
	w.mu.Unlock()
	overlaps := false
	switch s := i.side; {
	case s != nil && s.run == nil && s.pending():
		overlaps = s.spec.Update.Order == spec.StartFirst && s.spec.Type == spec.TypeService
	case s != nil && i.run == nil: // the run that took over has ended before the former one was gone
		overlaps = i.spec.Update.Order == spec.StartFirst && i.spec.Type == spec.TypeService
	}
	if len(alive) > 0 && !overlaps || len(alive) > 1 {
		w.fault("%v is started while %v are there", id, alive)
	}
}

// behave says what a process does. Hooks fail and hang; jobs end; services crash, linger, and refuse to stop.
func (w *storm) behave(id process.RunID, r process.Request) processtest.Behavior {
	b := w.fate(id, r)
	b.Rereads = true
	switch {
	case strings.HasPrefix(id.Task, "on_change."): // whether that can be done or not
		w.read(id)
	case b.StartError != nil:
	case id.Task == "":
		w.began(id)
		w.read(id)
	}
	return b
}

func (w *storm) fate(id process.RunID, r process.Request) processtest.Behavior {
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
	if w.watches = append(w.watches, v); len(w.watches) > 60 {
		n := max(0, slices.IndexFunc(w.watches, (*fakeWatch).over))
		delete(w.passed, w.watches[n])
		w.watches = slices.Delete(w.watches, n, n+1)
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

func (w *fakeWatch) over() bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.stopped
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
	if e.Kind == journal.ProcessExited {
		w.alive[k] = slices.DeleteFunc(w.alive[k], func(n uint64) bool { return n == e.Incarnation })
	}
	w.mu.Unlock()
	if e.Kind != journal.StateChanged || e.To != string(Starting) || strings.HasSuffix(e.Reason, "takes over") { // the last was started before
		return
	}
	if down && now.Sub(stopped) > 3*time.Minute {
		w.fault("%v is started although it was stopped %v ago", k, now.Sub(stopped))
	}
	if c == nil || !c.edited.Before(now) || k.Instance > c.instances { // the last waits for others before it is removed
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
				up := w.fake.Up(living[id].Service, living[id].Instance)
				one := up[w.dice.n(len(up))]
				w.fake.Exit(one, w.dice.n(3), "")
				return "exit of " + one.String()
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
	w.alive = map[Key][]uint64{} // nobody lives, and the end of who was killed last may not have been told
	w.mu.Unlock()
	w.boot(w.t, w.store)
	sup, sp := w.sup, w.spec()
	w.beside(func(ctx context.Context) { sup.Apply(ctx, sp, nil, false) })
}

// soothe has everything work from now on.
func (w *storm) soothe() {
	w.calm.Store(true)
	w.sup.Pause(false)
	w.mu.Lock()
	watches := slices.DeleteFunc(slices.Clone(w.watches), (*fakeWatch).over)
	w.mu.Unlock()
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

// log shows all that was told, where HOST_STORM_LOG names an instance ("a.1") that of this one.
func (w *storm) log() {
	one := os.Getenv("HOST_STORM_LOG")
	if one == "" {
		return
	}
	w.rig.mu.Lock()
	defer w.rig.mu.Unlock()
	for _, e := range w.events {
		if one == "all" || one == (Key{e.Service, e.Instance}).String() {
			w.t.Logf("%s %s %s#%d %s→%s pid %d: %s", e.Time.Format("15:04:05.000"), e.Kind, e.ID, e.Incarnation, e.From, e.To, e.PID, e.Reason)
		}
	}
}

// TestStormEndsWhereTheModelSays is the walk through everything: probes, hooks, requirements, jobs, rollouts,
// instances that come and go, and hosts that are started anew. HOST_STORM_EVENTS makes the walks longer,
// HOST_STORM_SEED shows one again, as far as goroutines let it be the same; HOST_STORM_LOG=a.1 tells its story.
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
				w.log()
			}
		})
		if t.Failed() {
			return
		}
	}
}
