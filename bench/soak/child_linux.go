package main

import (
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"net/http"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"strings"
	"sync/atomic"
	"syscall"
	"time"
)

// roleChild as the first argument makes this program one of the supervised ones: KIND NAME.
const roleChild = "soak-child"

// What children are told by their environment. It also marks them, wherever they went.
const (
	envDir   = "SOAK_DIR"
	envCrash = "SOAK_CRASH" // how long one that crashes lives, on average
	envPace  = "SOAK_PACE"  // between two bursts of lines, on average
)

// program is a supervised program.
type program struct {
	name  string
	dir   string
	asked chan os.Signal // an end was asked for
}

// child is the main of a supervised program.
func child(args []string) int {
	if len(args) < 2 {
		return 2
	}
	p := &program{name: args[1], dir: os.Getenv(envDir), asked: make(chan os.Signal, 1)}
	signal.Notify(p.asked, syscall.SIGTERM)
	p.mark("starts")
	fmt.Println(p.name + upText)
	switch args[0] {
	case "crash":
		return p.crash()
	case "flood":
		return p.flood(false)
	case "counted":
		return p.flood(true)
	case "web":
		return p.web()
	case "tree":
		return p.tree()
	case "stubborn": // takes the question and does not look at it
		signal.Ignore(syscall.SIGTERM, syscall.SIGHUP, syscall.SIGINT)
		for {
			time.Sleep(time.Hour)
		}
	case "slow":
		<-p.asked
		time.Sleep(time.Duration(200+rand.IntN(800)) * time.Millisecond)
		return 0
	case "job":
		fmt.Println(p.name, "works")
		p.sleep(time.Duration(50+rand.IntN(300)) * time.Millisecond)
		if !p.calm() && rand.IntN(5) == 0 {
			fmt.Println(p.name, "did not work")
			return 4
		}
		return 0
	case "bad": // a release that does not come up
		fmt.Println(p.name + badText)
		return 5
	case "doomed": // ends at once while it storms
		if _, err := os.Stat(filepath.Join(p.dir, stormFile)); err == nil {
			return 6
		}
	}
	<-p.asked
	return 0
}

// upText is the end of the first line of each, badText of the next one of a bad release.
const (
	upText  = " is up"
	badText = " can't start"
)

// calmFile tells children to crash and flood no more, while it is there.
const calmFile = "calm"

// stormFile has doomed children end at once.
const stormFile = "storm"

func (p *program) calm() bool {
	_, err := os.Stat(filepath.Join(p.dir, calmFile))
	return err == nil
}

// mark adds a byte to a file that counts.
func (p *program) mark(name string) {
	f, err := os.OpenFile(filepath.Join(p.dir, name), os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		fmt.Println(err)
		return
	}
	defer f.Close()
	if _, err := f.Write([]byte{'.'}); err != nil {
		fmt.Println(err)
	}
}

// sleep reports whether nobody asked for an end meanwhile.
func (p *program) sleep(d time.Duration) bool {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case s := <-p.asked:
		p.asked <- s
		return false
	case <-t.C:
		return true
	}
}

func envDuration(name string) time.Duration {
	d, err := time.ParseDuration(os.Getenv(name))
	if err != nil {
		return time.Minute
	}
	return d
}

// around is a random time, d on average, and at least a second: what ends sooner is no release that works.
func around(d time.Duration) time.Duration {
	return time.Second + time.Duration(rand.ExpFloat64()*float64(d))
}

// crash ends after a while in one of several ways.
func (p *program) crash() int {
	for {
		if !p.sleep(around(envDuration(envCrash))) {
			return 0
		}
		if p.calm() {
			continue
		}
		switch rand.IntN(4) {
		case 0:
			_ = syscall.Kill(os.Getpid(), syscall.SIGKILL)
			p.sleep(time.Minute)
		case 1:
			panic("a crash that is meant")
		case 2:
			fmt.Print("no newline at the end")
			return 3
		}
		fmt.Fprintln(os.Stderr, "ends on purpose")
		return 1
	}
}

// flood writes bursts of lines. A counted one notes how many it has written of its run, and ends now and then right
// after a burst: the last lines of a crash must not be lost.
func (p *program) flood(counted bool) int {
	tag := fmt.Sprintf("%s.%s-%d-%d", p.name, os.Getenv("HOST_INSTANCE"), time.Now().UnixNano(), os.Getpid())
	line := strings.Repeat("some words of a program ", 4)
	for n := 0; ; {
		if !p.sleep(around(envDuration(envPace))) {
			return 0
		}
		if p.calm() {
			continue
		}
		var b strings.Builder
		for range 200 + rand.IntN(1500) {
			fmt.Fprintf(&b, "%s %d %s.\n", tag, n, line)
			n++
		}
		if _, err := os.Stdout.WriteString(b.String()); err != nil {
			return 1
		}
		if !counted {
			continue
		}
		if err := os.WriteFile(filepath.Join(p.dir, ledgerDir, tag), fmt.Append(nil, n), 0o600); err != nil {
			fmt.Fprintln(os.Stderr, err)
			return 1
		}
		if rand.IntN(8) == 0 {
			return 3
		}
	}
}

// web answers probes on a port of its own; now and then it is not ready, or ill until it is restarted.
func (p *program) web() int {
	l, err := net.Listen("tcp", "127.0.0.1:"+os.Getenv("PORT"))
	if err != nil {
		fmt.Println(err)
		return 1
	}
	var trouble atomic.Int32 // 1: not ready, 2: ill
	go func() {
		for p.sleep(around(envDuration(envCrash))) {
			if p.calm() {
				trouble.CompareAndSwap(1, 0)
				continue
			}
			trouble.Store(rand.Int32N(3))
		}
	}()
	mux := http.NewServeMux()
	mux.HandleFunc("/ready", func(w http.ResponseWriter, _ *http.Request) { say(w, trouble.Load() == 0) })
	mux.HandleFunc("/live", func(w http.ResponseWriter, _ *http.Request) { say(w, trouble.Load() != 2) })
	go func() {
		if err := http.Serve(l, mux); err != nil {
			fmt.Println(err)
		}
	}()
	<-p.asked
	return 0
}

func say(w http.ResponseWriter, good bool) {
	if !good {
		w.WriteHeader(http.StatusServiceUnavailable)
	}
	_, _ = io.WriteString(w, "it is so\n")
}

// tree has children that ignore every polite signal, one of them in a session of its own.
func (p *program) tree() int {
	for _, own := range []bool{false, true} {
		c := exec.Command(os.Args[0], roleChild, "stubborn", p.name)
		c.SysProcAttr = &syscall.SysProcAttr{Setsid: own}
		if err := c.Start(); err != nil {
			fmt.Println(err)
			return 1
		}
	}
	for p.sleep(around(envDuration(envCrash))) {
		if !p.calm() && rand.IntN(2) == 0 {
			return 7 // and leaves them behind
		}
	}
	return 0
}
