package cli

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"servicehost/host/control"
	"servicehost/host/human"
)

// profileNames in the order of the help.
var profileNames = []string{"heap", "cpu", "goroutine", "allocs", "block", "mutex", "trace"}

// profileFlags are those of host pprof.
type profileFlags struct {
	seconds int
	out     string
	force   bool
}

func newPprof(a *app) *cobra.Command {
	f := profileFlags{seconds: 10}
	cmd := &cobra.Command{
		Use:       "pprof heap|cpu|goroutine|allocs|block|mutex|trace",
		Short:     "Take a profile of the running host itself",
		ValidArgs: profileNames,
		Long: `Takes a profile of the host, not of its services: what a report of a host that is slow or large should come
with. It is written to a new file in this folder, or to standard output where that is no terminal.

  heap, allocs     memory in use, and all that was ever taken
  goroutine        what all goroutines do
  cpu              where time is spent
  block, mutex     where goroutines wait, and for which locks; recorded only meanwhile
  trace            everything, step by step, for go tool trace

cpu, block, mutex and trace watch the host for --seconds, heap and the others are taken at once.
Look at it with: go tool pprof -http : FILE` + exits(
			"0  written",
			"1  not written",
			"4  no host is running"),
		Args: func(_ *cobra.Command, args []string) error {
			if len(args) != 1 {
				return withHint("host pprof heap, for example", "name one profile: %s", strings.Join(profileNames, ", "))
			}
			if _, ok := control.Profiles[args[0]]; !ok {
				return withHint("there are "+strings.Join(profileNames, ", "), "unknown profile %q", args[0])
			}
			return nil
		},
		RunE: func(cmd *cobra.Command, args []string) error { return a.profile(cmd.Context(), args[0], f) },
	}
	cmd.Flags().IntVar(&f.seconds, "seconds", f.seconds, "how long to watch: cpu, block, mutex, trace")
	cmd.Flags().StringVar(&f.out, "out", "", "write to this new file; - is standard output")
	cmd.Flags().BoolVar(&f.force, "force", false, "replace the file of --out")
	return cmd
}

// writtenProfile is what `host pprof -o json` says.
type writtenProfile struct {
	Profile string `json:"profile"`
	File    string `json:"file"`
	Bytes   int64  `json:"bytes"`
}

// longestProfile bounds --seconds: a profile costs the host a little, and nobody waits that long.
const longestProfile = 3600

func (a *app) profile(ctx context.Context, name string, f profileFlags) error {
	if f.seconds < 1 || f.seconds > longestProfile {
		return fmt.Errorf("--seconds must be 1 to %d", longestProfile)
	}
	if f.out == "" && a.out.file != nil {
		f.out = profileFile(name, a.now())
	}
	toFile := f.out != "" && f.out != "-"
	if _, err := os.Lstat(f.out); toFile && !f.force && err == nil { // before anybody waits
		return withHint("choose another name, or replace it with --force", "%s is there already", human.Path(f.out))
	}
	c, err := a.client(ctx)
	if err != nil {
		return err
	}
	defer c.Close()
	wait := time.Duration(0)
	if control.Profiles[name] {
		wait = time.Duration(f.seconds) * time.Second
		if a.err.file != nil {
			fmt.Fprintf(a.Stderr, "watching the host for %s…\n", age(wait))
		}
	}
	ctx, cancel := context.WithTimeout(ctx, wait+askTime)
	defer cancel()
	if !toFile {
		return c.Profile(ctx, name, wait, a.Stdout)
	}
	size, err := writeProfile(f.out, func(w io.Writer) error { return c.Profile(ctx, name, wait, w) })
	if err != nil {
		return err
	}
	return a.show(writtenProfile{name, f.out, size}, func() {
		tool := "go tool pprof -http :"
		if name == "trace" {
			tool = "go tool trace"
		}
		a.printf("written to %s (%s); look at it with: %s %s\n", human.Path(f.out), human.Size(size), tool, f.out)
	})
}

// profileFile is the name of a file that is not named.
func profileFile(name string, now time.Time) string {
	ending := "pprof"
	if name == "trace" {
		ending = "trace"
	}
	return fmt.Sprintf("host-%s-%s.%s", name, now.Format("20060102-150405"), ending)
}

// writeProfile has write fill a file, of which nothing is there before it is whole.
func writeProfile(path string, write func(io.Writer) error) (size int64, err error) {
	defer func() {
		if failed, ok := errors.AsType[*fs.PathError](err); ok {
			err = fmt.Errorf("cannot write %s: %w", human.Path(path), failed.Err)
		}
	}()
	tmp, err := os.CreateTemp(filepath.Dir(path), ".host-pprof-*")
	if err != nil {
		return 0, err
	}
	defer os.Remove(tmp.Name())
	defer tmp.Close()
	if err := write(tmp); err != nil {
		return 0, err
	}
	info, err := tmp.Stat()
	if err != nil {
		return 0, err
	}
	if err := tmp.Close(); err != nil {
		return 0, err
	}
	return info.Size(), os.Rename(tmp.Name(), path)
}
