package notify

import (
	"bytes"
	"encoding/json"
	"flag"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"servicehost/spec"
)

var update = flag.Bool("update", false, "write the golden files anew")

// examples are what every template is tried with.
func examples() map[string][]Alert {
	at := time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
	failed := Alert{
		ID: "5f0c2b6f8e1a4d3c9b7e6a51", Alert: "orders-01/api.2/failed", Host: "orders-01", Event: spec.AlertFailed, Status: Firing, Service: "api", Instance: 2, ServiceID: "api.2",
		Reason: `10 restarts within 10m: exit 3 after 1.2s: "cannot open <db> & co"`, Since: at.Add(-5 * time.Minute), At: at, Count: 4, Total: 5,
		LastLines: []string{"opening db", "[click](http://evil.example) <at id=all></at> @all \x1b[31mred\x1b[0m", "无法打开数据库"},
	}
	over := Alert{
		ID: "0a1b2c3d4e5f60718293a4b5", Alert: "orders-01/api.2/failed", Host: "orders-01", Event: spec.AlertRecovered, Status: Resolved, Resolves: spec.AlertFailed, Service: "api", Instance: 2, ServiceID: "api.2",
		Reason: "running and ready", Since: at.Add(-5 * time.Minute), At: at.Add(time.Minute), Count: 2, Total: 7, DurationSeconds: 360,
	}
	rejected := Alert{
		ID: "ffeeddccbbaa998877665544", Alert: "orders-01/reload_rejected", Host: "orders-01", Event: spec.AlertReloadRejected, Status: Firing,
		Reason: "services.yaml:12:7: services.api.restart.dleay: unknown key; did you mean \"delay\"?", Actor: "li.wei", Since: at, At: at, Count: 1, Total: 1,
		Details: map[string]string{"file": "/srv/services.yaml"},
	}
	for _, a := range []*Alert{&failed, &over, &rejected} {
		a.Title = title(*a)
	}
	return map[string][]Alert{"firing": {failed}, "resolved": {over}, "host": {rejected}, "several": {failed, rejected, over}}
}

