// Package state keeps what must outlive the host: one folder, locked, with a small store of records.
package state

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"os"
	"slices"
	"strings"
	"sync"
	"unicode/utf8"

	"servicehost/host/human"
)

// Store is an open state folder. All methods may be called from any goroutine. What Put and Delete
// did is in the page cache of the system when they return without an error: it survives the end of
// the process at any moment, and with Sync that of the machine.
type Store struct {
	dir  string
	lock *os.File

	mu      sync.Mutex
	values  map[string][]byte // raw JSON by key
	log     recordLog
	damaged int
	closed  bool
}

// Open creates the folder where it is missing, takes its lock and reads the records. It fails with
// *ErrLocked while another process has it, and refuses a folder that is a link or that others may
// write. A last record that a crash tore is gone, the ones before it are there.
func Open(dir string) (*Store, error) {
	f, err := lockFolder(dir)
	if err != nil {
		return nil, err
	}
	return load(dir, f)
}

// OpenWait is Open for a folder whose last host has died but whose guard still holds the lock while
// it ends the children: it waits for that until ctx ends. A host that lives makes it fail at once.
func OpenWait(ctx context.Context, dir string) (*Store, error) {
	f, err := waitForFolder(ctx, dir)
	if err != nil {
		return nil, err
	}
	return load(dir, f)
}

func load(dir string, lock *os.File) (*Store, error) {
	s := &Store{dir: dir, lock: lock, values: map[string][]byte{}, log: recordLog{dir: dir}}
	var err error
	if s.damaged, err = s.log.open(s.values); err != nil {
		lock.Close()
		return nil, fmt.Errorf("cannot read the state in %s: %w", human.Path(dir), err)
	}
	return s, nil
}

// Dir is the folder.
func (s *Store) Dir() string { return s.dir }

// LockFile is the open file that holds the lock. A process that inherits it on Unix holds the lock
// until it ends too. It must not be closed by the caller.
func (s *Store) LockFile() *os.File { return s.lock }

// Damaged is the number of records that could not be read when the folder was opened, the torn last
// one not counted: more than 0 means that the disk, not a crash, has spoilt something.
func (s *Store) Damaged() int { return s.damaged }

// Put records v as JSON under key. With an error (a full disk) v is kept in memory, Get returns it,
// and the next Put, Delete or Sync tries again to write it.
func (s *Store) Put(key string, v any) error {
	if err := checkKey(key); err != nil {
		return err
	}
	raw, err := json.Marshal(v)
	if err != nil {
		return fmt.Errorf("cannot record %q: %w", key, err)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if old, ok := s.values[key]; ok && bytes.Equal(old, raw) {
		return s.flushLocked()
	}
	s.log.put(key, s.values[key], raw)
	s.values[key] = raw
	return s.flushLocked()
}

// Delete removes the record of key; a missing one is no error.
func (s *Store) Delete(key string) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	old, ok := s.values[key]
	if !ok {
		return s.flushLocked()
	}
	s.log.remove(key, old)
	delete(s.values, key)
	return s.flushLocked()
}

// Get decodes the record of key into v and reports whether there is one.
func (s *Store) Get(key string, v any) (bool, error) {
	s.mu.Lock()
	raw, ok := s.values[key]
	s.mu.Unlock()
	if !ok {
		return false, nil
	}
	if err := json.Unmarshal(raw, v); err != nil {
		return true, fmt.Errorf("cannot read the record %q of the state in %s: %w", key, human.Path(s.dir), err)
	}
	return true, nil
}

// Keys returns the keys that begin with prefix, in order.
func (s *Store) Keys(prefix string) []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	var keys []string
	for k := range maps.Keys(s.values) {
		if strings.HasPrefix(k, prefix) {
			keys = append(keys, k)
		}
	}
	slices.Sort(keys)
	return keys
}

// Sync brings everything to the platter, so that it survives a power loss.
func (s *Store) Sync() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if err := s.flushLocked(); err != nil {
		return err
	}
	if err := s.log.sync(); err != nil {
		return fmt.Errorf("cannot write the state in %s: %w", human.Path(s.dir), err)
	}
	return nil
}

func (s *Store) flushLocked() error {
	if s.closed {
		return fmt.Errorf("cannot write the state in %s: %w", human.Path(s.dir), os.ErrClosed)
	}
	if err := s.log.flush(s.values); err != nil {
		return fmt.Errorf("cannot write the state in %s: %w", human.Path(s.dir), err)
	}
	return nil
}

// Close syncs and gives the lock back, unless another process inherited it.
func (s *Store) Close() error {
	err := s.Sync()
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed {
		return nil
	}
	s.closed = true
	return errors.Join(err, s.log.close(), s.lock.Close())
}

// checkKey keeps keys to what needs no escapes in JSON, which makes reading the log cheap.
func checkKey(key string) error {
	bad := func(r rune) bool { return r < ' ' || r == '"' || r == '\\' || r == 0x7f }
	if key == "" || !utf8.ValidString(key) || strings.ContainsFunc(key, bad) {
		return fmt.Errorf("cannot record anything under the key %q", key)
	}
	return nil
}
