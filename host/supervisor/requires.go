package supervisor

import (
	"context"
	"fmt"
	"math/rand/v2"
	"strings"
	"sync"
	"time"

	"servicehost/host/journal"
	"servicehost/host/process"
	"servicehost/host/requires"
	"servicehost/spec"
)

const (
	// metFor is how long what was found to be there is taken to be.
	metFor = 5 * time.Second
	// lookFirst and lookLast are the waits before another look at what was not there.
	lookFirst = time.Second
	lookLast  = 30 * time.Second
)

// looking is how far an instance has come in looking for what its spec requires.
type looking struct {
	of     *spec.Service      // whose requires the rest is about
	cancel context.CancelFunc // of a look that is on its way; nil: none is
	turn   uint64             // counts looks: the answer of a former one says nothing
	met    time.Time          // when all was there; zero: it was not
	unmet  string             // what was not there
	next   time.Time          // when to look again
	tries  int
	reason string // for which it is to be started
}

// first reports whether nothing is known yet, and soon will be.
func (l *looking) first() bool { return l.cancel != nil && l.tries == 0 }

// forgetLook ends a look that is on its way, and forgets what was found.
func (i *instance) forgetLook() {
	if i.looking.cancel != nil {
		i.looking.cancel()
	}
	i.looking = looking{turn: i.looking.turn}
}

// waitForRequires keeps a service waiting as long as something that it requires is not there, and reports
// whether it does.
func (i *instance) waitForRequires(now time.Time, reason string) bool {
	want, l := i.wanted(), &i.looking
	if want.Requires.None() || i.booked && now.Before(i.nextTry) { // the second: its turn has not come
		return false
	}
	switch {
	case l.of != want:
		i.forgetLook()
	case l.cancel != nil:
		i.nextTry = time.Time{} // its end is waited for
		return true
	case !l.met.IsZero() && now.Sub(l.met) < metFor:
		return false
	case now.Before(l.next):
		i.nextTry = l.next
		return true
	}
	if reason != "" {
		l.reason = reason
	}
	i.nextTry = time.Time{}
	i.look(want, want.Requires, (*instance).stillWaits)
	if l.tries == 0 {
		i.waitFor("looks for what it requires")
	}
	return true
}

// stillWaits takes in what a look before a start found.
func (i *instance) stillWaits() {
	l := &i.looking
	if l.unmet == "" {
		l.tries = 0
		return // step goes on
	}
	i.giveBack()
	wait := min(lookLast, lookFirst<<min(l.tries, 10))
	wait += time.Duration(rand.Int64N(int64(wait)/10 + 1))
	l.tries++
	l.next = time.Now().Add(wait)
	i.nextTry = l.next
	reason := "requires: " + l.unmet
	if i.reason != reason {
		i.env.tell(i.event(journal.Warning, fmt.Sprintf("service %q waits, it %s", i.spec.ID, reason)))
	}
	if i.state == Waiting && i.reason == reason {
		i.publish() // the next try
	}
	i.waitFor(reason)
}

// lookAhead looks, while the old run is still there, whether what the spec that is to replace it requires is
// there; else the old one would be ended for nothing. Ports are left out, which the old run may hold. Until
// known is true nothing is to be done.
func (i *instance) lookAhead(now time.Time, want *spec.Service) (unmet string, known bool) {
	ahead := want.Requires
	if ahead.Ports = nil; ahead.None() {
		return "", true
	}
	l := &i.looking
	switch {
	case l.of != want:
		i.forgetLook()
	case l.cancel != nil:
		return "", false
	case l.unmet != "":
		unmet = l.unmet
		i.forgetLook()
		return unmet, true
	case now.Sub(l.met) < metFor:
		i.forgetLook()
		return "", true
	}
	i.look(want, ahead, func(*instance) {})
	return "", false
}

// look begins a look; then takes in what it found, on the goroutine of the instance.
func (i *instance) look(want *spec.Service, r spec.Requires, then func(*instance)) {
	ctx, cancel := context.WithCancel(context.Background())
	l := &i.looking
	l.turn++
	l.of, l.cancel, l.met, l.unmet = want, cancel, time.Time{}, ""
	turn, env, key := l.turn, i.env, i.key
	env.spawn(func() {
		defer cancel()
		found := env.require(ctx, r, env.requiresEnv(want, key))
		i.box.call(func(i *instance) {
			l := &i.looking
			if l.turn != turn || l.cancel == nil {
				return
			}
			l.cancel = nil
			if l.unmet = unmetText(found); l.unmet == "" {
				l.met = time.Now()
			}
			then(i)
		})
	})
}

func unmetText(found []requires.Unmet) string {
	texts := make([]string, len(found))
	for n, u := range found {
		texts[n] = u.Message
	}
	return strings.Join(texts, "; ")
}

// maxTold is how much of what a program writes about itself is looked at for its version.
const maxTold = 16 << 10

// requiresEnv is how a service would be started: commands are found as it finds them, and run as it runs.
func (e *environment) requiresEnv(s *spec.Service, k Key) requires.Env {
	port := max(s.Port, 0)
	vars := environ(e, s, port)
	return requires.Env{
		User: s.User, Group: s.Group,
		Resolve: func(name string) (string, error) { return resolve(e, name, s, vars) },
		Run: func(ctx context.Context, path string, args []string) (string, bool, error) {
			var mu sync.Mutex
			var out []byte
			id := process.RunID{Service: k.Service, Instance: k.Instance, Task: fmt.Sprintf("requires.%d", e.errands.Add(1))}
			r := runAs(e, s, port, process.Request{Path: path, Args: append([]string{path}, args...), Dir: s.Dir, Env: vars})
			exit, err := e.errand(ctx, id, r, drainTimeout, func(p []byte) {
				mu.Lock()
				defer mu.Unlock()
				out = append(out, p[:min(len(p), maxTold-len(out))]...)
			})
			mu.Lock()
			defer mu.Unlock()
			return string(out), err == nil && exit.Code == 0 && exit.Signal == "", err
		},
	}
}
