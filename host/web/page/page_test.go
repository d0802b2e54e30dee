package page

import (
	"io/fs"
	"path"
	"regexp"
	"strings"
	"testing"
)

func content(t *testing.T, name string) string {
	t.Helper()
	b, err := Files.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

// ours calls check with each file of an extension that is not somebody else's.
func ours(t *testing.T, ext string, check func(name, text string)) {
	t.Helper()
	n := 0
	err := fs.WalkDir(Files, ".", func(name string, d fs.DirEntry, err error) error {
		if err == nil && !d.IsDir() && path.Ext(name) == ext && !strings.HasPrefix(name, "vendor/") {
			n++
			check(name, content(t, name))
		}
		return err
	})
	if err != nil || n == 0 {
		t.Fatalf("looked at %d files, %v", n, err)
	}
}

func TestIndexAsksForFilesThatAreThere(t *testing.T) {
	found := regexp.MustCompile(`(?:src|href)="([^"]+)"`).FindAllStringSubmatch(content(t, "index.html"), -1)
	if len(found) < 6 {
		t.Fatalf("index.html asks for %d files only", len(found))
	}
	for _, m := range found {
		name, ok := strings.CutPrefix(m[1], "/assets/")
		if !ok {
			t.Errorf("index.html asks for %s, which is not below /assets/", m[1])
			continue
		}
		content(t, name)
	}
}

func TestIndexHoldsNoScriptAndNoStyle(t *testing.T) {
	html := content(t, "index.html")
	for _, bad := range []string{`<script>`, `<style`, ` style=`, `javascript:`, `http://`, `https://`} {
		if strings.Contains(html, bad) {
			t.Errorf("index.html has %q", bad)
		}
	}
	if m := regexp.MustCompile(`\son[a-z]+\s*=`).FindString(html); m != "" {
		t.Errorf("index.html has a listener in an attribute: %q", m)
	}
	if m := regexp.MustCompile(`(?s)<script[^>]*>[^<]+</script>`).FindString(html); m != "" {
		t.Errorf("index.html has a script in it: %q", m)
	}
}

// What a policy of default-src 'self' refuses, or what would make markup of what a service wrote.
func TestScriptsMakeNoMarkupAndNoCode(t *testing.T) {
	bad := regexp.MustCompile(`innerHTML|outerHTML|insertAdjacentHTML|document\.write|DOMParser|createContextualFragment|srcdoc|\beval\(|new Function|setAttribute\("style"|\bstyle: "|https?://[a-z]`)
	allowed := "http://www.w3.org/2000/svg" // a name, nothing is fetched
	ours(t, ".js", func(name, text string) {
		for line := range strings.Lines(strings.ReplaceAll(text, allowed, "")) {
			if m := bad.FindString(line); m != "" {
				t.Errorf("%s has %q: %s", name, m, strings.TrimSpace(line))
			}
		}
	})
	ours(t, ".css", func(name, text string) {
		if m := regexp.MustCompile(`url\(|@import|expression\(`).FindString(text); m != "" {
			t.Errorf("%s has %q", name, m)
		}
	})
}

func TestModulesImportWhatIsThere(t *testing.T) {
	from := regexp.MustCompile(`(?s)import (?:\{([^}]*)\} from )?"([^"]+)"`)
	ours(t, ".js", func(name, text string) {
		for _, m := range from.FindAllStringSubmatch(text, -1) {
			other := content(t, path.Join(path.Dir(name), m[2]))
			for one := range strings.SplitSeq(m[1], ",") {
				one = strings.TrimSpace(one)
				if one == "" {
					continue
				}
				if !regexp.MustCompile(`export (?:async )?(?:const|let|function|class) ` + one + `\b`).MatchString(other) {
					t.Errorf("%s imports %s, which %s does not export", name, one, m[2])
				}
				if strings.Count(text, one) < 2 {
					t.Errorf("%s imports %s and does not use it", name, one)
				}
			}
		}
	})
}

func TestFilesStaySmall(t *testing.T) {
	ours(t, ".js", func(name, text string) {
		if n := strings.Count(text, "\n"); n > 200 && name != "js/words.js" {
			t.Errorf("%s has %d lines", name, n)
		}
	})
}

func TestVendoredFilesHaveVersionAndLicence(t *testing.T) {
	if text := content(t, "vendor/uPlot.LICENSE"); !strings.Contains(text, "The MIT License") {
		t.Error("the licence of uPlot is not the one that README.md names")
	}
	version := regexp.MustCompile(`\| (\d+\.\d+\.\d+) \| MIT`).FindStringSubmatch(content(t, "vendor/README.md"))
	if version == nil {
		t.Fatal("vendor/README.md names no version")
	}
	if !strings.Contains(content(t, "vendor/uPlot.iife.min.js"), "(v"+version[1]+")") {
		t.Errorf("vendor/uPlot.iife.min.js is not version %s", version[1])
	}
	entries, err := Files.ReadDir("vendor")
	if err != nil {
		t.Fatal(err)
	}
	readme := content(t, "vendor/README.md")
	for _, e := range entries {
		if e.Name() != "README.md" && !strings.Contains(readme, "`"+e.Name()+"`") {
			t.Errorf("vendor/README.md does not name %s", e.Name())
		}
	}
}
