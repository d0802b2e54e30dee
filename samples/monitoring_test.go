package samples

import (
	"encoding/json"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"

	"gopkg.in/yaml.v3"
)

// grafana is what is looked at of a dashboard, by the names of Grafana's classic model.
type grafana struct {
	UID           string
	Title         string
	SchemaVersion int
	Templating    struct {
		List []struct{ Name, Type, Definition string }
	}
	Annotations struct{ List []struct{ Name, Expr string } }
	Panels      []struct {
		ID         int
		Type       string
		Title      string
		GridPos    struct{ X, Y, W, H int }
		Datasource struct{ Type, UID string }
		Targets    []struct{ RefID, Expr string }
	}
}

// dashboard reads the one of Grafana.
func dashboard(t *testing.T) (d grafana) {
	t.Helper()
	b, err := os.ReadFile("monitoring/dashboard.json")
	if err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(b, &d); err != nil {
		t.Fatal(err)
	}
	return d
}

// expressions are everything that is asked of Prometheus, by where it is asked.
func expressions(t *testing.T) map[string]string {
	t.Helper()
	all := map[string]string{}
	d := dashboard(t)
	for _, p := range d.Panels {
		for _, q := range p.Targets {
			all["panel "+p.Title+" "+q.RefID] = q.Expr
		}
	}
	for _, a := range d.Annotations.List {
		if a.Expr != "" {
			all["annotation "+a.Name] = a.Expr
		}
	}
	for _, v := range d.Templating.List {
		if v.Definition != "" {
			all["variable "+v.Name] = v.Definition
		}
	}
	b, err := os.ReadFile("monitoring/alerts.yml")
	if err != nil {
		t.Fatal(err)
	}
	var rules struct {
		Groups []struct {
			Rules []struct{ Alert, Expr string }
		}
	}
	if err := yaml.Unmarshal(b, &rules); err != nil {
		t.Fatal(err)
	}
	for _, g := range rules.Groups {
		for _, r := range g.Rules {
			all["alert "+r.Alert] = r.Expr
		}
	}
	if len(all) < 50 {
		t.Fatalf("only %d expressions found", len(all))
	}
	return all
}

var (
	documented = regexp.MustCompile("^\\| `(servicehost_\\w+)` \\| \\w+ \\| ([^|]*) \\|")
	used       = regexp.MustCompile(`(servicehost_\w+)(?:\{([^}]*)\})?`)
	matcher    = regexp.MustCompile(`(\w+)\s*(?:=~|!~|!=|=)\s*"`)
	grouped    = regexp.MustCompile(`\bby \(([^)]*)\)`)
)

// documentedMetrics are the labels of every metric, by its name, as docs/metrics.md has them; a test of package
// metrics keeps that in step with what is told.
func documentedMetrics(t *testing.T) map[string][]string {
	t.Helper()
	b, err := os.ReadFile("../docs/metrics.md")
	if err != nil {
		t.Fatal(err)
	}
	all := map[string][]string{}
	common := []string{"instance", "job"}
	for line := range strings.Lines(string(b)) {
		if strings.HasPrefix(line, "## Of each service") {
			common = append(common, "service", "service_instance")
		}
		if m := documented.FindStringSubmatch(line); m != nil {
			labels := slices.Clone(common)
			for l := range strings.SplitSeq(m[2], ",") {
				if l = strings.Trim(l, " `"); l != "" {
					labels = append(labels, l)
				}
			}
			all[m[1]] = labels
		}
	}
	if len(all) < 50 {
		t.Fatalf("only %d metrics are documented", len(all))
	}
	return all
}

func TestMonitoringAsksForMetricsThatThereAre(t *testing.T) {
	known := documentedMetrics(t)
	for where, expr := range expressions(t) {
		var labels []string
		for _, m := range used.FindAllStringSubmatch(expr, -1) {
			of, ok := known[m[1]]
			if !ok {
				t.Errorf("%s asks for %s, which nobody tells", where, m[1])
			}
			for _, l := range matcher.FindAllStringSubmatch(m[2], -1) {
				if !slices.Contains(of, l[1]) {
					t.Errorf("%s: %s has no label %s", where, m[1], l[1])
				}
			}
			labels = append(labels, of...)
		}
		for _, by := range grouped.FindAllStringSubmatch(expr, -1) {
			for l := range strings.SplitSeq(by[1], ",") {
				if l = strings.TrimSpace(l); !slices.Contains(labels, l) {
					t.Errorf("%s groups by %s, which nothing in it has", where, l)
				}
			}
		}
	}
}

// TestDashboardIsWellFormed is about what Grafana takes silently and shows wrong.
func TestDashboardIsWellFormed(t *testing.T) {
	d := dashboard(t)
	if d.UID == "" || len(d.UID) > 40 || d.Title == "" || d.SchemaVersion < 36 {
		t.Errorf("uid %q, title %q, schema %d", d.UID, d.Title, d.SchemaVersion)
	}
	var variables []string
	for _, v := range d.Templating.List {
		variables = append(variables, v.Name)
	}
	builtin := []string{"__rate_interval", "__range", "__interval"}
	variable := regexp.MustCompile(`\$\{?(\w+)`)
	for where, expr := range expressions(t) {
		if strings.HasPrefix(where, "alert ") {
			continue
		}
		for _, m := range variable.FindAllStringSubmatch(expr, -1) {
			if !slices.Contains(variables, m[1]) && !slices.Contains(builtin, m[1]) {
				t.Errorf("%s uses $%s, which there is not", where, m[1])
			}
		}
	}
	ids := map[int]string{}
	taken := map[[2]int]string{}
	for _, p := range d.Panels {
		if other := ids[p.ID]; other != "" {
			t.Errorf("panels %q and %q have one id", other, p.Title)
		}
		ids[p.ID] = p.Title
		g := p.GridPos
		if g.X < 0 || g.Y < 0 || g.W < 1 || g.H < 1 || g.X+g.W > 24 {
			t.Errorf("panel %q is at %+v", p.Title, g)
		}
		for x := g.X; x < g.X+g.W; x++ {
			for y := g.Y; y < g.Y+g.H; y++ {
				if other := taken[[2]int{x, y}]; other != "" && other != p.Title {
					t.Errorf("panel %q lies over %q", p.Title, other)
				}
				taken[[2]int{x, y}] = p.Title
			}
		}
		switch p.Type {
		case "row":
			continue
		case "stat", "timeseries", "table", "state-timeline":
		default:
			t.Errorf("panel %q is a %s", p.Title, p.Type)
		}
		if p.Datasource.UID != "${datasource}" || len(p.Targets) == 0 {
			t.Errorf("panel %q asks %q %d times", p.Title, p.Datasource.UID, len(p.Targets))
		}
		refs := map[string]bool{}
		for _, q := range p.Targets {
			if refs[q.RefID] || q.RefID == "" || q.Expr == "" {
				t.Errorf("panel %q: query %q, %q", p.Title, q.RefID, q.Expr)
			}
			refs[q.RefID] = true
		}
	}
}

// TestEveryAlertIsTested keeps alerts_test.yml whole: promtool does not miss a test.
func TestEveryAlertIsTested(t *testing.T) {
	b, err := os.ReadFile("monitoring/alerts_test.yml")
	if err != nil {
		t.Fatal(err)
	}
	for where := range expressions(t) {
		if name, ok := strings.CutPrefix(where, "alert "); ok && strings.Count(string(b), "alertname: "+name) != 2 {
			t.Errorf("alert %s is not tested quiet and firing", name)
		}
	}
}
