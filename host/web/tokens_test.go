package web

import (
	"os"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"servicehost/host/journal"
	"servicehost/spec"
)

func TestTokenOnADiskThatHangsIsWaitedForShortly(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		hang := make(chan struct{})
		tok := newTokens(func(string, ...any) {})
		tok.file = func(path string) (string, string, error) {
			if path == "hangs" {
				<-hang
			}
			return "text of " + path, "", nil
		}
		good := spec.HTTPToken{Name: "good", File: "good"}
		tok.apply([]spec.HTTPToken{good})
		if _, ok := tok.find(hashOf("text of good")); !ok {
			t.Error("a good token lets nobody in")
		}
		began := time.Now()
		tok.apply([]spec.HTTPToken{good, {Name: "other", File: "hangs"}})
		if d := time.Since(began); d > 0 {
			t.Errorf("a reload was held up for %s", d)
		}
		if _, ok := tok.find(hashOf("text of good")); !ok || time.Since(began) > lookWait {
			t.Errorf("what was known does not count, or was waited for: %s", time.Since(began))
		}
		if _, ok := tok.find(hashOf("text of hangs")); ok {
			t.Error("a file that was not read is a token")
		}
		close(hang)
		if _, ok := tok.find(hashOf("text of hangs")); !ok {
			t.Error("the disk is back, and the token lets nobody in")
		}
	})
}

func TestTokenFilesAreLookedAt(t *testing.T) {
	r := newRig(t)
	tests := []struct {
		name, content string
		good          bool
		words         string
	}{
		{"fair", readToken1, true, ""},
		{"line", readToken1 + "\r\n", true, ""},
		{"marked", "\xEF\xBB\xBF" + readToken1, true, ""},
		{"utf16", "\xFF\xFEr\x00e\x00a\x00d\x00-\x000\x001\x002\x003\x004\x005\x006\x007\x008\x009\x00a\x00b\x00c\x00d\x00e\x00f\x000\x001\x002\x003\x004\x005\x006\x007\x008\x009\x00", true, ""},
		{"empty", "\n", false, "empty"},
		{"blank", " \n", false, "empty"},
		{"short", "1234567890", true, "can be guessed"},
		{"long", strings.Repeat("x", maxToken+1), false, "more than"},
		{"binary", "\xff\x00\x01\x02", false, "UTF-8"},
		{"gone", "", false, "cannot read"},
	}
	for _, tt := range tests {
		path := r.file(tt.name, tt.content)
		if tt.name == "gone" {
			if err := os.Remove(path); err != nil {
				t.Fatal(err)
			}
		}
		text, warning, err := readToken(path)
		if err != nil {
			warning = err.Error()
		}
		if (err == nil) != tt.good || !strings.Contains(warning, tt.words) || tt.words == "" && (warning != "" || text != readToken1) {
			t.Errorf("%s: %q, %q, %v", tt.name, text, warning, err)
		}
		if err != nil && tt.content != "" && strings.Contains(warning, tt.content) {
			t.Errorf("%s: the token is told: %s", tt.name, warning)
		}
	}
	r.s.Apply(spec.HTTP{Tokens: []spec.HTTPToken{{Name: "ops", Role: spec.RoleAct, File: r.dir + "/gone"}}})
	if why := r.event(journal.Warning); !strings.Contains(why, `token "ops": it lets nobody in`) {
		t.Errorf("told: %s", why)
	}
	path := r.file("vanishes", readToken1)
	r.s.Apply(spec.HTTP{Tokens: []spec.HTTPToken{{Name: "ops", Role: spec.RoleAct, File: path}}})
	if _, ok := r.s.tokens.find(hashOf(readToken1)); !ok {
		t.Error("a good token lets nobody in")
	}
	if err := os.Remove(path); err != nil {
		t.Fatal(err)
	}
	eventually(t, "a file that is gone to let nobody in", func() bool {
		_, ok := r.s.tokens.find(hashOf(readToken1))
		return !ok
	})
}
