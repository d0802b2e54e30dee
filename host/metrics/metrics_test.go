package metrics

import (
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/prometheus/client_golang/prometheus/testutil/promlint"
	dto "github.com/prometheus/client_model/go"
)

func TestTextIsReadByTheParserOfPrometheusAndPleasesItsLinter(t *testing.T) {
	got := text(t, full())
	told := parsed(t, got)
	for _, f := range families {
		m := told[f.sample()]
		if m == nil {
			t.Errorf("%s has no sample", f.sample())
			continue
		}
		want := dto.MetricType_GAUGE
		if f.Type == counter {
			want = dto.MetricType_COUNTER
		}
		if m.GetType() != want || m.GetHelp() != f.Help {
			t.Errorf("%s is a %s, %q", f.sample(), m.GetType(), m.GetHelp())
		}
		for _, s := range m.Metric {
			var labels []string
			for _, l := range s.Label {
				labels = append(labels, l.GetName())
			}
			if !slices.Equal(labels, f.labels()) {
				t.Errorf("%s has the labels %v, declared are %v", f.sample(), labels, f.labels())
			}
		}
	}
	problems, err := promlint.New(strings.NewReader(got)).Lint()
	if err != nil {
		t.Fatal(err)
	}
	for _, p := range problems {
		t.Errorf("%s: %s", p.Metric, p.Text)
	}
}

func TestSamplesSayWhatWasRead(t *testing.T) {
	got := text(t, full())
	for _, line := range []string{
		`servicehost_host_info{name="orders \"01\"\n\\"} 1`,
		`servicehost_host_start_time_seconds 1772366400`,
		`servicehost_spec_state{state="rejected"} 1`,
		`servicehost_spec_problems 2`,
		`servicehost_spec_applied_timestamp_seconds 1772366401.5`,
		`servicehost_spec_last_reload_successful 0`,
		`servicehost_reloads_total{result="rejected"} 1`,
		`servicehost_reloads_total{result="applied"} 0`,
		`servicehost_forward_up{target="loki1",type="loki"} 1`,
		`servicehost_forward_dropped_records_total{target="loki1"} 3`,
		`servicehost_notify_up{notifier="ops",type="webhook"} 0`,
		`servicehost_notify_failed_messages_total{notifier="ops"} 8`,
		`servicehost_service_up{service="api",service_instance="2"} 1`,
		`servicehost_service_up{service="cleanup",service_instance="1"} 0`,
		`servicehost_service_state{service="cleanup",service_instance="1",state="waiting"} 1`,
		`servicehost_service_restarts_total{service="api",service_instance="1",reason="exit"} 1`,
		`servicehost_service_restarts_total{service="api",service_instance="2",reason="exit"} 0`,
		`servicehost_service_exits_total{service="api",service_instance="1",code="3",signal=""} 1`,
		`servicehost_service_cpu_seconds_total{service="api",service_instance="1"} 1.234567`,
		`servicehost_service_memory_bytes{service="api",service_instance="1"} 67108864`,
		`servicehost_service_next_start_timestamp_seconds{service="cleanup",service_instance="1"} 1772370000`,
		`servicehost_probe_duration_seconds{service="api",service_instance="1",probe="startup"} 0.0015`,
		`servicehost_probe_rounds_total{service="api",service_instance="1",probe="startup",result="failure"} 2`,
		`servicehost_probe_success{service="api",service_instance="1",probe="readiness"} 0`,
		`servicehost_log_dropped_lines_total{service="api",service_instance="1",reason="rate"} 5`,
		`servicehost_job_last_run_duration_seconds{service="cleanup",service_instance="1"} 90`,
		`servicehost_logs_rotated_bytes 1099511627776`,
	} {
		if !strings.Contains(got, line+"\n") {
			t.Errorf("lacks %s", line)
		}
	}
	for _, absent := range []string{
		`servicehost_service_restarts_total{service="cleanup"`, // a run of a job is no restart
		`servicehost_service_memory_bytes{service="cleanup"`,
		`servicehost_job_last_run_success{service="api"`,
		`# EOF`,
	} {
		if strings.Contains(got, absent) {
			t.Errorf("has %s", absent)
		}
	}
}

func TestFamilyWithoutSamplesIsNotTold(t *testing.T) {
	c := New(Options{Read: func(r *Reading, _ bool) { *r = Reading{Spec: Spec{State: "applied"}} }})
	got := text(t, c)
	for _, name := range []string{"servicehost_forward_up", "servicehost_service_up", "servicehost_host_start_time_seconds"} {
		if strings.Contains(got, name) {
			t.Errorf("tells %s:\n%s", name, got)
		}
	}
	if !strings.Contains(got, "servicehost_host_goroutines ") {
		t.Errorf("lacks the host itself:\n%s", got)
	}
}

