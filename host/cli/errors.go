package cli

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"

	"servicehost/host"
	"servicehost/host/control"
)

// hinted is an error with what to do about it.
type hinted struct {
	err  error
	hint string
}

func (e *hinted) Error() string { return e.err.Error() }
func (e *hinted) Unwrap() error { return e.err }

func withHint(hint, format string, args ...any) error {
	return &hinted{err: fmt.Errorf(format, args...), hint: hint}
}

// explain turns an error into what a person reads: what went wrong, further lines, and what to do.
func explain(err error) (message, more, hint string) {
	var (
		h         *hinted
		remote    *control.Error
		none      *control.NoHostError
		ambiguous *control.AmbiguousError
		running   *control.AlreadyRunningError
		signal    *stopped
	)
	message = err.Error()
	switch {
	case errors.As(err, &h):
		hint = h.hint
	case errors.As(err, &remote):
		hint = remote.Hint
	case errors.As(err, &none):
		if len(none.Others) > 0 {
			more = "running now:\n" + hostList(none.Others)
		}
		hint = "start it with: host run" + startWith(none)
	case errors.As(err, &ambiguous):
		more = "running now:\n" + hostList(ambiguous.Hosts)
		hint = "pick one with -f FILE or --name NAME"
	case errors.As(err, &running):
		hint = "look at it with: host status"
	case errors.Is(err, control.ErrGone):
		hint = "its log says why; start it again with: host run"
	case errors.As(err, &signal):
		message = "interrupted; the host goes on with what it was asked"
	}
	return message, more, hint
}

func startWith(e *control.NoHostError) string {
	var b strings.Builder
	for _, f := range e.Wanted.Files {
		b.WriteString(" -f " + shellQuote(f))
	}
	if b.Len() == 0 {
		return " -f services.yaml"
	}
	return b.String()
}

func shellQuote(s string) string {
	if strings.ContainsAny(s, " \t&()'") {
		return `"` + s + `"`
	}
	return s
}

func hostList(hosts []control.Entry) string {
	t := table{columns: []column{{}, {title: "NAME"}, {title: "PID", right: true}, {title: "SPEC"}}}
	for _, e := range hosts {
		t.add(cell{}, cell{text: clean(e.Name)}, cell{text: fmt.Sprint(e.PID)}, cell{text: clean(strings.Join(e.Files, " "))})
	}
	return t.render(palette{}, 0)
}

type errorJSON struct {
	Message string `json:"message"`
	Hint    string `json:"hint"`
}

// printError writes an error in the form that was asked for. With JSON it is
// {"error":{"message":"","hint":""}}, and the further lines belong to the hint.
func (a *app) printError(w io.Writer, p palette, asJSON bool, err error) {
	if _, ok := errors.AsType[*exit](err); ok {
		return
	}
	var invalid *host.InvalidSpec
	if errors.As(err, &invalid) && !asJSON {
		a.writeProblems(w, p, invalid.Problems)
		if invalid.LastGood != nil {
			fmt.Fprintln(w, p.red(cleanLines(invalid.LastGood.Error())))
		}
		return
	}
	message, more, hint := explain(err)
	if asJSON {
		if more != "" {
			hint = strings.TrimSpace(more + hint)
		}
		e := json.NewEncoder(w)
		e.SetEscapeHTML(false)
		_ = e.Encode(struct {
			Error errorJSON `json:"error"`
		}{errorJSON{message, hint}})
		return
	}
	fmt.Fprintln(w, p.red(cleanLines(message)))
	if more != "" {
		fmt.Fprint(w, more)
	}
	if hint != "" {
		fmt.Fprintln(w, p.bold("hint:"), cleanLines(hint))
	}
}
