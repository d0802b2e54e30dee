package cli

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"os/signal"
	"regexp"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/rogpeppe/go-internal/testscript"

	"servicehost/host/control"
	"servicehost/host/process"
)

// The scripts in testdata/script run this test binary as the program itself, and as its children.
func TestMain(m *testing.M) {
	if handled, code := process.HelperMain(os.Args[1:]); handled {
		os.Exit(code)
	}
	testscript.Main(m, map[string]func(){
		"host": func() {
			os.Exit(Execute(Program{Version: "1.2.3", Args: os.Args[1:], Stdout: os.Stdout, Stderr: os.Stderr}))
		},
		"child": child,
	})
}

// child is the program that the services in the scripts run.
func child() {
	args := append(os.Args[1:], "", "")
	switch args[0] {
	case "serve": // until it is told to end
		end := make(chan os.Signal, 1)
		signal.Notify(end, os.Interrupt, syscall.SIGTERM)
		fmt.Println("serving", args[1])
		<-end
	case "fail":
		fmt.Fprintln(os.Stderr, "cannot open db")
		code, _ := strconv.Atoi(args[1])
		os.Exit(code)
	case "shutdown": // the host that runs, or the one with this file
		s := control.Selector{}
		if args[1] != "" {
			s.Files = args[1:2]
		}
		e, err := control.Find(context.Background(), s)
		if err == nil {
			err = control.NewClient(e).Shutdown(context.Background())
		}
		if err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
	}
}

const noSleep = "atexit_sleep_ms=0"

func TestScripts(t *testing.T) {
	testscript.Run(t, testscript.Params{
		Dir:                 "testdata/script",
		RequireExplicitExec: true,
		Setup: func(e *testscript.Env) error {
			// Shorter than the script's own folder: a socket's path is limited.
			dir, err := os.MkdirTemp("", "h")
			if err != nil {
				return err
			}
			e.Defer(func() { _ = os.RemoveAll(dir) })
			e.Setenv("HOST_RUN_DIR", dir)
			e.Setenv("HOST_FILE", "")
			// Under the race detector a program sleeps for a second before it ends, unless told not to.
			e.Setenv("GORACE", noSleep)
			return nil
		},
		Cmds: map[string]func(ts *testscript.TestScript, neg bool, args []string){
			"until": scriptUntil,
			"exits": scriptExits,
			"pid":   scriptPID,
			"same":  scriptSame,
			"empty": scriptEmpty,
		},
	})
}

// until PATTERN command… runs a command again and again until its output matches.
func scriptUntil(ts *testscript.TestScript, neg bool, args []string) {
	if len(args) < 2 || neg {
		ts.Fatalf("usage: until pattern command…")
	}
	pattern := regexp.MustCompile("(?m)" + args[0])
	deadline := time.Now().Add(30 * time.Second)
	for {
		out, errs := output(ts, args[1:])
		if pattern.MatchString(out) {
			return
		}
		if time.Now().After(deadline) {
			ts.Fatalf("no match of %q in\n%s%s", args[0], out, errs)
		}
		time.Sleep(50 * time.Millisecond)
	}
}

// output runs a command beside the script, so that the log isn't filled by tries.
func output(ts *testscript.TestScript, args []string) (stdout, stderr string) {
	path := args[0]
	if full, err := exec.LookPath(path); err == nil {
		path = full
	}
	cmd := exec.Command(path, args[1:]...)
	cmd.Dir = ts.MkAbs(".")
	cmd.Env = append(os.Environ(), "HOST_RUN_DIR="+ts.Getenv("HOST_RUN_DIR"), "HOST_FILE="+ts.Getenv("HOST_FILE"), "GORACE="+noSleep)
	var out, errs strings.Builder
	cmd.Stdout, cmd.Stderr = &out, &errs
	_ = cmd.Run()
	return out.String(), errs.String()
}

// exits CODE command… runs a command and wants this exit code.
func scriptExits(ts *testscript.TestScript, neg bool, args []string) {
	if len(args) < 2 || neg {
		ts.Fatalf("usage: exits code command…")
	}
	code := 0
	err := ts.Exec(args[1], args[2:]...)
	var exited *exec.ExitError
	switch {
	case errors.As(err, &exited):
		code = exited.ExitCode()
	case err != nil:
		ts.Fatalf("%v", err)
	}
	if fmt.Sprint(code) != args[0] {
		ts.Fatalf("exit code %d, want %s", code, args[0])
	}
}

// pid VARIABLE service sets a variable to the PID of a service.
func scriptPID(ts *testscript.TestScript, neg bool, args []string) {
	if len(args) != 2 || neg {
		ts.Fatalf("usage: pid variable service")
	}
	out, errs := output(ts, []string{"host", "status", "-o", "json", args[1]})
	var s control.Status
	if err := json.Unmarshal([]byte(out), &s); err != nil || len(s.Services) != 1 {
		ts.Fatalf("no status of %s: %v\n%s%s", args[1], err, out, errs)
	}
	ts.Setenv(args[0], fmt.Sprint(s.Services[0].PID))
}

// [!] same A B compares two variables.
func scriptSame(ts *testscript.TestScript, neg bool, args []string) {
	a, b := ts.Getenv(args[0]), ts.Getenv(args[1])
	if (a == b) == neg || a == "0" || b == "0" {
		ts.Fatalf("%s is %s, %s is %s", args[0], a, args[1], b)
	}
}

// empty FOLDER wants nothing to be in it.
func scriptEmpty(ts *testscript.TestScript, neg bool, args []string) {
	if len(args) != 1 || neg {
		ts.Fatalf("usage: empty folder")
	}
	left, err := os.ReadDir(ts.MkAbs(args[0]))
	if err != nil || len(left) != 0 {
		ts.Fatalf("in %s are %v, %v", args[0], left, err)
	}
}
