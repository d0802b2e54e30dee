//go:build !windows

package main

import (
	"fmt"
	"os"
)

func main() {
	fmt.Fprintln(os.Stderr, "this compares services of Windows; build it with GOOS=windows and run it there or under Wine")
	os.Exit(2)
}
