package secrets

import (
	"errors"
	"io/fs"
	"os"
	"runtime"
	"unsafe"

	"golang.org/x/sys/windows"
)

func openFile(path string) (*os.File, error) { return os.Open(path) }

// checkMode: who may read the file is said by its list of rights, which the audit of the host looks at.
func checkMode(Source, fs.FileInfo) error { return nil }

// newFileRights: the system, the administrators and the owner, nobody else, and nothing from the folder.
const newFileRights = "D:P(A;;FA;;;SY)(A;;FA;;;BA)(A;;FA;;;OW)"

// WriteNew writes a file that is not there yet and that only the system, the administrators and its owner may
// read. It has these rights from the moment it is there.
func WriteNew(path string, content []byte) error {
	name, err := windows.UTF16PtrFromString(path)
	if err != nil {
		return &os.PathError{Op: "create", Path: path, Err: err}
	}
	sd, err := windows.SecurityDescriptorFromString(newFileRights)
	if err != nil {
		return err
	}
	sa := &windows.SecurityAttributes{SecurityDescriptor: sd}
	sa.Length = uint32(unsafe.Sizeof(*sa))
	h, err := windows.CreateFile(name, windows.GENERIC_WRITE, 0, sa, windows.CREATE_NEW, windows.FILE_ATTRIBUTE_NORMAL, 0)
	runtime.KeepAlive(sd)
	if errors.Is(err, windows.ERROR_FILE_EXISTS) {
		err = fs.ErrExist
	}
	if err != nil {
		return &os.PathError{Op: "create", Path: path, Err: err}
	}
	return finish(os.NewFile(uintptr(h), path), content)
}
