package requires

import (
	"context"
	"errors"
	"fmt"
	"sync"

	"golang.org/x/sys/windows"
)

// service asks the service control manager, with rights that every user has.
func service(_ context.Context, name string) *Unmet {
	status, err := queryService(name)
	switch {
	case errors.Is(err, windows.ERROR_SERVICE_DOES_NOT_EXIST), errors.Is(err, windows.ERROR_INVALID_NAME):
		return &Unmet{Message: fmt.Sprintf("service %s of the system is not installed", name), Hint: "name it as sc query does, not by its display name"}
	case err != nil:
		return &Unmet{Message: fmt.Sprintf("service %s of the system can't be looked at: %v", name, err)}
	case status.CurrentState == windows.SERVICE_RUNNING:
		return nil
	}
	return &Unmet{Message: fmt.Sprintf("service %s of the system is %s", name, stateWord(status.CurrentState)), Hint: "sc start " + name}
}

// managerUse keeps one query at a time: where the first two of a process meet, Wine 8 hands out manager handles that are
// invalid from then on.
var managerUse sync.Mutex

func queryService(name string) (status windows.SERVICE_STATUS, err error) {
	key, err := windows.UTF16PtrFromString(name)
	if err != nil {
		return status, windows.ERROR_INVALID_NAME
	}
	managerUse.Lock()
	defer managerUse.Unlock()
	scm, err := windows.OpenSCManager(nil, nil, windows.SC_MANAGER_CONNECT)
	if err != nil {
		return status, err
	}
	defer func() { _ = windows.CloseServiceHandle(scm) }()
	h, err := windows.OpenService(scm, key, windows.SERVICE_QUERY_STATUS)
	if err != nil {
		return status, err
	}
	defer func() { _ = windows.CloseServiceHandle(h) }()
	err = windows.QueryServiceStatus(h, &status)
	return status, err
}

func stateWord(state uint32) string {
	switch state {
	case windows.SERVICE_STOPPED:
		return "stopped"
	case windows.SERVICE_START_PENDING:
		return "still starting"
	case windows.SERVICE_STOP_PENDING:
		return "stopping"
	case windows.SERVICE_PAUSED, windows.SERVICE_PAUSE_PENDING, windows.SERVICE_CONTINUE_PENDING:
		return "paused"
	}
	return fmt.Sprintf("in state %d", state)
}
