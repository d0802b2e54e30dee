package main

import (
	"fmt"
	"strings"
)

func started(r *run) *table {
	t := perSize(r, "start", "ms", &table{
		title: "Start of so many services",
		about: "Milliseconds from before the fork of the supervisor to the first instruction of the last child, median (least–most); in bold the ratio to the floor. CPU is that of the supervisor until then.",
	}, func(a about) []string {
		sizes := r.sizes("start")
		return []string{ratioCell(r, "start", a.Name, sizes[len(sizes)-1], "cpu_ms", "floor"), a.Output}
	})
	t.head = append(t.head, "CPU with the most", "output")
	return t
}

func restarted(r *run) *table {
	t := &table{
		title: "Restart",
		about: "Milliseconds from SIGKILL of a child that ran for three seconds or more to the first instruction of the next one, all with the lowest delay that they can be given; and what the same child takes that dies again at once.",
		head:  []string{"contender", "lowest delay", "kills", "p50", "p99", "worst", "dies again at once"},
	}
	for _, a := range r.took("restart") {
		n := r.sizes("restart")[0]
		v := r.values("restart", a.Name, n, "ms")
		if len(v) == 0 {
			t.add(a.Title, a.Lowest, "–", "failed: "+r.failure("restart", a.Name, n))
			continue
		}
		floor := r.values("restart", "floor", n, "ms")
		bold := func(q float64) string {
			text := number(v.quantile(q))
			if ratio := times(v.quantile(q), floor.quantile(q)); ratio != "" && a.Name != "floor" {
				return "**" + ratio + "** " + text
			}
			return text
		}
		again := r.values("restart", a.Name, n, "again_ms")
		text := again.spread()
		if len(again) == 0 {
			text = "not within 6 s"
		}
		t.add(a.Title, a.Lowest, fmt.Sprint(len(v)), bold(0.5), bold(0.99), number(v.quantile(1)), text)
	}
	return t
}

func changed(r *run) *table {
	t := perSize(r, "reload", "ms", &table{
		title: "Change of one of so many",
		about: "Milliseconds from the start of the command that applies a changed file to the first instruction of the changed service; and how many of the others kept their process.",
	}, func(a about) []string {
		var kept []string
		for _, n := range r.sizes("reload") {
			if v := r.values("reload", a.Name, n, "kept"); len(v) > 0 {
				kept = append(kept, fmt.Sprintf("%.0f of %d", v.quantile(0), n-1))
			}
		}
		return []string{strings.Join(kept, ", ")}
	})
	t.head = append(t.head, "others kept")
	return t
}

func stopped(r *run) *table {
	return perSize(r, "stop", "ms", &table{
		title: "Stop of so many",
		about: "Milliseconds from the signal to the supervisor until it and all of its children have ended, seen by pidfd.",
	}, nil)
}

func memory(r *run) *table {
	t := perSize(r, "idle", "pss_mib", &table{
		title: "Memory at rest",
		about: "MiB of all supervising processes, the proportional share of what they have in common (PSS); the services themselves do not count.",
	}, func(a about) []string {
		sizes := r.sizes("idle")
		n := sizes[len(sizes)-1]
		return []string{fmt.Sprintf("%s / %s", number(r.values("idle", a.Name, n, "processes").median()), number(r.values("idle", a.Name, n, "threads").median()))}
	})
	t.head = append(t.head, "processes / threads with the most")
	return t
}

func atRest(r *run) *table {
	t := &table{title: "CPU at rest", about: "Milliseconds of CPU in 30 seconds in which nothing happens.", head: []string{"contender"}}
	sizes := r.sizes("idle")
	for _, n := range sizes {
		t.head = append(t.head, fmt.Sprint(n))
	}
	for _, a := range r.took("idle") {
		row := []string{a.Title}
		for _, n := range sizes {
			row = append(row, r.values("idle", a.Name, n, "cpu_ms").spread())
		}
		t.add(row...)
	}
	return t
}

