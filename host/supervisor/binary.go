package supervisor

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"servicehost/spec"
)

// Found is what the watched files of an instance hold, told after its spec was handed out without it.
type Found struct {
	// Of is the hash of the spec that was handed out.
	Of     string
	Binary spec.Binary
}

// Identify hands the content of watched files in later. It is no edit: nothing is restarted for it. An
// instance whose spec is another one by now waits on.
func (s *Supervisor) Identify(found map[Key]Found) error {
	return s.do(func() {
		for k, f := range found {
			if l := s.slots[k]; l != nil && l.wanted != nil && unread(l.wanted) && l.wanted.Hash == f.Of {
				l.wanted = l.wanted.WithBinary(f.Binary)
			}
		}
		s.reconcile()
	})
}

// Program returns the path of the program that a service runs, also where nothing is there, and why it
// can't be run. A spec must have been handed out before.
func (s *Supervisor) Program(w *spec.Service) (string, error) {
	return resolve(s.env, w.Command[0], w, environ(s.env, w, max(w.Port, 0)))
}

// unread reports whether nobody has looked yet at the files that a service is restarted for. It does not
// start before, and what runs is not touched before.
func unread(s *spec.Service) bool {
	return s.Watch.On() && s.Binary.Content == "" && s.Binary.Problem == ""
}

func readingGate(s *spec.Service) gate {
	if s.Watch.ShadowCopy {
		return gate{reason: "waits for its program's folder to be copied"}
	}
	return gate{reason: "waits for its watched files to be read"}
}

// programOf returns the program to run: the one in the shadow copy where there is one.
func programOf(env *environment, s *spec.Service, vars []string) (string, error) {
	switch {
	case s.Binary.Problem != "":
		return "", errors.New(s.Binary.Problem)
	case s.Binary.Copy != "":
		return s.Binary.Copy, isFile(s.Binary.Copy)
	}
	return resolve(env, s.Command[0], s, vars)
}

// otherBinary reports whether the watched files hold something else and nothing else asks for a restart.
func otherBinary(a, b *spec.Service) bool {
	return a != nil && b != nil && a.Binary.Known() && b.Binary.Known() && a.Binary.Content != b.Binary.Content &&
		!needsRestart(a.WithBinary(b.Binary), b)
}

// binaryChange says in words how the binary of b differs from that of a.
func binaryChange(a, b *spec.Service) string {
	files := b.Binary.Files
	if files == "" {
		files = filepath.Base(b.Command[0])
	}
	return fmt.Sprintf("%s changed (sha256 %s → %s)", files, short(a.Binary.Content), short(b.Binary.Content))
}

// mustRestart reports whether the run is not what want asks for. One that was started after the watched
// files changed last runs what they hold.
func (i *instance) mustRestart(want *spec.Service) bool {
	r, b := i.run, want.Binary
	if !needsRestart(r.spec, want) {
		return false
	}
	fresh := b.Copy == "" && r.spec.Binary.Copy == "" && !b.Since.IsZero() && r.started.After(b.Since)
	return !fresh || needsRestart(r.spec.WithBinary(b), want)
}

// learn notes what the run knows of want without a restart: what it was told of, and what its watched files held
// at its start, where that became known since or is looked at in other files.
func (i *instance) learn(want *spec.Service) {
	if i.run == nil {
		return
	}
	r, s := i.run, *i.run.spec
	s.Env, s.EnvFromFile, s.Config = want.Env, want.EnvFromFile, want.Config
	b := s.Binary
	if want.Binary.Content != "" && want.Binary.Content != b.Content {
		copied := b.Copy
		b = want.Binary
		b.Copy, s.Watch.Paths = copied, want.Watch.Paths
	}
	r.spec = s.WithBinary(b)
}

// copyGone reports whether a spec runs from a shadow copy that is there no more.
func copyGone(s *spec.Service) bool {
	if s.Binary.Copy == "" {
		return false
	}
	_, err := os.Lstat(s.Binary.Copy)
	return err != nil
}

// restorable returns what a rollback of failed can go back to, nil for nothing, and what of it stays as it
// is: without a copy of the former files, what they hold now is what is run.
func (i *instance) restorable(failed *spec.Service) (back *spec.Service, stays string) {
	good := i.good
	same := good.Binary.Content == failed.Binary.Content || !good.Binary.Known() || !failed.Binary.Known()
	if same && !copyGone(good) || good.Binary.Copy != "" && !copyGone(good) {
		return good, ""
	}
	stays = binaryChange(good, failed) + ", and there is no shadow copy of the former one to go back to"
	b := failed.Binary
	if !good.Watch.ShadowCopy {
		b.Copy, b.Problem = "", ""
	}
	good = good.WithBinary(b)
	if b.Problem != "" || copyGone(good) || !needsRestart(good, failed) {
		return nil, stays
	}
	return good, stays
}

// news says what of a spec is new to the instance where that is its binary, and what it goes back to.
func (i *instance) news(s *spec.Service) (news, back string) {
	if otherBinary(i.good, s) {
		return binaryChange(i.good, s) + ": ", "going back to the former binary: "
	}
	return "", "going back to the spec that worked: "
}