func TestOpenMetricsNamesFamiliesWithoutTotal(t *testing.T) {
	var b strings.Builder
	if err := full().Write(&b, "application/openmetrics-text; version=1.0.0"); err != nil {
		t.Fatal(err)
	}
	got := b.String()
	for _, want := range []string{
		"# TYPE servicehost_reloads counter\nservicehost_reloads_total{result=\"applied\"} 0\n",
		`the code \"other\".` + "\n",
	} {
		if !strings.Contains(got, want) {
			t.Errorf("lacks %q", want)
		}
	}
	if !strings.HasSuffix(got, "\n# EOF\n") || strings.Count(got, "# EOF") != 1 {
		t.Errorf("ends with %q", got[max(0, len(got)-40):])
	}
}

func TestAcceptChoosesTheFormat(t *testing.T) {
	for accept, want := range map[string]format{
		"":    textFormat,
		"*/*": textFormat,
		"application/openmetrics-text;version=1.0.0,application/openmetrics-text;version=0.0.1;q=0.75,text/plain;version=0.0.4;q=0.5,*/*;q=0.1": openMetrics, // Prometheus 2.42
		"application/vnd.google.protobuf;proto=io.prometheus.client.MetricFamily;encoding=delimited;q=0.6,text/plain;version=0.0.4;q=0.3":       textFormat,
		"application/openmetrics-text;version=1.0.0;escaping=allow-utf-8;q=0.5,text/plain;version=1.0.0;q=0.4,*/*;q=0.2":                        openMetrics, // Prometheus 3
		"application/openmetrics-text;version=2.0.0,text/plain;q=0.2":                                                                           textFormat,
		"text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8":                                                                       textFormat,
		"application/openmetrics-text;q=0.1,text/plain;q=0.9":                                                                                   textFormat,
		"application/openmetrics-text;q=much":                                                                                                   textFormat,
		"nonsense;;;=,,application/openmetrics-text; version=\"1.0.0\"":                                                                         openMetrics,
	} {
		if got := formatOf(accept); got != want {
			t.Errorf("%q gives %d, want %d", accept, got, want)
		}
	}
}

func TestScrapesOfOneSecondReadOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		reads := 0
		c := New(Options{Read: func(r *Reading, _ bool) { reads++; *r = all() }})
		for range 3 {
			text(t, c)
		}
		if reads != 1 {
			t.Errorf("read %d times", reads)
		}
		time.Sleep(fresh)
		synctest.Wait()
		if c.last != nil || c.spare == nil || c.spare.users != 0 {
			t.Error("what is too old to be told is kept")
		}
		text(t, c)
		if reads != 2 {
			t.Errorf("read %d times after a second", reads)
		}
		time.Sleep(fresh)
	})
}

// TestSlowReaderKeepsWhatItReads has one scrape stand still while others go on.
func TestSlowReaderKeepsWhatItReads(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		name := "first"
		c := New(Options{Read: func(r *Reading, _ bool) {
			*r = Reading{Instances: append(r.Instances[:0], Instance{Service: name, Number: 1})}
		}})
		feed(c, "first", 1, "exit 3")
		slow := c.gather()
		for _, next := range []string{"second", "third", "fourth"} {
			time.Sleep(2 * time.Second)
			name = next
			if got := text(t, c); !strings.Contains(got, `service="`+next+`"`) || strings.Contains(got, `service="first"`) {
				t.Errorf("tells of others than %s:\n%s", next, got)
			}
		}
		if slow.Instances[0].Service != "first" || len(slow.counts[0].exits) != 1 {
			t.Errorf("it reads %+v", slow.Instances[0])
		}
		c.release(slow)
		time.Sleep(2 * time.Second)
		synctest.Wait()
		if c.last != nil || c.spare == nil {
			t.Errorf("last %v, spare %v", c.last, c.spare)
		}
	})
}

// TestFullLooksStayCheap is about what costs time for each instance: with a thousand it is asked for once a minute.
func TestFullLooksStayCheap(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		for n, want := range map[int]int{10: 20, 1000: 5} {
			looks := 0
			c := New(Options{Read: func(r *Reading, full bool) {
				if full {
					looks++
				}
				*r = Reading{Instances: make([]Instance, n)}
			}})
			for range 20 {
				text(t, c)
				time.Sleep(15 * time.Second)
			}
			if looks != want {
				t.Errorf("of %d instances %d looks of 20 were full, want %d", n, looks, want)
			}
		}
	})
}

func TestSelfIsKnown(t *testing.T) {
	s := readSelf()
	if s.cpu < 0 || s.goroutines < 2 || s.heap <= 0 || s.threads < 1 || s.handles == 0 {
		t.Errorf("%+v", s)
	}
}
