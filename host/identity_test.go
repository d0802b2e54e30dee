package host

import (
	"fmt"
	"strings"
	"testing"

	"servicehost/spec"
)

func TestSystemWarningNamesTheServices(t *testing.T) {
	if w := systemWarning([]*spec.Service{{Name: "db", Instance: 1, User: "LocalService"}, {Name: "tray", Instance: 1, Session: spec.SessionUser}}); w != "" {
		t.Errorf("warned of nothing: %q", w)
	}
	w := systemWarning([]*spec.Service{{Name: "api", Instance: 1}, {Name: "api", Instance: 2}, {Name: "db", Instance: 1, User: "LocalService"}})
	if !strings.HasPrefix(w, "1 service without user runs as LocalSystem") || !strings.Contains(w, ": api;") {
		t.Errorf("warning %q", w)
	}
	var many []*spec.Service
	for n := range 25 {
		many = append(many, &spec.Service{Name: fmt.Sprintf("s%02d", n), Instance: 1})
	}
	if w := systemWarning(many); !strings.Contains(w, "s09 and 15 more;") || strings.Contains(w, "s10") {
		t.Errorf("warning %q", w)
	}
}
