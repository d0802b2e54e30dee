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
	text, _ := os.ReadFile("/proc/sys/kernel/osrelease")
	kernel := strings.SplitN(strings.TrimSpace(string(text)), ".", 3)
	words := []string{
		fmt.Sprintf("%d cores", runtime.NumCPU()), runtime.GOARCH,
		"Linux " + strings.Join(kernel[:min(2, len(kernel))], "."), runtime.Version(),
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
