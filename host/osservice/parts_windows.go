package osservice

import (
	"fmt"
	"strings"
	"time"
	"unsafe"

	"golang.org/x/sys/windows"

	"servicehost/host/human"
)

// part is one of the settings of a service that ChangeServiceConfig2 takes one at a time, and that a system
// may lack.
type part struct {
	level uint32
	name  string // in messages
	want  string // in the words of read
	info  unsafe.Pointer
	read  func(unsafe.Pointer) string
	// plain is set where want is what every service has from the start.
	plain bool
}

// restarts are what the SCM does when the host fails: the last one repeats. Failures are forgotten after a day.
var restarts = []time.Duration{5 * time.Second, 30 * time.Second, time.Minute}

const forgetFailures = 24 * time.Hour

// preshutdownInfo is SERVICE_PRESHUTDOWN_INFO, requiredPrivileges SERVICE_REQUIRED_PRIVILEGES_INFO and
// sidInfo SERVICE_SID_INFO, which x/sys does not have.
type (
	preshutdownInfo    struct{ timeoutMs uint32 }
	requiredPrivileges struct{ list *uint16 }
	sidInfo            struct{ kind uint32 }
)

// partsOf are the parts of a service that is to be as c says, in the order in which they are requested.
func partsOf(c Config, a account) []part {
	privileges := c.Privileges
	if privileges == nil {
		privileges = a.privileges()
	}
	parts := []part{
		describe(c.Description),
		delayed(c.Start == StartDelayed),
		recovery(),
		recoveryFlag(),
		serviceSID(),
		require(privileges),
	}
	if c.StopBudget > 0 {
		parts = append(parts, preshutdown(c.StopBudget))
	}
	return parts
}

func describe(text string) part {
	p, _ := windows.UTF16PtrFromString(text) // checked for zeros with the rest of the Config
	return part{
		level: windows.SERVICE_CONFIG_DESCRIPTION, name: "description", want: quoted(text), plain: text == "",
		info: unsafe.Pointer(&windows.SERVICE_DESCRIPTION{Description: p}),
		read: func(p unsafe.Pointer) string {
			return quoted(windows.UTF16PtrToString((*windows.SERVICE_DESCRIPTION)(p).Description))
		},
	}
}

func delayed(on bool) part {
	info := &windows.SERVICE_DELAYED_AUTO_START_INFO{}
	if on {
		info.IsDelayedAutoStartUp = 1
	}
	return part{
		level: windows.SERVICE_CONFIG_DELAYED_AUTO_START_INFO, name: "delayed start", want: onOff(on), plain: !on,
		info: unsafe.Pointer(info),
		read: func(p unsafe.Pointer) string {
			return onOff((*windows.SERVICE_DELAYED_AUTO_START_INFO)(p).IsDelayedAutoStartUp != 0)
		},
	}
}

func recovery() part {
	actions := make([]windows.SC_ACTION, len(restarts))
	for i, d := range restarts {
		actions[i] = windows.SC_ACTION{Type: windows.SC_ACTION_RESTART, Delay: uint32(d.Milliseconds())}
	}
	info := &windows.SERVICE_FAILURE_ACTIONS{
		ResetPeriod:  uint32(forgetFailures.Seconds()),
		ActionsCount: uint32(len(actions)),
		Actions:      &actions[0],
	}
	return part{
		level: windows.SERVICE_CONFIG_FAILURE_ACTIONS, name: "recovery", want: recoveryWords(info),
		info: unsafe.Pointer(info),
		read: func(p unsafe.Pointer) string { return recoveryWords((*windows.SERVICE_FAILURE_ACTIONS)(p)) },
	}
}

