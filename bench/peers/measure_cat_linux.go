package main

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"time"
)

// catAbout is `child | cat > file`, which is no supervisor but does the same work.
var catAbout = about{Name: catName, Title: "`child` piped into `cat > file`", Output: "a file each", Lacks: "–"}

// cat does with processes of its own what is asked of a contender.
func (b *bench) cat(writers, lines, round int) error {
	dir, err := os.MkdirTemp(b.dir, "cat.")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	defer func() { _ = endAll(b.child) }()
	gate, err := b.newGate()
	if err != nil {
		return err
	}
	notes := filepath.Join(dir, "notes")
	var files []string
	var cats []*process
	for i := range writers {
		name := fmt.Sprintf("c%04d", i)
		files = append(files, filepath.Join(dir, name+".log"))
		cat, err := b.piped(command{args: []string{b.child, "pour", notes, name, strconv.Itoa(lines), gate}}, dir, files[i])
		if err != nil {
			return err
		}
		cats = append(cats, cat)
	}
	until(5*time.Second, 10*time.Millisecond, func() bool {
		text, _ := os.ReadFile(notes)
		return len(lastOf(parseNotes(string(text)), "run")) == writers
	})
	used := func() (sum time.Duration) {
		for _, c := range cats {
			sum += cpuOf(c.pid)
		}
		return sum
	}
	before := used()
	wall, err := watchPour(context.Background(), notes, gate, writers, func() []string { return files })
	if err != nil {
		return err
	}
	gib := float64(writers) * float64(lines) * lineSize / (1 << 30)
	b.record(result{Test: "log", Contender: catName, N: writers, Round: round, Values: map[string]float64{
		"s": wall.Seconds(), "gib": gib, "cpu_s_per_gib": (used() - before).Seconds() / gib, "lines": float64(writers * lines),
	}})
	return nil
}

// piped starts the writer and its cat.
func (b *bench) piped(writer command, dir, path string) (*process, error) {
	to, err := os.Create(path)
	if err != nil {
		return nil, err
	}
	defer to.Close()
	r, w, err := os.Pipe()
	if err != nil {
		return nil, err
	}
	defer r.Close()
	defer w.Close()
	cat, err := start(command{args: []string{"cat"}}, dir, r, to)
	if err != nil {
		return nil, err
	}
	_, err = start(writer, dir, b.null, w)
	return cat, err
}
