package reload

import (
	"sync"
	"time"
)

// ownerWait bounds how long a directory service is waited for: a reload must not be late for a name.
const ownerWait = 300 * time.Millisecond

var ownerNames sync.Map // what the system knows an account by → its name

// Owner returns the account that a file belongs to, by its name, or as the system numbers it where the name
// is not found in time; "" where that can't be told.
func Owner(path string) string {
	id, name, ok := ownerOf(path)
	if !ok {
		return ""
	}
	if known, ok := ownerNames.Load(id); ok {
		return known.(string)
	}
	found := make(chan string, 1)
	go func() {
		n := name()
		if n != "" {
			ownerNames.Store(id, n) // for the next time, too
		}
		found <- n
	}()
	select {
	case n := <-found:
		if n != "" {
			return n
		}
	case <-time.After(ownerWait):
	}
	return id
}
