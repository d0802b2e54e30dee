// Package image is about the executable of this process as it lies in memory. It is a leaf.
package image

// GiveBack takes the pages of the own executable out of the memory of this process, those of its code and of its
// constants, and returns how many bytes of addresses that concerns. They stay where the system keeps what it read of
// files: what is needed again is there at the first touch, about a microsecond for each 64 KiB, and what was for the
// start alone counts for nobody, and is what the system takes first when it needs memory. An executable on a file
// server keeps its pages: one that is away must not end who runs from it. Where a system has no such thing, or does not
// tell what may be given back, it does nothing and returns 0.
func GiveBack() int64 { return giveBack() }

// Resident returns how many bytes of files are in the memory of this process, most of them the executable; 0 where a
// system does not tell.
func Resident() int64 { return resident() }
