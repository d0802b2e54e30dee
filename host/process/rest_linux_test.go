package process

import (
	"bytes"
	"os"
	"testing"

	"golang.org/x/sys/unix"
)

// rig is an output in an epoll set, and what a pipeline is to it.
type restRig struct {
	t     *testing.T
	o     *output
	r     *reader
	woken chan struct{}
	got   []byte
}

func newRestRig(t *testing.T, o *output) *restRig {
	t.Helper()
	set := &rests{}
	p, err := newPoller(func(fd int32) { set.ready(fd) })
	if err != nil {
		t.Fatal(err)
	}
	set.poll = p
	set.take([3]*output{Stdout: o})
	t.Cleanup(func() {
		o.release()
		p.close()
	})
	return &restRig{t: t, o: o, r: &reader{output: o}, woken: make(chan struct{}, 1)}
}

// copy takes what is there and reports whether the stream sleeps.
func (r *restRig) copy() bool {
	r.t.Helper()
	asleep, err := r.r.CopyAwake(func(p []byte) { r.got = append(r.got, p...) }, func() { r.woken <- struct{}{} })
	if err != nil {
		r.t.Fatal(err)
	}
	return asleep
}

func quietPipe(t *testing.T) (w *os.File, o *output) {
	t.Helper()
	fd, o, err := outputPipe()
	if err != nil {
		t.Fatal(err)
	}
	w = os.NewFile(uintptr(fd), "child")
	t.Cleanup(func() { w.Close() })
	return w, o
}

func TestQuietStreamIsWokenByWhatArrives(t *testing.T) {
	w, o := quietPipe(t)
	r := newRestRig(t, o)
	want := ""
	for _, line := range []string{"one\n", "two\n", "three\n"} {
		if !r.copy() {
			t.Fatal("it ended")
		}
		if string(r.got) != want {
			t.Fatalf("%q has arrived, not %q", r.got, want)
		}
		if _, err := w.WriteString(line); err != nil {
			t.Fatal(err)
		}
		want += line
		<-r.woken
	}
	if !r.copy() {
		t.Fatal("it ended")
	}
	w.Close()
	<-r.woken
	if r.copy() || string(r.got) != want {
		t.Errorf("after its end %q has arrived, not %q, or it sleeps", r.got, want)
	}
}

func TestQuietStreamIsWokenByItsClose(t *testing.T) {
	for name, end := range map[string]func(*restRig){
		"closed":   func(r *restRig) { r.r.Close() },
		"released": func(r *restRig) { r.o.release() },
	} {
		t.Run(name, func(t *testing.T) {
			_, o := quietPipe(t)
			r := newRestRig(t, o)
			if !r.copy() {
				t.Fatal("it ended")
			}
			end(r)
			<-r.woken
			if r.copy() {
				t.Error("it sleeps on")
			}
			if !r.r.copying.TryLock() {
				t.Error("no other may copy the stream")
			}
		})
	}
}

// What one handle leaves, another one takes; a Copy that waits in the runtime's poller too.
func TestQuietStreamIsHandedOn(t *testing.T) {
	w, o := quietPipe(t)
	r := newRestRig(t, o)
	r.copy()
	r.r.Close()
	<-r.woken
	r.copy()
	if _, err := w.WriteString("late\n"); err != nil {
		t.Fatal(err)
	}
	next := &reader{output: o}
	var got []byte
	done := make(chan error)
	go func() {
		done <- next.Copy(func(p []byte) {
			got = append(got, p...)
			next.Close()
		})
	}()
	if err := <-done; err != nil || string(got) != "late\n" {
		t.Fatalf("%q, %v", got, err)
	}
	r.r, r.got = &reader{output: o}, nil
	if _, err := w.WriteString("later\n"); err != nil {
		t.Fatal(err)
	}
	if !r.copy() || string(r.got) != "later\n" {
		t.Errorf("%q has arrived", r.got)
	}
}

// A stream is complete and in order however often it sleeps, wakes and is a flood.
func TestSleeperTakesFlood(t *testing.T) {
	const total = 24 << 20 / 4000 * 4000
	o := flooded(t, total)
	r := newRestRig(t, o)
	for r.copy() {
		<-r.woken
	}
	want := make([]byte, total)
	number(want, 0)
	if !bytes.Equal(r.got, want) {
		t.Errorf("%d bytes of %d have arrived, or others", len(r.got), total)
	}
	if n, err := unix.FcntlInt(uintptr(o.fd), unix.F_GETPIPE_SZ, 0); o.f == nil && (err != nil || n == 0) {
		t.Errorf("the pipe is not there: %v", err)
	}
}
