package cli

import (
	"strings"

	"github.com/spf13/cobra"
)

// commands are all commands in the order of the help, or only the one of that name: to make them all costs a
// tenth of what a run of the program costs.
func (a *app) commands(name string) []*cobra.Command {
	all := [...]struct {
		name string
		make func(*app) *cobra.Command
	}{
		{"run", newRun}, {"validate", newValidate}, {"plan", newPlan}, {"reload", newReload}, {"status", newStatus},
		{"start", newStart}, {"stop", newStop}, {"restart", newRestart}, {"run-now", newRunNow}, {"signal", newSignal},
		{"rotate", newRotate}, {"pause", newPause}, {"resume", newResume}, {"logs", newLogs}, {"events", newEvents},
		{"why", newWhy}, {"report", newReport}, {"doctor", newDoctor}, {"top", newTop}, {"metrics", newMetrics},
		{"pprof", newPprof}, {"notify", newNotify}, {"dashboard", newDashboard}, {"install", newInstall},
		{"uninstall", newUninstall}, {"daemon", newDaemon}, {"upgrade", newUpgrade}, {"secret", newSecret},
		{"schema", newSchema}, {"completion", newCompletion}, {"version", newVersion},
	}
	var made []*cobra.Command
	for _, c := range all {
		if c.name == name {
			return []*cobra.Command{c.make(a)}
		}
	}
	for _, c := range all {
		made = append(made, c.make(a))
	}
	return made
}

// asked is the command that arguments name, as far as that is plain before they are parsed. It is empty where a
// flag stands before it that is not one of all commands, or is asked for help.
func asked(args []string) string {
	for len(args) > 0 {
		arg := args[0]
		args = args[1:]
		if !strings.HasPrefix(arg, "-") {
			return arg
		}
		switch flag, _, whole := strings.Cut(arg, "="); flag {
		case "--no-color":
		case "-f", "--file", "--name", "--profile", "--set", "-o", "--output":
			if !whole && len(args) > 0 {
				args = args[1:]
			}
		default:
			return ""
		}
	}
	return ""
}
