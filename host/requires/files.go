package requires

import (
	"errors"
	"fmt"
	"io/fs"
	"os"

	"servicehost/host/human"
)

// file looks whether a file can be read by the user of the service.
func file(path string, env Env) *Unmet {
	st, err := os.Stat(path)
	if u := missing("file", path, err); u != nil {
		return u
	}
	if st.IsDir() {
		return &Unmet{Message: fmt.Sprintf("file %s is a folder", human.Path(path))}
	}
	if err := allowed(path, st, env, toRead); err != nil {
		return &Unmet{Message: fmt.Sprintf("file %s can't be read%s: %v", human.Path(path), forWhom(env), err)}
	}
	return nil
}

// folder looks whether files can be made in a folder. It makes none.
func folder(path string, env Env) *Unmet {
	st, err := os.Stat(path)
	if u := missing("folder", path, err); u != nil {
		return u
	}
	if !st.IsDir() {
		return &Unmet{Message: fmt.Sprintf("folder %s is a file", human.Path(path))}
	}
	if err := allowed(path, st, env, toFill); err != nil {
		return &Unmet{Message: fmt.Sprintf("folder %s is not writable%s: %v", human.Path(path), forWhom(env), err)}
	}
	return nil
}

func missing(what, path string, err error) *Unmet {
	switch {
	case err == nil:
		return nil
	case errors.Is(err, fs.ErrNotExist):
		return &Unmet{Message: fmt.Sprintf("%s %s is not there", what, human.Path(path))}
	}
	if e, ok := errors.AsType[*fs.PathError](err); ok {
		err = e.Err
	}
	return &Unmet{Message: fmt.Sprintf("%s %s can't be looked at: %v", what, human.Path(path), err)}
}

func forWhom(env Env) string {
	if env.User == "" {
		return ""
	}
	return " for user " + human.Path(env.User)
}

// purpose is what a file or folder is wanted for.
type purpose int

const (
	toRead purpose = iota
	toFill         // to make files in
)

// Readable reports whether the user of env may read a file, and why not.
func Readable(path string, env Env) error { return may(path, env, toRead) }

// Fillable reports whether the user of env may make files in a folder, and why not.
func Fillable(path string, env Env) error { return may(path, env, toFill) }

func may(path string, env Env, p purpose) error {
	st, err := os.Stat(path)
	if err != nil {
		return err
	}
	return allowed(path, st, env, p)
}
