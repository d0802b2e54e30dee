package spec

import (
	"maps"
	"slices"
	"strings"
)

// StartOrder groups services into levels: those of a level depend only on services of the levels
// before it. All instances of a service are in one level, in the order in which they were given.
// Dependencies on services that are not among them don't count. Stopping goes the other way round.
func StartOrder(services []*Service) [][]*Service {
	needs := make(map[string]map[string]Dependency, len(services))
	for _, s := range services {
		if needs[s.Name] == nil {
			needs[s.Name] = s.DependsOn
		}
	}
	level := make(map[string]int, len(needs))
	var find func(name string) int
	find = func(name string) int {
		if l, done := level[name]; done {
			return l
		}
		level[name] = 0 // ends a circle, which Load refuses
		l := 0
		for other := range needs[name] {
			if _, here := needs[other]; here {
				l = max(l, find(other)+1)
			}
		}
		level[name] = l
		return l
	}
	var levels [][]*Service
	for _, s := range services {
		l := find(s.Name)
		for len(levels) <= l {
			levels = append(levels, nil)
		}
		levels[l] = append(levels[l], s)
	}
	return slices.DeleteFunc(levels, func(l []*Service) bool { return len(l) == 0 })
}

// findCycles returns each circle of dependencies once, as the names along it with the first repeated.
func findCycles(needs map[string][]string) [][]string {
	const (
		fresh = iota
		open
		done
	)
	state := make(map[string]int, len(needs))
	var stack []string
	var cycles [][]string
	var visit func(name string)
	visit = func(name string) {
		state[name] = open
		stack = append(stack, name)
		for _, other := range needs[name] {
			switch state[other] {
			case open:
				from := slices.Index(stack, other)
				cycles = append(cycles, append(slices.Clone(stack[from:]), other))
			case fresh:
				visit(other)
			}
		}
		stack = stack[:len(stack)-1]
		state[name] = done
	}
	for _, name := range slices.Sorted(maps.Keys(needs)) {
		if state[name] == fresh {
			visit(name)
		}
	}
	return cycles
}

func joinCycle(names []string) string { return strings.Join(names, " → ") }
