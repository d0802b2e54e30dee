package main

import (
	"context"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"path/filepath"
	"syscall"
	"time"
)

func main() {
	if args := os.Args[1:]; len(args) > 0 && args[0] == roleChild {
		os.Exit(child(args[1:]))
	}
	os.Exit(run(os.Args[1:], os.Stdout, os.Stderr))
}

// options are what the command line says.
type options struct {
	host     []string // the program, and what goes before its arguments
	dir      string
	csv      string
	length   time.Duration
	quiet    time.Duration
	every    time.Duration // between samples
	edit     time.Duration // between edits, on average
	crash    time.Duration // that a crashing child lives, on average
	scrape   time.Duration
	services int
	seed     uint64
	out      io.Writer

	storm, probed, sampled int
	profile                string
}

const usage = `soak drives a built host and judges it. Modes:

  soak -host FILE                        the soak: 500 services under noise for an hour
  soak -host FILE -storm 200             all services killed at one moment, then all crashing at their start for -for
  soak -host FILE -probed 1000 -for 60s  what the host uses while each service is asked over HTTP every 10 s
  soak -host FILE -sampled 1000 -for 30s what the host uses while nothing happens and nobody looks

The exit code is 0 when all is as it should be, 1 when not, 2 for what can't be run. Flags:

`

func run(args []string, stdout, stderr io.Writer) int {
	o := options{out: stdout}
	f := flag.NewFlagSet("soak", flag.ContinueOnError)
	f.SetOutput(stderr)
	f.Usage = func() {
		fmt.Fprint(stderr, usage)
		f.PrintDefaults()
	}
	exe := f.String("host", "", "the host to drive")
	f.DurationVar(&o.length, "for", 0, "how long: of the noise 1h, of the storm 10s, of a measurement 60s")
	f.DurationVar(&o.quiet, "quiet", 3*time.Minute, "of the quiet before and after the noise; memory is judged from 2m on")
	f.DurationVar(&o.every, "every", 5*time.Second, "between two samples")
	f.DurationVar(&o.edit, "edit", 3*time.Second, "between two edits, about")
	f.DurationVar(&o.crash, "crash", time.Minute, "how long a service that crashes lives, on average")
	f.DurationVar(&o.scrape, "scrape", 15*time.Second, "between two scrapes of the metrics; 0: none")
	f.IntVar(&o.services, "services", 500, "of the soak")
	f.IntVar(&o.storm, "storm", 0, "storm: so many services")
	f.IntVar(&o.probed, "probed", 0, "measure so many that are probed")
	f.IntVar(&o.sampled, "sampled", 0, "measure so many that idle")
	f.StringVar(&o.profile, "profile", "", "with -probed: write a CPU profile of the host to this file")
	f.StringVar(&o.csv, "csv", "", "where the samples go; in the folder when empty")
	f.StringVar(&o.dir, "dir", "", "an empty folder for everything; kept then, else a temporary one, kept after a failure")
	f.Uint64Var(&o.seed, "seed", uint64(time.Now().UnixNano()), "of all that is random")
	if err := f.Parse(args); err != nil {
		return 2
	}
	if *exe == "" || f.NArg() > 0 {
		f.Usage()
		return 2
	}
	path, err := filepath.Abs(*exe)
	if err != nil {
		fmt.Fprintln(stderr, err)
		return 2
	}
	o.host = []string{path}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	faults, err := o.run(ctx)
	if err != nil {
		fmt.Fprintln(stderr, "cannot go on:", err)
		return 2
	}
	for _, s := range faults {
		fmt.Fprintln(stdout, "FAULT:", s)
	}
	if len(faults) > 0 {
		fmt.Fprintf(stdout, "FAIL: %d faults\n", len(faults))
		return 1
	}
	fmt.Fprintln(stdout, "PASS")
	return 0
}

// run does what the mode says, in a folder that is removed when all went well.
func (o options) run(ctx context.Context) (faults []string, err error) {
	own := o.dir == ""
	if own {
		if o.dir, err = os.MkdirTemp("", "soak-"); err != nil {
			return nil, err
		}
	} else if err := os.MkdirAll(o.dir, 0o755); err != nil {
		return nil, err
	}
	if o.dir, err = filepath.Abs(o.dir); err != nil {
		return nil, err
	}
	mode, length := soak, time.Hour
	switch {
	case o.storm > 0:
		mode, length = storm, 10*time.Second
	case o.probed > 0 || o.sampled > 0:
		mode, length = cost, time.Minute
	}
	if o.length == 0 {
		o.length = length
	}
	faults, err = mode(ctx, o)
	if own && err == nil && len(faults) == 0 {
		return nil, os.RemoveAll(o.dir)
	}
	fmt.Fprintln(o.out, "everything is in", o.dir)
	return faults, err
}
