package process

import (
	"slices"
	"testing"
)

func TestAnotherUserGetsItsOwnEnvironment(t *testing.T) {
	id := &identity{name: `DOM\svc`, env: []string{`=C:=C:\`, `USERPROFILE=C:\Users\svc`, "Path=user", "TEMP=user"}}
	for _, c := range []struct {
		account *AccountEnv
		want    []string
	}{
		{&AccountEnv{Set: []string{"PORT=8080"}}, []string{`USERPROFILE=C:\Users\svc`, "Path=user", "TEMP=user", "PORT=8080"}},
		{&AccountEnv{Unset: []string{"path"}}, []string{`USERPROFILE=C:\Users\svc`, "TEMP=user"}},
		{&AccountEnv{Only: []string{"PATH", "TEMP"}, Set: []string{"A=b"}}, []string{"Path=user", "TEMP=user", "A=b"}},
		{nil, []string{"HOST=own"}},
	} {
		if got := id.environ(Request{Env: []string{"HOST=own"}, AccountEnv: c.account}); !slices.Equal(got, c.want) {
			t.Errorf("%+v: %q, want %q", c.account, got, c.want)
		}
	}
	same := &identity{token: 1} // a weaker token of the own user
	r := Request{Env: []string{"HOST=own"}, AccountEnv: &AccountEnv{Set: []string{"A=b"}}}
	for _, id := range []*identity{nil, same} {
		if got := id.environ(r); !slices.Equal(got, r.Env) {
			t.Errorf("the own user gets %q", got)
		}
	}
}
