package cli

import (
	"errors"
	"fmt"
	"path/filepath"
	"slices"

	"servicehost/host/control"
	"servicehost/spec"
)

// offline is what can be known of a host that isn't running: its spec, and where its state lies.
type offline struct {
	services []*spec.Service
	problems spec.Problems // services is empty then
	state    string
}

// orOffline turns "no host is running" into what its files say, where a spec is at hand. A spec that
// was not named is only taken when nothing else runs, as it might not be the one that is meant.
func (a *app) orOffline(err error) (*offline, error) {
	var none *control.NoHostError
	if !errors.As(err, &none) || a.name != "" {
		return nil, err
	}
	files := none.Wanted.Files
	if len(files) == 0 {
		if len(none.Others) > 0 {
			return nil, err
		}
		found, ferr := a.specFiles()
		if ferr != nil {
			return nil, err
		}
		files = found
	}
	o := &offline{state: filepath.Join(filepath.Dir(files[0]), ".host")}
	opts := a.loadOptions(files, "")
	r := spec.Load(opts)
	if r.Spec == nil {
		o.problems = r.Problems
		return o, nil
	}
	// A host under a service manager keeps its state and logs in the system's places.
	if !folder(r.Spec.Host.StateDir) {
		opts.Managed = true
		if m := spec.Load(opts); m.Spec != nil && folder(m.Spec.Host.StateDir) {
			r = m
		}
	}
	o.services, o.state = r.Spec.Services, r.Spec.Host.StateDir
	return o, nil
}

// names are what can be named of the spec: services and instances.
func (o *offline) names() []string {
	var out []string
	for _, s := range o.services {
		out = append(out, s.Name, s.ID, fmt.Sprintf("%s.%d", s.Name, s.Instance))
	}
	return slices.Compact(slices.Sorted(slices.Values(out)))
}

func (o *offline) journal() string { return filepath.Join(o.state, "journal") }
