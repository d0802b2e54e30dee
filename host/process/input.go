package process

import (
	"errors"
	"fmt"
	"io/fs"

	"servicehost/host/human"
)

// inputError is the error of opening Request.StdinFile.
func inputError(r Request, err error) error {
	kind := ErrOther
	switch {
	case errors.Is(err, fs.ErrNotExist):
		kind = ErrNotFound
	case errors.Is(err, fs.ErrPermission):
		kind = ErrPermission
	}
	return &Error{Kind: kind, Message: fmt.Sprintf("cannot open %s as the standard input of %s: %v", human.Path(r.StdinFile), human.Path(r.Path), err)}
}
