package samples

import (
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

var readmes = []string{"../README.md", "../README.zh-CN.md"}

// page is what a Markdown file is made of.
type page struct {
	headings []string // the #s
	blocks   []block
	rows     []int // cells of each table row
	links    []string
}

type block struct{ language, text string }

var link = regexp.MustCompile(`\]\(([^)\s]+)\)`)

func readPage(t *testing.T, path string) page {
	t.Helper()
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	var p page
	open := false
	for line := range strings.Lines(string(text)) {
		line = strings.TrimRight(line, "\r\n")
		switch {
		case strings.HasPrefix(line, "```") && open:
			open = false
		case strings.HasPrefix(line, "```"):
			open = true
			p.blocks = append(p.blocks, block{language: line[3:]})
		case open:
			p.blocks[len(p.blocks)-1].text += line + "\n"
		case strings.HasPrefix(line, "#"):
			p.headings = append(p.headings, line[:strings.IndexByte(line+" ", ' ')])
		case strings.HasPrefix(line, "|"):
			p.rows = append(p.rows, strings.Count(line, "|"))
		}
		if !open {
			for _, m := range link.FindAllStringSubmatch(line, -1) {
				p.links = append(p.links, m[1])
			}
		}
	}
	if open {
		t.Errorf("%s: the last code block is not closed", path)
	}
	return p
}

func TestReadmesAreInStep(t *testing.T) {
	one, two := readPage(t, readmes[0]), readPage(t, readmes[1])
	if len(one.headings) < 5 || len(one.blocks) < 3 {
		t.Fatalf("the README has only %d headings and %d blocks", len(one.headings), len(one.blocks))
	}
	if !slices.Equal(one.headings, two.headings) {
		t.Errorf("headings differ: %v and %v", one.headings, two.headings)
	}
	if !slices.Equal(one.rows, two.rows) {
		t.Errorf("tables differ in rows or columns: %v and %v", one.rows, two.rows)
	}
	if len(one.blocks) != len(two.blocks) {
		t.Fatalf("%d and %d code blocks", len(one.blocks), len(two.blocks))
	}
	for i := range one.blocks {
		a, b := one.blocks[i], two.blocks[i]
		if a.language != b.language || a.language != "yaml" && a.text != b.text {
			t.Errorf("code block %d differs:\n%s\n%s", i+1, a.text, b.text)
		}
	}
}

// TestSpecsInPagesAreValid loads each YAML block that is a whole spec.
func TestSpecsInPagesAreValid(t *testing.T) {
	pages, err := filepath.Glob("../docs/*.md")
	if err != nil {
		t.Fatal(err)
	}
	found := 0
	for _, path := range append(pages, readmes...) {
		for _, b := range readPage(t, path).blocks {
			if b.language != "yaml" || !strings.Contains("\n"+b.text, "\nservices:") {
				continue
			}
			found++
			file := filepath.Join(t.TempDir(), "services.yaml")
			if err := os.WriteFile(file, []byte(b.text), 0o600); err != nil {
				t.Fatal(err)
			}
			r := load([]string{file}, nil, "linux")
			if len(r.Problems) > 0 || len(r.Warnings) > 0 {
				t.Errorf("%s:\n%s\n%v\n%v", path, b.text, r.Problems, r.Warnings)
			}
		}
	}
	if found < len(readmes) {
		t.Errorf("found only %d specs in the pages", found)
	}
}

func TestLinksInPagesLeadSomewhere(t *testing.T) {
	pages, err := filepath.Glob("../docs/*.md")
	if err != nil {
		t.Fatal(err)
	}
	for _, path := range append(pages, readmes...) {
		for _, target := range readPage(t, path).links {
			target, _, _ = strings.Cut(target, "#")
			if target == "" || strings.Contains(target, "://") {
				continue
			}
			if _, err := os.Stat(filepath.Join(filepath.Dir(path), filepath.FromSlash(target))); err != nil {
				t.Errorf("%s: a link leads nowhere: %v", path, err)
			}
		}
	}
}
