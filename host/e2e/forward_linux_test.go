package e2e

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/json"
	"encoding/pem"
	"fmt"
	"io"
	"math/big"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"servicehost/host/control"
)

// daemon is a receiver of logs that can be stopped and started again.
type daemon struct {
	t    *testing.T
	argv []string
	cmd  *exec.Cmd
	out  *buffer
}

func newDaemon(t *testing.T, argv ...string) *daemon {
	d := &daemon{t: t, argv: argv, out: &buffer{}}
	t.Cleanup(func() {
		d.stop()
		if t.Failed() {
			t.Logf("%s said:\n%s", filepath.Base(argv[0]), d.out)
		}
	})
	return d
}

func (d *daemon) start() {
	d.t.Helper()
	d.cmd = exec.Command(d.argv[0], d.argv[1:]...)
	d.cmd.Stdout, d.cmd.Stderr = d.out, d.out
	if err := d.cmd.Start(); err != nil {
		d.t.Fatal(err)
	}
}

// stop ends it the way a service manager does.
func (d *daemon) stop() {
	if d.cmd == nil {
		return
	}
	d.cmd.Process.Signal(syscall.SIGTERM)
	late := time.AfterFunc(20*time.Second, func() { d.cmd.Process.Kill() })
	d.cmd.Wait()
	late.Stop()
	d.cmd = nil
}

// counting is a service that writes so many numbered lines, one at a time, each with the PID of its run, and one
// to standard error, and stays. The second half of them comes when the file goFile is there.
func counting(lines int, goFile string, more ...string) string {
	b, _ := json.Marshal([]string{"sh", "-c", fmt.Sprintf(`i=0; while [ $i -lt %d ]; do echo "$$ n $i"; i=$((i+1)); sleep 0.005
while [ $i -eq %d ] && [ ! -e "$1" ]; do sleep 0.05; done; done; echo "$$ oops" >&2; exec sleep 1000`, lines, lines/2), "sh", goFile})
	return svc("count", string(b), more...)
}

var numbered = regexp.MustCompile(`(\d+) n (\d+)`)

// inOrder wants the lines of a run: each number once where exact, else at least once, and in order but for
// numbers that come again.
func inOrder(t *testing.T, what string, texts []string, pid, lines int, exact bool) {
	t.Helper()
	next := 0
	for _, text := range texts {
		m := numbered.FindStringSubmatch(text)
		if m == nil || m[1] != strconv.Itoa(pid) {
			continue
		}
		n, _ := strconv.Atoi(m[2])
		switch {
		case n == next:
			next++
		case n > next:
			t.Fatalf("%s: %d comes after %d", what, n, next-1)
		case exact:
			t.Fatalf("%s: %d comes again", what, n)
		}
	}
	if next != lines {
		t.Fatalf("%s: only %d of %d lines", what, next, lines)
	}
}

func (r *rig) pidOf(id string) int {
	r.t.Helper()
	r.until(id+" to run", func(control.Status) bool { return r.pidsOf()[id] != 0 })
	return r.pidsOf()[id]
}

func freeUDP(t *testing.T) int {
	t.Helper()
	for range 100 {
		port := freePort(t)
		if l, err := net.ListenPacket("udp", fmt.Sprintf("127.0.0.1:%d", port)); err == nil {
			l.Close()
			return port
		}
	}
	t.Fatal("no free port")
	return 0
}

