package requires

import (
	"context"
	"fmt"
	"os"
	"os/exec"
)

// systemdRuns is a folder that is there exactly where systemd runs the system.
// https://www.freedesktop.org/software/systemd/man/latest/sd_booted.html
var systemdRuns = "/run/systemd/system"

// service asks systemd.
func service(ctx context.Context, name string) *Unmet {
	if _, err := os.Stat(systemdRuns); err != nil {
		return &Unmet{Message: fmt.Sprintf("service %s: systemd does not run this system", name)}
	}
	path, err := exec.LookPath("systemctl")
	if err != nil {
		return &Unmet{Message: fmt.Sprintf("service %s: there is no systemctl to ask", name)}
	}
	state, err := ask(ctx, path, "is-active", "--", name)
	if err != nil {
		return &Unmet{Message: fmt.Sprintf("service %s: systemd can't be asked: %v", name, err)}
	}
	switch state {
	case "active", "reloading", "refreshing":
		return nil
	case "":
		state = "unknown to systemd"
	}
	return &Unmet{Message: fmt.Sprintf("service %s of the system is %s", name, state), Hint: "systemctl status " + name}
}
