package reload

import (
	"bufio"
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
	Subject string // empty where the commit can't be read
	Author  string // the name alone
}

// Bounds of what is read, all far beyond what git writes.
const (
	maxRefFile    = 4 << 10
	maxPackedRefs = 32 << 20
	maxSubject    = 100
	shortHash     = 7
	maxRefDepth   = 5
)

// ReadCommit finds the git work tree that path lies in and reports what is checked out there. It reads
// .git's files and never runs git, which a privileged host must not do in a folder of somebody else.
// No link leads it out of the repository.
func ReadCommit(path string) (Commit, bool) {
	g, ok := openGit(path)
	if !ok {
		return Commit{}, false
	}
	defer g.close()
	hash, ok := resolveRef(g.own, g.common, "HEAD")
	if !ok {
		return Commit{}, false
	}
	c := Commit{Hash: hash[:shortHash]}
	if o, ok := readObject(g.common, hash); ok && o.kind == kindCommit {
		c.Author, c.Subject, _ = parseCommit(o.data)
	}
	return c, true
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

// parseCommit reads the author's name, the subject and the tree from a commit: its own lines, an empty line,
// the message.
func parseCommit(data []byte) (author, title, tree string) {
	head, message, _ := strings.Cut(string(data), "\n\n")
	for line := range strings.Lines(head) {
		line = strings.TrimSuffix(line, "\n")
		if name, ok := strings.CutPrefix(line, "author "); ok && author == "" {
			name, _, _ = strings.Cut(name, "<") // a name has none
			author = plainLine(name)
		}
		if hash, ok := strings.CutPrefix(line, "tree "); ok && tree == "" && isHash(hash) {
			tree = hash
		}
	}
	return author, subject(message), tree
}

// subject is the first paragraph of a message as one line fit for a terminal.
func subject(message string) string {
	first, _, _ := strings.Cut(strings.TrimLeft(strings.ReplaceAll(message, "\r\n", "\n"), "\n"), "\n\n")
	return plainLine(first)
}

// plainLine is a text as one line fit for a terminal.
func plainLine(text string) string {
	if len(text) > 8*maxSubject {
		text = text[:8*maxSubject]
	}
	line := strings.Join(strings.Fields(strings.Map(func(c rune) rune {
		switch {
		case unicode.IsSpace(c):
			return ' '
		case c == utf8.RuneError || !unicode.IsPrint(c):
			return -1
		}
		return c
	}, text)), " ")
	if r := []rune(line); len(r) > maxSubject {
		line = string(r[:maxSubject-1]) + "…"
	}
	return line
}
