package main

import (
	"bufio"
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"time"
)

func main() {
	if len(os.Args) > 1 && slices.Contains([]string{"rest", "tree", "pour", "leaf"}, os.Args[1]) {
		child(os.Args[1:])
		return
	}
	if err := measured(os.Args[1:]); err != nil {
		fmt.Fprintln(os.Stderr, "peers:", err)
		os.Exit(1)
	}
}

// flags are the command line.
type flags struct {
	options
	host, bin, dir string
	only           []string
	markdown       string
	update, report string
}

func parse(args []string) (flags, error) {
	var f flags
	var only, tests, sizes string
	set := flag.NewFlagSet("peers", flag.ContinueOnError)
	set.StringVar(&f.host, "host", "", "the `path` of host; built from this checkout if it is not given")
	set.StringVar(&f.bin, "peers", os.Getenv("PEERS"), "the `folder` into which the script get installed the peers")
	set.StringVar(&f.dir, "dir", "", "the `folder` for everything that is written meanwhile; /dev/shm where it is")
	set.StringVar(&only, "only", "", "only these contenders, `a,b,c`")
	set.StringVar(&tests, "tests", strings.Join(testNames, ","), "only these `tests`")
	set.StringVar(&sizes, "sizes", "1,10,100,1000", "`numbers` of services; reload, stop, idle and list are tested with those from 100 on")
	set.IntVar(&f.rounds, "rounds", 5, "how often each test is made; 3 at most with 100 services and more, and the slowest fewer")
	set.IntVar(&f.kills, "kills", 40, "how many children are killed in a round of restart")
	set.DurationVar(&f.settle, "settle", 2*time.Second, "how long services run before something is asked of them")
	set.DurationVar(&f.window, "window", 30*time.Second, "how long the contenders are watched at rest")
	set.IntVar(&f.pour, "lines", (1<<30)/lineSize, "how many lines of 200 bytes are written in a round of log")
	set.BoolVar(&f.keep, "keep", false, "leave the folder there")
	set.StringVar(&f.json, "json", "", "write the results to this `file`; those of tests that are not made now stay in it")
	set.StringVar(&f.markdown, "markdown", "", "write the tables to this `file` instead of standard output")
	set.StringVar(&f.update, "update", "", "put the tables between the marks of this `document`")
	set.StringVar(&f.report, "report", "", "measure nothing, make the tables of this JSON `file`")
	if err := set.Parse(args); err != nil {
		return f, err
	}
	if set.NArg() > 0 {
		return f, fmt.Errorf("%q is not a flag", set.Arg(0))
	}
	for s := range strings.SplitSeq(sizes, ",") {
		n, err := strconv.Atoi(s)
		if err != nil || n < 1 {
			return f, fmt.Errorf("-sizes: %q is not a number of services", s)
		}
		f.sizes = append(f.sizes, n)
	}
	f.tests = strings.Split(tests, ",")
	for _, t := range f.tests {
		if !slices.Contains(testNames, t) {
			return f, fmt.Errorf("-tests: there is no %q; there are %s", t, strings.Join(testNames, ", "))
		}
	}
	if only != "" {
		f.only = strings.Split(only, ",")
	}
	if f.rounds < 1 || f.kills < 1 || f.pour < 20 {
		return f, errors.New("-rounds, -kills and -lines are too small to measure anything")
	}
	return f, nil
}

func measured(args []string) error {
	f, err := parse(args)
	if errors.Is(err, flag.ErrHelp) {
		return nil
	}
	if err != nil {
		return err
	}
	if f.report != "" {
		r, err := loadRun(f.report)
		if err != nil {
			return err
		}
		return f.publish(r)
	}
	b, err := prepared(f)
	if b != nil && b.dir != "" {
		defer func() { _ = b.clean() }()
	}
	if err != nil {
		return err
	}
	if err := adopt(); err != nil {
		return err
	}
	ctx, cancel := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer cancel()
	go func() {
		<-ctx.Done()
		if b.done.Load() {
			return
		}
		births.Lock() // for good
		_ = b.clean()
		os.Exit(130)
	}()
	err = b.measure(ctx)
	b.done.Store(true)
	if err != nil {
		return err
	}
	return f.publish(&b.run)
}

