package process

import (
	"errors"
	"os"
	"strconv"
	"strings"
	"syscall"
)

// helperMain serves "__ctrl --event ctrl_c|ctrl_break|close|wm_quit --pid N [--pid M ...]", or requests on
// standard input with "__ctrl --serve", in a process of its own, whose console, if any, nobody needs.
func helperMain(args []string) (bool, int) {
	if args[0] != helperCtrl {
		return false, 0
	}
	if len(args) == 2 && args[1] == "--serve" {
		return true, serveConsoleEvents(systemConsole{}, os.Stdin, os.Stdout)
	}
	event, pids, ok := helperArgs(args[1:])
	if !ok {
		return true, ctrlUsage
	}
	switch event {
	case "ctrl_c":
		return true, sendConsoleEvent(systemConsole{}, ctrlC, pids)
	case "ctrl_break":
		return true, sendConsoleEvent(systemConsole{}, ctrlBreak, pids)
	case "close":
		return true, closeWindows(systemDesktop{}, pids)
	case "wm_quit":
		return true, quitThreads(systemDesktop{}, pids)
	}
	return true, ctrlUsage
}

func helperArgs(args []string) (event string, pids []uint32, ok bool) {
	for i := 0; i < len(args); i++ {
		name, value, joined := strings.Cut(args[i], "=")
		if !joined {
			if i++; i == len(args) {
				return "", nil, false
			}
			value = args[i]
		}
		switch name {
		case "--event":
			event = value
		case "--pid":
			pid, err := strconv.ParseUint(value, 10, 32)
			if err != nil {
				return "", nil, false
			}
			pids = append(pids, uint32(pid))
		default:
			return "", nil, false
		}
	}
	return event, pids, len(pids) > 0
}

func errnoOf(err error) int {
	var errno syscall.Errno
	errors.As(err, &errno)
	return int(errno) & ctrlErrno
}
