package process

import (
	"fmt"
	"slices"
	"strings"
)

// profileNoUI keeps the system from showing a box when a profile can't be loaded.
const profileNoUI = 1

// loadProfile loads the settings of a user, HKEY_CURRENT_USER, as the service control manager does for its
// services. Without them programs see those of the default user, which most can live with.
func (id *identity) loadProfile(user string) {
	profile, err := id.sec.loadProfile(id.base, user, profileNoUI)
	if err != nil {
		id.warn("profile", fmt.Sprintf("cannot load the profile of %s: %v; its programs see the settings of the default user", quoteName(id.name), err))
		return
	}
	id.profile = profile
}

// loadEnv reads the environment that the system has for the user: the variables of the machine, those of
// the user, and the folders of its profile.
func (id *identity) loadEnv() error {
	env, err := id.sec.environ(id.base)
	if err != nil {
		return &Error{Kind: ErrOther, Message: fmt.Sprintf("cannot make the environment of %s: %v", quoteName(id.name), err)}
	}
	id.env = env
	return nil
}

// environ is the environment of the run: what the request says, over that of the user where it is another.
func (id *identity) environ(r Request) []string {
	if id == nil || id.name == "" || r.AccountEnv == nil {
		return r.Env
	}
	a := r.AccountEnv
	named := func(list []string, name string) bool {
		return slices.ContainsFunc(list, func(n string) bool { return strings.EqualFold(n, name) })
	}
	out := make([]string, 0, len(id.env)+len(a.Set))
	for _, kv := range id.env {
		name, _, _ := strings.Cut(kv, "=")
		if name != "" && !named(a.Unset, name) && (len(a.Only) == 0 || named(a.Only, name)) {
			out = append(out, kv)
		}
	}
	return append(out, a.Set...)
}