// TestRsyslogReceives forwards to a real rsyslog over UDP, TCP and TLS, and restarts it meanwhile.
func TestRsyslogReceives(t *testing.T) {
	rsyslogd := need(t, "rsyslogd")
	if plugins, _ := filepath.Glob("/usr/lib/*/rsyslog/lmnsd_gtls.so"); len(plugins) == 0 {
		if os.Getenv("CI") != "" {
			t.Fatal("rsyslog-gnutls is not installed")
		}
		t.Skip("rsyslog-gnutls is not installed")
	}
	r := newRig(t)
	udp, tcp, tls := freeUDP(t), freePort(t), freePort(t)
	certificate(t, r.dir)
	os.WriteFile(filepath.Join(r.dir, "rsyslog.conf"), fmt.Appendf(nil, `
global(workDirectory=%[1]q maxMessageSize="64k" DefaultNetstreamDriverCAFile="%[2]s/ca.pem" DefaultNetstreamDriverCertFile="%[2]s/cert.pem" DefaultNetstreamDriverKeyFile="%[2]s/key.pem")
module(load="imudp")
module(load="imptcp")
module(load="imtcp" StreamDriver.Name="gtls" StreamDriver.Mode="1" StreamDriver.AuthMode="anon")
template(name="all" type="string" string="%%inputname%%|%%pri%%|%%timestamp:::date-rfc3339%%|%%hostname%%|%%app-name%%|%%msgid%%|%%structured-data%%|%%msg%%\n")
ruleset(name="in") { action(type="omfile" file="%[2]s/got.log" template="all") }
input(type="imudp" address="127.0.0.1" port="%[3]d" ruleset="in")
input(type="imptcp" address="127.0.0.1" port="%[4]d" ruleset="in")
input(type="imtcp" address="127.0.0.1" port="%[5]d" ruleset="in")
`, r.dir, r.dir, udp, tcp, tls), 0o600)
	d := newDaemon(t, rsyslogd, "-n", "-C", "-f", filepath.Join(r.dir, "rsyslog.conf"), "-i", filepath.Join(r.dir, "rsyslog.pid"))
	d.start()
	r.poll("rsyslog to listen", func() bool { return dial(tcp) && dial(tls) })
	got := func(input string) (out []string) {
		b, _ := os.ReadFile(filepath.Join(r.dir, "got.log"))
		for l := range strings.Lines(string(b)) {
			if l, whole := strings.CutSuffix(l, "\n"); whole && strings.HasPrefix(l, input+"|") {
				out = append(out, l)
			}
		}
		return out
	}
	const lines = 600
	goFile := filepath.Join(r.dir, "go")
	r.write(fmt.Sprintf(`host:
  name: orders-01
  log_targets:
    tcp: {type: syslog, url: "tcp://127.0.0.1:%d", facility: local3, labels: {env: prod}}
    tls: {type: syslog, url: "tls://127.0.0.1:%d", tls: {ca: ca.pem, server_name: localhost}}
    udp: {type: syslog, url: "udp://127.0.0.1:%d"}
`, tcp, tls, udp) + yaml(counting(lines, goFile, "log: {path: count.log, stderr: count.err.log, forward: [tcp, tls, udp]}")))
	r.start()
	pid := r.pidOf("count")
	r.poll("the first lines", func() bool { return len(got("imudp")) > 20 && len(got("imptcp")) > 20 && len(got("imtcp")) > 20 })
	first := got("imudp")
	inOrder(t, "udp", first, pid, len(first), true)
	head := regexp.MustCompile(`^imptcp\|158\|\d{4}-\d\d-\d\dT[0-9:.]+(Z|\+00:00)\|orders-01\|count\|stdout\|\[host@32473 instance="1" stream="stdout" env="prod"\]\| ?` + strconv.Itoa(pid) + ` n 0$`)
	if l := got("imptcp")[0]; !head.MatchString(l) {
		t.Errorf("rsyslog understood %s", l)
	}

	d.stop()
	if err := os.WriteFile(goFile, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	r.targetIs("the targets to wait", func(v control.LogTargetStatus) bool { return v.WaitingRecords > 20 })
	d.start()
	r.poll("the last lines", func() bool {
		last := func(input string) bool {
			all := got(input)
			return len(all) > 0 && strings.Contains(strings.Join(all[max(0, len(all)-300):], "\n"), fmt.Sprintf("%d n %d", pid, lines-1))
		}
		return last("imptcp") && last("imtcp")
	})
	inOrder(t, "tcp", got("imptcp"), pid, lines, false)
	inOrder(t, "tls", got("imtcp"), pid, lines, false)
	r.poll("standard error", func() bool {
		all := strings.Join(got("imptcp"), "\n")
		return strings.Contains(all, "|156|") && strings.Contains(all, fmt.Sprintf("%d oops", pid))
	})
	r.stop()
}

// certificate makes an authority of its own and a certificate of localhost.
func certificate(t *testing.T, dir string) {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	c := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "localhost"}, DNSNames: []string{"localhost"}, IsCA: true, BasicConstraintsValid: true,
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(24 * time.Hour), KeyUsage: x509.KeyUsageDigitalSignature | x509.KeyUsageCertSign,
		ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth},
	}
	der, err := x509.CreateCertificate(rand.Reader, c, c, &key.PublicKey, key)
	if err != nil {
		t.Fatal(err)
	}
	private, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		t.Fatal(err)
	}
	for name, b := range map[string]*pem.Block{"ca.pem": {Type: "CERTIFICATE", Bytes: der}, "cert.pem": {Type: "CERTIFICATE", Bytes: der}, "key.pem": {Type: "PRIVATE KEY", Bytes: private}} {
		if err := os.WriteFile(filepath.Join(dir, name), pem.EncodeToMemory(b), 0o600); err != nil {
			t.Fatal(err)
		}
	}
}

// otlpLogs is a request of OTLP in JSON, as the collector passes on what it understood.
type otlpLogs struct {
	ResourceLogs []struct {
		Resource  struct{ Attributes []otlpAttribute }
		ScopeLogs []struct {
			Scope      struct{ Name string }
			LogRecords []struct {
				TimeUnixNano, ObservedTimeUnixNano string
				Body                               struct{ StringValue string }
				Attributes                         []otlpAttribute
			}
		}
	}
}

type otlpAttribute struct {
	Key   string
	Value struct{ StringValue string }
}

