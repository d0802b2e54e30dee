package reload

import (
	"os/user"
	"path/filepath"
	"strings"
	"testing"
)

func TestOwnerIsWhoWroteTheFile(t *testing.T) {
	path := filepath.Join(t.TempDir(), "services.yaml")
	write(t, path, "x")
	me, err := user.Current()
	if err != nil {
		t.Skip(err)
	}
	got := Owner(path)
	// On Windows what an administrator writes may belong to the group of administrators.
	if !strings.EqualFold(got, me.Username) && !strings.HasSuffix(got, `\Administrators`) {
		t.Errorf("%q, want %q", got, me.Username)
	}
	if got := Owner(path + ".gone"); got != "" {
		t.Errorf("%q of no file", got)
	}
}
