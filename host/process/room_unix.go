//go:build unix

package process

import "runtime"

// room bounds how many goroutines are in the short system calls of a start at once. The runtime makes a thread for
// each that is, when a thousand services start together, and never ends one: they would take memory for good.
type room chan struct{}

// newRoom keeps all processors busy while one of the goroutines waits in the kernel.
func newRoom() room { return make(room, runtime.GOMAXPROCS(0)+1) }

func (r room) enter() { r <- struct{}{} }

func (r room) leave() { <-r }
