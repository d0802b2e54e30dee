package process

import (
	"slices"
	"testing"
	"unsafe"

	"golang.org/x/sys/windows"
)

func TestJobLimitsAreOneWhole(t *testing.T) {
	const always = windows.JOB_OBJECT_LIMIT_KILL_ON_JOB_CLOSE | windows.JOB_OBJECT_LIMIT_DIE_ON_UNHANDLED_EXCEPTION
	basic := func(flags uint32, change func(*windows.JOBOBJECT_BASIC_LIMIT_INFORMATION)) (l windows.JOBOBJECT_EXTENDED_LIMIT_INFORMATION) {
		l.BasicLimitInformation.LimitFlags = flags
		if change != nil {
			change(&l.BasicLimitInformation)
		}
		return l
	}
	memory := basic(always|windows.JOB_OBJECT_LIMIT_JOB_MEMORY, nil)
	memory.JobMemoryLimit = 512 << 20
	all := basic(always|windows.JOB_OBJECT_LIMIT_JOB_MEMORY|windows.JOB_OBJECT_LIMIT_ACTIVE_PROCESS|windows.JOB_OBJECT_LIMIT_PRIORITY_CLASS|
		windows.JOB_OBJECT_LIMIT_AFFINITY|windows.JOB_OBJECT_LIMIT_BREAKAWAY_OK, func(b *windows.JOBOBJECT_BASIC_LIMIT_INFORMATION) {
		b.ActiveProcessLimit, b.PriorityClass, b.Affinity = 65, windows.BELOW_NORMAL_PRIORITY_CLASS, 0b1111
	})
	all.JobMemoryLimit = 1 << 30
	for name, c := range map[string]struct {
		r    Request
		mask uintptr
		want windows.JOBOBJECT_EXTENDED_LIMIT_INFORMATION
	}{
		"nothing":   {Request{}, 0, basic(always, nil)},
		"dialogs":   {Request{ErrorDialogs: true}, 0, basic(windows.JOB_OBJECT_LIMIT_KILL_ON_JOB_CLOSE, nil)},
		"breakaway": {Request{AllowBreakaway: true}, 0, basic(always|windows.JOB_OBJECT_LIMIT_BREAKAWAY_OK, nil)},
		"memory":    {Request{Limits: Limits{Memory: 512 << 20}}, 0, memory},
		"not here":  {Request{Limits: Limits{CPU: 150, OpenFiles: 10}}, 0, basic(always, nil)},
		"all":       {Request{Limits: Limits{Memory: 1 << 30, Processes: 64, CPU: 150}, Nice: 10, AllowBreakaway: true, Affinity: []int{0, 1, 2, 3}}, 0b1111, all},
	} {
		if got := jobLimits(c.r, c.mask); got != c.want {
			t.Errorf("%s: %+v, want %+v", name, got, c.want)
		}
	}
	if got := outerLimits().BasicLimitInformation.LimitFlags; got != windows.JOB_OBJECT_LIMIT_KILL_ON_JOB_CLOSE|windows.JOB_OBJECT_LIMIT_BREAKAWAY_OK {
		t.Errorf("the outer job has flags %#x: it must allow what the inner ones do", got)
	}
}

func TestPriorityIsTheNextClass(t *testing.T) {
	for nice, want := range map[int]uint32{
		19: windows.IDLE_PRIORITY_CLASS, 10: windows.BELOW_NORMAL_PRIORITY_CLASS, 1: windows.NORMAL_PRIORITY_CLASS, 0: windows.NORMAL_PRIORITY_CLASS,
		-5: windows.ABOVE_NORMAL_PRIORITY_CLASS, -10: windows.HIGH_PRIORITY_CLASS, -20: windows.HIGH_PRIORITY_CLASS,
	} {
		if got := priorityClass(nice); got != want {
			t.Errorf("nice %d is class %#x, want %#x", nice, got, want)
		}
	}
}