// golden compares with a file of testdata.
func golden(t *testing.T, name string, got []byte) {
	t.Helper()
	file := filepath.Join("testdata", name)
	if *update {
		if err := os.WriteFile(file, got, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if want = bytes.ReplaceAll(want, []byte("\r\n"), []byte("\n")); !bytes.Equal(got, want) {
		t.Errorf("%s: got\n%s\nwant\n%s", name, got, want)
	}
}

func TestBodiesOfTemplates(t *testing.T) {
	setLocal(t)
	now := time.Date(2026, 3, 1, 12, 0, 1, 0, time.UTC)
	for _, name := range []spec.Template{"generic", "slack", "dingtalk", "wecom", "feishu"} {
		for what, as := range examples() {
			tmpl := templateOf(name)
			if len(as) > tmpl.most() {
				continue
			}
			body, err := tmpl.body(as, "SECkey", now)
			if err != nil {
				t.Fatal(err)
			}
			var pretty bytes.Buffer
			if err := json.Indent(&pretty, body, "", "  "); err != nil {
				t.Fatalf("%s is no JSON: %v\n%s", name, err, body)
			}
			golden(t, string(name)+"-"+what+".json", append(pretty.Bytes(), '\n'))
		}
	}
}

// setLocal makes times in messages those of one zone.
func setLocal(t *testing.T) {
	t.Helper()
	before := zone
	zone = time.FixedZone("CST", 8*3600)
	t.Cleanup(func() { zone = before })
}

func TestBodiesStayWithinTheLimitsOfTheirReceivers(t *testing.T) {
	huge := examples()["firing"][0]
	huge.Reason = strings.Repeat("很长的原因 ", 5000)
	huge.LastLines = nil
	for range 500 {
		huge.LastLines = append(huge.LastLines, strings.Repeat("数据", 2000))
	}
	for name, most := range map[spec.Template]int{"slack": 100000, "dingtalk": 20000, "wecom": 4300, "feishu": 20 << 10} {
		tmpl := templateOf(name)
		var as []Alert
		for range tmpl.most() {
			as = append(as, huge)
		}
		for _, list := range [][]Alert{{huge}, as} {
			body, err := tmpl.body(list, "", time.Now())
			if err != nil || len(body) > most || !json.Valid(body) {
				t.Errorf("%s with %d alerts has %d bytes, %v", name, len(list), len(body), err)
			}
			if n := bytes.Count(body, []byte(huge.Title)); n < len(list) {
				t.Errorf("%s tells %d of %d alerts", name, n, len(list))
			}
		}
	}
}

// Made with the examples in Python of the documents of each: hmac.new(key, text, sha256).
const (
	dingTalkSign  = "0TVkYRBCO7MqlH0UoVlUcu2w8GSt+XXc/OGTtHfVRno="
	feishuSigned  = "X3PRhuTg+jduG7PhnBDPB3AdIjFS67kt0BWmF47Vh8c="
	genericSigned = "ef22ca2aa967ec6e4e98de598317ed7a7248d95d22bda5e10ca247721fb61f9d"
)

func TestSignatures(t *testing.T) {
	now := time.UnixMilli(1700000000123)
	req := func(address string) *http.Request {
		u, err := url.Parse(address)
		if err != nil {
			t.Fatal(err)
		}
		return &http.Request{URL: u, Header: http.Header{}}
	}
	r := req("https://oapi.dingtalk.com/robot/send?access_token=abc")
	dingTalk{}.sign(r, nil, "SECkey", now)
	if got, want := r.URL.RawQuery, "access_token=abc&timestamp=1700000000123&sign="+url.QueryEscape(dingTalkSign); got != want {
		t.Errorf("dingtalk %s, want %s", got, want)
	}
	if got := feishuSign("1700000000", "SECkey"); got != feishuSigned {
		t.Errorf("feishu %s, want %s", got, feishuSigned)
	}
	r = req("https://hooks.example.com/x")
	generic{}.sign(r, []byte(`{"id":"1"}`), "SECkey", now)
	if got := r.Header.Get("X-Signature-256"); got != "sha256="+genericSigned {
		t.Errorf("generic %s, want %s", got, genericSigned)
	}
}

func TestAnswersWithAGoodStatusMayBeFailures(t *testing.T) {
	for _, c := range []struct {
		template spec.Template
		answer   string
		ok       bool
		final    bool
		wait     time.Duration
	}{
		{"dingtalk", `{"errcode":0,"errmsg":"ok"}`, true, false, 0},
		{"dingtalk", `{"errcode":310000,"errmsg":"sign not match"}`, false, true, 0},
		{"dingtalk", `{"errcode":130101,"errmsg":"send too fast, exceed 20 times per minute"}`, false, false, chatWait},
		{"dingtalk", `{"errcode":-1,"errmsg":"system busy"}`, false, false, 0},
		{"wecom", `{"errcode":0,"errmsg":"ok"}`, true, false, 0},
		{"wecom", `{"errcode":93000,"errmsg":"invalid webhook url"}`, false, true, 0},
		{"wecom", `{"errcode":45009,"errmsg":"api freq out of limit"}`, false, false, chatWait},
		{"feishu", `{"StatusCode":0,"StatusMessage":"success","code":0,"data":{},"msg":"success"}`, true, false, 0},
		{"feishu", `{"code":19021,"msg":"sign match fail or timestamp is not within one hour from current time"}`, false, true, 0},
		{"feishu", `{"code":11232,"data":{},"msg":"frequency limited psm[x]appID[1]"}`, false, false, chatWait},
		{"feishu", `{"code":9499,"msg":"too many request"}`, false, false, chatWait},
		{"slack", `ok`, true, false, 0},
		{"generic", `{"errcode":1}`, true, false, 0},
		{"dingtalk", `<html>a proxy</html>`, true, false, 0},
		{"dingtalk", `[]`, true, false, 0},
		{"feishu", `{"code":"x"}`, true, false, 0},
	} {
		o := templateOf(c.template).verdict([]byte(c.answer))
		if (o.err == nil) != c.ok || o.final != c.final || o.wait != c.wait {
			t.Errorf("%s %s: %+v", c.template, c.answer, o)
		}
	}
}
