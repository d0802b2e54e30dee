package e2e

import (
	"bufio"
	"fmt"
	"os"
	"strconv"
	"time"
)

// floodChild writes lines with numbers as fast as it can. After three quarters it makes FILE.TAG and goes on when
// FILE is there; at the end it makes FILE.TAG.done.
func floodChild(tag, lines, file string) {
	n, _ := strconv.Atoi(lines)
	out := bufio.NewWriterSize(os.Stdout, 5000) // lines are cut anywhere
	for i := range n {
		if i == n*3/4 {
			out.Flush()
			os.WriteFile(file+"."+tag, nil, 0o600)
			for {
				if _, err := os.Stat(file); err == nil {
					break
				}
				time.Sleep(10 * time.Millisecond)
			}
		}
		fmt.Fprintf(out, "%s %08d the quick brown fox jumps over the lazy dog\n", tag, i)
	}
	out.Flush()
	os.WriteFile(file+"."+tag+".done", nil, 0o600)
}