func TestCreationFlagsFollowTheRequest(t *testing.T) {
	for name, c := range map[string]struct {
		r    Request
		want uint32
	}{
		"nothing":  {Request{}, windows.CREATE_NO_WINDOW},
		"priority": {Request{Nice: 19}, windows.CREATE_NO_WINDOW | windows.IDLE_PRIORITY_CLASS},
		"dialogs":  {Request{ErrorDialogs: true}, windows.CREATE_NO_WINDOW | windows.CREATE_DEFAULT_ERROR_MODE},
	} {
		if got := creationFlags(c.r); got != c.want {
			t.Errorf("%s: %#x, want %#x", name, got, c.want)
		}
	}
}

func TestHardCapIsAPartOfTheWholeMachine(t *testing.T) {
	for _, c := range []struct {
		percent, cpus int
		want          uint32
	}{{100, 1, 10000}, {150, 4, 3750}, {50, 2, 2500}, {1, 256, 1}, {800, 4, 10000}} {
		want := cpuRate{controlFlags: 5, rate: c.want}
		if got := hardCap(c.percent, c.cpus); got != want {
			t.Errorf("%d%% on %d CPUs is %+v, want %+v", c.percent, c.cpus, got, want)
		}
	}
	if n := unsafe.Sizeof(cpuRate{}); n != 8 {
		t.Errorf("the structure has %d bytes", n)
	}
}

func TestAffinityFindsCPUsInTheirGroups(t *testing.T) {
	for name, c := range map[string]struct {
		cpus, groups []int
		want         []groupAffinity
		absent       []int
	}{
		"one group":      {[]int{0, 1, 3}, []int{8}, []groupAffinity{{mask: 0b1011}}, nil},
		"the 64th":       {[]int{63}, []int{64}, []groupAffinity{{mask: 1 << 63}}, nil},
		"second group":   {[]int{64, 65}, []int{64, 64}, []groupAffinity{{mask: 0b11, group: 1}}, nil},
		"both groups":    {[]int{0, 40, 79}, []int{40, 40}, []groupAffinity{{mask: 1}, {mask: 1 | 1<<39, group: 1}}, nil},
		"some not there": {[]int{1, 9}, []int{4}, []groupAffinity{{mask: 0b10}}, []int{9}},
		"all":            {nil, []int{4}, nil, nil},
	} {
		got, absent := groupAffinities(c.cpus, c.groups)
		if !slices.Equal(got, c.want) || !slices.Equal(absent, c.absent) {
			t.Errorf("%s: %+v, absent %v; want %+v, %v", name, got, absent, c.want, c.absent)
		}
	}
	if n := unsafe.Sizeof(groupAffinity{}); n != 16 {
		t.Errorf("the structure has %d bytes", n)
	}
	if groups := processorGroups(); len(groups) == 0 || sum(groups) == 0 {
		t.Errorf("this machine has processors %v", groups)
	}
}

func TestReachedLimitsAreToldOnceInAWhile(t *testing.T) {
	b := &backend{events: newQueue(), byKey: map[uintptr]*run{}}
	t.Cleanup(b.events.close)
	u := &run{id: RunID{Service: "web", Instance: 1, Incarnation: 1}, key: 7, process: 1}
	b.byKey[7] = u
	for range 3 {
		b.portMessage(7, 10) // JOB_OBJECT_MSG_JOB_MEMORY_LIMIT
	}
	b.portMessage(7, 3) // JOB_OBJECT_MSG_ACTIVE_PROCESS_LIMIT
	b.portMessage(7, 9) // JOB_OBJECT_MSG_PROCESS_MEMORY_LIMIT: none that we set
	u.gone = true
	u.told = nil
	b.portMessage(7, 10)
	var got []Event
	for len(b.events.out) > 0 {
		got = append(got, <-b.events.out)
	}
	want := []Event{{Kind: LimitHit, Run: u.id, Limit: limitMemory}, {Kind: LimitHit, Run: u.id, Limit: limitProcesses}}
	if !slices.Equal(got, want) {
		t.Errorf("told %+v, want %+v", got, want)
	}
}
