package e2e

import (
	"strings"

	"servicehost/host/control"
)

// connect finds the host as its commands do.
func (r *rig) connect() (*control.Client, error) {
	r.t.Helper()
	for _, v := range r.env { // the last of a name counts
		if name, value, _ := strings.Cut(v, "="); name == "XDG_RUNTIME_DIR" || name == "ProgramData" {
			r.t.Setenv(name, value)
		}
	}
	e, err := control.Find(r.t.Context(), control.Selector{Files: []string{r.spec}})
	if err != nil {
		return nil, err
	}
	return control.NewClient(e), nil
}

// client is a connection for what a test asks itself.
func (r *rig) client() *control.Client {
	r.t.Helper()
	c, err := r.connect()
	if err != nil {
		r.t.Fatal(err)
	}
	r.t.Cleanup(c.Close)
	return c
}

// look asks the host for its status without a program for that: polls are many, and under Wine the start of one takes
// longer than what they wait for. ok is false where no host answers.
func (r *rig) look() (s control.Status, ok bool) {
	r.t.Helper()
	if r.looks == nil {
		c, err := r.connect()
		if err != nil {
			return s, false
		}
		r.looks = c
		r.t.Cleanup(c.Close)
	}
	s, err := r.looks.Status(r.t.Context())
	if err != nil { // another host, or none: the next look finds out
		r.looks.Close()
		r.looks = nil
	}
	return s, err == nil
}
