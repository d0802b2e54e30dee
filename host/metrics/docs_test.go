package metrics

import (
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

//go:generate go test -run ^TestDocumentIsInStep$ -update .

var update = flag.Bool("update", false, "write docs/metrics.md anew")

const documentHead = `# Metrics

Made from the program by ` + "`go generate ./host/metrics`" + `; edits are lost.

## How to get them

` + "`host.http`" + ` serves them to Prometheus at ` + "`/metrics`" + `; on loopback nobody has to sign in for it, beyond it a token of
role ` + "`read`" + ` is needed. ` + "`samples/monitoring`" + ` has a scrape configuration, alert rules and a Grafana dashboard.

` + "```" + `yaml
host:
  http: {listen: 127.0.0.1:9180}
` + "```" + `

Without ` + "`host.http`" + `, ` + "`host metrics`" + ` prints them, for the textfile collector of node_exporter for example:

` + "```" + `sh
host metrics > /var/lib/node_exporter/servicehost.prom.$$ && mv /var/lib/node_exporter/servicehost.prom.$$ /var/lib/node_exporter/servicehost.prom
` + "```" + `

The format is text 0.0.4, or OpenMetrics 1.0 for who asks for it by ` + "`Accept`" + `, as Prometheus does.

## What to know

- Counters count from the start of the host; those of usage and probes from the start of the process. ` + "`rate()`" + ` and ` + "`increase()`" + `
  take both as resets.
- Every series of a service has the labels ` + "`service`" + ` and ` + "`service_instance`" + `, its number from 1. It is not called ` + "`instance`" + `:
  that is what Prometheus calls the server it scrapes. It stays the same when ` + "`instances`" + ` changes, as the id does not.
- Of a state only the one that holds is told, with the value 1: ` + "`servicehost_service_state{state=\"failed\"} == 1`" + `,
  ` + "`count by (state) (servicehost_service_state)`" + `. With the next scrape the former one is gone.
- The number of series is bounded: some 40 for each instance, 4 more for each probe, one for each way in which its processes
  end, of which there are nine at most. The series of a removed service vanish.
- A scrape costs some 30 µs of CPU for each service, most of it for looking at its processes. Memory that is private, handles, and what
  was read and written cost more: with more than 16 services they are looked at less often, with a thousand once a minute.
- What a system does not tell is absent.

`

func TestDocumentIsInStep(t *testing.T) {
	var b strings.Builder
	b.WriteString(documentHead)
	table := func(title string, all []family) {
		fmt.Fprintf(&b, "## %s\n\n| metric | type | labels | meaning |\n|---|---|---|---|\n", title)
		for _, f := range all {
			labels := ""
			if len(f.Labels) > 0 {
				labels = "`" + strings.Join(f.Labels, "`, `") + "`"
			}
			fmt.Fprintf(&b, "| `%s` | %s | %s | %s |\n", f.sample(), f.Type, labels, f.Help)
		}
	}
	table("Of the host, its spec, its logs and its alerts", hostFamilies)
	b.WriteByte('\n')
	table("Of each service, with the labels `service` and `service_instance`", instanceFamilies)
	path := filepath.Join("..", "..", "docs", "metrics.md")
	if *update {
		if err := os.WriteFile(path, []byte(b.String()), 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	got, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if strings.ReplaceAll(string(got), "\r\n", "\n") != b.String() {
		t.Error("docs/metrics.md is not in step with the families; write it anew with: go generate ./host/metrics")
	}
}

func TestFamiliesAreWellFormed(t *testing.T) {
	var names []string
	for _, f := range families {
		names = append(names, f.Name)
		switch {
		case !strings.HasPrefix(f.Name, "servicehost_"), strings.HasSuffix(f.Name, "_total"):
			t.Errorf("%s: name", f.Name)
		case (f.host == nil) == (f.each == nil):
			t.Errorf("%s is neither of the host nor of an instance", f.Name)
		case !strings.HasSuffix(f.Help, "."), strings.Contains(f.Help, "|"):
			t.Errorf("%s: help %q", f.Name, f.Help)
		case slices.Contains(f.labels(), "instance"), slices.Contains(f.labels(), "job"):
			t.Errorf("%s has a label that Prometheus gives", f.Name)
		}
	}
	if slices.Sort(names); len(slices.Compact(slices.Clone(names))) != len(names) {
		t.Errorf("a name is there twice: %v", names)
	}
}
