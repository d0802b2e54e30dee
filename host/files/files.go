// Package files makes folders that hold what others must not touch, and paths of any length. It is a leaf.
package files

import (
	"fmt"
	"io/fs"

	"servicehost/host/human"
)

// Unfit is the error for a folder that others than the administrator and this account could have filled or
// may change.
type Unfit struct {
	Path string
	// Why says what is wrong with it, Hint what to do.
	Why, Hint string
}

func (e *Unfit) Error() string {
	return fmt.Sprintf("cannot use folder %s: %s; %s", human.Path(e.Path), e.Why, e.Hint)
}

// MakePrivateDir makes the folder, and those above it that are missing, for the administrators and the
// account of this process alone, from the first moment. One that is there already must belong to one of them:
// else it is refused with *Unfit, for somebody may have made it before us to own what we put into it.
//
// On Unix the folder gets the mode. On Windows the access list is protected, so that the folder above has no
// say, and below %ProgramData%, where every user may make folders, those above are looked at, too.
func MakePrivateDir(path string, mode fs.FileMode) error {
	return makePrivateDir(path, mode, nil)
}

// MakePrivateDirFor is MakePrivateDir for a service that will run as another account, with its name as the
// system knows it, empty for the system's own. A folder that is there is opened to that account, too.
func MakePrivateDirFor(path string, mode fs.FileMode, account string) error {
	return makePrivateDir(path, mode, &account)
}
