//go:build unix

package process

import (
	"fmt"
	"syscall"

	"servicehost/host/human"
)

// forkExec starts the program of a run, and warns of what of its order can't be had.
func (b *backend) forkExec(u *run, path string, argv []string, attr *syscall.ProcAttr, o *order) (int, error) {
	return forkExec(ownExe(b.opt.Exe), path, argv, attr, o, func(r report) {
		b.warn.say(u.id.Service, r.Step, r.text(o))
	})
}

// limitWords are the limits of a tree in the words of a spec, by the key of Event.Limit or cpu.
func limitWords(l Limits) map[string]string {
	words := map[string]string{}
	if l.Memory > 0 {
		words[limitMemory] = "limits.memory " + human.Size(l.Memory)
	}
	if l.CPU > 0 {
		words[limitCPU] = fmt.Sprintf("limits.cpu %d%%", l.CPU)
	}
	if l.Processes > 0 {
		words[limitProcesses] = fmt.Sprintf("limits.processes %d", l.Processes)
	}
	return words
}

// notLimited warns that no limit of a tree is enforced. There is no good way without a cgroup: the limits of
// setrlimit(2) count the addresses of one process, or all processes of a user, and not at all for root.
func (b *backend) notLimited(u *run, l Limits, why string) {
	for limit, words := range limitWords(l) {
		b.warn.say(u.id.Service, limit, words+" is not enforced here: "+why)
	}
}
