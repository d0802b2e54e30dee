// Package statetest has a state folder in memory, for tests of what keeps something there.
package statetest

import (
	"encoding/json"
	"maps"
	"slices"
	"strings"
	"sync"
)

// Memory keeps records as the real store does, through JSON. Its zero value is empty.
type Memory struct {
	mu sync.Mutex
	m  map[string][]byte
}

// Put keeps v under the key k.
func (s *Memory) Put(k string, v any) error {
	b, err := json.Marshal(v)
	if err != nil {
		return err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.m == nil {
		s.m = map[string][]byte{}
	}
	s.m[k] = b
	return nil
}

// Get reads what is kept under the key k into v, and reports whether there is something.
func (s *Memory) Get(k string, v any) (bool, error) {
	s.mu.Lock()
	b, ok := s.m[k]
	s.mu.Unlock()
	if !ok {
		return false, nil
	}
	return true, json.Unmarshal(b, v)
}

// Delete forgets what is kept under the key k.
func (s *Memory) Delete(k string) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.m, k)
	return nil
}

// Keys returns the keys that begin with prefix, in order.
func (s *Memory) Keys(prefix string) []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	keys := slices.Sorted(maps.Keys(s.m))
	return slices.DeleteFunc(keys, func(k string) bool { return !strings.HasPrefix(k, prefix) })
}
