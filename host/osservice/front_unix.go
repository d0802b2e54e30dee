//go:build linux || darwin

package osservice

import (
	"fmt"
	"os"
	"os/user"
	"path/filepath"
	"strconv"
	"time"

	kardianos "github.com/kardianos/service"
)

// front is what of kardianos/service is used: the first install and the removal. The rest is ours, for
// it refuses to install twice, always enables, drops what the manager says of an error, and
// waits without an end.
type front interface {
	Install() error
	Uninstall() error
}

// program satisfies kardianos/service, which is not what runs the host here.
type program struct{}

func (program) Start(kardianos.Service) error { return nil }
func (program) Stop(kardianos.Service) error  { return nil }

// kardianosFront has a definition written as it is: the templates replace what stands for a value
// once, and look no further.
func kardianosFront(name, definition string) (front, error) {
	const asItIs = "{{WorkingDirectory}}"
	return kardianos.New(program{}, &kardianos.Config{
		Name: name, WorkingDirectory: definition, Executable: "/",
		Option: kardianos.KeyValue{"SystemdScript": asItIs, "LaunchdConfig": asItIs},
	})
}

// checkAccount refuses a user that is not there.
func checkAccount(name string) error {
	if name == "" || name == "root" {
		return nil
	}
	if _, err := user.Lookup(name); err != nil {
		return fmt.Errorf("there is no user %q on this machine", name)
	}
	return nil
}

// replaceFile writes a file so that it is the old or the new one at any moment. All may read it.
func replaceFile(path, text string) error {
	f, err := os.CreateTemp(filepath.Dir(path), "."+filepath.Base(path)+".*")
	if err != nil {
		return err
	}
	defer os.Remove(f.Name()) // gone where all went well
	_, err = f.WriteString(text)
	if e := f.Chmod(0o644); err == nil {
		err = e
	}
	if e := f.Sync(); err == nil {
		err = e
	}
	if e := f.Close(); err == nil {
		err = e
	}
	if err != nil {
		return err
	}
	return os.Rename(f.Name(), path)
}

// seconds rounds up: a stop must not be cut short by the rest.
func seconds(d time.Duration) string {
	if d <= 0 {
		d = 90 * time.Second // systemd's own; 0 would mean never
	}
	return fmt.Sprint(int64((d + time.Second - 1) / time.Second))
}

// values are those of a definition by key, in their order.
type values struct {
	keys []string
	of   map[string]string
}

func (v *values) set(key, value string) {
	if v.of == nil {
		v.of = map[string]string{}
	}
	if _, twice := v.of[key]; !twice {
		v.keys = append(v.keys, key)
	}
	v.of[key] = value
}

// changes says in words how two definitions differ.
func changes(old, now values, word func(key string) string) []string {
	var out []string
	for _, key := range now.keys {
		if was := old.of[key]; was != now.of[key] {
			out = append(out, fmt.Sprintf("%s: %s → %s", word(key), orNone(was), orNone(now.of[key])))
		}
	}
	for _, key := range old.keys {
		if _, ok := now.of[key]; !ok {
			out = append(out, fmt.Sprintf("%s: %s → none", word(key), old.of[key]))
		}
	}
	return out
}

func orNone(s string) string {
	if s == "" {
		return "none"
	}
	return s
}

// number is 0 for what is none.
func number(s string) int {
	n, err := strconv.Atoi(s)
	if err != nil {
		return 0
	}
	return n
}
