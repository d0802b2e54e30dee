package web

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"time"

	"servicehost/host/control"
	"servicehost/host/journal"
)

// readBody reads what is asked for, in time, so that what is answered may then take long.
func readBody(w http.ResponseWriter, r *http.Request, limit int64) ([]byte, bool) {
	c := http.NewResponseController(w)
	_ = c.SetReadDeadline(time.Now().Add(bodyTime))
	defer func() { _ = c.SetReadDeadline(time.Time{}) }()
	content, err := io.ReadAll(http.MaxBytesReader(w, r.Body, limit))
	if err != nil {
		status := http.StatusBadRequest
		if _, ok := errors.AsType[*http.MaxBytesError](err); ok {
			status = http.StatusRequestEntityTooLarge
		}
		refuse(w, status, fmt.Sprintf("cannot read the request: %v", err), "")
		return nil, false
	}
	return content, true
}

func refuse(w http.ResponseWriter, status int, message, hint string) {
	control.WriteError(w, &control.Error{Status: status, Message: message, Hint: hint})
}

// deny answers who is not known, or not let in.
func deny(w http.ResponseWriter, err error) {
	if t, ok := errors.AsType[*throttled](err); ok {
		w.Header().Set("Retry-After", strconv.Itoa(int(t.wait/time.Second)+1))
		refuse(w, http.StatusTooManyRequests, t.Error(), "wait a minute")
		return
	}
	w.Header().Set("WWW-Authenticate", `Bearer realm="servicehost"`)
	if err == nil {
		err = &control.Error{Status: http.StatusUnauthorized, Message: "sign in first",
			Hint: "host dashboard opens the page signed in; or use a token of host.http.tokens"}
	}
	control.WriteError(w, err)
}

func writeJSON(w http.ResponseWriter, v any) {
	w.Header().Set("Content-Type", "application/json")
	_ = json.NewEncoder(w).Encode(v)
}

func (h *handler) tell(user, what, remote string) {
	h.opt.Publish(journal.Event{Kind: journal.OperatorAction, Actor: user, Reason: what + " from " + origin(remote).Addr().String()})
}
