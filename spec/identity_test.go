package spec

import (
	"slices"
	"strings"
	"testing"
	"time"
)

const identityHead = "services:\n  a:\n    command: ./a.exe\n"

func TestIdentityAndLimitsAreDecoded(t *testing.T) {
	s := mustLoad(t, identityHead+`
    user: 'CORP\svc'
    password: {dpapi: secrets/svc}
    restricted_token: yes
    integrity: Low
    priority: below-normal
    affinity: [0, 2-3, "5, 7"]
    limits: {memory: 512MiB, cpu: 150%, processes: 64, action: log}
    allow_breakaway: true
    error_reporting: true
    log: {encoding: GBK}
    watch: {paths: [b.dll, b.dll], shadow_copy: true}
`, on("windows"))
	a := service(t, s, "a")
	if a.User != `CORP\svc` || a.Password == nil || !strings.HasSuffix(a.Password.DPAPI, `secrets\svc`) || !a.RestrictedToken || a.Integrity != "low" {
		t.Errorf("identity: %+v %+v", a, a.Password)
	}
	if a.Priority != 10 || !slices.Equal(a.Affinity, []int{0, 2, 3, 5, 7}) {
		t.Errorf("priority %d, affinity %v", a.Priority, a.Affinity)
	}
	if a.Limits != (Limits{Memory: 512 << 20, CPU: 150, Processes: 64, Action: LimitLog}) || !a.AllowBreakaway || !a.ErrorReporting {
		t.Errorf("limits %+v", a.Limits)
	}
	if a.Log.Encoding != "gbk" || len(a.Watch.Paths) != 1 || !a.Watch.ShadowCopy || a.Watch.Quiet != 5*time.Second {
		t.Errorf("log %+v, watch %+v", a.Log, a.Watch)
	}
}

func TestIdentityThatCannotBeIsRefused(t *testing.T) {
	for _, c := range []struct{ platform, keys, want string }{
		{"windows", `user: 'CORP\svc'`, "needs a password"},
		{"windows", `user: 'NT AUTHORITY\LocalService', password: {env: X}`, "has no password"},
		{"windows", `password: {env: X}`, "there is no user"},
		{"windows", `password: hunter2`, "must be a mapping"},
		{"windows", `user: me, password: {env: X, file: y}`, "needs one of"},
		{"windows", `user: LocalService, session: user`, "runs as the signed-in user"},
		{"windows", `limits: {open_files: 100}`, "is for Unix"},
		{"linux", `user: me, password: {env: X}`, "is for Windows"},
		{"linux", `session: user`, "is for Windows"},
		{"linux", `integrity: low`, "is for Windows"},
		{"linux", `priority: realtime`, "would stop the rest"},
		{"linux", `priority: 20`, "from -20 to 19"},
		{"linux", `affinity: 3-1`, "is not a CPU"},
		{"linux", `limits: {cpu: 150}`, "has no unit"},
		{"linux", `limits: {memory: 10KiB}`, "less than 1MiB"},
		{"linux", `command: nginx, watch: {shadow_copy: true}`, "is looked for in PATH"},
	} {
		keys := c.keys
		if !strings.Contains(keys, "command:") {
			keys = "command: ./a, " + keys
		}
		refused(t, loadText(t, "services: {a: {"+keys+"}}\n", on(c.platform)), c.want)
	}
}

func TestVirtualAccountIsAWarning(t *testing.T) {
	for user, want := range map[string]bool{`NT SERVICE\web`: true, `nt service\web`: true, `NT AUTHORITY\LocalService`: false, `CORP\web$`: false} {
		r := loadText(t, "services: {a: {command: ./a, user: '"+user+"'}}\n", on("windows"))
		warned := slices.ContainsFunc(r.Warnings, func(p Problem) bool {
			return p.Path == "services.a.user" && strings.Contains(p.Message, "a service with that name is installed")
		})
		if r.Spec == nil || warned != want {
			t.Errorf("%s: %v, warned %v", user, r.Problems, r.Warnings)
		}
	}
}

func TestUnwatchedServiceHasNoWatchInItsHash(t *testing.T) {
	a := service(t, mustLoad(t, identityHead), "a")
	b := service(t, mustLoad(t, identityHead+"    watch: {quiet: 9s}\n    limits: {action: log}\n    priority: normal\n    session: service\n    log: {encoding: auto}\n"), "a")
	b.Dir, b.CommandDir, b.Log.Path = a.Dir, a.CommandDir, a.Log.Path // each text is loaded from a folder of its own
	b.setHash(&canonical{})
	if a.Hash != b.Hash || a.Watch.Quiet != 0 || a.Limits.Action != "" {
		t.Errorf("keys that ask for nothing change the hash: %+v %+v", a.Watch, b.Watch)
	}
}
