//go:build unix && !linux

package requires

import (
	"context"
	"fmt"
	"strings"
)

// service asks launchd, the manager of services that these systems are supported with.
func service(ctx context.Context, name string) *Unmet {
	out, err := ask(ctx, "/bin/launchctl", "print", "system/"+name)
	if err != nil {
		return &Unmet{Message: fmt.Sprintf("service %s: launchd can't be asked: %v", name, err)}
	}
	if strings.Contains(out, "state = running") {
		return nil
	}
	return &Unmet{Message: fmt.Sprintf("service %s of the system does not run", name), Hint: "launchctl print system/" + name}
}
