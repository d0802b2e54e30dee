package process

import (
	"fmt"
	"sync"
)

// readSize is the size of the shared read buffers: what a pipe holds by default.
const readSize = 64 << 10

var buffers = sync.Pool{New: func() any { b := make([]byte, readSize); return &b }}

func (b *backend) OpenOutput(id RunID, s Stream) (Output, error) {
	u, err := b.find(id)
	if err != nil {
		return nil, err
	}
	if int(s) >= len(u.outputs) || u.outputs[s] == nil {
		return nil, &Error{Kind: ErrNoRun, Message: fmt.Sprintf("run %s has no stream %d", id, s)}
	}
	return &reader{output: u.outputs[s]}, nil
}
