package osservice

import (
	"fmt"
	"strings"
)

// unitMark is in every unit that Install writes. What lacks it is somebody else's and is not touched.
const unitMark = "# Made by host install."

// unit is the text of the systemd unit. https://www.freedesktop.org/software/systemd/man/latest/systemd.service.html
func unit(c Config) string {
	var b strings.Builder
	line := func(key, value string) {
		if value != "" {
			b.WriteString(key + "=" + value + "\n")
		}
	}
	fmt.Fprintf(&b, "%s It writes this file anew when it is run again;\n# what shall stay belongs into a drop-in: systemctl edit %s\n[Unit]\n", unitMark, c.Name)
	line("Description", plain(c.Description))
	depends := unitNames(c.Dependencies)
	line("Requires", depends)
	line("After", strings.TrimSpace("network.target "+depends))
	if c.Start == StartDisabled {
		line("RefuseManualStart", "yes")
	}
	// A host that can't start, for its spec is broken, is tried for a minute and then left failed.
	line("StartLimitIntervalSec", "120")
	line("StartLimitBurst", "10")

	b.WriteString("\n[Service]\n")
	line("Type", "notify")
	line("NotifyAccess", "main")
	line("ExecStart", commandLine(c.Exe, c.Args))
	// Not a signal: systemctl reload shall wait for the end of it, and fail when the edit is refused.
	line("ExecReload", commandLine(c.Exe, reloadArgs(c.Args)))
	line("WorkingDirectory", "-"+specifiers(c.Dir)) // with the last good spec the host can do without
	if c.Account != "root" {
		line("User", specifiers(c.Account))
	}
	line("Restart", "on-failure")
	line("RestartSec", "5")
	line("TimeoutStartSec", "120") // after a crash the guard of the last host may have to be waited for
	line("TimeoutStopSec", seconds(c.StopBudget))
	line("WatchdogSec", "60")
	line("KillMode", "mixed") // the services are stopped by the host, in order
	line("Delegate", "yes")   // each run gets a cgroup
	// One service that runs out of memory, or has many threads, is not the end of all.
	line("OOMPolicy", "continue")
	line("TasksMax", "infinity")
	// The host raises its own limit; children begin with what programs are used to.
	line("LimitNOFILE", "1024:524288")
	line("IgnoreSIGPIPE", "no")
	line("StandardOutput", "journal")
	line("StandardError", "journal")
	line("SyslogIdentifier", specifiers(c.Name))

	b.WriteString("\n[Install]\nWantedBy=multi-user.target\n")
	return b.String()
}

// reloadArgs make the host that was started with args read its files.
func reloadArgs(args []string) []string {
	out := []string{"reload"}
	for n := 0; n+1 < len(args); n++ {
		if args[n] == "-f" {
			n++
			out = append(out, "-f", args[n])
		}
	}
	return out
}

// commandLine quotes a command as systemd reads it. In the path of the program variables are not
// replaced, so "$" is not doubled there.
func commandLine(exe string, args []string) string {
	words := []string{quoted(specifiers(exe))}
	for _, a := range args {
		words = append(words, quoted(strings.ReplaceAll(specifiers(a), "$", "$$")))
	}
	return strings.Join(words, " ")
}

// specifiers keeps systemd from replacing %i and the like.
func specifiers(s string) string { return strings.ReplaceAll(s, "%", "%%") }

// parsedCommand is the command that a line made by commandLine runs, and as systemd tells it in one text: with
// each "$" still doubled and without quotes.
func parsedCommand(line string) (words []string, shown string) {
	words = Words(line)
	for n, w := range words {
		words[n] = strings.ReplaceAll(w, "%%", "%")
	}
	shown = strings.Join(words, " ")
	for n := 1; n < len(words); n++ {
		words[n] = strings.ReplaceAll(words[n], "$$", "$")
	}
	return words, shown
}

// plain makes a text fit for a line: a backslash at its end would join the next one to it.
func plain(s string) string { return strings.TrimRight(specifiers(oneLine(s)), `\ `) }

func unitNames(names []string) string {
	var all []string
	for _, n := range names {
		if !hasUnitType(n) {
			n += ".service"
		}
		all = append(all, specifiers(n))
	}
	return strings.Join(all, " ")
}

// unitName is that of the unit file of a service.
func unitName(service string) string { return service + ".service" }

func hasUnitType(name string) bool {
	for _, t := range []string{".service", ".socket", ".target", ".mount", ".device", ".path", ".timer", ".automount", ".swap", ".slice"} {
		if strings.HasSuffix(name, t) {
			return true
		}
	}
	return false
}

// unitChanges says in words how two units differ.
func unitChanges(before, after string) []string {
	return changes(directives(before), directives(after), unitWord)
}

// directives are the lines of a unit.
func directives(text string) (v values) {
	for line := range strings.Lines(text) {
		if key, value, ok := strings.Cut(strings.TrimRight(line, "\n"), "="); ok && !strings.HasPrefix(key, "#") {
			v.set(key, value)
		}
	}
	return v
}

func unitWord(key string) string {
	words := map[string]string{
		"ExecStart": "command", "ExecReload": "reload command", "User": "account", "WorkingDirectory": "folder", "TimeoutStopSec": "stop timeout in s",
		"Description": "description", "Requires": "dependencies", "After": "order", "RefuseManualStart": "start refused",
	}
	if w, ok := words[key]; ok {
		return w
	}
	return key
}
