//go:build !linux

package main

import (
	"fmt"
	"os"
)

func main() {
	fmt.Fprintln(os.Stderr, "this is a part of bench/peers, which runs on Linux only")
	os.Exit(2)
}