// TestCollectorReceives forwards to a real OpenTelemetry Collector, which passes on what it got. It is away at
// first, while the host is killed, and later once more: every line arrives once, in order.
func TestCollectorReceives(t *testing.T) {
	collector := os.Getenv("HOST_TEST_OTELCOL")
	if collector == "" {
		if os.Getenv("CI") != "" {
			t.Fatal("HOST_TEST_OTELCOL does not name a collector; .ci/run builds one from .ci/otelcol")
		}
		t.Skip("HOST_TEST_OTELCOL does not name a collector")
	}
	var mu sync.Mutex
	var texts []string
	var attributes string
	sink := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, req *http.Request) {
		var v otlpLogs
		b, _ := io.ReadAll(req.Body)
		mu.Lock()
		defer mu.Unlock()
		if err := json.Unmarshal(b, &v); err != nil {
			t.Error(err)
		}
		for _, rl := range v.ResourceLogs {
			for _, sl := range rl.ScopeLogs {
				for _, one := range sl.LogRecords {
					if text := one.Body.StringValue; strings.HasSuffix(text, "oops") || attributes == "" {
						attributes = fmt.Sprintf("%v %s %v", rl.Resource.Attributes, sl.Scope.Name, one.Attributes)
					}
					nano, err := strconv.ParseInt(one.TimeUnixNano, 10, 64)
					if age := time.Since(time.Unix(0, nano)); err != nil || age < 0 || age > time.Hour || one.ObservedTimeUnixNano != one.TimeUnixNano {
						t.Errorf("time %s: %v", one.TimeUnixNano, err)
					}
					texts = append(texts, one.Body.StringValue)
				}
			}
		}
		w.Header().Set("Content-Type", "application/json")
		io.WriteString(w, "{}")
	}))
	t.Cleanup(sink.Close)
	got := func() []string {
		mu.Lock()
		defer mu.Unlock()
		return append([]string(nil), texts...)
	}

	r := newRig(t)
	port := freePort(t)
	os.WriteFile(filepath.Join(r.dir, "otelcol.yaml"), fmt.Appendf(nil, `
receivers: {otlp: {protocols: {http: {endpoint: "127.0.0.1:%d"}}}}
exporters: {otlphttp: {logs_endpoint: %s/v1/logs, encoding: json, compression: none, sending_queue: {enabled: false}, retry_on_failure: {enabled: false}}}
service: {telemetry: {metrics: {level: none}}, pipelines: {logs: {receivers: [otlp], exporters: [otlphttp]}}}
`, port, sink.URL), 0o600)
	d := newDaemon(t, collector, "--config", filepath.Join(r.dir, "otelcol.yaml"))

	const lines = 400
	r.write(fmt.Sprintf("host: {name: orders-01, log_targets: {otel: {type: otlp, url: \"http://127.0.0.1:%d\", labels: {deployment.environment: prod}}}}\n", port) +
		yaml(counting(lines, r.spec, "log: {path: count.log, stderr: count.err.log, forward: [otel]}")))
	r.start()
	first := r.pidOf("count")
	r.targetIs("all lines to be in the spool", func(v control.LogTargetStatus) bool {
		return v.State == "trouble" && v.WaitingRecords == lines+1 && v.SpooledBytes > lines
	})
	if out := r.must(0, "status"); !strings.Contains(out, "log target otel takes nothing for ") {
		t.Errorf("status said:\n%s", out)
	}
	r.poll("the last line to be a second old, so that it is on disk", func() bool {
		st, err := os.Stat(filepath.Join(r.dir, "count.err.log"))
		return err == nil && time.Since(st.ModTime()) > 1500*time.Millisecond
	})
	r.kill()
	r.start()
	second := r.pidOf("count")
	d.start()
	is := func(pid int, text string) func() bool {
		return func() bool {
			return strings.Contains(strings.Join(got(), "\n")+"\n", fmt.Sprintf("%d %s\n", pid, text))
		}
	}
	r.poll("the lines of the second run", is(second, "oops"))
	d.stop()
	r.must(0, "restart", "count")
	third := r.pidOf("count")
	r.targetIs("the target to wait", func(v control.LogTargetStatus) bool { return v.WaitingRecords > 20 })
	d.start()
	r.poll("the last line", is(third, "oops"))
	r.targetIs("nothing to wait", func(v control.LogTargetStatus) bool {
		return v.State == "ok" && v.WaitingRecords == 0 && v.SpooledBytes == 0 && v.DroppedRecords == 0
	})
	inOrder(t, "the first run", got(), first, lines, true)
	inOrder(t, "the second run", got(), second, lines, true)
	inOrder(t, "the third run", got(), third, lines, true)
	mu.Lock()
	last := attributes
	mu.Unlock()
	const resource = "[{service.name {count}} {service.instance.id {count}} {deployment.environment {prod}} {host.name {orders-01}}]"
	if want := resource + " servicehost [{log.iostream {stderr}}]"; last != want {
		t.Errorf("attributes %s, want %s", last, want)
	}
	r.stop()
}
