package cli

import (
	"encoding/json"
	"errors"
	"strings"
	"testing"
	"time"

	"servicehost/host/control"
)

func TestDashboardOpensOrPrintsTheLink(t *testing.T) {
	link := "http://127.0.0.1:9180/login?once=secret"
	tests := []struct {
		name   string
		args   []string
		fails  bool
		opened bool
		prints bool
	}{
		{"opens", nil, false, true, false},
		{"no browser", nil, true, true, true},
		{"not to be opened", []string{"--no-open"}, false, false, true},
		{"for programs", []string{"-o", "json"}, false, false, true},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			runDir(t)
			serve(t, &fakeHost{}, "orders-01", "services.yaml")
			opened := ""
			openBrowser = func(url string) error {
				opened = url
				if tt.fails {
					return errors.New("there is no desktop")
				}
				return nil
			}
			t.Cleanup(func() { openBrowser = browse })
			r := invoke(append([]string{"dashboard"}, tt.args...)...)
			if r.code != 0 {
				t.Fatalf("exit %d: %s", r.code, r.stderr)
			}
			if (opened == link) != tt.opened {
				t.Errorf("opened %q", opened)
			}
			if strings.Contains(r.stdout, link) != tt.prints {
				t.Errorf("printed %q", r.stdout)
			}
		})
	}
}

func TestDashboardForProgramsSaysUntilWhen(t *testing.T) {
	runDir(t)
	serve(t, &fakeHost{}, "orders-01", "services.yaml")
	r := invoke("dashboard", "-o", "json")
	var l control.LoginAnswer
	if err := json.Unmarshal([]byte(r.stdout), &l); err != nil || !l.ExpiresAt.Equal(now) || l.ExpiresAt.Equal(time.Time{}) {
		t.Errorf("%q, %v", r.stdout, err)
	}
}

func TestDashboardSaysWhyThereIsNone(t *testing.T) {
	runDir(t)
	serve(t, &fakeHost{err: &control.Error{Status: 409, Message: "host.http is not set", Hint: "set it"}}, "orders-01", "services.yaml")
	if r := invoke("dashboard", "--no-open"); r.code != 1 || !strings.Contains(r.stderr, "host.http is not set") || !strings.Contains(r.stderr, "set it") {
		t.Errorf("exit %d: %s", r.code, r.stderr)
	}
}
