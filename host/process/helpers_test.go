package process_test

import (
	"bufio"
	"fmt"
	"io"
	"os"
	"os/exec"
	"os/signal"
	"strconv"
	"syscall"
	"testing"
	"time"

	"servicehost/host/process"
)

// helperVar makes the test binary play a child: its value is the part, the arguments belong to it.
const helperVar = "PROCESS_TEST_PART"

func TestMain(m *testing.M) {
	if handled, code := process.HelperMain(os.Args[1:]); handled {
		os.Exit(code)
	}
	if part := os.Getenv(helperVar); part != "" {
		play(part, os.Args[1:])
	}
	os.Exit(m.Run())
}

// play does what a part asks for and ends the process.
func play(part string, args []string) {
	switch part {
	case "exit":
		os.Exit(number(args[0]))
	case "sleep": // ends at a stop by the system's default
		fmt.Println("ready")
		forever()
	case "stop": // ends at a stop in an orderly way
		c := make(chan os.Signal, 1)
		signal.Notify(c, os.Interrupt, syscall.SIGTERM)
		fmt.Println("ready")
		<-c
		fmt.Println("stopped")
		os.Exit(5)
	case "ignore":
		ignoreStop()
		fmt.Println("ready")
		forever()
	case "lines": // numbered lines on stdout
		buf := make([]byte, 0, 33<<10)
		for i := range number(args[0]) {
			buf = append(strconv.AppendInt(append(buf, "line "...), int64(i), 10), '\n')
			if len(buf) > 32<<10 {
				os.Stdout.Write(buf)
				buf = buf[:0]
			}
		}
		os.Stdout.Write(buf)
		os.Exit(0)
	case "both": // the same on both streams, unbuffered
		for i := range number(args[0]) {
			fmt.Fprintf(os.Stdout, "out %d\n", i)
			fmt.Fprintf(os.Stderr, "err %d\n", i)
		}
		os.Exit(0)
	case "silent": // lives on without its outputs
		ignoreStop()
		leaveConsole()
		os.Stdout.Close()
		os.Stderr.Close()
		forever()
	case "env":
		for _, e := range os.Environ() {
			fmt.Println(e)
		}
		os.Exit(0)
	case "args":
		for _, a := range args {
			fmt.Printf("%q\n", a)
		}
		os.Exit(0)
	case "stdin": // ends with its stdin
		fmt.Println("ready")
		n, err := io.Copy(io.Discard, os.Stdin)
		if n != 0 || err != nil {
			os.Exit(8)
		}
		os.Exit(7)
	case "cat": // writes what it reads
		if _, err := io.Copy(os.Stdout, os.Stdin); err != nil {
			fmt.Println(err)
			os.Exit(8)
		}
		os.Exit(0)
	case "spin": // uses CPU and memory, then waits
		block := make([]byte, 8<<20)
		for i := range block {
			block[i] = byte(i)
		}
		for start := time.Now(); time.Since(start) < 100*time.Millisecond; {
		}
		fmt.Println("ready", block[len(block)-1])
		forever()
	case "eat":
		playEat(args)
	case "family": // family HOW PART: starts PART as a grandchild, prints its PID, and waits; or exits with 3
		c := exec.Command(os.Args[0])
		c.Env = append(os.Environ(), helperVar+"="+args[1])
		c.SysProcAttr = grandchildAttr(args[0])
		pipe, err := c.StdoutPipe()
		if err == nil {
			c.Stderr = os.Stderr // holds our output open
			err = c.Start()
		}
		if err != nil {
			fmt.Println("cannot start:", err)
			os.Exit(9)
		}
		bufio.NewReader(pipe).ReadString('\n') // it is ready
		fmt.Println("grandchild", c.Process.Pid)
		if len(args) > 2 && args[2] == "exit" {
			os.Exit(3)
		}
		forever()
	case "host": // a host of one "family", killed by the test: see the test of that
		playHost()
	default:
		playMore(part, args)
	}
}

func number(s string) int {
	n, err := strconv.Atoi(s)
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(99)
	}
	return n
}

func forever() {
	for {
		time.Sleep(time.Hour)
	}
}

func ignoreStop() {
	signal.Notify(make(chan os.Signal, 1), os.Interrupt, syscall.SIGTERM)
}

// playHost starts a family in a backend, tells both PIDs and waits to be killed.
func playHost() {
	b, err := process.New(process.Options{Guard: true})
	if err != nil {
		fmt.Println("cannot start:", err)
		os.Exit(9)
	}
	exe, _ := os.Executable()
	id := process.RunID{Service: "inner", Instance: 1, Incarnation: 1}
	os.Unsetenv(helperVar) // that of this process
	os.Unsetenv("HOST_RUN")
	ident, err := b.Start(id, process.Request{
		Path: exe, Args: []string{exe, "detached", "ignore"}, Dir: os.TempDir(),
		Env: append(os.Environ(), helperVar+"=family"),
	})
	if err != nil {
		fmt.Println("cannot start:", err)
		os.Exit(9)
	}
	fmt.Println("child", ident.PID)
	out, err := b.OpenOutput(id, process.Stdout)
	if err == nil {
		out.Copy(func(p []byte) { os.Stdout.Write(p) })
	}
	forever()
}
