package supervisor

import (
	"slices"
	"strings"
	"testing"

	"servicehost/spec"
)

func TestAnotherUserIsToldWhatTheSpecSays(t *testing.T) {
	env := &environment{hostEnv: []string{`USERPROFILE=C:\host`, `PATH=C:\host`}, exe: `C:\host.exe`}
	env.place.Store(&place{name: "test", dir: tempDir})
	v := "b"
	s := service("db", func(s *spec.Service) {
		s.User, s.InheritEnv = "LocalService", false
		s.Env = map[string]*string{"A": &v, "GONE": nil}
	})
	req, _, err := request(env, s)
	if err != nil {
		t.Fatal(err)
	}
	a := req.AccountEnv
	if a == nil || !slices.Contains(a.Set, "A=b") || !slices.Contains(a.Set, "HOST_SERVICE=db") || !slices.Equal(a.Unset, []string{"GONE"}) || !slices.Contains(a.Only, "SYSTEMROOT") {
		t.Fatalf("account environment %+v", a)
	}
	if slices.ContainsFunc(a.Set, func(kv string) bool { return strings.HasPrefix(kv, "USERPROFILE=") }) {
		t.Errorf("the folders of the host are in it: %q", a.Set)
	}
	s.User = ""
	if req, _, err = request(env, s); err != nil || req.AccountEnv != nil {
		t.Errorf("the own user gets %+v, %v", req.AccountEnv, err)
	}
}
