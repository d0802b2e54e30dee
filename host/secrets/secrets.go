// Package secrets finds secrets where a spec says they are: in a file, a variable, the output of a program,
// a file protected by Windows, its Credential Manager. It keeps none of them and logs nothing.
package secrets

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"time"
	"unicode/utf16"
	"unicode/utf8"

	"servicehost/host/human"
)

// The places where a secret can be; Source.From is one of them.
const (
	FromFile       = "file"
	FromEnv        = "env"
	FromExec       = "exec"
	FromDPAPI      = "dpapi"
	FromCredential = "credential"
)

// Source says where a secret is. Name is the path, the variable or the credential; Exec is the argv.
type Source struct {
	From string
	Name string
	Exec []string
}

const (
	// MaxSize bounds a secret; one that is longer is a mistake.
	MaxSize = 64 << 10
	// execTimeout bounds the program that prints a secret.
	execTimeout = 10 * time.Second
)

// Resolver finds secrets. Its zero value can do everything but run programs.
type Resolver struct {
	// Run runs a program until it has ended, at most as long as ctx, and returns its standard output: an error if
	// that is longer than limit or the program fails. Nil: exec is refused. It is not ours to start programs
	// here: a host that reaps every descendant would take their ends away from us.
	Run func(ctx context.Context, argv []string, limit int) ([]byte, error)
}

// Resolve finds one secret. Errors name the place and never what was there.
func (r Resolver) Resolve(ctx context.Context, s Source) (string, error) {
	found, err := r.find(ctx, s)
	if err != nil {
		return "", err
	}
	defer clear(found)
	text, err := Text(found)
	if err != nil {
		return "", fmt.Errorf("%s: %w", s, err)
	}
	return text, nil
}

// String names the place.
func (s Source) String() string {
	switch s.From {
	case FromFile, FromDPAPI:
		return "secret file " + human.Path(s.Name)
	case FromEnv:
		return fmt.Sprintf("variable %q", s.Name)
	case FromCredential:
		return fmt.Sprintf("credential %q", s.Name)
	case FromExec:
		if len(s.Exec) > 0 {
			return "program " + human.Path(s.Exec[0]) // its arguments may be secrets
		}
	}
	return fmt.Sprintf("secret from %q", s.From)
}

func (r Resolver) find(ctx context.Context, s Source) ([]byte, error) {
	switch s.From {
	case FromFile:
		return readFile(s)
	case FromEnv:
		v, ok := os.LookupEnv(s.Name)
		if !ok {
			return nil, fmt.Errorf("%s is not set in the environment of the host", s)
		}
		return []byte(v), nil
	case FromExec:
		return r.run(ctx, s)
	case FromDPAPI:
		protected, err := readFile(s)
		if err != nil {
			return nil, err
		}
		return unprotect(s, protected)
	case FromCredential:
		return readCredential(s)
	}
	return nil, fmt.Errorf("there are no secrets from %q", s.From)
}

func (r Resolver) run(ctx context.Context, s Source) ([]byte, error) {
	if r.Run == nil || len(s.Exec) == 0 {
		return nil, fmt.Errorf("%s: programs can't be run for a secret here", s)
	}
	ctx, cancel := context.WithTimeout(ctx, execTimeout)
	defer cancel()
	out, err := r.Run(ctx, s.Exec, MaxSize)
	if err != nil {
		clear(out)
		if errors.Is(err, context.DeadlineExceeded) {
			return nil, fmt.Errorf("%s did not end within %s", s, human.Duration(execTimeout))
		}
		return nil, fmt.Errorf("%s: %w", s, err)
	}
	return out, nil
}

// readFile reads a file that nobody else may read.
func readFile(s Source) ([]byte, error) {
	f, err := openFile(s.Name)
	if err != nil {
		return nil, fmt.Errorf("cannot read %s: %w", s, cause(err))
	}
	defer f.Close()
	st, err := f.Stat()
	switch {
	case err != nil:
		return nil, fmt.Errorf("cannot read %s: %w", s, cause(err))
	case !st.Mode().IsRegular():
		return nil, fmt.Errorf("%s is no file", s)
	case st.Size() > MaxSize:
		return nil, fmt.Errorf("%s has more than %d KiB", s, MaxSize>>10)
	}
	if err := checkMode(s, st); err != nil {
		return nil, err
	}
	b, err := io.ReadAll(io.LimitReader(f, MaxSize+1))
	if err != nil {
		clear(b)
		return nil, fmt.Errorf("cannot read %s: %w", s, cause(err))
	}
	if len(b) > MaxSize {
		clear(b)
		return nil, fmt.Errorf("%s has more than %d KiB", s, MaxSize>>10)
	}
	return b, nil
}

// cause is an error without the path, which is named already.
func cause(err error) error {
	if e, ok := errors.AsType[*os.PathError](err); ok {
		return e.Err
	}
	return err
}

// Text makes text of what a file or a pipe held. Editors and shells of Windows mark what they write and make
// UTF-16 of it; one line break at the end is not part of a secret.
func Text(b []byte) (string, error) {
	var text string
	switch {
	case bytes.HasPrefix(b, []byte{0xFF, 0xFE}), bytes.HasPrefix(b, []byte{0xFE, 0xFF}):
		order := binary.ByteOrder(binary.LittleEndian)
		if b[0] == 0xFE {
			order = binary.BigEndian
		}
		text = fromUTF16(b[2:], order)
	default:
		b = bytes.TrimPrefix(b, []byte{0xEF, 0xBB, 0xBF})
		if !utf8.Valid(b) {
			return "", errors.New("it is not UTF-8 text")
		}
		text = string(b)
	}
	text = strings.TrimSuffix(text, "\n")
	text = strings.TrimSuffix(text, "\r")
	switch {
	case text == "":
		return "", errors.New("it is empty")
	case strings.ContainsRune(text, 0):
		return "", errors.New("it holds a zero byte")
	}
	return text, nil
}

func fromUTF16(b []byte, order binary.ByteOrder) string {
	units := make([]uint16, len(b)/2)
	defer clear(units)
	for n := range units {
		units[n] = order.Uint16(b[2*n:])
	}
	return string(utf16.Decode(units))
}
