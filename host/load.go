package host

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"strconv"
	"strings"

	"servicehost/host/eventlog"
	"servicehost/host/human"
	"servicehost/host/journal"
	"servicehost/host/osservice"
	"servicehost/host/supervisor"
	"servicehost/spec"
)

// load reads the files anew, exactly as at the start of the host: plan and reload see the host's own
// environment, never their caller's.
func (h *Host) load() spec.Result { return h.files.Load() }

func (h *Host) loadOptions() spec.Options {
	o := spec.Options{Files: h.opt.Files, Profiles: h.opt.Profiles, Set: h.opt.Set, Exe: h.exe, Managed: h.opt.Managed}
	if h.opt.Service != osservice.DefaultName {
		o.DefaultName = h.opt.Service // a second service of a machine has places of its own
	}
	return o
}

// The records of the last good spec: the host section, and one for each instance.
const (
	lastGoodHost = "last_good_host"
	lastGoodUnit = supervisor.KeepApplied
)

// goodHost is what is kept beside the services.
type goodHost struct {
	Path   string          `json:"path"`
	Dir    string          `json:"dir"`
	Hash   string          `json:"hash"`
	Host   spec.Host       `json:"host"`
	Notify []spec.Notifier `json:"notify,omitempty"`
}

// keepLastGood writes down what was applied, so that a host that finds a broken file at its next start
// can go on. Only what changed is written.
func (h *Host) keepLastGood(s *spec.Spec) {
	err := h.store.Put(lastGoodHost, goodHost{Path: s.Path, Dir: s.Dir, Hash: s.Hash, Host: s.Host, Notify: s.Notify})
	was := h.goodKept
	gone := was == nil // some may be, for all that is known
	for _, u := range s.Services {
		for len(was) > 0 && inOrder(was[0], u) < 0 {
			was, gone = was[1:], true
		}
		if len(was) > 0 && inOrder(was[0], u) == 0 {
			same := was[0] == u
			if was = was[1:]; same {
				continue
			}
		}
		var old struct{ Hash, ID string }
		if ok, e := h.store.Get(goodKey(u), &old); e == nil && ok && old.Hash == u.Hash && old.ID == u.ID {
			continue
		}
		err = errors.Join(err, h.store.Put(goodKey(u), u))
	}
	if gone || len(was) > 0 {
		have := make(map[string]bool, len(s.Services))
		for _, u := range s.Services {
			have[goodKey(u)] = true
		}
		for _, key := range h.store.Keys(lastGoodUnit) {
			if !have[key] {
				err = errors.Join(err, h.store.Delete(key))
			}
		}
	}
	if h.goodKept = s.Services; err != nil {
		h.goodKept = nil
		h.publish(journal.Event{Kind: journal.Warning, Reason: fmt.Sprintf("cannot keep the last good spec in %s: %v", human.Path(h.store.Dir()), err)})
	}
}

func goodKey(u *spec.Service) string { return lastGoodUnit + u.Name + "." + strconv.Itoa(u.Instance) }

// inOrder compares services as a spec has them.
func inOrder(a, b *spec.Service) int {
	return cmp.Or(strings.Compare(a.Name, b.Name), cmp.Compare(a.Instance, b.Instance))
}

// loadLastGood opens the state folder that a host with these files uses by default and reads what
// worked last. A folder named in the broken file itself can't be known.
func (h *Host) loadLastGood(ctx context.Context) (*spec.Spec, error) {
	dir, err := spec.DefaultStateDir(h.loadOptions())
	if err != nil {
		return nil, err
	}
	if _, err := os.Stat(dir); errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("there is no last good spec: no host has run with these files, the state folder %s does not exist", human.Path(dir))
	}
	if h.store, err = h.openStore(ctx, dir); err != nil {
		return nil, err
	}
	s, err := h.readLastGood()
	if err != nil {
		h.store.Close()
		h.store = nil
	}
	return s, err
}

func (h *Host) readLastGood() (*spec.Spec, error) {
	var g goodHost
	ok, err := h.store.Get(lastGoodHost, &g)
	if err != nil {
		return nil, fmt.Errorf("cannot read the last good spec: %w", err)
	}
	if !ok {
		return nil, fmt.Errorf("there is no last good spec in %s", human.Path(h.store.Dir()))
	}
	s := &spec.Spec{Path: g.Path, Dir: g.Dir, Hash: g.Hash, Host: g.Host, Notify: g.Notify}
	for _, key := range h.store.Keys(lastGoodUnit) {
		var u spec.Service
		if _, err := h.store.Get(key, &u); err != nil {
			return nil, fmt.Errorf("cannot read the last good spec of service %q: %w", strings.TrimPrefix(key, lastGoodUnit), err)
		}
		if u.Watch.On() { // what was found then is not what is there now
			s.Services = append(s.Services, u.WithBinary(spec.Binary{}))
			continue
		}
		s.Services = append(s.Services, &u)
	}
	return s, nil
}

func (h *Host) setLastGood(s *spec.Spec, res spec.Result) {
	why := fmt.Sprintf("the files are broken (%s); running what worked last", human.Count(len(res.Problems), "problem"))
	h.set(func(st *specState) { st.problems, st.lastGood = res.Problems, why })
	h.publish(journal.Event{Kind: journal.LastGood, Reason: why + ", spec " + s.Hash[:min(12, len(s.Hash))]})
	h.logProblems(res.Problems)
}

// loggedProblems bounds what one broken file writes to the log; status and validate show all.
const loggedProblems = 20

func (h *Host) logProblems(ps spec.Problems) {
	for n, p := range ps {
		if n == loggedProblems {
			h.log.Error(fmt.Sprintf("and %d more problems; see host status", len(ps)-n), eventlog.Leave())
			return
		}
		h.log.Error(p.String(), eventlog.Leave())
	}
}
