package logs

import (
	"errors"
	"os"

	"golang.org/x/sys/windows"
)

// cutShort makes an open log end at size. A handle that only appends has no right to that, so there is another
// one for a moment, if the name still stands for the same file.
// https://learn.microsoft.com/windows/win32/api/fileapi/nf-fileapi-setendoffile
func cutShort(f *os.File, size int64) error {
	own, err := fileInfoOf(f)
	if err != nil {
		return err
	}
	w, err := openPlain(f.Name(), windows.FILE_WRITE_DATA|windows.FILE_READ_ATTRIBUTES|windows.SYNCHRONIZE, windows.OPEN_EXISTING)
	if err != nil {
		return err
	}
	defer w.Close()
	if info, err := fileInfoOf(w); err != nil || info.id != own.id {
		return errors.Join(errors.New("it was renamed"), err)
	}
	return w.Truncate(size)
}
