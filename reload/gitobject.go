package reload

import (
	"bytes"
	"compress/zlib"
	"io"
	"os"
	"strconv"
)

// object is one thing that git keeps under the hash of its content.
type object struct {
	kind objectKind
	data []byte
}

// objectKind is what an object is, with the numbers of a pack:
// https://git-scm.com/docs/gitformat-pack
type objectKind byte

const (
	kindCommit objectKind = 1
	kindTree   objectKind = 2
	kindBlob   objectKind = 3
)

var looseKinds = map[string]objectKind{"commit": kindCommit, "tree": kindTree, "blob": kindBlob}

// maxObject bounds commits, trees and what deltas are made of: a folder of 20,000 files fits.
const maxObject = 1 << 20

// readObject reads an object, a file of its own or in a pack. What other repositories keep for this one
// (objects/info/alternates) is not looked at.
func readObject(common *os.Root, hash string) (object, bool) {
	f, err := openRegular(common, "objects/"+hash[:2]+"/"+hash[2:])
	if err != nil {
		return packedObject(common, hash)
	}
	defer f.Close()
	return parseLoose(f)
}

func openRegular(root *os.Root, name string) (*os.File, error) {
	fi, err := root.Stat(name) // before it is opened: a pipe would hold us up
	if err != nil {
		return nil, err
	}
	if !fi.Mode().IsRegular() {
		return nil, os.ErrInvalid
	}
	return root.Open(name)
}

// parseLoose reads an object that is a file of its own: compressed, a header that says kind and size, a NUL,
// the content. A content that is cut by the bound has its beginning all the same.
func parseLoose(r io.Reader) (object, bool) {
	data, err := inflate(r, maxObject)
	if len(data) == 0 && err != nil {
		return object{}, false
	}
	header, data, ok := bytes.Cut(data, []byte{0})
	if !ok {
		return object{}, false
	}
	kind, size, _ := bytes.Cut(header, []byte(" "))
	if n, err := strconv.ParseInt(string(size), 10, 64); err != nil || n < 0 {
		return object{}, false
	}
	o := object{looseKinds[string(kind)], data}
	return o, o.kind != 0
}

// inflate reads at most most bytes of what was compressed, and what it could before an error.
func inflate(r io.Reader, most int64) ([]byte, error) {
	z, err := zlib.NewReader(r)
	if err != nil {
		return nil, err
	}
	defer z.Close()
	return io.ReadAll(io.LimitReader(z, most))
}
