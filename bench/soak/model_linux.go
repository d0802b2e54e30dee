package main

import (
	"encoding/json"
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"strings"
	"time"
)

// behaviour is a kind of program: how many of a hundred services have it, and what the spec says of it.
type behaviour struct {
	kind  string
	share int
	keys  []string
	// steady ones do nothing by themselves: their process stays until somebody wants another one.
	steady bool
	job    string // oneshot or scheduled
	// processes that each has while it is calm; 0: it varies
	processes int
}

var behaviours = []behaviour{
	{kind: "idle", share: 36, steady: true, processes: 1},
	{kind: "crash", share: 13, processes: 1},
	{kind: "flood", share: 8, processes: 1, keys: []string{"log: {compress: zstd, format: json}"}},
	{kind: "counted", share: 4, processes: 1, keys: []string{"log: {path: 'counted/${HOST_SERVICE}.${HOST_INSTANCE}.log', max_size: 512KiB, max_files: 10000}"}},
	{kind: "web", share: 8, processes: 1, keys: []string{"port: auto", `health: {readiness: {http: "http://127.0.0.1:${PORT}/ready", period: 5s, failure_threshold: 1}, liveness: {http: "http://127.0.0.1:${PORT}/live", period: 5s}}`}},
	{kind: "asked", share: 15, processes: 1}, // by a server of ours
	{kind: "tree", share: 5, processes: 3},
	{kind: "stubborn", share: 2, steady: true, processes: 1, keys: []string{"stop: {timeout: 1s}"}},
	{kind: "slow", share: 3, steady: true, processes: 1},
	{kind: "job", share: 3, job: "scheduled", keys: []string{"type: scheduled", `schedule: {cron: "*/20 * * * * *"}`}},
	{kind: "once", share: 3, job: "oneshot", keys: []string{"type: oneshot", "restart: {policy: on-failure}"}},
}

// service is what the spec says of one, and what was done to it.
type service struct {
	behaviour
	name      string
	version   int
	instances int
	delay     int
	disabled  bool
	bad       bool // its release does not come up
	stopped   bool // by an operator
	// touched is when somebody last wanted another process of it.
	touched time.Time
}

// model is what should run.
type model struct {
	self     []string // this program, as a child
	env      map[string]string
	listen   string // of the host
	asked    string // of the server for those without one
	services map[string]*service
	numbers  map[string]int // of names, by kind
	defaults int            // counts their changes
	all      int            // counts changes that restart everything
}

func newModel(o options) *model {
	m := &model{services: map[string]*service{}, numbers: map[string]int{}}
	made := 0
	for _, b := range behaviours[1:] {
		for range max(1, o.services*b.share/100) {
			m.add(b)
			made++
		}
	}
	for ; made < o.services; made++ {
		m.add(behaviours[0])
	}
	return m
}

func (m *model) add(b behaviour) *service {
	m.numbers[b.kind]++
	s := &service{behaviour: b, name: fmt.Sprintf("%s-%03d", b.kind, m.numbers[b.kind]), version: 1, instances: 1, delay: 100, touched: time.Now()}
	m.services[s.name] = s
	return s
}

func (m *model) sorted() []*service {
	var list []*service
	for _, name := range slices.Sorted(maps.Keys(m.services)) {
		list = append(list, m.services[name])
	}
	return list
}

// yaml is the spec.
func (m *model) yaml() string {
	var b strings.Builder
	fmt.Fprintf(&b, "host:\n  name: soak\n  reload: {quiet: 50ms, max_removed: 100%%}\n  http: {listen: %q}\n  logs: {max_total: 4GiB, min_free: 64MiB}\n", m.listen)
	env := maps.Clone(m.env)
	env["GOMAXPROCS"] = "1"
	text, _ := json.Marshal(env)
	fmt.Fprintf(&b, "env: %s\n", text)
	fmt.Fprintf(&b, "defaults:\n  env: {GENERATION: g%d}\n  restart: {policy: on-failure, max_delay: 5s, limit: 0}\n  stop: {timeout: %ds}\n", m.all, 8+m.defaults%3)
	fmt.Fprintf(&b, "  update: {monitor: 500ms}\n  log: {max_size: 256KiB, max_files: %d}\nservices:\n", 3+m.defaults%3)
	if len(m.services) == 0 {
		b.WriteString("  {}\n")
	}
	for _, s := range m.sorted() {
		s.write(&b, m)
	}
	return b.String()
}

func (s *service) write(b *strings.Builder, m *model) {
	kind := s.kind
	switch {
	case s.bad:
		kind = "bad"
	case kind == "once":
		kind = "job"
	}
	command, _ := json.Marshal(append(slices.Clone(m.self), roleChild, kind, s.name, fmt.Sprintf("v%d", s.version)))
	fmt.Fprintf(b, "  %s:\n    command: %s\n    enabled: %v\n", s.name, command, !s.disabled)
	if s.job == "" {
		fmt.Fprintf(b, "    instances: %d\n    restart: {delay: %dms}\n", s.instances, s.delay)
	}
	for _, k := range s.keys {
		fmt.Fprintf(b, "    %s\n", k)
	}
	if s.kind == "asked" {
		fmt.Fprintf(b, "    health: {readiness: {http: \"http://%s/ready/%s\", period: 10s}}\n", m.asked, s.name)
	}
}

// breakage are ways to spoil a file.
var breakage = []func(string) string{
	func(t string) string { return t + "\n  x: [\n" },
	func(t string) string { return strings.Replace(t, "services:", "servces:", 1) },
	func(t string) string { return t[:len(t)/2] + "\n\tbroken" },
	func(string) string { return "" },
	func(t string) string { return t + "  Bad Name: {command: x}\n" },
	func(t string) string { return strings.Replace(t, "ms, max", "parsecs, max", 1) },
}

// change makes one random change and says which.
func (m *model) change(rnd *rand.Rand, most int) string {
	list := m.sorted()
	s := list[rnd.IntN(len(list))]
	switch n := rnd.IntN(100); {
	case n < 14 && len(list) < most:
		return "add " + m.add(behaviours[rnd.IntN(len(behaviours))]).name
	case n < 26 && len(list) > most*3/4:
		delete(m.services, s.name)
		return "remove " + s.name
	case n < 36 && s.job == "":
		s.instances = 1 + rnd.IntN(3)
		return "scale " + s.name // the first goes on
	case n < 44:
		s.disabled = !s.disabled
		s.touched = time.Now()
		return "turn " + s.name
	case n < 58:
		s.delay += 10
		return "live change of " + s.name
	case n < 64 && s.job == "":
		s.bad = !s.bad
		s.version++
		s.touched = time.Now()
		return "bad or good release of " + s.name
	case n < 68:
		m.defaults++
		return "live change of the defaults"
	case n == 68 && rnd.IntN(3) == 0:
		m.all++
		for _, s := range list {
			s.touched = time.Now()
		}
		return "change of everything"
	case n < 73:
		return "nothing"
	}
	s.version++
	s.touched = time.Now()
	return "new version of " + s.name
}

// mended makes everything run as it did at the start, in new versions.
func (m *model) mended(o options) {
	former := m.services
	n := newModel(o)
	m.services = n.services
	for name, s := range m.services {
		s.version = 1
		if f := former[name]; f != nil {
			s.version = f.version + 1
		}
	}
	m.defaults, m.all = 0, m.all+1
}
