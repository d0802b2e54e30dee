package top

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/gdamore/tcell/v2"

	"servicehost/host/control"
)

var errGone = errors.New("the host is no longer running")

// fake is a host with some services.
type fake struct {
	mu     sync.Mutex
	status control.Status
	gone   bool
	acts   []control.ActRequest
	logged []string // ids whose output was asked for
}

func (f *fake) Status(context.Context) (control.Status, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.gone {
		return control.Status{}, errGone
	}
	return f.status, nil
}

func (f *fake) Logs(ctx context.Context, r control.LogsRequest, send func(control.LogLine) error) error {
	f.mu.Lock()
	f.logged = append(f.logged, r.Services[0])
	f.mu.Unlock()
	for i := range 3 {
		if err := send(control.LogLine{Line: fmt.Sprintf("line %d of %s", i, r.Services[0])}); err != nil {
			return err
		}
	}
	<-ctx.Done()
	return nil
}

func (f *fake) Act(_ context.Context, r control.ActRequest) (control.ActResult, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.acts = append(f.acts, r)
	if r.Verb == control.VerbStop {
		return control.ActResult{}, errors.New("it does not want to")
	}
	return control.ActResult{Services: []control.ActOutcome{{ID: r.Names[0], OK: true}}}, nil
}

func (f *fake) Close() {}

func (f *fake) set(change func(*fake)) {
	f.mu.Lock()
	defer f.mu.Unlock()
	change(f)
}

func service(id string, cpu float64, memory int64) control.ServiceStatus {
	return control.ServiceStatus{Name: id, Instance: 1, ID: id, State: "running", Health: "healthy", PID: 1, CPUPercent: cpu, MemoryBytes: memory, AsDesired: true}
}

func options(f *fake, s tcell.Screen) Options {
	return Options{
		Connect: func(context.Context) (Source, error) {
			_, err := f.Status(context.Background())
			return f, err
		},
		Retry:   func(err error) bool { return errors.Is(err, errGone) },
		Columns: []Column{{}, {Title: "SERVICE"}, {Title: "CPU", Right: true, Spark: "cpu"}, {Title: "MEM", Right: true, Spark: "memory"}, {Title: "REASON", Flex: true}},
		Cells: func(s control.ServiceStatus) []Cell {
			return []Cell{{"●", Good}, {s.ID, Plain}, {fmt.Sprintf("%.1f%%", s.CPUPercent), Plain}, {fmt.Sprint(s.MemoryBytes), Plain}, {s.Reason, Plain}}
		},
		Head:  func(s control.Status, _ int) []Cell { return []Cell{{s.Host.Name, Plain}} },
		Clean: func(s string) string { return s },
		Size:  func(n int64) string { return fmt.Sprint(n) },
		// A short period: what a test waits for is on the screen soon.
		Period: 5 * time.Millisecond, Screen: s,
	}
}

// rig is a view on a simulated screen.
type rig struct {
	t      *testing.T
	screen *sizedScreen
	ended  chan error
}

func begin(t *testing.T, f *fake, width, height int) *rig {
	t.Helper()
	screen := &sizedScreen{SimulationScreen: tcell.NewSimulationScreen("UTF-8"), width: width, height: height, ready: make(chan struct{})}
	r := &rig{t, screen, make(chan error, 1)}
	ctx, cancel := context.WithCancel(context.Background())
	go func() { r.ended <- Run(ctx, options(f, screen)) }()
	<-screen.ready
	t.Cleanup(func() {
		cancel()
		select {
		case <-r.ended:
		case <-time.After(10 * time.Second):
			t.Error("it does not end")
		}
	})
	return r
}

// sizedScreen takes its size as soon as it is there, and keeps what was shown last.
type sizedScreen struct {
	tcell.SimulationScreen
	width, height int
	ready         chan struct{} // keys pressed earlier are lost

	mu    sync.Mutex
	shown string
}

func (s *sizedScreen) Init() error {
	err := s.SimulationScreen.Init()
	s.SetSize(s.width, s.height)
	close(s.ready)
	return err
}