func (f flags) publish(r *run) error {
	text := report(r)
	if f.update != "" {
		document, err := os.ReadFile(f.update)
		if err != nil {
			return err
		}
		updated, err := between(string(document), text)
		if err != nil {
			return fmt.Errorf("cannot update %s: %w", f.update, err)
		}
		return os.WriteFile(f.update, []byte(updated), 0o644)
	}
	if f.markdown != "" {
		return os.WriteFile(f.markdown, []byte(text), 0o644)
	}
	_, err := fmt.Print(text)
	return err
}

// prepared builds what is needed and finds the contenders.
func prepared(f flags) (*bench, error) {
	b := &bench{options: f.options, began: time.Now()}
	var err error
	if b.dir, err = newDir(f.dir); err != nil {
		return nil, err
	}
	if b.null, err = os.OpenFile(os.DevNull, os.O_RDWR, 0); err != nil {
		return b, err
	}
	if b.child, b.run.Child, err = makeChild(b.dir); err != nil {
		return b, err
	}
	floorPath := filepath.Join(b.dir, "floor")
	if err := build("servicehost/bench/peers/floor", floorPath); err != nil {
		return b, err
	}
	if f.host == "" {
		f.host = filepath.Join(b.dir, "host")
		if err := build("servicehost", f.host); err != nil {
			return b, err
		}
	}
	if f.host, err = filepath.Abs(f.host); err != nil {
		return b, err
	}
	if f.bin, err = filepath.Abs(f.bin); err != nil {
		return b, err
	}
	all := peers(f.host, floorPath, f.bin)
	for _, name := range f.only {
		if !slices.ContainsFunc(all, func(c contender) bool { return c.about().Name == name }) {
			return b, fmt.Errorf("-only: there is no %q", name)
		}
	}
	for _, c := range all {
		a := c.about()
		if len(f.only) > 0 && !slices.Contains(f.only, a.Name) {
			continue
		}
		if a.Missing = c.missing(); a.Missing == "" {
			a.Version = c.version()
			a.Listing = showing(c, b.child)
			b.contenders = append(b.contenders, c)
		} else {
			fmt.Fprintf(os.Stderr, "without %s: %s\n", a.Name, a.Missing)
		}
		b.run.Contenders = append(b.run.Contenders, a)
	}
	b.run.Contenders = append(b.run.Contenders, catAbout)
	b.run.Machine, b.run.Date = machine(), time.Now().Format(time.DateOnly)
	if len(b.contenders) == 0 {
		return b, errors.New("none of the contenders is there")
	}
	return b, nil
}

// build makes a program the way a release is built.
func build(pkg, path string) error {
	cmd := exec.Command("go", "build", "-ldflags", "-s -w", "-o", path, pkg)
	cmd.Env = append(os.Environ(), "CGO_ENABLED=0")
	if out, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("cannot build %s (run this in a checkout): %w: %s", pkg, err, out)
	}
	return nil
}

// machine says what the figures are from, without a name.
func machine() string {
	kernel, _ := os.ReadFile("/proc/sys/kernel/osrelease")
	words := []string{
		fmt.Sprintf("%d cores", runtime.NumCPU()), runtime.GOARCH,
		"Linux " + strings.TrimSpace(string(kernel)), runtime.Version(),
	}
	if f, err := os.Open("/proc/meminfo"); err == nil {
		defer f.Close()
		in := bufio.NewScanner(f)
		if in.Scan() {
			if parts := strings.Fields(in.Text()); len(parts) > 1 {
				kib, _ := strconv.ParseFloat(parts[1], 64)
				words = slices.Insert(words, 2, fmt.Sprintf("%.0f GiB", kib/(1<<20)))
			}
		}
	}
	return strings.Join(words, ", ")
}
