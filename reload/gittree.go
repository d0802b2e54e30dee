package reload

import (
	"bytes"
	"crypto/sha1"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"hash"
	"path/filepath"
	"strings"
)

// IsCommitted reports whether content, that of the file path, is what the checked out commit of its work
// tree has there. known is false where that can't be told: no work tree, a link, a damaged repository.
func IsCommitted(path string, content []byte) (same, known bool) {
	g, ok := openGit(path)
	if !ok {
		return false, false
	}
	defer g.close()
	abs, err := filepath.Abs(path)
	if err != nil {
		return false, false
	}
	rel, err := filepath.Rel(g.dir, abs)
	if err != nil || !filepath.IsLocal(rel) {
		return false, false
	}
	head, ok := resolveRef(g.own, g.common, "HEAD")
	if !ok {
		return false, false
	}
	o, ok := readObject(g.common, head)
	if !ok || o.kind != kindCommit {
		return false, false
	}
	_, _, at := parseCommit(o.data)
	names := strings.Split(filepath.ToSlash(rel), "/")
	for n, name := range names {
		if at == "" {
			return false, false
		}
		o, ok := readObject(g.common, at)
		if !ok || o.kind != kindTree {
			return false, false
		}
		mode, next, found := treeEntry(o.data, name, len(head)/2)
		switch isFile := strings.HasPrefix(mode, "100"); {
		case !found:
			return false, len(o.data) < maxObject // new here, unless the rest of the folder was not read
		case isFile != (n == len(names)-1):
			return false, false
		}
		at = next
	}
	return isBlob(at, content) || isBlob(at, bytes.ReplaceAll(content, []byte("\r\n"), []byte("\n"))), true
}

// treeEntry finds a name in a tree: mode, blank, name, NUL, hash, and the next. A name in other case is taken
// where none fits: on Windows somebody may write it so.
func treeEntry(tree []byte, name string, width int) (mode, hash string, found bool) {
	for len(tree) > 0 {
		head, rest, ok := bytes.Cut(tree, []byte{0})
		if !ok || len(rest) < width {
			break
		}
		if m, entry, found := strings.Cut(string(head), " "); found && strings.EqualFold(entry, name) {
			mode, hash = m, hex.EncodeToString(rest[:width])
			if entry == name {
				break
			}
		}
		tree = rest[width:]
	}
	return mode, hash, hash != ""
}

// isBlob reports whether a file with this content has this hash in git.
func isBlob(want string, content []byte) bool {
	var h hash.Hash = sha1.New() // not for security: the repository says which it uses
	if len(want) == 2*sha256.Size {
		h = sha256.New()
	}
	fmt.Fprintf(h, "blob %d\x00", len(content))
	h.Write(content)
	return hex.EncodeToString(h.Sum(nil)) == want
}
