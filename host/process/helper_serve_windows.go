package process

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"os"
	"strconv"
	"strings"
	"time"

	"golang.org/x/sys/windows"
)

// A process for each console event costs more than all the rest of a stop, and a hundred of them much more
// when everything is stopped. So the first event of a while starts a helper that answers requests, attached to
// no console meanwhile, and that goes again when there are none: it would take memory for nothing.

const (
	// helperIdle is how long the helper stays after a request: a restart of one service after the other, each
	// when the former is ready, has the use of it.
	helperIdle = 30 * time.Second
	// turnWait bounds the wait for the helper while it serves others. Then there is one for this event alone.
	turnWait = time.Second
	// overWait bounds the wait for an answer about a run that has ended.
	overWait = time.Second
	// maxRequest fits the buffer of a pipe: a write of it never waits for the helper.
	maxRequest = 2 << 10
)

// ctrlServer is the host's end of the helper that serves.
type ctrlServer struct {
	idle *time.Timer
	turn chan struct{} // has a token for whoever uses what follows

	last    time.Time      // when it was used
	process windows.Handle // 0: there is none
	in      windows.Handle
	out     *output
	answers *bufio.Reader
}

func newCtrlServer(retire func()) *ctrlServer {
	s := &ctrlServer{turn: make(chan struct{}, 1), idle: time.AfterFunc(time.Hour, retire)}
	s.idle.Stop()
	return s
}

// retireHelper ends the helper if nobody needed it for a while.
func (b *backend) retireHelper() {
	if b.enter() != nil {
		return
	}
	defer b.busy.Done()
	s := b.server
	select {
	case s.turn <- struct{}{}:
		if time.Since(s.last) >= helperIdle {
			s.free()
		}
		<-s.turn
	default: // whoever uses it sets the timer again
	}
}

// start runs the helper. The turn is held.
func (s *ctrlServer) start(b *backend) (err error) {
	c := b.helper("--serve")
	c.jobs = []windows.Handle{b.outer}
	if c.stdin, s.in, err = stdinPipe(); err != nil {
		return err
	}
	defer windows.CloseHandle(c.stdin)
	if c.stdout, s.out, err = outputPipe(); err != nil {
		return err
	}
	defer windows.CloseHandle(c.stdout)
	info, err := c.create()
	if err != nil {
		return err
	}
	s.process, s.answers = info.Process, bufio.NewReader(s.out.f)
	return nil
}

// free ends the helper. The turn is held, or nobody can take it any more.
func (s *ctrlServer) free() {
	if s.process != 0 {
		_ = windows.TerminateProcess(s.process, killedCode) // it has ended, or goes with the outer job
		windows.CloseHandle(s.process)
	}
	if s.in != 0 {
		windows.CloseHandle(s.in)
	}
	if s.out != nil {
		s.out.release()
	}
	s.process, s.in, s.out, s.answers = 0, 0, nil, nil
}

// askHelper has the helper send an event. Where it reports that it did not ask, nothing was sent.
func (b *backend) askHelper(u *run, event string, pids []uint32) (code uint32, asked bool, err error) {
	request := event
	for _, pid := range pids {
		request += " " + strconv.FormatUint(uint64(pid), 10)
	}
	if len(request) >= maxRequest {
		return 0, false, nil
	}
	s := b.server
	timer := time.NewTimer(turnWait)
	defer timer.Stop()
	select {
	case s.turn <- struct{}{}:
	case <-timer.C:
		return 0, false, nil
	case <-u.over:
		return 0, true, nil
	case <-b.quit:
		return 0, true, os.ErrClosed
	}
	defer func() {
		s.last = time.Now()
		s.idle.Reset(helperIdle)
		<-s.turn
	}()
	if !b.request(request + "\n") {
		return 0, false, nil
	}
	if code, err = s.answer(u.over, b.quit); err == nil {
		return code, true, nil
	}
	// It may have sent the event, and many programs take a second one for an order to drop everything.
	defer s.free()
	if !errors.Is(err, os.ErrDeadlineExceeded) && s.endedByEvent() {
		return 0, true, nil
	}
	return 0, true, fmt.Errorf("the console helper did not answer: %w", err)
}

// request hands a line to the helper, to a new one where there is none or it has died.
func (b *backend) request(line string) bool {
	s := b.server
	for {
		fresh := s.process == 0
		if fresh && s.start(b) != nil {
			s.free()
			return false
		}
		var n uint32
		if windows.WriteFile(s.in, []byte(line), &n, nil) == nil {
			return true
		}
		s.free()
		if fresh {
			return false
		}
	}
}

func (s *ctrlServer) answer(over, quit <-chan struct{}) (uint32, error) {
	f, done := s.out.f, make(chan struct{})
	defer close(done)
	f.SetReadDeadline(time.Now().Add(ctrlWait))
	go func() {
		select {
		case <-over:
			f.SetReadDeadline(time.Now().Add(overWait))
		case <-quit:
			f.SetReadDeadline(time.Unix(1, 0))
		case <-done:
		}
	}()
	text, err := s.answers.ReadString('\n')
	if err != nil {
		return 0, err
	}
	code, err := strconv.ParseUint(strings.TrimSpace(text), 10, 32)
	return uint32(code), err
}

// endedByEvent reports whether the helper died of an event, which then was sent.
func (s *ctrlServer) endedByEvent() bool {
	var code uint32
	r, err := windows.WaitForSingleObject(s.process, 1000) // its pipes are closed before
	return err == nil && r == windows.WAIT_OBJECT_0 &&
		windows.GetExitCodeProcess(s.process, &code) == nil && code == exitControlC
}

// serveConsoleEvents is the helper: it answers each line "EVENT PID [PID ...]" with a code, until the
// host closes the input or has ended.
func serveConsoleEvents(c console, in io.Reader, out io.Writer) int {
	lines := bufio.NewScanner(in)
	for lines.Scan() {
		event, list, _ := strings.Cut(lines.Text(), " ")
		args := []string{"--event", event}
		for pid := range strings.FieldsSeq(list) {
			args = append(args, "--pid", pid)
		}
		code := ctrlUsage
		if event, pids, ok := helperArgs(args); ok {
			switch event {
			case "ctrl_c":
				code = sendConsoleEvent(c, ctrlC, pids)
			case "ctrl_break":
				code = sendConsoleEvent(c, ctrlBreak, pids)
			}
		}
		if _, err := fmt.Fprintln(out, code); err != nil {
			break
		}
	}
	return 0
}