func (s *sizedScreen) Show() {
	s.SimulationScreen.Show()
	cells, width, height := s.GetContents()
	var b strings.Builder
	for y := range height {
		for x := range width {
			if c := cells[y*width+x]; len(c.Runes) > 0 {
				b.WriteString(string(c.Runes))
			}
		}
		b.WriteByte('\n')
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.shown = b.String()
}

func (r *rig) text() string {
	r.screen.mu.Lock()
	defer r.screen.mu.Unlock()
	return r.screen.shown
}

// until waits for a text on the screen.
func (r *rig) until(what string, holds func(text string) bool) string {
	r.t.Helper()
	for end := time.Now().Add(10 * time.Second); ; time.Sleep(2 * time.Millisecond) {
		text := r.text()
		if holds(text) {
			return text
		}
		if time.Now().After(end) {
			r.t.Fatalf("never shown: %s\n%s", what, text)
		}
	}
}

func (r *rig) sees(words ...string) string {
	r.t.Helper()
	return r.until(strings.Join(words, ", "), func(text string) bool {
		for _, w := range words {
			if !strings.Contains(text, w) {
				return false
			}
		}
		return true
	})
}

func (r *rig) types(keys string) {
	for _, k := range keys {
		r.screen.InjectKey(tcell.KeyRune, k, tcell.ModNone)
	}
}

func three() *fake {
	return &fake{status: control.Status{Host: control.HostStatus{Name: "orders-01"},
		Services: []control.ServiceStatus{service("api", 1, 300), service("db", 9, 100), service("web", 5, 200)}}}
}

func before(text, a, b string) bool {
	i, j := strings.Index(text, a+" "), strings.Index(text, b+" ")
	return i >= 0 && j >= 0 && i < j
}

func TestServicesAreShownAndSorted(t *testing.T) {
	r := begin(t, three(), 120, 24)
	r.sees("orders-01", "3 services shown, CPU 15.0%, memory 600, by name", "SERVICE", "output of api", "line 2 of api")
	r.types("c")
	r.until("db first", func(s string) bool { return before(s, "db", "web") && before(s, "web", "api") })
	r.types("m")
	r.until("api first", func(s string) bool { return before(s, "api", "web") && before(s, "web", "db") })
	r.types("O")
	r.until("db first", func(s string) bool { return before(s, "db", "web") && before(s, "web", "api") })
}

func TestSelectionStaysWithItsService(t *testing.T) {
	f := three()
	r := begin(t, f, 120, 24)
	r.types("j")
	r.sees("output of db", "line 2 of db")
	f.set(func(f *fake) {
		f.status.Services = append([]control.ServiceStatus{service("aaa", 0, 0)}, f.status.Services...)
	})
	r.sees("4 services shown", "output of db")
	f.set(func(f *fake) { f.status.Services = f.status.Services[:2] }) // aaa and api
	r.sees("2 services shown", "output of api")
}

func TestFilterIsTypedAndEnded(t *testing.T) {
	r := begin(t, three(), 120, 24)
	r.sees("api", "db")
	r.types("/")
	r.types("wex")
	r.sees("no service matches", "/wex")
	r.screen.InjectKey(tcell.KeyBackspace2, 0, tcell.ModNone)
	r.screen.InjectKey(tcell.KeyEnter, 0, tcell.ModNone)
	r.sees("1 service shown", "filter: we")
	r.screen.InjectKey(tcell.KeyEscape, 0, tcell.ModNone)
	r.sees("3 services shown")
}

func TestActionsAreConfirmed(t *testing.T) {
	f := three()
	r := begin(t, f, 120, 24)
	r.types("jr")
	r.sees("restart db? y = yes")
	r.types("n")
	r.sees("? help")
	f.set(func(f *fake) {
		if len(f.acts) > 0 {
			t.Errorf("done without a yes: %v", f.acts)
		}
	})
	r.types("ry")
	r.sees("restart db: done")
	r.types("xy")
	r.sees("stop db: it does not want to")
	f.set(func(f *fake) {
		if len(f.acts) != 2 || f.acts[0].Verb != control.VerbRestart || f.acts[1].Names[0] != "db" {
			t.Errorf("asked for %v", f.acts)
		}
	})
}

func TestHostThatIsGoneIsWaitedFor(t *testing.T) {
	f := three()
	r := begin(t, f, 120, 24)
	r.sees("orders-01")
	f.set(func(f *fake) { f.gone = true })
	r.sees("not reached, trying again: the host is no longer running")
	f.set(func(f *fake) {
		f.gone = false
		f.status.Host.Name = "again"
	})
	r.sees("again", "? help")
}

func TestScreenOfAnySizeIsDrawn(t *testing.T) {
	f := three()
	f.status.Services[0].Reason = "\u5de5\u4f5c\u8005 e\u0301 " + strings.Repeat("long ", 50)
	for _, size := range [][2]int{{1, 1}, {10, 3}, {40, 5}, {99, 10}, {100, 8}, {300, 100}} {
		s := tcell.NewSimulationScreen("UTF-8")
		if err := s.Init(); err != nil {
			t.Fatal(err)
		}
		s.SetSize(size[0], size[1])
		v := &view{o: options(f, s), screen: s, model: newModel(nil)}
		v.tail = newTail(t.Context(), v.o.Clean, func() Source { return f })
		v.model.take(f.status)
		for _, m := range []func(*model){func(*model) {}, func(m *model) { m.help = true }, func(m *model) { m.logs = false }} {
			m(v.model)
			v.draw()
		}
		v.tail.stop()
		s.Fini()
	}
}

func TestThousandServicesScroll(t *testing.T) {
	f := &fake{}
	for i := range 1000 {
		f.status.Services = append(f.status.Services, service(fmt.Sprintf("s%04d", i), 0, 1))
	}
	r := begin(t, f, 100, 20)
	r.sees("s0000")
	r.screen.InjectKey(tcell.KeyEnd, 0, tcell.ModNone)
	text := r.sees("s0999", "output of s0999")
	if strings.Contains(text, "s0000") {
		t.Error("not scrolled")
	}
	r.screen.InjectKey(tcell.KeyHome, 0, tcell.ModNone)
	r.sees("s0000", "output of s0000")
}

func TestLeavingEnds(t *testing.T) {
	for _, leave := range []func(*rig){
		func(r *rig) { r.types("q") },
		func(r *rig) { r.screen.InjectKey(tcell.KeyCtrlC, 0, tcell.ModCtrl) },
		func(r *rig) { r.screen.InjectKey(tcell.KeyEscape, 0, tcell.ModNone) },
	} {
		r := begin(t, three(), 80, 24)
		r.sees("orders-01")
		leave(r)
		select {
		case err := <-r.ended:
			if err != nil {
				t.Error(err)
			}
			r.ended <- nil
		case <-time.After(10 * time.Second):
			t.Fatal("it goes on")
		}
	}
}

func TestSparksShowChange(t *testing.T) {
	h := &history{}
	for _, n := range []int64{100, 100, 100, 200} {
		h.add(float64(n)/10, n)
	}
	if got := h.cpuSpark(6); got != "  ▅▅▅█" {
		t.Errorf("cpu %q", got)
	}
	if got := h.memorySpark(4); got != "▃▃▃▇" {
		t.Errorf("memory %q", got)
	}
	flat := &history{}
	for range 100 {
		flat.add(0, 1<<30)
	}
	if got := flat.memorySpark(3); got != "▅▅▅" {
		t.Errorf("flat memory %q", got)
	}
	if got := flat.cpuSpark(3); got != "▁▁▁" {
		t.Errorf("no cpu %q", got)
	}
}

func TestFloodOfLinesKeepsTheNewest(t *testing.T) {
	tl := newTail(t.Context(), func(s string) string { return s }, nil)
	defer tl.stop()
	for i := range 10 * kept {
		tl.add(t.Context(), line{text: fmt.Sprint(i)})
	}
	lines, _ := tl.last(3)
	if len(lines) != 3 || lines[2].text != fmt.Sprint(10*kept-1) {
		t.Errorf("kept %v", lines)
	}
	if len(tl.lines) > 2*kept {
		t.Errorf("%d lines are held", len(tl.lines))
	}
	select {
	case <-tl.changed:
	case <-time.After(10 * time.Second):
		t.Error("nobody is told")
	}
}
