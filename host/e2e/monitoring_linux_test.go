package e2e

import (
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"

	"servicehost/host/control"
)

// scraper is a Prometheus of our own.
type scraper struct {
	t       *testing.T
	address string
}

// get asks the API of Prometheus; ok is false as long as it does not answer.
func (s scraper) get(path string, into any) (ok bool) {
	resp, err := http.Get("http://" + s.address + "/api/v1/" + path)
	if err != nil {
		return false
	}
	defer resp.Body.Close()
	b, err := io.ReadAll(resp.Body)
	var answer struct {
		Status, Error string
		Data          json.RawMessage
	}
	if err != nil || json.Unmarshal(b, &answer) != nil {
		return false // it is starting
	}
	if answer.Status != "success" {
		s.t.Fatalf("prometheus does not understand %s: %s", path, answer.Error)
	}
	if err := json.Unmarshal(answer.Data, into); err != nil {
		s.t.Fatalf("%v in %s", err, answer.Data)
	}
	return true
}

// has reports whether a query has an answer.
func (s scraper) has(query string) bool {
	var v struct{ Result []json.RawMessage }
	return s.get("query?"+url.Values{"query": {query}}.Encode(), &v) && len(v.Result) > 0
}

// dashboardQueries are all that samples/monitoring/dashboard.json asks, by where, its variables filled in as Grafana
// does for all hosts and services.
func dashboardQueries(t *testing.T, sample string) map[string]string {
	b, err := os.ReadFile(filepath.Join(sample, "dashboard.json"))
	if err != nil {
		t.Fatal(err)
	}
	var d struct {
		Templating struct {
			List []struct{ Name, Definition string }
		}
		Panels []struct {
			Title   string
			Targets []struct{ RefID, Expr string }
		}
	}
	if err := json.Unmarshal(b, &d); err != nil {
		t.Fatal(err)
	}
	fill := strings.NewReplacer("$instance", ".+", "$service", ".+", "$__rate_interval", "10s")
	all := map[string]string{}
	for _, p := range d.Panels {
		for _, q := range p.Targets {
			all[p.Title+" "+q.RefID] = fill.Replace(q.Expr)
		}
	}
	for _, v := range d.Templating.List {
		if series, ok := strings.CutPrefix(v.Definition, "label_values("); ok {
			all["variable "+v.Name] = fill.Replace(series[:strings.LastIndex(series, ",")])
		}
	}
	if len(all) < 40 {
		t.Fatalf("only %d queries found", len(all))
	}
	return all
}

// TestPrometheusScrapesTheMonitoringSample runs samples/monitoring as it is, and has Debian's Prometheus scrape it:
// every query of the dashboard is answered, and every alert can be evaluated.
func TestPrometheusScrapesTheMonitoringSample(t *testing.T) {
	prometheus, promtool := need(t, "prometheus"), need(t, "promtool")
	need(t, "python3")
	sample, err := filepath.Abs("../../samples/monitoring")
	if err != nil {
		t.Fatal(err)
	}
	r := newRig(t)
	text, err := os.ReadFile(filepath.Join(sample, "services.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	r.write(string(text))

	vector, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { vector.Close() })
	go func() {
		for {
			c, err := vector.Accept()
			if err != nil {
				return
			}
			go io.Copy(io.Discard, c)
		}
	}()
	listen, api := freePort(t), freePort(t)
	r.start("--set", fmt.Sprint("METRICS_PORT=", listen), "--set", fmt.Sprint("API_PORT=", api), "--set", fmt.Sprint("VECTOR_PORT=", vector.Addr().(*net.TCPAddr).Port))
	r.until("the api to be ready", func(s control.Status) bool {
		return slices.ContainsFunc(s.Services, func(v control.ServiceStatus) bool { return v.ID == "api.1" && v.Health == "healthy" })
	})
	r.must(0, "run-now", "cleanup")

	p := scraper{t: t, address: fmt.Sprintf("127.0.0.1:%d", freePort(t))}
	config := filepath.Join(r.dir, "prometheus.yml")
	if err := os.WriteFile(config, fmt.Appendf(nil, `global: {scrape_interval: 1s, evaluation_interval: 1s}
rule_files: [%q]
scrape_configs:
  - job_name: servicehost
    static_configs: [{targets: ["127.0.0.1:%d"]}]
`, filepath.Join(sample, "alerts.yml"), listen), 0o600); err != nil {
		t.Fatal(err)
	}
	newDaemon(t, prometheus, "--config.file="+config, "--storage.tsdb.path="+filepath.Join(r.dir, "tsdb"), "--web.listen-address="+p.address).start()
	r.poll("the first scrape", func() bool { return p.has(`servicehost_service_starts_total{service="api"}`) })

	// Something happens: a crash, and a run of a job by hand.
	if err := syscall.Kill(r.pidsOf()["api.2"], syscall.SIGKILL); err != nil {
		t.Fatal(err)
	}
	queries := dashboardQueries(t, sample)
	queries["the crash"] = `increase(servicehost_service_restarts_total{service="api", service_instance="2", reason="exit"}[1m]) > 0`
	queries["how it ended"] = `servicehost_service_exits_total{service="api", service_instance="2", signal="SIGKILL"} == 1`
	queries["the job"] = `servicehost_job_last_run_success{service="cleanup"} == 1`
	var open []string
	t.Cleanup(func() {
		if t.Failed() {
			t.Logf("no answer to:\n%s", strings.Join(open, "\n"))
		}
	})
	r.poll("an answer to each query", func() bool {
		open = open[:0]
		for where, q := range queries {
			if p.has(q) {
				delete(queries, where)
			} else {
				open = append(open, where+": "+q)
			}
		}
		return len(open) == 0
	})

	var targets struct {
		ActiveTargets []struct{ Health, LastError string }
	}
	if !p.get("targets", &targets) || len(targets.ActiveTargets) != 1 || targets.ActiveTargets[0].Health != "up" {
		t.Errorf("targets: %+v", targets)
	}
	var rules struct {
		Groups []struct {
			Rules []struct{ Name, Health, LastError string }
		}
	}
	r.poll("the rules to be evaluated", func() bool {
		evaluated := 0
		if !p.get("rules", &rules) {
			return false
		}
		for _, g := range rules.Groups {
			for _, rule := range g.Rules {
				if rule.Health == "err" {
					t.Fatalf("alert %s: %s", rule.Name, rule.LastError)
				}
				if rule.Health == "ok" {
					evaluated++
				}
			}
		}
		return evaluated > 10
	})

	check := exec.Command(promtool, "check", "metrics")
	check.Stdin = strings.NewReader(r.must(0, "metrics"))
	if out, err := check.CombinedOutput(); err != nil || len(out) > 0 {
		t.Errorf("promtool check metrics: %v\n%s", err, out)
	}
}
