package reload

import (
	"strings"
	"testing"

	"servicehost/spec"
)

func TestNoSecretIsShownAndEveryChangeIs(t *testing.T) {
	r := NewRedactor()
	for _, c := range []struct{ text, secret string }{
		{"postgres://app:S3CRET@db/orders", "S3CRET"},
		{"postgres://app:S3/CR@ET@db/orders", "S3/CR@ET"},
		{"redis://:S3CRET@cache:6379", "S3CRET"},
		{"https://S3CRET@github.com/x", "S3CRET"},
		{"Server=db;User Id=app;Password=S3CRET;Timeout=3", "S3CRET"},
		{"Server=db;Pwd = 'S3 CRET';", "S3 CRET"},
		{`{"client_secret": "S3 CRET"}`, "S3 CRET"},
		{"curl -H 'Authorization: Bearer S3CRET' http://x", "S3CRET"},
		{"http://x/?access_token=S3CRET&a=b", "S3CRET"},
		{"-Djavax.net.ssl.keyStorePassword=S3CRET", "S3CRET"},
		{"--db-password S3CRET --verbose", "S3CRET"},
		{`/password:"S3 CRET"`, "S3 CRET"},
		{"--retry --db-password S3CRET", "S3CRET"},
		{"url: http://x/?q=1 token: S3CRET", "S3CRET"},
		{"AccountKey=S3CRET==;Endpoint=x", "S3CRET"},
	} {
		got := r.Text(c.text)
		for part := range strings.FieldsSeq(c.secret) {
			if strings.Contains(got, part) {
				t.Errorf("%q shown as %q", c.text, got)
			}
		}
		if !strings.Contains(got, "<redacted #") || got == r.Text(strings.Replace(c.text, c.secret, "other", 1)) {
			t.Errorf("%q: a change would not be seen in %q", c.text, got)
		}
	}
}

func TestPlainTextIsShown(t *testing.T) {
	r := NewRedactor()
	for _, s := range []string{"", "info", "--config api.toml", "http://127.0.0.1:8080/ready", "a=b;c=d", `C:\srv\app.exe`, "user@example.org"} {
		if got := r.Text(s); got != s {
			t.Errorf("%q shown as %q", s, got)
		}
	}
}

func TestSecretNames(t *testing.T) {
	for _, n := range []string{"DB_PASSWORD", "db-passwd", "PGPASS" + "WORD", "apiKey", "API_KEY", "GITHUB_TOKEN", "ConnectionString",
		"CONNECTION_STRING", "ConnectionStrings__Default", "SENTRY_DSN", "AWS_SECRET_ACCESS_KEY", "MYSQL_PWD", "DB_PASS", "--pass", "authHeader", "passphrase", "CREDENTIALS"} {
		if !SecretName(n) {
			t.Errorf("%s is no secret", n)
		}
	}
	for _, n := range []string{"LOG_LEVEL", "PORT", "PATH", "COMPASS", "HOME", "--config", "PINNED"} {
		if SecretName(n) {
			t.Errorf("%s is a secret", n)
		}
	}
}

func TestArgumentsBehindSecretFlagsAreHidden(t *testing.T) {
	r := NewRedactor()
	got := strings.Join(r.Args([]string{"app", "--password", "S3CRET", "--token=S3CRET", "/pwd:S3CRET", "-v", "--level", "debug",
		"postgres://a:S3CRET@h", "API_KEY=S3 CRET", "--secret"}), " ")
	want := "app --password # --token=# /pwd:# -v --level debug postgres://#@h API_KEY=# --secret"
	if strings.Contains(got, "CRET") || hashless(got) != want {
		t.Errorf("got  %q\nwant %q", hashless(got), want)
	}
	if got := r.Args([]string{"/opt/key/tool", "x"}); got[1] != "x" {
		t.Errorf("the argument behind the program is hidden: %q", got)
	}
}

// hashless puts # for every hidden value.
func hashless(s string) string {
	for {
		before, rest, ok := strings.Cut(s, "<redacted #")
		if !ok {
			return s
		}
		s = before + "#" + rest[strings.IndexByte(rest, '>')+1:]
	}
}

func TestEnvironmentSecretsAreHidden(t *testing.T) {
	env := func(v string) func(*spec.Service) {
		return func(s *spec.Service) {
			s.Env = map[string]*string{"PLAIN_FROM_FILE": new(v), "DB_PASSWORD": new(v), "URL": new("http://u:" + v + "@h")}
			s.EnvFromFile = map[string]bool{"PLAIN_FROM_FILE": true}
		}
	}
	p := diff([]*spec.Service{service("api", 1, env("S3CRET1"))}, []*spec.Service{service("api", 1, env("S3CRET2"))})
	got := fieldsText(p.Changes[0].Fields)
	want := "env.DB_PASSWORD (restart): # -> #\nenv.PLAIN_FROM_FILE (restart): # -> #\nenv.URL (restart): http://#@h -> http://#@h"
	if strings.Contains(got, "S3CRET") || hashless(got) != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
	for _, f := range p.Changes[0].Fields {
		if f.Old == f.New {
			t.Errorf("%s: the change is not seen", f.Path)
		}
	}
}

func TestHashesOfTwoProcessesDiffer(t *testing.T) {
	a, b := NewRedactor(), NewRedactor()
	one, again, other := a.Hash("x"), a.Hash("x"), b.Hash("x")
	if one == other || one != again || len(one) != len("<redacted #1a2b3c>") {
		t.Errorf("%s %s %s", one, again, other)
	}
}
