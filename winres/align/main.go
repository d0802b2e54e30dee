// Command align lays the parts of host.exe out in the file as they lie in memory, a page each. The linker of Go packs
// them closer, to 512 bytes; Windows maps either, but Wine reads such a program whole into private memory, each time
// that it starts. Run it on what go build wrote, and before it is signed:
//
//	go run ./winres/align host.exe
package main

import (
	"fmt"
	"os"
	"path/filepath"
)

func main() {
	if len(os.Args) != 2 {
		fmt.Fprintln(os.Stderr, "usage: align FILE.exe")
		os.Exit(2)
	}
	if err := alignFile(os.Args[1]); err != nil {
		fmt.Fprintf(os.Stderr, "cannot align %q: %v\n", os.Args[1], err)
		os.Exit(1)
	}
}

// alignFile replaces the file in one step, or leaves it alone.
func alignFile(path string) error {
	before, err := os.ReadFile(path)
	if err != nil {
		return err
	}
	after, err := align(before)
	if err != nil {
		return err
	}
	f, err := os.CreateTemp(filepath.Dir(path), filepath.Base(path)+".*")
	if err != nil {
		return err
	}
	defer os.Remove(f.Name())
	if _, err := f.Write(after); err != nil {
		f.Close()
		return err
	}
	if err := f.Close(); err != nil {
		return err
	}
	info, err := os.Stat(path)
	if err != nil {
		return err
	}
	if err := os.Chmod(f.Name(), info.Mode()); err != nil {
		return err
	}
	return os.Rename(f.Name(), path)
}
