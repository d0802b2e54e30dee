package logs

import "golang.org/x/sys/windows"

const (
	errDiskFull = windows.ERROR_DISK_FULL
	diskSeeds   = 20 // files are slow under Wine
)