func written(r *run, writers int) *table {
	gib := 0.0
	for _, a := range r.took("log") {
		if v := r.values("log", a.Name, writers, "gib").median(); v > gib {
			gib = v
		}
	}
	t := &table{
		title: fmt.Sprintf("Output: one child writes %.2g GiB", gib),
		about: "Lines of 200 bytes, 20 for each write; the time ends with the last write to a file. Ratios are to `cat`. Files of 100 MB, as many as it takes to keep all. Every line has a number; torn is one of which a part is missing.",
		head:  []string{"contender", "seconds", "CPU seconds per GiB", "lines lost", "torn", "bytes per line", "peak MiB"},
	}
	if writers > 1 {
		t.title, t.about = fmt.Sprintf("Output: %d children write %.2g GiB together", writers, gib), "The same, all of them at once."
	}
	for _, a := range r.took("log") {
		if len(r.of("log", a.Name, writers)) == 0 {
			continue
		}
		lost := r.values("log", a.Name, writers, "lost")
		text := lost.spread()
		if len(lost) > 0 && lost.quantile(1) > 0 {
			text += fmt.Sprintf(" of %.0f", r.values("log", a.Name, writers, "lines").median())
		}
		t.add(a.Title,
			ratioCell(r, "log", a.Name, writers, "s", "cat"), ratioCell(r, "log", a.Name, writers, "cpu_s_per_gib", "cat"),
			text, r.values("log", a.Name, writers, "torn").spread(), r.values("log", a.Name, writers, "bytes_per_line").spread(),
			r.values("log", a.Name, writers, "peak_mib").spread())
	}
	return t
}

func leftBehind(r *run) *table {
	t := &table{
		title: "What is left behind",
		about: "After `kill -9` of the supervisor, three seconds later: children, and children of theirs, half of which left the session. After a stop of a service whose child ignores SIGTERM, twelve seconds later: that child, in the group of the service and in a session of its own.",
		head:  []string{"contender", "kill -9: children", "kill -9: children of children", "still restarted", "stop: same group", "stop: own session"},
	}
	for _, a := range r.Contenders {
		kill, tree := r.sizes("kill"), r.sizes("tree")
		row := []string{a.Title, "–", "–", "–", "–", "–"}
		some := false
		if len(kill) > 0 {
			n := kill[0]
			if v := r.values("kill", a.Name, n, "children"); len(v) > 0 {
				some = true
				row[1] = fmt.Sprintf("%.0f of %d", v.median(), n)
				row[2] = fmt.Sprintf("%.0f of %.0f", r.values("kill", a.Name, n, "leaves").median(), r.values("kill", a.Name, n, "of_leaves").median())
				if len(r.values("kill", a.Name, n, "supervised")) > 0 {
					row[3] = "yes"
				}
			}
		}
		if len(tree) > 0 && len(r.values("tree", a.Name, tree[0], "of")) > 0 {
			some = true
			for i, word := range []string{"same", "own"} {
				row[4+i] = "gone"
				if len(r.values("tree", a.Name, tree[0], word)) > 0 {
					row[4+i] = "lives on"
				}
			}
		}
		if some {
			t.add(row...)
		}
	}
	return t
}

func asked(r *run) *table {
	t := &table{
		title: "Commands",
		about: "Milliseconds of wall and CPU time of a command from its fork to its end.",
		head:  []string{"contender", "command", "services", "wall", "CPU"},
	}
	for _, x := range []struct{ test, what string }{
		{"nothing", "a program in Go that does nothing"}, {"version", "its version"}, {"validate", "check of a file"}, {"list", "list of all services"},
	} {
		for _, a := range r.took(x.test) {
			for _, n := range r.sizes(x.test) {
				if len(r.of(x.test, a.Name, n)) == 0 {
					continue
				}
				wall := r.values(x.test, a.Name, n, "ms")
				text := wall.spread()
				if len(wall) == 0 {
					text = "failed: " + r.failure(x.test, a.Name, n)
				}
				t.add(a.Title, x.what, fmt.Sprint(n), text, r.values(x.test, a.Name, n, "cpu_ms").spread())
			}
		}
	}
	return t
}
