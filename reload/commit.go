package reload

import (
	"bufio"
	"bytes"
	"compress/zlib"
	"io"
	"os"
	"path/filepath"
	"strings"
	"unicode"
	"unicode/utf8"
)

// Commit is what is checked out in a git work tree.
type Commit struct {
	Hash    string // short
	Subject string // empty where it lies in a pack
}

// Bounds of what is read, all far beyond what git writes.
const (
	maxRefFile    = 4 << 10
	maxPackedRefs = 32 << 20
	maxCommit     = 64 << 10
	maxSubject    = 100
	shortHash     = 7
	maxRefDepth   = 5
)

// ReadCommit finds the git work tree that path lies in and reports what is checked out there. It reads
// .git's files and never runs git, which a privileged host must not do in a folder of somebody else.
// No link leads it out of the repository.
func ReadCommit(path string) (Commit, bool) {
	own, common, ok := openGit(path)
	if !ok {
		return Commit{}, false
	}
	defer own.Close()
	defer common.Close()
	hash, ok := resolveRef(own, common, "HEAD")
	if !ok {
		return Commit{}, false
	}
	return Commit{Hash: hash[:shortHash], Subject: readSubject(common, hash)}, true
}

// resolveRef follows a ref to a hash.
func resolveRef(own, common *os.Root, name string) (string, bool) {
	for range maxRefDepth {
		text, err := readSmall(own, name, maxRefFile)
		if err != nil {
			text, err = readSmall(common, name, maxRefFile)
		}
		if err != nil {
			return packedRef(common, name)
		}
		hash, next, ok := parseRef(text)
		if !ok || hash != "" {
			return hash, ok
		}
		name = next
	}
	return "", false
}

// parseRef reads the content of a ref file: a hash, or the name of another ref.
func parseRef(text []byte) (hash, next string, ok bool) {
	line := strings.TrimRight(string(text), "\r\n ")
	if name, is := strings.CutPrefix(line, "ref:"); is {
		name = strings.TrimSpace(name)
		return "", name, validRef(name)
	}
	return line, "", isHash(line)
}

func validRef(name string) bool {
	return strings.HasPrefix(name, "refs/") && filepath.IsLocal(filepath.FromSlash(name)) && !strings.Contains(name, "..") &&
		!strings.ContainsFunc(name, func(c rune) bool { return c <= ' ' || c == 0x7f || strings.ContainsRune(`:\?*[~^`, c) })
}

func isHash(s string) bool {
	if len(s) != 40 && len(s) != 64 {
		return false
	}
	return !strings.ContainsFunc(s, func(c rune) bool { return (c < '0' || c > '9') && (c < 'a' || c > 'f') })
}

func packedRef(common *os.Root, name string) (string, bool) {
	fi, err := common.Stat("packed-refs")
	if err != nil || !fi.Mode().IsRegular() || fi.Size() > maxPackedRefs {
		return "", false
	}
	f, err := common.Open("packed-refs")
	if err != nil {
		return "", false
	}
	defer f.Close()
	return findPacked(io.LimitReader(f, maxPackedRefs), name)
}

func findPacked(r io.Reader, name string) (string, bool) {
	lines := bufio.NewScanner(r)
	for lines.Scan() {
		hash, ref, ok := strings.Cut(strings.TrimRight(lines.Text(), "\r"), " ")
		if ok && ref == name && isHash(hash) {
			return hash, true
		}
	}
	return "", false
}

func readSubject(common *os.Root, hash string) string {
	name := "objects/" + hash[:2] + "/" + hash[2:]
	fi, err := common.Stat(name)
	if err != nil || !fi.Mode().IsRegular() {
		return ""
	}
	f, err := common.Open(name)
	if err != nil {
		return ""
	}
	defer f.Close()
	return parseCommit(f)
}

// parseCommit reads the subject from a loose object: a compressed header, the commit's own lines, an
// empty line, the message.
func parseCommit(r io.Reader) string {
	z, err := zlib.NewReader(io.LimitReader(r, maxCommit))
	if err != nil {
		return ""
	}
	defer z.Close()
	// A message that is cut, by the bound or by damage, has its beginning all the same.
	text, _ := io.ReadAll(io.LimitReader(z, maxCommit))
	header, body, ok := bytes.Cut(text, []byte{0})
	if !ok || !bytes.HasPrefix(header, []byte("commit ")) {
		return ""
	}
	_, message, ok := bytes.Cut(body, []byte("\n\n"))
	if !ok {
		return ""
	}
	return subject(string(message))
}

// subject is the first paragraph of a message as one line fit for a terminal.
func subject(message string) string {
	first, _, _ := strings.Cut(strings.TrimLeft(strings.ReplaceAll(message, "\r\n", "\n"), "\n"), "\n\n")
	line := strings.Join(strings.Fields(strings.Map(func(c rune) rune {
		switch {
		case unicode.IsSpace(c):
			return ' '
		case c == utf8.RuneError || !unicode.IsPrint(c):
			return -1
		}
		return c
	}, first)), " ")
	if r := []rune(line); len(r) > maxSubject {
		line = string(r[:maxSubject-1]) + "…"
	}
	return line
}
