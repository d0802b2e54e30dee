package main

import (
	"flag"
	"fmt"
	"os"
	"slices"
	"strings"
	"text/tabwriter"
	"time"
)

func main() {
	if len(os.Args) == 4 && os.Args[1] == "child" {
		child(os.Args[2], os.Args[3])
		return
	}
	nssmPath := flag.String("nssm", "", "the path of nssm.exe")
	hostPath := flag.String("host", "", "the path of host.exe")
	rounds := flag.Int("rounds", 20, "how often each time is taken")
	many := flag.Int("services", 10, "how many children there are when memory is measured")
	only := flag.String("only", "", "measure only this: restart, stop, stop all, lines, log speed, orphans or memory")
	flag.Parse()
	if *nssmPath == "" || *hostPath == "" {
		flag.Usage()
		os.Exit(2)
	}
	out := tabwriter.NewWriter(os.Stdout, 0, 0, 2, ' ', 0)
	failed := false
	for _, m := range measures(*rounds, *many) {
		if *only != "" && m.name != *only {
			continue
		}
		for _, c := range []contender{nssm{*nssmPath}, hostExe{*hostPath}} {
			text, err := measured(c, m)
			if err != nil {
				failed = true
				text = "FAILED: " + err.Error()
			}
			fmt.Fprintf(out, "%s\t%s\t%s\n", m.name, c.name(), text)
			out.Flush()
		}
	}
	if failed {
		os.Exit(1)
	}
}

// measure is one comparison: so many children of a part, and what is found out about them.
type measure struct {
	name, part string
	children   int
	run        func(*stage) (string, error)
}

// stage is a contender with its services running.
type stage struct {
	contender
	dir      string
	names    []string
	services []string
}

func measured(c contender, m measure) (text string, err error) {
	dir, err := os.MkdirTemp("", "bench-nssm-")
	if err != nil {
		return "", err
	}
	s := &stage{contender: c, dir: dir}
	for n := range m.children {
		s.names = append(s.names, fmt.Sprintf("%s%d", m.part, n))
	}
	if s.services, err = c.install(dir, m.part, s.names); err != nil {
		return "", err
	}
	defer func() {
		for _, v := range s.services {
			removeService(v)
		}
		if err == nil {
			_ = os.RemoveAll(dir)
		} else {
			err = fmt.Errorf("%w (see %s)", err, dir)
		}
	}()
	if err := s.start(); err != nil {
		return "", err
	}
	return m.run(s)
}

// start starts the services and waits until every child has noted that it runs.
func (s *stage) start() error {
	before := s.noted()
	for _, v := range s.services {
		if err := startService(v); err != nil {
			return err
		}
	}
	return until("the children", func() bool { return s.noted() >= before+len(s.names) })
}

func (s *stage) noted() (n int) {
	for _, name := range s.names {
		n += len(readNotes(notesOf(s.dir, name)))
	}
	return n
}

// last is what the newest process of the first child noted.
func (s *stage) last() noted {
	all := readNotes(notesOf(s.dir, s.names[0]))
	return all[len(all)-1]
}

func measures(rounds, many int) []measure {
	return []measure{
		{"restart", "plain", 1, func(s *stage) (string, error) { return times(rounds, s.restart) }},
		{"stop", "plain", 1, func(s *stage) (string, error) { return times(rounds, s.stopAndStart) }},
		{"stop all", "plain", many, func(s *stage) (string, error) { return times(max(1, rounds/4), s.stopAndStart) }},
		{"lines", "burst", 1, (*stage).burst},
		{"lines", "steady", 1, (*stage).steady},
		{"log speed", "flood", 1, (*stage).flood},
		{"orphans", "tree", 1, (*stage).orphans},
		{"memory", "plain", 1, (*stage).memory},
		{"memory", "plain", many, (*stage).memory},
	}
}

func times(n int, take func() (time.Duration, error)) (string, error) {
	var all []time.Duration
	for range n {
		d, err := take()
		if err != nil {
			return "", err
		}
		all = append(all, d)
	}
	slices.Sort(all)
	round := func(d time.Duration) time.Duration { return d.Round(100 * time.Microsecond) }
	return fmt.Sprintf("p50 %v, p90 %v, best %v of %d", round(all[n/2]), round(all[n*9/10]), round(all[0]), n), nil
}

// restart kills the child and takes the time to the first instruction of the next.
func (s *stage) restart() (time.Duration, error) {
	before, count := s.last(), s.noted()
	begin := ticks()
	if err := kill(before.pid); err != nil {
		return 0, err
	}
	if err := until("the next child", func() bool { return s.noted() > count }); err != nil {
		return 0, err
	}
	return between(begin, s.last().at), nil
}

