package notify

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"time"

	"servicehost/host/human"
	"servicehost/spec"
)

// Program is a program to be run for a message.
type Program struct {
	Argv      []string
	Env       []string // NAME=value
	StdinFile string
}

// program hands messages to a program.
type program struct {
	spec.Notifier
	dir string // for its input
	run func(context.Context, Program) error
}

func (p *program) most() int     { return 1 }
func (p *program) where() string { return "program " + human.Path(p.Exec[0]) } // its arguments may be secrets

func (p *program) send(ctx context.Context, as []Alert) outcome {
	a := as[0]
	body, err := compact(a)
	if err != nil {
		return refused("cannot write the message: %w", err)
	}
	file, err := input(p.dir, append(body, '\n'))
	if err != nil {
		return outcome{err: fmt.Errorf("cannot write the message for it: %w", err)}
	}
	defer os.Remove(file)
	ctx, cancel := context.WithTimeout(ctx, p.Timeout)
	defer cancel()
	err = p.run(ctx, Program{Argv: p.Exec, Env: variables(a), StdinFile: file})
	if errors.Is(err, context.DeadlineExceeded) {
		err = fmt.Errorf("not done after %s", human.Duration(p.Timeout))
	}
	return outcome{err: err}
}

// input writes what a program reads where nobody else may read it.
func input(dir string, text []byte) (string, error) {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return "", err
	}
	f, err := os.CreateTemp(dir, "message-*.json")
	if err != nil {
		return "", err
	}
	_, err = f.Write(text)
	if err = errors.Join(err, f.Close()); err != nil {
		os.Remove(f.Name())
		return "", err
	}
	return f.Name(), nil
}

// sweep removes inputs that a host left behind which was killed.
func sweep(dir string) {
	left, _ := filepath.Glob(filepath.Join(dir, "message-*.json"))
	for _, f := range left {
		os.Remove(f)
	}
}

// variables are those of a program, for scripts that don't read JSON.
func variables(a Alert) []string {
	vars := []string{
		"HOST_NAME=" + a.Host, "HOST_MESSAGE_ID=" + a.ID, "HOST_ALERT=" + a.Alert, "HOST_EVENT=" + string(a.Event), "HOST_STATUS=" + string(a.Status),
		"HOST_TITLE=" + human.Plain(a.Title), "HOST_REASON=" + human.Plain(a.Reason), "HOST_COUNT=" + strconv.Itoa(a.Count),
		"HOST_SINCE=" + a.Since.Format(time.RFC3339), "HOST_SERVICE=" + a.Service, "HOST_RESOLVES=" + string(a.Resolves),
	}
	instance := ""
	if a.Service != "" {
		instance = strconv.Itoa(a.Instance)
	}
	return append(vars, "HOST_INSTANCE="+instance)
}
