//go:build !linux

package main

import (
	"fmt"
	"os"
)

func main() {
	fmt.Fprintln(os.Stderr, "the soak reads /proc and cgroups: it runs on Linux only")
	os.Exit(2)
}
