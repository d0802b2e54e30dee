//go:build darwin || freebsd || netbsd || openbsd || dragonfly

package process

// rest is for systems where a quiet stream can do without a goroutine.
type rest struct{}

func (rest) leave(int) {}
func (rest) end()      {}
