package main

import (
	_ "embed"
	"fmt"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"strconv"
	"syscall"
)

//go:embed child/child.c
var childSource []byte

// makeChild builds what the contenders run. Without a C compiler it is this program itself, which takes
// longer to start: a little over a millisecond, the same for all.
func makeChild(dir string) (path, what string, err error) {
	path = filepath.Join(dir, "child")
	source := filepath.Join(dir, "child.c")
	if err := os.WriteFile(source, childSource, 0o644); err != nil {
		return "", "", err
	}
	for _, compiler := range []string{"gcc", "cc", "clang"} {
		if _, err := exec.LookPath(compiler); err != nil {
			continue
		}
		if exec.Command(compiler, "-O2", "-static", "-o", path, source).Run() == nil {
			return path, "in C, linked statically", nil
		}
	}
	self, err := os.Executable()
	if err != nil {
		return "", "", err
	}
	text, err := os.ReadFile(self) // a copy: what is run from another path counts as supervisor
	if err != nil {
		return "", "", err
	}
	return path, "in Go, for no C compiler was found: every start and restart has some 1.5 ms of that in it", os.WriteFile(path, text, 0o755)
}

// child does what child/child.c does, with the same arguments.
func child(args []string) {
	at := now()
	if len(args) < 4 {
		os.Exit(2)
	}
	kind, notes, name, word := args[0], args[1], args[2], args[3]
	tell := func(kind string, at int64, word string) {
		f, err := os.OpenFile(notes, os.O_WRONLY|os.O_APPEND|os.O_CREATE, 0o644)
		if err != nil {
			os.Exit(9)
		}
		fmt.Fprintf(f, "%s %s %d %d %s\n", kind, name, os.Getpid(), at, word)
		f.Close()
	}
	switch kind {
	case "leaf":
		signal.Ignore(syscall.SIGTERM)
		tell("leaf", at, word)
		select {}
	case "tree":
		leaf := exec.Command(os.Args[0], "leaf", notes, name, word)
		leaf.SysProcAttr = &syscall.SysProcAttr{Setsid: word == "own"}
		if leaf.Start() != nil {
			os.Exit(8)
		}
	}
	tell("run", at, word)
	if kind == "pour" && len(args) > 4 {
		lines, err := strconv.Atoi(word)
		if err != nil {
			os.Exit(2)
		}
		if _, err := os.Open(args[4]); err != nil {
			os.Exit(7)
		}
		tell("open", now(), "-")
		for i := 0; i < lines; {
			var batch []byte
			for ; len(batch) < 20*lineSize && i < lines; i++ {
				batch = append(batch, numberedLine(i, name)...)
			}
			if _, err := os.Stdout.Write(batch); err != nil {
				os.Exit(8)
			}
		}
		tell("done", now(), "-")
	}
	ended := make(chan os.Signal, 1)
	signal.Notify(ended, syscall.SIGTERM, os.Interrupt)
	<-ended
}
