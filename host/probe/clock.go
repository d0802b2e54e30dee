package probe

import "time"

// slack is how far clocks may disagree, and timers be late, on a busy machine that is not asleep.
const slack = time.Second

// lostText says why a failed round says nothing about the service, empty where it does: the machine slept, a
// virtual machine was halted, or this process did not get to run.
func lostText(r *round, took, wallTook, fired time.Duration) string {
	overtime := took - r.timeout
	if r.p.program() {
		overtime = fired
	}
	switch {
	case tooLate(r.late, r.period):
		return "it began " + text(r.late) + " late: the machine slept or stood still"
	case (wallTook - took).Abs() > slack:
		return "the clock jumped by " + text((wallTook - took).Abs()) + " meanwhile"
	case overtime > min(max(r.timeout/2, slack/4), 2*slack):
		return "its timeout came " + text(overtime) + " late: the machine slept or stood still"
	}
	return ""
}

// tooLate reports whether a round began so much later than planned that the host can't have been running.
func tooLate(late, period time.Duration) bool { return late > max(slack, period/4) }
