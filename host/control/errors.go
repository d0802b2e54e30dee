package control

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
)

// AlreadyRunningError refuses to start a second host for a spec. PID is 0 when it is unknown.
type AlreadyRunningError struct {
	PID   int
	Files []string // what the running one was started with, where that is known
}

func (e *AlreadyRunningError) Error() string {
	with := "this spec"
	if len(e.Files) > 0 {
		with = quoted(e.Files)
	}
	if e.PID == 0 {
		return with + " is already run by another host"
	}
	return fmt.Sprintf("%s is already run by the host with pid %d", with, e.PID)
}

// errorBody is the form of every error on the wire.
type errorBody struct {
	Error *Error `json:"error"`
}

// asError gives any error the form that goes over the wire.
func asError(err error) *Error {
	if e, ok := errors.AsType[*Error](err); ok {
		if e.Status == 0 {
			e = &Error{Status: http.StatusInternalServerError, Message: e.Message, Hint: e.Hint}
		}
		return e
	}
	status := http.StatusInternalServerError
	if errors.Is(err, context.DeadlineExceeded) || errors.Is(err, context.Canceled) {
		status = http.StatusServiceUnavailable
	}
	return &Error{Status: status, Message: err.Error()}
}

func writeError(w http.ResponseWriter, err error) {
	e := asError(err)
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(e.Status)
	_ = json.NewEncoder(w).Encode(errorBody{e})
}
