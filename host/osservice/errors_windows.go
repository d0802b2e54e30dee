package osservice

import (
	"errors"
	"fmt"
	"strings"

	"golang.org/x/sys/windows"
)

// reasons are the errors of the SCM that an operator can do something about, in words and with what to do.
// https://learn.microsoft.com/windows/win32/debug/system-error-codes
var reasons = map[windows.Errno]string{
	windows.ERROR_ACCESS_DENIED:                     "access is denied; run it as administrator, in an elevated prompt",
	windows.ERROR_FILE_NOT_FOUND:                    "its executable is not there; install it again with: host install",
	windows.ERROR_PATH_NOT_FOUND:                    "the folder of its executable is not there; install it again with: host install",
	windows.ERROR_INVALID_NAME:                      "the name is not one that a service may have",
	windows.ERROR_DEPENDENT_SERVICES_RUNNING:        "services that depend on it still run; stop them first",
	windows.ERROR_SERVICE_REQUEST_TIMEOUT:           "it did not report to the service manager in time (error 1053); the machine may be overloaded, or the executable is not host",
	windows.ERROR_SERVICE_DATABASE_LOCKED:           "the database of the service manager is locked by another program; try again",
	windows.ERROR_INVALID_SERVICE_ACCOUNT:           "its account is not known or can't be used for it; see host install --help",
	windows.ERROR_SERVICE_DISABLED:                  "it is disabled; install it with another start type: host install --start auto",
	windows.ERROR_CIRCULAR_DEPENDENCY:               "it would depend on itself through its dependencies",
	windows.ERROR_SERVICE_DEPENDENCY_FAIL:           "a service that it depends on could not be started",
	windows.ERROR_SERVICE_DEPENDENCY_DELETED:        "a service that it depends on is not installed",
	windows.ERROR_SERVICE_LOGON_FAILED:              "its account could not log on (error 1069): the password is wrong or has changed, or the account may not log on as a service; install it again with the right password",
	windows.ERROR_SERVICE_MARKED_FOR_DELETE:         "it is marked for deletion (error 1072), and goes when every program that shows it lets go of it; close services.msc, Task Manager, Process Explorer and Event Viewer",
	windows.ERROR_SERVICE_CANNOT_ACCEPT_CTRL:        "it takes no requests now, for it is just starting or stopping; try again",
	windows.ERROR_DUPLICATE_SERVICE_NAME:            "another service has its display name; give it another one",
	windows.ERROR_PROCESS_ABORTED:                   "its process was killed or crashed (error 1067)",
	windows.ERROR_SERVICE_NO_THREAD:                 "the service manager could not make a thread for it",
	windows.ERROR_BAD_EXE_FORMAT:                    "its executable is not a program for this machine",
	windows.ERROR_SHUTDOWN_IN_PROGRESS:              "the machine is shutting down",
	windows.ERROR_INCOMPATIBLE_SERVICE_PRIVILEGE:    "its account lacks a privilege that the service asks for (error 1297); install it again with: host install",
	windows.ERROR_NONE_MAPPED:                       "its account is not known on this machine or in its domain",
	windows.ERROR_TRUSTED_RELATIONSHIP_FAILURE:      "this machine and the domain of the account do not trust each other",
	windows.ERROR_LOGON_FAILURE:                     "its account could not log on: the name or the password is wrong",
	windows.ERROR_LOGON_TYPE_NOT_GRANTED:            "its account may not log on as a service",
	windows.ERROR_NO_SUCH_DOMAIN:                    "the domain of its account can't be reached",
	windows.ERROR_FAILED_SERVICE_CONTROLLER_CONNECT: "the service manager has not started this process",
}

// failed says that something can't be done with a service, and why.
func failed(verb, name string, err error) error {
	if errors.Is(err, windows.ERROR_SERVICE_DOES_NOT_EXIST) {
		return &NotInstalled{Name: name}
	}
	return &scmError{text: fmt.Sprintf("cannot %s service %q: %s", verb, name, inWords(err)), err: err}
}

// scmError is an error of the SCM in our words.
type scmError struct {
	text string
	err  error
}

func (e *scmError) Error() string { return e.text }
func (e *scmError) Unwrap() error { return e.err }

// inWords is the reason of an error; one that is not in the table is told with its number, by which it can be
// looked up whatever the language of the system is.
func inWords(err error) string {
	no, ok := errors.AsType[windows.Errno](err)
	if !ok {
		return err.Error()
	}
	words, ok := reasons[no]
	if !ok {
		words = fmt.Sprintf("%s (error %d)", strings.TrimRight(no.Error(), ". \r\n"), uint32(no))
	}
	return strings.Replace(err.Error(), no.Error(), words, 1) // it may be part of a sentence
}

// unsupported reports whether a system lacks the part that was asked for: older systems, containers, Wine.
func unsupported(err error) bool {
	return errors.Is(err, windows.ERROR_INVALID_LEVEL) || errors.Is(err, windows.ERROR_CALL_NOT_IMPLEMENTED) ||
		errors.Is(err, windows.ERROR_NOT_SUPPORTED)
}
