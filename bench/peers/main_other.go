//go:build !linux

package main

import (
	"fmt"
	"os"
)

func main() {
	fmt.Fprintln(os.Stderr, "this reads /proc and waits on pidfds, so it runs on Linux only; bench/nssm is for Windows")
	os.Exit(2)
}
