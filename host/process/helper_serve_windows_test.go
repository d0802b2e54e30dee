package process

import (
	"bufio"
	"errors"
	"os"
	"slices"
	"testing"
	"time"

	"golang.org/x/sys/windows"
)

func newInnerBackend(t *testing.T) *backend {
	t.Helper()
	made, err := New(Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := made.Close(); err != nil {
			t.Error(err)
		}
	})
	return made.(*backend)
}

// askNobody asks for an event to a process that is not there, which the helper answers.
func askNobody(t *testing.T, b *backend) {
	t.Helper()
	code, asked, err := b.askHelper(&run{over: make(chan struct{})}, "ctrl_c", []uint32{1})
	if !asked || err != nil || code&^ctrlErrno != ctrlAttach {
		t.Errorf("code %#x, asked %v, error %v", code, asked, err)
	}
}

func TestOneHelperServesEventsUntilItIsIdle(t *testing.T) {
	b := newInnerBackend(t)
	s := b.server
	if s.process != 0 {
		t.Fatal("it runs before it is needed")
	}
	askNobody(t, b)
	first := s.process
	askNobody(t, b)
	if s.process == 0 || s.process != first {
		t.Errorf("helper %#x, then %#x", first, s.process)
	}
	b.retireHelper()
	if s.process != first {
		t.Error("it ended right behind a request")
	}
	var held windows.Handle
	self := windows.CurrentProcess()
	if err := windows.DuplicateHandle(self, first, self, &held, 0, false, windows.DUPLICATE_SAME_ACCESS); err != nil {
		t.Fatal(err)
	}
	defer windows.CloseHandle(held)
	s.last = time.Now().Add(-helperIdle)
	b.retireHelper()
	if s.process != 0 || s.in != 0 || s.out != nil {
		t.Error("it stays though nobody needs it")
	}
	if r, err := windows.WaitForSingleObject(held, 10_000); r != windows.WAIT_OBJECT_0 {
		t.Errorf("its process goes on: %v", err)
	}
}

// A helper that was killed is no loss: nothing was sent, and there is a new one.
func TestLostHelperIsReplaced(t *testing.T) {
	b := newInnerBackend(t)
	askNobody(t, b)
	if err := windows.TerminateProcess(b.server.process, 1); err != nil {
		t.Fatal(err)
	}
	if r, err := windows.WaitForSingleObject(b.server.process, 10_000); r != windows.WAIT_OBJECT_0 {
		t.Fatal(err)
	}
	askNobody(t, b)
}

// withHungHelper has a helper that takes requests and does not answer.
func withHungHelper(t *testing.T) (b *backend, answer windows.Handle) {
	t.Helper()
	b = newInnerBackend(t)
	s := b.server
	in, ours, err := stdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { windows.CloseHandle(in) })
	if answer, s.out, err = outputPipe(); err != nil {
		t.Fatal(err)
	}
	s.in, s.answers = ours, bufio.NewReader(s.out.f)
	c := b.helper("--serve") // waits for a request that does not come
	c.stdin, c.jobs = in, []windows.Handle{b.outer}
	info, err := c.create()
	if err != nil {
		t.Fatal(err)
	}
	s.process = info.Process
	return b, answer
}

// A second Ctrl-C means more than the first to many programs, so nothing is sent again where the first may
// have been.
func TestUnansweredEventIsNotSentTwice(t *testing.T) {
	for name, c := range map[string]struct {
		code uint32
		err  bool
	}{
		"died of the event":  {exitControlC, false},
		"died of other ends": {3, true},
	} {
		t.Run(name, func(t *testing.T) {
			b, answer := withHungHelper(t)
			if err := windows.TerminateProcess(b.server.process, c.code); err != nil {
				t.Fatal(err)
			}
			if r, err := windows.WaitForSingleObject(b.server.process, 10_000); r != windows.WAIT_OBJECT_0 {
				t.Fatal(err)
			}
			windows.CloseHandle(answer)
			code, asked, err := b.askHelper(&run{over: make(chan struct{})}, "ctrl_c", []uint32{1})
			if !asked || code != 0 || (err != nil) != c.err {
				t.Errorf("code %#x, asked %v, error %v", code, asked, err)
			}
			if b.server.process != 0 {
				t.Error("the dead one is kept")
			}
		})
	}
}

func TestHungHelperHoldsNobodyUp(t *testing.T) {
	b, answer := withHungHelper(t)
	defer windows.CloseHandle(answer)
	over := make(chan struct{})
	asked := make(chan error, 1)
	go func() {
		_, _, err := b.askHelper(&run{over: over}, "ctrl_c", []uint32{1})
		asked <- err
	}()
	for len(b.server.turn) == 0 {
		time.Sleep(time.Millisecond)
	}
	if _, asked, err := b.askHelper(&run{over: make(chan struct{})}, "ctrl_c", []uint32{1}); asked || err != nil {
		t.Errorf("asked %v, error %v where another helper has to do it", asked, err)
	}
	close(over)
	if err := <-asked; !errors.Is(err, os.ErrDeadlineExceeded) {
		t.Errorf("error %v for a run that has ended", err)
	}
}

func TestCloseDoesNotWaitForAHungHelper(t *testing.T) {
	b, answer := withHungHelper(t)
	defer windows.CloseHandle(answer)
	if err := b.enter(); err != nil {
		t.Fatal(err)
	}
	asked := make(chan error, 1)
	go func() {
		defer b.busy.Done()
		_, _, err := b.askHelper(&run{over: make(chan struct{})}, "ctrl_c", []uint32{1})
		asked <- err
	}()
	for len(b.server.turn) == 0 {
		time.Sleep(time.Millisecond)
	}
	began := time.Now()
	if err := b.Close(); err != nil {
		t.Fatal(err)
	}
	if took := time.Since(began); took > ctrlWait/2 {
		t.Errorf("Close took %v", took)
	}
	if <-asked == nil {
		t.Error("the event was answered")
	}
}

// More than a pipe takes at once is for a helper of its own.
func TestLongRequestIsNotServed(t *testing.T) {
	b := newInnerBackend(t)
	pids := slices.Repeat([]uint32{4294967295}, maxCtrlPIDs)
	if _, asked, err := b.askHelper(&run{over: make(chan struct{})}, "ctrl_c", pids); asked || err != nil {
		t.Errorf("asked %v, error %v", asked, err)
	}
}
