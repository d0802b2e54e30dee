package main

import (
	"bufio"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"github.com/klauspost/compress/gzip"
)

// ledgerDir has a file for each run of a counted flood: how many lines it has written.
const ledgerDir = "ledger"

// countLines compares what counted floods say they wrote with what is in their logs: each run's lines once, in order,
// and all of them.
func countLines(dir string) (lines int, faults []string) {
	names, err := filepath.Glob(filepath.Join(dir, "counted", "*"))
	if err != nil {
		return 0, []string{err.Error()}
	}
	// Rotated files come before the current one of the same service, in the order of their time.
	slices.SortFunc(names, func(a, b string) int { return strings.Compare(logOrder(a), logOrder(b)) })
	next := map[string]int{}
	for _, name := range names {
		if ext := filepath.Ext(name); ext != ".log" && ext != ".gz" {
			continue
		}
		if err := readLines(name, next); err != nil {
			faults = append(faults, fmt.Sprintf("%s: %v", filepath.Base(name), err))
		}
	}
	entries, err := os.ReadDir(filepath.Join(dir, ledgerDir))
	if err != nil {
		return 0, append(faults, err.Error())
	}
	for _, e := range entries {
		b, err := os.ReadFile(filepath.Join(dir, ledgerDir, e.Name()))
		if err != nil {
			faults = append(faults, err.Error())
			continue
		}
		wrote, _ := strconv.Atoi(strings.TrimSpace(string(b))) // empty: it was killed while it noted
		lines += wrote
		if got := next[e.Name()]; got < wrote {
			faults = append(faults, fmt.Sprintf("%s wrote %d lines, and %d are in its log", e.Name(), wrote, got))
		}
	}
	if len(faults) > 10 {
		faults = append(faults[:10], fmt.Sprintf("and %d more about lines", len(faults)-10))
	}
	return lines, faults
}

// logOrder sorts NAME-TIME.log.gz before NAME.log.
func logOrder(path string) string { return strings.Replace(path, ".log", "~", 1) }

func readLines(path string, next map[string]int) error {
	f, err := os.Open(path)
	if err != nil {
		return err
	}
	defer f.Close()
	var in io.Reader = f
	if strings.HasSuffix(path, ".gz") {
		if in, err = gzip.NewReader(f); err != nil {
			return err
		}
	}
	s := bufio.NewScanner(in)
	for s.Scan() {
		fields := strings.SplitN(s.Text(), " ", 3)
		if len(fields) < 3 || strings.HasSuffix(s.Text(), upText) || strings.HasSuffix(s.Text(), badText) {
			continue
		}
		n, err := strconv.Atoi(fields[1])
		if err != nil {
			return fmt.Errorf("what is %q", s.Text())
		}
		if want := next[fields[0]]; n != want {
			return fmt.Errorf("line %d of %s where %d is next", n, fields[0], want)
		}
		next[fields[0]]++
	}
	return s.Err()
}
