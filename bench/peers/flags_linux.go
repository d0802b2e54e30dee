package main

import (
	"errors"
	"flag"
	"fmt"
	"os"
	"slices"
	"strconv"
	"strings"
	"time"
)

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
