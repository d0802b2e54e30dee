package spec

import (
	"math"
	"net/url"
	"reflect"
	"strconv"
	"strings"
	"sync"
	"time"
)

// thresholdKeys are the keys of an element of thresholds. All are live.
var thresholdKeys = []key{
	{path: "memory", kind: kindSize, def: "none", class: "live", doc: "Memory of the tree, as memory_bytes of status."},
	{path: "cpu", kind: kindCores, def: "none", class: "live", doc: "CPU time of the tree; 100% is one core."},
	{path: "handles", kind: kindInt, min: 1, max: 1 << 30, def: "none", class: "live", doc: "Handles, or open files, of the tree."},
	{path: "threads", kind: kindInt, min: 1, max: 1 << 30, def: "none", class: "live", doc: "Threads of the tree."},
	{path: "processes", kind: kindInt, min: 1, max: 1 << 30, def: "none", class: "live", doc: "Processes of the tree."},
	{path: "memory_growth", kind: kindGrowth, def: "none", class: "live", doc: "Slope of its memory over hours, such as 50MiB/h: a leak. Sawteeth are none."},
	{path: "log", kind: kindPattern, def: "none", class: "live", doc: "Regular expression of lines of its output that are counted."},
	{path: "count", kind: kindInt, min: 1, max: 100_000, def: "1", class: "live", doc: "So many such lines are too many."},
	{path: "within", kind: kindDuration, def: "5m", class: "live", doc: "In so long."},
	{path: "for", kind: kindInt, min: 1, max: 1000, def: "3", class: "live", doc: "Samples in a row, one each 10s, that are above it before it counts, and below 90% of it before it is over."},
	{path: "action", kind: kindThresholdAction, def: "log", class: "live", doc: "log, notify, restart, dump, or an action. Each crossing is logged, and told to notify."},
	{path: "dump_url", kind: kindText, def: "none: a native dump", class: "live", doc: "Where dump fetches a heap, such as http://127.0.0.1:6060/debug/pprof/heap."},
}

var thresholdSection = sync.OnceValue(func() *section { return newSection(thresholdKeys, reflect.TypeFor[Threshold]()) })

// measures are the keys of a threshold of which it has one.
var measures = []string{"memory", "cpu", "handles", "threads", "processes", "memory_growth", "log"}

// The built-in values of a threshold, which depend on the measure.
const (
	defaultFor    = 3
	defaultCount  = 1
	defaultWithin = 5 * time.Minute
)

// thresholds decodes a list of thresholds, or one.
func (d *decoder) thresholds(n *node) []Threshold {
	inner := *d
	inner.draft, inner.section, inner.others = nil, thresholdSection(), elsewhereThreshold
	out := make([]Threshold, 0, len(n.items))
	inner.elements(n, "{memory: 400MiB, action: restart}", func(_ int, item *node) {
		t := Threshold{For: defaultFor, Count: defaultCount, Within: defaultWithin, Action: ThresholdAction{Do: ThresholdLog}}
		base, before := t, len(d.l.problems)
		inner.group(item, inner.section.root, reflect.ValueOf(&t).Elem(), reflect.ValueOf(&base).Elem())
		if len(d.l.problems) == before {
			targetCheck{&inner, item, item}.threshold(&t)
		}
		out = append(out, t)
	})
	return out
}

