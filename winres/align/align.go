package main

import (
	"encoding/binary"
	"errors"
	"slices"
)

const page = 4096

// Where in the headers things are: https://learn.microsoft.com/windows/win32/debug/pe-format
const (
	headerAt = 0x3c // in the file: where its header begins

	sectionsIn = 6  // in the header: how many sections there are
	symbolsAt  = 12 // where in the file the symbols are, those of the section that the linker makes of them
	optionalIn = 20 // how long the optional header is, which comes at the end of this one
	optionalAt = 24

	magic64         = 0x20b
	alignmentAt     = 36 // in the optional header: of the file
	headersSizeAt   = 60
	directoryCount  = 108
	certificateAt   = 112 + 4*8 // the one directory that is a place in the file
	debugAt         = 112 + 6*8 // its entries have places in the file
	optionalMinimum = 112

	sectionSize = 40 // of each header of a section
	rawSize     = 16
	rawAt       = 20
)

var (
	errFormat = errors.New("it is no 64-bit program for Windows")
	errBroken = errors.New("its headers point outside of the file")
	errSigned = errors.New("it is signed, and would be so no more; sign it afterwards")
	errDebug  = errors.New("it has a debug directory, as programs of other linkers have")
	errBehind = errors.New("there is something behind its last section, which would be lost")
)

// align returns the program with each section at a multiple of the page size in the file. Nothing changes
// in memory. A program that is laid out so already is returned as it is.
func align(exe []byte) ([]byte, error) {
	le := binary.LittleEndian
	if len(exe) < headerAt+4 || string(exe[:2]) != "MZ" {
		return nil, errFormat
	}
	size := uint64(len(exe))
	header := uint64(le.Uint32(exe[headerAt:]))
	if header+optionalAt+optionalMinimum > size || string(exe[header:header+4]) != "PE\x00\x00" {
		return nil, errFormat
	}
	optional := header + optionalAt
	if le.Uint16(exe[optional:]) != magic64 {
		return nil, errFormat
	}
	count := uint64(le.Uint16(exe[header+sectionsIn:]))
	sections := optional + uint64(le.Uint16(exe[header+optionalIn:]))
	headers := uint64(le.Uint32(exe[optional+headersSizeAt:]))
	directories := uint64(le.Uint32(exe[optional+directoryCount:]))
	if sections+count*sectionSize > headers || headers > size || optional+optionalMinimum+directories*8 > sections {
		return nil, errBroken
	}
	if directories > 4 && le.Uint32(exe[optional+certificateAt:]) != 0 {
		return nil, errSigned
	}
	if directories > 6 && le.Uint32(exe[optional+debugAt:]) != 0 {
		return nil, errDebug
	}
	if le.Uint32(exe[optional+alignmentAt:]) == page {
		return exe, nil
	}

	out := padded(slices.Clone(exe[:headers]))
	le.PutUint32(out[optional+alignmentAt:], page)
	le.PutUint32(out[optional+headersSizeAt:], uint32(len(out)))
	symbols := uint64(le.Uint32(exe[header+symbolsAt:]))
	end := headers
	for i := range count {
		section := sections + i*sectionSize
		length, from := uint64(le.Uint32(exe[section+rawSize:])), uint64(le.Uint32(exe[section+rawAt:]))
		if length == 0 {
			continue
		}
		if from+length > size {
			return nil, errBroken
		}
		to := uint64(len(out))
		if from <= symbols && symbols < from+length {
			le.PutUint32(out[header+symbolsAt:], uint32(symbols-from+to))
		}
		out = padded(append(out, exe[from:from+length]...))
		le.PutUint32(out[section+rawAt:], uint32(to))
		le.PutUint32(out[section+rawSize:], uint32(uint64(len(out))-to))
		end = max(end, from+length)
	}
	if end < size {
		return nil, errBehind
	}
	return out, nil
}

// padded appends zeros up to the next page.
func padded(b []byte) []byte { return append(b, make([]byte, -len(b)&(page-1))...) }
