package main

import (
	"fmt"
	"math"
	"strings"
)

// isPeer tells the peers from host and from the floors.
func isPeer(name string) bool { return name != "host" && name != "floor" && name != catName }

// catName stands for what is no contender, but the measure of all output.
const catName = "cat"

// best is the peer with the least of something.
func best(r *run, test string, n int, name string, of func(figures) float64) (who about, least float64) {
	least = math.NaN()
	for _, a := range r.took(test) {
		if !isPeer(a.Name) {
			continue
		}
		if v := of(r.values(test, a.Name, n, name)); !math.IsNaN(v) && !(v >= least) {
			who, least = a, v
		}
	}
	return who, least
}

// goal is a figure that host is to reach, in a row of the table.
type goal struct {
	what, unit, test string
	n                int
	name             string
	of               func(figures) float64
	to               string  // whose figure is the floor
	ratio            float64 // to it, at most; 0: limit counts
	limit            float64
}

// goals compares host with what it wants to be.
func goals(r *run) *table {
	median := figures.median
	p99 := func(f figures) float64 { return f.quantile(0.99) }
	all := []goal{
		{"start of 100, a cgroup for each", "ms", "start", 100, "ms", median, "floor", 1.5, 0},
		{"start of 1000, a cgroup for each", "ms", "start", 1000, "ms", median, "floor", 1.5, 0},
		{"restart, p50", "ms", "restart", 0, "ms", median, "floor", 1.4, 0},
		{"restart, p99", "ms", "restart", 0, "ms", p99, "floor", 0, 2.3},
		{"memory with none", "MiB", "idle", 0, "pss_mib", median, "floor", 0, 14},
		{"memory with 100", "MiB", "idle", 100, "pss_mib", median, "floor", 0, 16},
		{"memory with 1000", "MiB", "idle", 1000, "pss_mib", median, "floor", 0, 34},
		{"CPU at rest in 30 s, 1000", "ms", "idle", 1000, "cpu_ms", median, "floor", 0, 20},
		{"output of one child, time", "s", "log", 1, "s", median, catName, 1, 0},
		{"output of one child, CPU for a GiB", "s", "log", 1, "cpu_s_per_gib", median, catName, 1, 0},
		{"output of 20 children, time", "s", "log", 20, "s", median, catName, 1, 0},
		{"output of 20 children, CPU for a GiB", "s", "log", 20, "cpu_s_per_gib", median, catName, 1, 0},
		{"change of one of 100", "ms", "reload", 100, "ms", median, "floor", 0, 8},
		{"change of one of 1000", "ms", "reload", 1000, "ms", median, "floor", 0, 25},
		{"stop of 100", "ms", "stop", 100, "ms", median, "floor", 1.5, 0},
		{"list of 1000", "ms", "list", 1000, "ms", median, "", 0, 30},
		{"check of a file with 10", "ms", "validate", 10, "ms", median, "", 0, 20},
	}
	t := &table{
		title: "Goals",
		about: "Ratios in bold are to the floor, for output to `cat`. The peer is the fastest or smallest of all in that row, whatever it leaves out.",
		head:  []string{"measure", "goal", "host", "floor", "best peer", "reached"},
	}
	for _, g := range all {
		if g.test == "restart" && len(r.sizes("restart")) > 0 {
			g.n = r.sizes("restart")[0]
		}
		if v := g.of(r.values(g.test, "host", g.n, g.name)); !math.IsNaN(v) {
			t.add(g.row(r, v)...)
		}
	}
	for _, row := range [][]string{nothingLeft(r, "stop: a child's child that ignores SIGTERM, in an own session", "tree"), nothingLeft(r, "`kill -9` of the supervisor: its children and theirs", "kill")} {
		if row != nil {
			t.add(row...)
		}
	}
	return t
}

func (g goal) row(r *run, v float64) []string {
	floor := g.of(r.values(g.test, g.to, g.n, g.name))
	withRatio := func(v float64) string {
		text := number(v) + " " + g.unit
		if ratio := times(v, floor); ratio != "" {
			return "**" + ratio + "** " + text
		}
		return text
	}
	want, reached := fmt.Sprintf("under %s %s", number(g.limit), g.unit), v < g.limit
	if g.ratio > 0 {
		want, reached = "within "+times(g.ratio, 1), v <= g.ratio*floor
	}
	floorText, peerText := "–", "–"
	if !math.IsNaN(floor) {
		floorText = number(floor) + " " + g.unit
	}
	if who, least := best(r, g.test, g.n, g.name, g.of); !math.IsNaN(least) {
		peerText = who.Title + ": " + withRatio(least)
	}
	return []string{g.what, want, withRatio(v), floorText, peerText, yes(reached)}
}

func yes(v bool) string {
	if v {
		return "yes"
	}
	return "no"
}

// nothingLeft is the row of a goal that is about processes.
func nothingLeft(r *run, what, test string) []string {
	sizes := r.sizes(test)
	if len(sizes) == 0 {
		return nil
	}
	n := sizes[0]
	left := func(name string) (float64, bool) {
		of := r.of(test, name, n)
		if len(of) == 0 || of[0].Error != "" {
			return 0, false
		}
		v := of[0].Values
		if test == "tree" {
			return v["own"], true
		}
		return v["children"] + v["leaves"], true
	}
	mine, ok := left("host")
	if !ok {
		return nil
	}
	var none []string
	for _, a := range r.took(test) {
		if v, ok := left(a.Name); ok && isPeer(a.Name) && v == 0 {
			none = append(none, a.Title)
		}
	}
	peer := "none leaves nothing"
	if len(none) > 0 {
		peer = "nothing left: " + strings.Join(none, ", ")
	}
	return []string{what, "none left", fmt.Sprintf("%.0f left", mine), "–", peer, yes(mine == 0)}
}
