package main

import (
	"encoding/json"
	"fmt"
	"os"
	"slices"
	"strings"
)

// result is what one test of one contender brought.
type result struct {
	Test      string             `json:"test"`
	Contender string             `json:"contender"`
	N         int                `json:"n"`
	Round     int                `json:"round"`
	Values    map[string]float64 `json:"values,omitempty"`
	Samples   map[string]figures `json:"samples,omitempty"`
	Error     string             `json:"error,omitempty"`
}

// about describes a contender to the reader.
type about struct {
	Name    string    `json:"name"`
	Title   string    `json:"title"`
	Version string    `json:"version,omitempty"`
	Missing string    `json:"missing,omitempty"` // why it took no part
	Output  string    `json:"output"`            // where the output of its services goes
	Delay   string    `json:"delay"`             // the restart delay as it comes
	Lowest  string    `json:"lowest"`            // the lowest that can be set, and how
	Lacks   string    `json:"lacks"`
	Listing []listing `json:"listing,omitempty"`
}

// listing is a configuration file for one service, or a command.
type listing struct {
	What string `json:"what"`
	Text string `json:"text"`
}

// run is one run of the program, which is the unit within which figures can be compared.
type run struct {
	Machine    string   `json:"machine"`
	Date       string   `json:"date"`
	Child      string   `json:"child"`
	Contenders []about  `json:"contenders"`
	Results    []result `json:"results"`
}

func (r *run) of(test, contender string, n int) (out []result) {
	for _, x := range r.Results {
		if x.Test == test && x.Contender == contender && x.N == n {
			out = append(out, x)
		}
	}
	return out
}

// values are all figures of one name, over the rounds.
func (r *run) values(test, contender string, n int, name string) (out figures) {
	for _, x := range r.of(test, contender, n) {
		if v, ok := x.Values[name]; ok {
			out = append(out, v)
		}
		out = append(out, x.Samples[name]...)
	}
	return out
}

// failure is what went wrong, where no round brought a figure.
func (r *run) failure(test, contender string, n int) string {
	text := ""
	for _, x := range r.of(test, contender, n) {
		if x.Error == "" {
			return ""
		}
		text = x.Error
	}
	return text
}

// sizes are the numbers of services with which a test was made, rising.
func (r *run) sizes(test string) (out []int) {
	for _, x := range r.Results {
		if x.Test == test && !slices.Contains(out, x.N) {
			out = append(out, x.N)
		}
	}
	slices.Sort(out)
	return out
}

// took are the contenders that took part in a test, in their order.
func (r *run) took(test string) (out []about) {
	for _, a := range r.Contenders {
		if slices.ContainsFunc(r.Results, func(x result) bool { return x.Test == test && x.Contender == a.Name }) {
			out = append(out, a)
		}
	}
	return out
}

// addTo takes over what an older run has of tests that this one left out, and of contenders that it did
// not see. Tests are not mixed: within one, figures of two runs would be compared.
func (r *run) addTo(old *run) {
	made := map[string]bool{}
	for _, x := range r.Results {
		made[x.Test] = true
	}
	results := slices.DeleteFunc(slices.Clone(old.Results), func(x result) bool { return made[x.Test] })
	r.Results = append(results, r.Results...)
	contenders := slices.Clone(old.Contenders)
	for _, a := range r.Contenders {
		if i := slices.IndexFunc(contenders, func(o about) bool { return o.Name == a.Name }); i >= 0 {
			contenders[i] = a
		} else {
			contenders = append(contenders, a)
		}
	}
	r.Contenders = contenders
}

func (r *run) save(path string) error {
	text, err := json.MarshalIndent(r, "", " ")
	if err != nil {
		return err
	}
	return os.WriteFile(path, append(text, '\n'), 0o644)
}

func loadRun(path string) (*run, error) {
	text, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	var r run
	if err := json.Unmarshal(text, &r); err != nil {
		return nil, fmt.Errorf("cannot read %s: %w", path, err)
	}
	return &r, nil
}

const (
	markBegin = "<!-- written by bench/peers: begin -->"
	markEnd   = "<!-- written by bench/peers: end -->"
)

// between puts text in place of what stands between the marks of a document.
func between(document, text string) (string, error) {
	head, rest, ok := strings.Cut(document, markBegin)
	_, tail, ok2 := strings.Cut(rest, markEnd)
	if !ok || !ok2 {
		return "", fmt.Errorf("it needs the lines %q and %q", markBegin, markEnd)
	}
	return head + markBegin + "\n\n" + strings.TrimSpace(text) + "\n\n" + markEnd + tail, nil
}
