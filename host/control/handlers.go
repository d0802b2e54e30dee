package control

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"time"

	"servicehost/host/journal"
)

// maxBody bounds every request; a thousand long names fit.
const maxBody = 1 << 20

// query answers with what one method of the Host returns.
func query[T any](ask func(Host, context.Context) (T, error)) func(*Server) http.HandlerFunc {
	return func(s *Server) http.HandlerFunc {
		return func(w http.ResponseWriter, r *http.Request) {
			v, err := ask(s.config.Host, r.Context())
			answer(w, v, err)
		}
	}
}

// command hands a request on that says who asks.
func command[Q, T any](sign func(q *Q, actor string), do func(Host, context.Context, Q) (T, error)) func(*Server) http.HandlerFunc {
	return func(s *Server) http.HandlerFunc {
		return func(w http.ResponseWriter, r *http.Request) {
			var q Q
			if !body(w, r, &q) {
				return
			}
			sign(&q, actor(r))
			v, err := do(s.config.Host, r.Context(), q)
			answer(w, v, err)
		}
	}
}

func pause(on bool) func(*Server) http.HandlerFunc {
	return func(s *Server) http.HandlerFunc {
		return func(w http.ResponseWriter, r *http.Request) {
			answer(w, struct{}{}, s.config.Host.Pause(r.Context(), on, actor(r)))
		}
	}
}

func shutdown(s *Server) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		answer(w, struct{}{}, s.config.Host.Shutdown(r.Context(), actor(r)))
	}
}

func events(s *Server) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		v := r.URL.Query()
		q := EventsRequest{Services: v["service"]}
		for _, k := range v["kind"] {
			q.Kinds = append(q.Kinds, journal.Kind(k))
		}
		var errs [4]error
		q.Since, errs[0] = moment(v.Get("since"))
		q.Until, errs[1] = moment(v.Get("until"))
		q.Last, errs[2] = number(v.Get("last"))
		q.Follow, errs[3] = flag(v.Get("follow"))
		if err := errors.Join(errs[:]...); err != nil {
			writeError(w, &Error{Status: http.StatusBadRequest, Message: "cannot read the request: " + err.Error()})
			return
		}
		stream(w, r, func(send func(journal.Event) error) error {
			return s.config.Host.Events(r.Context(), q, send)
		})
	}
}

func logs(s *Server) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		v := r.URL.Query()
		q := LogsRequest{Services: v["service"], Grep: v.Get("grep"), Stream: v.Get("stream")}
		var errs [5]error
		q.Last, errs[0] = number(v.Get("last"))
		q.Follow, errs[1] = flag(v.Get("follow"))
		q.Raw, errs[2] = flag(v.Get("raw"))
		q.Since, errs[3] = moment(v.Get("since"))
		q.Until, errs[4] = moment(v.Get("until"))
		if err := errors.Join(errs[:]...); err != nil {
			writeError(w, &Error{Status: http.StatusBadRequest, Message: "cannot read the request: " + err.Error()})
			return
		}
		stream(w, r, func(send func(LogLine) error) error {
			return s.config.Host.Logs(r.Context(), q, send)
		})
	}
}

func number(s string) (int, error) {
	if s == "" {
		return 0, nil
	}
	return strconv.Atoi(s)
}

func moment(s string) (time.Time, error) {
	if s == "" {
		return time.Time{}, nil
	}
	return time.Parse(time.RFC3339Nano, s)
}

func flag(s string) (bool, error) {
	if s == "" {
		return false, nil
	}
	return strconv.ParseBool(s)
}

// body decodes the request, and answers with the error when it can't. What this host doesn't know is
// refused: a newer client must not believe that it was heeded.
func body(w http.ResponseWriter, r *http.Request, into any) bool {
	d := json.NewDecoder(r.Body)
	d.DisallowUnknownFields()
	err := d.Decode(into)
	if err == nil {
		if _, rest := d.Token(); !errors.Is(rest, io.EOF) {
			err = errors.New("something follows the value")
		}
	}
	if err == nil {
		return true
	}
	status := http.StatusBadRequest
	if _, ok := errors.AsType[*http.MaxBytesError](err); ok {
		status = http.StatusRequestEntityTooLarge
	}
	writeError(w, &Error{Status: status, Message: fmt.Sprintf("cannot read the request: %v", err)})
	return false
}

func answer(w http.ResponseWriter, v any, err error) {
	if err != nil {
		writeError(w, err)
		return
	}
	data, err := json.Marshal(v)
	if err != nil {
		writeError(w, err)
		return
	}
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("Content-Length", strconv.Itoa(len(data)))
	_, _ = w.Write(data)
}
