package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"time"

	"servicehost/host/control"
)

// host is the program that is driven.
type host struct {
	command []string
	dir     string
	spec    string
	env     []string
	cmd     *exec.Cmd
	done    chan struct{} // closed when it ended
	client  *control.Client
	vars    *http.Client // for what the client does not offer
	guard   int
}

// startHost runs a host on the text of a spec and waits until it answers.
func startHost(ctx context.Context, o options, text string) (*host, error) {
	h := &host{command: o.host, dir: o.dir, spec: filepath.Join(o.dir, "services.yaml"), done: make(chan struct{})}
	run := filepath.Join(o.dir, "run")
	if err := os.Mkdir(run, 0o700); err != nil {
		return nil, err
	}
	// Ours too, for the client looks there.
	if err := os.Setenv("HOST_RUN_DIR", run); err != nil {
		return nil, err
	}
	h.env = append(os.Environ(), "NO_COLOR=1", "GORACE=atexit_sleep_ms=0")
	if err := os.WriteFile(h.spec, []byte(text), 0o600); err != nil {
		return nil, err
	}
	log, err := os.Create(filepath.Join(o.dir, "host.out"))
	if err != nil {
		return nil, err
	}
	defer log.Close()
	h.cmd = h.exec(context.WithoutCancel(ctx), "run")
	h.cmd.Stdout, h.cmd.Stderr = log, log
	h.cmd.WaitDelay = 5 * time.Second
	// What interrupts us is not for the host: it is asked to end in order.
	h.cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true, Pdeathsig: syscall.SIGKILL}
	if err := h.cmd.Start(); err != nil {
		return nil, err
	}
	go func() {
		_ = h.cmd.Wait()
		close(h.done)
	}()
	err = h.poll(ctx, time.Minute, "the host to answer", func() (bool, error) {
		entry, err := control.Find(ctx, control.Selector{Files: []string{h.spec}})
		if err != nil {
			return false, nil
		}
		h.client = control.NewClient(entry)
		h.vars = &http.Client{Timeout: 30 * time.Second, Transport: &http.Transport{DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
			return (&net.Dialer{}).DialContext(ctx, "unix", entry.Address)
		}, DisableKeepAlives: true}}
		return true, nil
	})
	if err != nil {
		return h, err
	}
	h.guard, err = childNamed(h.pid(), "host-guard")
	return h, err
}

func (h *host) pid() int { return h.cmd.Process.Pid }

// exec is a command of the host.
func (h *host) exec(ctx context.Context, args ...string) *exec.Cmd {
	all := append(append(append([]string{}, h.command[1:]...), "--file", h.spec), args...)
	c := exec.CommandContext(ctx, h.command[0], all...)
	c.Env, c.Dir = h.env, h.dir
	return c
}

// cli runs a command of the host and returns what it said and its exit code.
func (h *host) cli(ctx context.Context, args ...string) (string, int) {
	var out bytes.Buffer
	c := h.exec(ctx, args...)
	c.Stdout, c.Stderr, c.WaitDelay = &out, &out, 5*time.Second
	if err := c.Run(); err != nil && c.ProcessState == nil {
		return err.Error(), -1
	}
	return out.String(), c.ProcessState.ExitCode()
}

var errHostEnded = errors.New("the host ended by itself")

// poll waits for a condition that no event tells of.
func (h *host) poll(ctx context.Context, patience time.Duration, what string, done func() (bool, error)) error {
	end := time.Now().Add(patience)
	for {
		if ok, err := done(); err != nil || ok {
			return err
		}
		if time.Now().After(end) {
			return fmt.Errorf("waited %v in vain for %s", patience, what)
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-h.done:
			return errHostEnded
		case <-time.After(100 * time.Millisecond):
		}
	}
}

func (h *host) status(ctx context.Context) (control.Status, error) {
	ctx, cancel := context.WithTimeout(ctx, time.Minute)
	defer cancel()
	return h.client.Status(ctx)
}

// save writes the spec as an editor does: beside it and renamed, or in place and in two pieces.
func (h *host) save(text string, inPlace bool) error {
	if !inPlace {
		if err := os.WriteFile(h.spec+".new", []byte(text), 0o600); err != nil {
			return err
		}
		return os.Rename(h.spec+".new", h.spec)
	}
	f, err := os.OpenFile(h.spec, os.O_WRONLY|os.O_TRUNC, 0)
	if err != nil {
		return err
	}
	half := len(text) / 2
	_, err = f.WriteString(text[:half])
	if _, e := f.WriteString(text[half:]); err == nil {
		err = e
	}
	return errors.Join(err, f.Close())
}

// runtimeVars is what the Go runtime of the host says of itself.
type runtimeVars struct {
	Host struct {
		Goroutines int `json:"goroutines"`
	} `json:"host"`
	Memstats struct{ HeapAlloc uint64 } `json:"memstats"`
}

func (h *host) runtime(ctx context.Context) (v runtimeVars, err error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://host/debug/vars", nil)
	if err != nil {
		return v, err
	}
	resp, err := h.vars.Do(req)
	if err != nil {
		return v, err
	}
	defer resp.Body.Close()
	return v, json.NewDecoder(resp.Body).Decode(&v)
}

// stop asks the host to end and returns what is wrong with how it did.
func (h *host) stop() (faults []string) {
	begin := time.Now()
	if err := h.cmd.Process.Signal(syscall.SIGTERM); err != nil {
		return []string{fmt.Sprintf("the host can't be asked to end: %v", err)}
	}
	select {
	case <-h.done:
	case <-time.After(2 * time.Minute):
		faults = append(faults, "the host did not end within two minutes")
		h.kill()
	}
	if code := h.cmd.ProcessState.ExitCode(); code != 0 {
		faults = append(faults, fmt.Sprintf("the host ended with exit code %d", code))
	}
	if took := time.Since(begin); took > 60*time.Second {
		faults = append(faults, fmt.Sprintf("the end of the host took %v", took.Round(time.Millisecond)))
	}
	return faults
}

func (h *host) kill() {
	_ = h.cmd.Process.Kill()
	<-h.done
}

// drain reads an answer to its end.
func drain(r io.Reader) { _, _ = io.Copy(io.Discard, r) }

// freePort is one that nobody has just now.
func freePort() (string, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return "", err
	}
	defer l.Close()
	return l.Addr().String(), nil
}

// lastLine is the last line of what a command said.
func lastLine(out string) string {
	out = strings.TrimSpace(out)
	return out[strings.LastIndexByte(out, '\n')+1:]
}

// lastLines are the last n lines of a file.
func lastLines(path string, n int) string {
	b, _ := os.ReadFile(path)
	lines := strings.Split(strings.TrimSpace(string(b)), "\n")
	return strings.Join(lines[max(0, len(lines)-n):], "\n")
}