func recoveryWords(f *windows.SERVICE_FAILURE_ACTIONS) string {
	if f.ActionsCount == 0 || f.Actions == nil {
		return "none"
	}
	var words []string
	for _, a := range unsafe.Slice(f.Actions, f.ActionsCount) {
		after := " after " + human.Duration(time.Duration(a.Delay)*time.Millisecond)
		switch a.Type {
		case windows.SC_ACTION_RESTART:
			words = append(words, "restart"+after)
		case windows.SC_ACTION_REBOOT:
			words = append(words, "reboot"+after)
		case windows.SC_ACTION_RUN_COMMAND:
			words = append(words, "command"+after)
		default:
			words = append(words, "nothing")
		}
	}
	forget := "never forgotten"
	if f.ResetPeriod != windows.INFINITE {
		forget = "forgotten after " + human.Duration(time.Duration(f.ResetPeriod)*time.Second)
	}
	return strings.Join(words, ", ") + "; " + forget
}

// recoveryFlag makes an end with an error count as a failure, not only a crash.
func recoveryFlag() part {
	return part{
		level: windows.SERVICE_CONFIG_FAILURE_ACTIONS_FLAG, name: "recovery after an end with an error", want: onOff(true),
		info: unsafe.Pointer(&windows.SERVICE_FAILURE_ACTIONS_FLAG{FailureActionsOnNonCrashFailures: 1}),
		read: func(p unsafe.Pointer) string {
			return onOff((*windows.SERVICE_FAILURE_ACTIONS_FLAG)(p).FailureActionsOnNonCrashFailures != 0)
		},
	}
}

// serviceSID puts NT SERVICE\name into the token, so that folders can be granted to this service alone.
func serviceSID() part {
	words := func(kind uint32) string {
		switch kind {
		case windows.SERVICE_SID_TYPE_NONE:
			return "none"
		case windows.SERVICE_SID_TYPE_UNRESTRICTED:
			return "unrestricted"
		case windows.SERVICE_SID_TYPE_RESTRICTED:
			return "restricted"
		}
		return fmt.Sprint(kind)
	}
	info := &sidInfo{kind: windows.SERVICE_SID_TYPE_UNRESTRICTED}
	return part{
		level: windows.SERVICE_CONFIG_SERVICE_SID_INFO, name: "service SID", want: words(info.kind),
		info: unsafe.Pointer(info),
		read: func(p unsafe.Pointer) string { return words((*sidInfo)(p).kind) },
	}
}

func require(list []string) part {
	words := func(list []string) string {
		if len(list) == 0 {
			return "all of the account"
		}
		return strings.Join(list, ", ")
	}
	return part{
		level: windows.SERVICE_CONFIG_REQUIRED_PRIVILEGES_INFO, name: "privileges", want: words(list), plain: len(list) == 0,
		info: unsafe.Pointer(&requiredPrivileges{list: multiString(list)}),
		read: func(p unsafe.Pointer) string { return words(fromMultiString((*requiredPrivileges)(p).list)) },
	}
}

// preshutdown is how long the SCM waits for the service when the machine shuts down, before it goes on.
func preshutdown(budget time.Duration) part {
	words := func(ms uint32) string { return human.Duration(time.Duration(ms) * time.Millisecond) }
	info := &preshutdownInfo{timeoutMs: milliseconds(budget)}
	return part{
		level: windows.SERVICE_CONFIG_PRESHUTDOWN_INFO, name: "time to stop at a shutdown", want: words(info.timeoutMs),
		info: unsafe.Pointer(info),
		read: func(p unsafe.Pointer) string { return words((*preshutdownInfo)(p).timeoutMs) },
	}
}

// milliseconds rounds up, into what a DWORD holds below INFINITE.
func milliseconds(d time.Duration) uint32 {
	ms := (d + time.Millisecond - 1).Milliseconds()
	return uint32(min(max(ms, 0), windows.INFINITE-1))
}

func onOff(on bool) string {
	if on {
		return "on"
	}
	return "off"
}

func quoted(s string) string {
	if s == "" {
		return "none"
	}
	return `"` + s + `"`
}