// threshold checks one threshold and drops what its measure has no use for.
func (c targetCheck) threshold(t *Threshold) {
	given := func(name string) bool {
		v, _ := c.at.get(name)
		return v != nil && v.kind != nullNode
	}
	var asked []string
	for _, m := range measures {
		if given(m) {
			asked = append(asked, m)
		}
	}
	if len(asked) != 1 {
		message := "needs one of " + strings.Join(measures, ", ")
		if len(asked) > 1 {
			message = "has " + strings.Join(asked, " and ") + ": each is an element of its own"
		}
		c.fail(c.at, words("", "%s", message))
		return
	}
	c.refuse(asked[0] == "memory" && t.Memory == 0, "memory", "", "must be more than 0")
	if asked[0] == "log" {
		c.refuse(t.Log == "", "log", "", "is empty")
		c.refuse(t.Within <= 0, "within", "", "must be more than 0")
	} else {
		c.refuse(given("count"), "count", "", "is of log only")
		c.refuse(given("within"), "within", "", "is of log only")
		t.Count, t.Within = 0, 0
	}
	if asked[0] == "log" || asked[0] == "memory_growth" {
		c.refuse(given("for"), "for", "", "is nothing that %s has: it looks at a longer time already", asked[0])
		t.For = 0
	}
	if !given("dump_url") {
		return
	}
	c.refuse(t.Action.Do != ThresholdDump, "dump_url", "set action: dump", "is of action dump only")
	u, err := url.Parse(strings.ReplaceAll(t.DumpURL, AutoPort, "1"))
	bad := err != nil || u.Hostname() == "" || u.Scheme != "http" && u.Scheme != "https"
	c.refuse(bad, "dump_url", "for example http://127.0.0.1:6060/debug/pprof/heap", "%s is no http or https address", quote(strings.ReplaceAll(t.DumpURL, AutoPort, "${PORT}")))
	c.refuse(!bad && u.User != nil, "dump_url", "the file is no place for secrets", "holds a user")
}

// thresholdWords are the words that thresholds.*.action takes beside an action.
var thresholdWords = []string{"log", "notify", "restart", "dump"}

// thresholdAction decodes a word or an action.
func (d *decoder) thresholdAction(n *node) (ThresholdAction, bool) {
	switch n.kind {
	case scalarNode:
		s, ok := d.text(n)
		if !ok {
			return ThresholdAction{}, false
		}
		word, err := parseEnum(s, thresholdWords)
		if err != nil {
			message, hint := errorWords(err)
			d.fail(n, words(hint, "%s, nor an action such as {exec: [tell, me]}", message))
			return ThresholdAction{}, false
		}
		return ThresholdAction{Do: ThresholdDo(word)}, true
	case mapNode:
		a, ok := d.action(n)
		return ThresholdAction{Do: ThresholdRun, Action: a}, ok
	}
	d.problem(n, "must be one of %s or an action, found %s", strings.Join(thresholdWords, ", "), n.describe())
	return ThresholdAction{}, false
}

// parseGrowth reads 50MiB/h, 1MiB/m or 1GiB/d as bytes per hour.
func parseGrowth(s string) (int64, error) {
	const hint = "growth looks like 50MiB/h, 1MiB/m or 1GiB/d"
	amount, unit, ok := strings.Cut(s, "/")
	if !ok {
		return 0, words("write "+strings.TrimSpace(s)+"/h", "%s does not say in what time", quote(s))
	}
	size, err := ParseSize(strings.TrimSpace(amount))
	if err != nil {
		return 0, err
	}
	per := map[string]float64{"h": 1, "m": 60, "d": 1. / 24}[strings.TrimSpace(unit)]
	perHour := math.Round(float64(size) * per)
	switch {
	case per == 0:
		return 0, words(hint, "%s has the unknown unit %s", quote(s), quote("/"+unit))
	case perHour < 1:
		return 0, words(hint, "%s must be more than 0", quote(s))
	case perHour > 1<<60:
		return 0, words("", "%s is too large", quote(s))
	}
	return int64(perHour), nil
}

// FormatGrowth writes bytes per hour the way the spec takes them.
func FormatGrowth(perHour int64) string {
	for _, u := range []struct {
		name  string
		bytes int64
	}{{"GiB", 1 << 30}, {"MiB", 1 << 20}, {"KiB", 1 << 10}} {
		if perHour >= u.bytes && perHour%u.bytes == 0 {
			return strconv.FormatInt(perHour/u.bytes, 10) + u.name + "/h"
		}
	}
	return strconv.FormatInt(perHour, 10) + "B/h"
}