// stopAndStart takes the time from the first request to the SCM until all services and their children have ended.
func (s *stage) stopAndStart() (time.Duration, error) {
	time.Sleep(2 * time.Second) // nobody stops a service the moment that it runs
	var pids []int
	for _, name := range s.names {
		all := readNotes(notesOf(s.dir, name))
		pids = append(pids, all[len(all)-1].pid)
	}
	var supervisors []int
	for _, v := range s.services {
		pid, err := servicePID(v)
		if err != nil {
			return 0, err
		}
		supervisors = append(supervisors, pid)
	}
	begin := ticks()
	for _, v := range s.services {
		if err := askToStop(v); err != nil {
			return 0, err
		}
	}
	for _, v := range s.services {
		if err := stopService(v); err != nil {
			return 0, err
		}
	}
	if err := until("the end of the children", func() bool { return !slices.ContainsFunc(pids, alive) }); err != nil {
		return 0, err
	}
	d := between(begin, ticks())
	// Wine loses a service that is started again before its former process has gone.
	if err := until("the end of the supervisors", func() bool { return !slices.ContainsFunc(supervisors, alive) }); err != nil {
		return 0, err
	}
	return d, s.start()
}

// burst counts what is kept of the lines of a child that died right behind the last.
func (s *stage) burst() (string, error) {
	if err := until("the second child", func() bool { return notes(notesOf(s.dir, s.names[0]), "burst") >= 2 }); err != nil {
		return "", err
	}
	if err := stopService(s.services[0]); err != nil {
		return "", err
	}
	return s.kept(burstLines), nil
}

// steady counts what is kept of the lines of a child that writes until it is stopped.
func (s *stage) steady() (string, error) {
	time.Sleep(2 * time.Second) // it is to write that long
	if err := stopService(s.services[0]); err != nil {
		return "", err
	}
	for _, v := range readNotes(notesOf(s.dir, s.names[0])) {
		if v.part == "wrote" {
			return "stopped while writing: " + s.kept(v.pid), nil
		}
	}
	return "", fmt.Errorf("the child was not asked to end: it did not note how many lines it wrote")
}

// flood takes how fast output is taken from a child that writes without pause.
func (s *stage) flood() (string, error) {
	file := notesOf(s.dir, s.names[0])
	if err := until("the end of the output", func() bool { return notes(file, "taken") > 0 }); err != nil {
		return "", err
	}
	all := readNotes(file)
	first, last := all[0], all[len(all)-1]
	if err := stopService(s.services[0]); err != nil {
		return "", err
	}
	var kept int64
	for _, f := range s.logs(s.dir, s.names[0]) {
		if info, err := os.Stat(f); err == nil {
			kept += info.Size()
		}
	}
	took := between(first.at, last.at)
	return fmt.Sprintf("%.0f MiB/s, %d of %d bytes kept", float64(last.pid)/(1<<20)/took.Seconds(), kept, last.pid), nil
}

// kept counts the whole lines in the logs; each has its number once.
func (s *stage) kept(wrote int) string {
	seen := map[string]int{}
	broken, files := 0, s.logs(s.dir, s.names[0])
	for _, f := range files {
		b, _ := os.ReadFile(f)
		for line := range strings.Lines(string(b)) {
			line = strings.TrimRight(line, "\r\n")
			if len(line) == 55 && strings.HasPrefix(line, "line ") && strings.HasSuffix(line, "as programs write it") {
				seen[line[5:13]]++
			} else {
				broken++
			}
		}
	}
	return fmt.Sprintf("%d of %d lines kept, %d broken, in %d files", len(seen), wrote, broken, len(files))
}

// orphans kills the supervisor itself and counts what goes on without it.
func (s *stage) orphans() (string, error) {
	if err := until("the grandchild", func() bool { return notes(notesOf(s.dir, s.names[0]), "leaf") == 1 }); err != nil {
		return "", err
	}
	pid, err := servicePID(s.services[0])
	if err != nil {
		return "", err
	}
	if err := kill(pid); err != nil {
		return "", err
	}
	left := func() (pids []int) {
		for _, v := range readNotes(notesOf(s.dir, s.names[0])) {
			if alive(v.pid) {
				pids = append(pids, v.pid)
			}
		}
		return pids
	}
	for end := time.Now().Add(3 * time.Second); len(left()) > 0 && time.Now().Before(end); {
		time.Sleep(10 * time.Millisecond)
	}
	pids := left()
	for _, p := range pids {
		_ = kill(p)
	}
	return fmt.Sprintf("%d of 2 processes outlive the killed supervisor", len(pids)), nil
}

// memory adds up what the supervising processes use.
func (s *stage) memory() (string, error) {
	time.Sleep(6 * time.Second) // what a start takes is let go
	var total usage
	var err error
	if underWine() {
		total, err = memoryUnderWine(s.exe())
	} else {
		for _, v := range s.services {
			pid, err := servicePID(v)
			if err != nil {
				return "", err
			}
			u, err := memoryOf(pid)
			if err != nil {
				return "", err
			}
			total.add(u)
		}
	}
	return fmt.Sprintf("%v for %d children", total, len(s.names)), err
}
