package e2e

import (
	"bufio"
	"encoding/hex"
	"fmt"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"strconv"
	"syscall"
	"testing"
	"time"

	"servicehost/host/cli"
	"servicehost/host/process"
	"servicehost/host/thresholds"
)

// The first argument decides what the test binary is, so that children of a host under test, which
// inherit its environment, are no hosts.
const (
	roleHost  = "e2e-host"
	roleChild = "e2e-child"
)

// childRoles are those that not every system has.
var childRoles = map[string]func(args []string) int{}

func TestMain(m *testing.M) {
	args := os.Args[1:]
	if handled, code := process.HelperMain(args); handled {
		os.Exit(code)
	}
	if handled, code := thresholds.HelperMain(args); handled {
		os.Exit(code)
	}
	if len(args) > 0 {
		switch args[0] {
		case "run", "version", "validate": // as a service manager or an upgrade starts this executable
			os.Exit(runHost(args))
		case roleHost:
			os.Exit(runHost(args[1:]))
		case roleChild:
			os.Exit(child(args[1:]))
		case roleStopChild:
			os.Exit(stopChild(args[1:]))
		case roleBinary:
			os.Exit(binaryChild(args[1:]))
		case roleProbed:
			os.Exit(probedChild(args[1:]))
		}
		if f := childRoles[args[0]]; f != nil {
			os.Exit(f(args[1:]))
		}
	}
	os.Exit(m.Run())
}

// runHost is the command line of a host, of the release that this executable says it is.
func runHost(args []string) int {
	r := releaseOf()
	if r.Dies && args[0] == "run" {
		return 1
	}
	return cli.Execute(cli.Program{Version: r.Version, Args: args, Stdout: os.Stdout, Stderr: os.Stderr})
}

// child is a program to supervise: MODE TAG FILE [N]. It appends "TAG PID" to FILE when it is ready,
// so that whatever was ever started can be found again.
func child(args []string) int {
	mode, tag, file := args[0], args[1], args[2]
	deaf := mode == "deaf" || mode == "tree-deaf"
	if deaf {
		signal.Notify(make(chan os.Signal, 1), os.Interrupt, syscall.SIGTERM) // taken, and not looked at
	}
	if mode == "tree" || mode == "tree-deaf" || mode == "launch" {
		self, _ := os.Executable()
		c := exec.Command(self, roleChild, "deaf", tag+"-grandchild", file)
		if mode == "tree-deaf" {
			detach(c)
		}
		if err := c.Start(); err != nil {
			fmt.Println(err)
			return 9
		}
	}
	if err := register(file, tag); err != nil {
		fmt.Println(err)
		return 9
	}
	if mode == "bytes" { // N, in hexadecimal digits, again and again
		b, _ := hex.DecodeString(args[3])
		for range time.Tick(50 * time.Millisecond) {
			os.Stdout.Write(b)
		}
	}
	if mode == "streams" { // a line on each, that of stdout in two pieces, again and again
		for n := range time.Tick(20 * time.Millisecond) {
			fmt.Fprint(os.Stdout, "out at ", n.UnixMilli())
			fmt.Fprintln(os.Stderr, "err at", n.UnixMilli())
			fmt.Fprintln(os.Stdout, " done")
		}
	}
	fmt.Println(tag, "is up")
	switch mode {
	case "numbers": // N lines, the last ones when FILE is there
		numbersChild(tag, args[3], args[4])
	case "flood": // the same, and it says when
		floodChild(tag, args[3], args[4])
	case "launch": // only what it started stays
		return 0
	case "exit": // N milliseconds, then exit 3
		ms, _ := strconv.Atoi(args[3])
		time.Sleep(time.Duration(ms) * time.Millisecond)
		return 3
	case "stdin":
		bufio.NewReader(os.Stdin).ReadByte()
		return 0
	}
	if !deaf {
		ask := make(chan os.Signal, 1)
		signal.Notify(ask, os.Interrupt, syscall.SIGTERM)
		<-ask
		return 0
	}
	time.Sleep(time.Hour)
	return 0
}

func self(t *testing.T) string {
	t.Helper()
	exe, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	return filepath.ToSlash(exe)
}
