package logs

import (
	"errors"
	"io/fs"
	"os"
	"time"
	"unsafe"

	"golang.org/x/sys/windows"

	"servicehost/host/files"
)

// Everybody may read, rename and delete a log while it is open here: os.OpenFile would not share deletion.
const shareAll = windows.FILE_SHARE_READ | windows.FILE_SHARE_WRITE | windows.FILE_SHARE_DELETE

// openAppend opens or creates path for appending: with FILE_APPEND_DATA and without FILE_WRITE_DATA
// each write goes to the end, wherever that is.
func openAppend(path string) (*os.File, error) {
	return openPlain(path, windows.FILE_APPEND_DATA|windows.FILE_READ_DATA|windows.FILE_READ_ATTRIBUTES|windows.SYNCHRONIZE, windows.OPEN_ALWAYS)
}

// openRead opens a log for reading, not through a link.
func openRead(path string) (*os.File, error) {
	return openPlain(path, windows.GENERIC_READ, windows.OPEN_EXISTING)
}

func openPlain(path string, access, disposition uint32) (*os.File, error) {
	h, err := createFile(path, access, disposition)
	if err != nil {
		return nil, err
	}
	f := os.NewFile(uintptr(h), path)
	if kind, err := windows.GetFileType(h); err != nil || kind != windows.FILE_TYPE_DISK {
		f.Close()
		return nil, &fs.PathError{Op: "open", Path: path, Err: errors.New("not a regular file")}
	}
	return checkRegular(f)
}

// createFile never goes through a reparse point in the last component: it opens that itself.
func createFile(path string, access, disposition uint32) (windows.Handle, error) {
	name, err := windows.UTF16PtrFromString(files.Long(path))
	if err != nil {
		return 0, &fs.PathError{Op: "open", Path: path, Err: err}
	}
	h, err := windows.CreateFile(name, access, shareAll, nil, disposition,
		windows.FILE_ATTRIBUTE_NORMAL|windows.FILE_FLAG_OPEN_REPARSE_POINT, 0)
	if err != nil {
		return 0, &fs.PathError{Op: "open", Path: path, Err: err}
	}
	return h, nil
}

func fileInfoOf(f *os.File) (fileInfo, error) { return handleInfo(windows.Handle(f.Fd()), f.Name()) }

// pathInfo looks at what lies at path, not through a link.
func pathInfo(path string) (fileInfo, error) {
	h, err := createFile(path, windows.FILE_READ_ATTRIBUTES, windows.OPEN_EXISTING)
	if err != nil {
		return fileInfo{}, err
	}
	defer windows.CloseHandle(h)
	return handleInfo(h, path)
}

// standardInfo is FILE_STANDARD_INFO.
type standardInfo struct {
	allocationSize, endOfFile int64
	numberOfLinks             uint32
	deletePending, directory  bool
}

func handleInfo(h windows.Handle, path string) (fileInfo, error) {
	var by windows.ByHandleFileInformation
	if err := windows.GetFileInformationByHandle(h, &by); err != nil {
		return fileInfo{}, &fs.PathError{Op: "stat", Path: path, Err: err}
	}
	info := fileInfo{
		id:      fileID{volume: uint64(by.VolumeSerialNumber), index: uint64(by.FileIndexHigh)<<32 | uint64(by.FileIndexLow)},
		size:    int64(by.FileSizeHigh)<<32 | int64(by.FileSizeLow),
		modTime: time.Unix(0, by.LastWriteTime.Nanoseconds()),
		links:   int(by.NumberOfLinks),
		regular: by.FileAttributes&windows.FILE_ATTRIBUTE_DIRECTORY == 0,
	}
	if by.FileAttributes&windows.FILE_ATTRIBUTE_REPARSE_POINT != 0 {
		return fileInfo{}, &fs.PathError{Op: "open", Path: path, Err: errLink}
	}
	// A deleted file keeps its name until the last handle is closed; only its own handle tells.
	var std standardInfo
	if windows.GetFileInformationByHandleEx(h, windows.FileStandardInfo, (*byte)(unsafe.Pointer(&std)), uint32(unsafe.Sizeof(std))) == nil {
		info.gone = std.deletePending || std.numberOfLinks == 0
	}
	return info, nil
}

// isFull reports whether err is cured by room alone, so that the open file can stay.
func isFull(err error) bool {
	return errors.Is(err, windows.ERROR_DISK_FULL) || errors.Is(err, windows.ERROR_HANDLE_DISK_FULL)
}

// isLocked reports whether err passes when another program closes the file. One that is being deleted can't be
// opened until its last handle is closed: access is denied so long.
func isLocked(err error) bool {
	return errors.Is(err, windows.ERROR_SHARING_VIOLATION) || errors.Is(err, windows.ERROR_LOCK_VIOLATION) || errors.Is(err, windows.ERROR_ACCESS_DENIED)
}
