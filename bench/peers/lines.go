package main

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"strconv"
)

// lineSize is the length of a line of the child with its end.
const lineSize = 200

var filling = []byte(" xxxxxxxx")

// numberedLine is what the child writes: a number, its name, and filling up to the size.
func numberedLine(i int, name string) []byte {
	line := fmt.Appendf(nil, "%012d %s ", i, name)
	for len(line) < lineSize-1 {
		line = append(line, 'x')
	}
	return append(line, '\n')
}

// lineCheck finds out which of the numbered lines of some writers are in what a supervisor made of them.
// A line may have more before it and after it: a time, a name, JSON.
type lineCheck struct {
	perWriter int
	seen      map[string][]bool
	held      []byte // the begin of a line whose end is in the next file

	whole, repeated, torn, split int
	bytes                        int64
}

func newLineCheck(perWriter int) *lineCheck {
	return &lineCheck{perWriter: perWriter, seen: map[string][]bool{}}
}

// read takes the next file of one stream; finish must follow the last one.
func (c *lineCheck) read(r io.Reader) error {
	in := bufio.NewReaderSize(r, 1<<20)
	for {
		line, err := in.ReadSlice('\n')
		c.bytes += int64(len(line))
		switch {
		case err == nil:
			line = line[:len(line)-1]
			if len(c.held) > 0 {
				c.split++
				line = append(c.held, line...)
				c.held = nil
			}
			c.line(line)
		case errors.Is(err, io.EOF):
			c.held = append(c.held, line...)
			return nil
		case errors.Is(err, bufio.ErrBufferFull): // no line of ours
			c.held = append(c.held, line...)
		default:
			return err
		}
	}
}

// finish ends a stream: a rest without an end of line is a line too.
func (c *lineCheck) finish() {
	if len(c.held) > 0 {
		c.line(c.held)
		c.held = nil
	}
}

func (c *lineCheck) line(text []byte) {
	fill := bytes.Index(text, filling)
	if fill < 0 {
		if bytes.HasPrefix(text, []byte("xxxxxxxx")) { // the number was cut off
			c.torn++
		}
		return
	}
	blank := bytes.LastIndexByte(text[:fill], ' ')
	if blank < 12 {
		c.torn++
		return
	}
	number, err := strconv.Atoi(string(text[blank-12 : blank]))
	if err != nil || number < 0 || number >= c.perWriter {
		c.torn++
		return
	}
	name := text[blank+1 : fill]
	want := lineSize - 1 - 12 - 1 - len(name) - 1
	rest := text[fill+1:]
	if len(rest)-len(bytes.TrimLeft(rest, "x")) != want {
		c.torn++
		return
	}
	seen := c.seen[string(name)]
	if seen == nil {
		seen = make([]bool, c.perWriter)
		c.seen[string(name)] = seen
	}
	if seen[number] {
		c.repeated++
		return
	}
	seen[number] = true
	c.whole++
}

// lost is how many lines of so many writers are nowhere whole.
func (c *lineCheck) lost(writers int) int { return writers*c.perWriter - c.whole }
