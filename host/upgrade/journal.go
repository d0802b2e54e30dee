package upgrade

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"time"

	"servicehost/host/files"
	"servicehost/host/human"
	"servicehost/host/jsonl"
)

// phase is how far an upgrade has come. It is written down before anything of it is done.
type phase string

const (
	prepared  phase = "prepared"  // the new executable is copied and verified; nothing is touched
	swapping  phase = "swapping"  // the executables change places
	proving   phase = "proving"   // the new one is in place; the service is restarted
	reverting phase = "reverting" // the former one is brought back

	aside   phase = "aside"   // within swapping: on Windows there is no executable at its path now
	stopped phase = "stopped" // within proving: the service is down
)

// record is one line of the journal.
type record struct {
	Phase   phase     `json:"phase"`
	At      time.Time `json:"at"`
	PID     int       `json:"pid"`
	From    string    `json:"from,omitempty"`
	To      string    `json:"to,omitempty"`
	New     string    `json:"new,omitempty"` // SHA-256 of the new executable
	Service string    `json:"service,omitempty"`
	// Restart says that the service ran, and Running what ran in it.
	Restart bool     `json:"restart,omitempty"`
	Running []string `json:"running,omitempty"`
}

// journal is the file that tells of an upgrade in progress. Who upgrades holds a lock on it.
type journal struct {
	path string
	f    *os.File
	last record // no phase: nothing is in progress
}

// errBusy says that another process upgrades now.
var errBusy = errors.New("another upgrade is in progress")

// openJournal takes the lock, and makes the file where there is none.
func openJournal(path string) (*journal, error) { return lockJournal(path, os.O_CREATE) }

func lockJournal(path string, create int) (*journal, error) {
	for range 10 {
		f, err := os.OpenFile(path, os.O_RDWR|os.O_APPEND|create, 0o644)
		if err != nil {
			return nil, cannotOpen(path, err)
		}
		switch ok, err := files.TryLock(f); {
		case err != nil:
			f.Close()
			return nil, cannotOpen(path, err)
		case !ok:
			f.Close()
			return nil, fmt.Errorf("cannot upgrade: %w (%s)", errBusy, human.Path(path))
		}
		// Who held it before may have removed it.
		if mine, err := f.Stat(); err == nil {
			if there, err := os.Stat(path); err == nil && os.SameFile(mine, there) {
				j := &journal{path: path, f: f}
				if err := j.read(); err != nil {
					f.Close()
					return nil, cannotOpen(path, err)
				}
				return j, nil
			}
		}
		f.Close()
	}
	return nil, cannotOpen(path, errors.New("it is replaced again and again"))
}

func cannotOpen(path string, err error) error {
	if errors.Is(err, fs.ErrPermission) {
		return fmt.Errorf("cannot upgrade: only who may change the folder of %s can: %w", human.Path(path), err)
	}
	return fmt.Errorf("cannot open %s: %w", human.Path(path), err)
}

// read finds the last whole line: one that was being written when the power went is none.
func (j *journal) read() error {
	s := bufio.NewScanner(j.f)
	for s.Scan() {
		var r record
		if b, ok := jsonl.Parse(s.Bytes()); ok && json.Unmarshal(b, &r) == nil && r.Phase != "" {
			j.last = r
		}
	}
	_, err := j.f.Seek(0, io.SeekEnd)
	return errors.Join(s.Err(), err)
}

func (j *journal) write(r record) error {
	r.At, r.PID = time.Now().UTC().Truncate(time.Millisecond), os.Getpid()
	b, err := json.Marshal(r)
	if err != nil {
		return err
	}
	if _, err := j.f.Write(jsonl.Append([]byte("\n"), b)); err != nil { // behind a torn line
		return err
	}
	j.last = r
	return j.f.Sync()
}

// clear says that nothing is in progress, and goes on holding the lock.
func (j *journal) clear() error {
	j.last = record{}
	if err := j.f.Truncate(0); err != nil {
		return fmt.Errorf("cannot close the journal %s: %w", human.Path(j.path), err)
	}
	return nil
}

// finish says that nothing is in progress, and ends.
func (j *journal) finish() error {
	if err := j.clear(); err != nil {
		return err
	}
	removeLocked(j.f, j.path) // an empty one says the same
	j.f = nil
	return nil
}

func (j *journal) close() {
	if j.f != nil {
		j.f.Close()
	}
}
