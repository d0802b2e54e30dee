package process

import "golang.org/x/sys/windows"

// groupAffinity is GROUP_AFFINITY: some of the at most 64 processors of one group.
type groupAffinity struct {
	mask  uintptr
	group uint16
	_     [3]uint16
}

var procGetActiveProcessorGroupCount = kernel32.NewProc("GetActiveProcessorGroupCount")

// processorGroups returns how many processors each group has. Most machines have one group; one with more
// than 64 processors has several: https://learn.microsoft.com/windows/win32/procthread/processor-groups
func processorGroups() []int {
	n := uintptr(1)
	if procGetActiveProcessorGroupCount.Find() == nil {
		if count, _, _ := procGetActiveProcessorGroupCount.Call(); count > 0 {
			n = count & 0xFFFF
		}
	}
	groups := make([]int, n)
	for g := range groups {
		groups[g] = int(windows.GetActiveProcessorCount(uint16(g)))
	}
	return groups
}

// groupAffinities finds logical CPUs, counted through all groups, in their groups. Those that are not there
// are returned too.
func groupAffinities(cpus, groups []int) (out []groupAffinity, absent []int) {
	masks := make([]uintptr, len(groups))
next:
	for _, cpu := range cpus {
		rest := cpu
		for g, n := range groups {
			if rest >= 0 && rest < n {
				masks[g] |= 1 << rest
				continue next
			}
			rest -= n
		}
		absent = append(absent, cpu)
	}
	for g, m := range masks {
		if m != 0 {
			out = append(out, groupAffinity{mask: m, group: uint16(g)})
		}
	}
	return out, absent
}

func sum(list []int) (n int) {
	for _, v := range list {
		n += v
	}
	return n
}
