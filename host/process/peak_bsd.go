//go:build freebsd || netbsd || openbsd || dragonfly

package process

// maxrssUnit is that of ru_maxrss, which the BSDs count in KiB.
const maxrssUnit = 1024
