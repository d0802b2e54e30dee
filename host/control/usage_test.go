package control

import (
	"encoding/json"
	"net/http"
	"slices"
	"testing"
	"time"
)

func TestUsageIsAskedFor(t *testing.T) {
	f := newFakeHost()
	_, c := serve(t, testDir(t), f, Entry{})
	for _, q := range []UsageRequest{{}, {Names: []string{"api", "b c.2"}}, {NoHistory: true}} {
		u, err := c.Usage(t.Context(), q)
		if err != nil || len(u.Services) != 1 || u.Services[0].MemoryBytes != 5<<20 {
			t.Errorf("%+v, %v", u, err)
		}
		got := f.usages[len(f.usages)-1]
		if !slices.Equal(got.Names, q.Names) || got.NoHistory != q.NoHistory {
			t.Errorf("the host was asked for %+v, want %+v", got, q)
		}
	}
	resp, err := c.http.Get("http://host/v1/usage?history=perhaps")
	if err != nil {
		t.Fatal(err)
	}
	resp.Body.Close()
	if resp.StatusCode != http.StatusBadRequest {
		t.Errorf("a bad flag is answered with %s", resp.Status)
	}
}

// What others read by its names is not renamed.
func TestUsageOnTheWire(t *testing.T) {
	at := time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
	data, err := json.Marshal(UsageAnswer{Services: []ServiceUsage{
		{ID: "api.1", At: &at, CPUPercent: 1.5, MemoryBytes: 1 << 40, ResidentBytes: 2, PrivateBytes: 3, PSSBytes: 4, PeakMemoryBytes: 5,
			Handles: 6, Threads: 7, Processes: 8, ReadBytes: 9, WriteBytes: 10,
			Fine:   &UsageSeries{StepMS: 5000, Points: []UsagePoint{{1772366400000, 1.5, 1 << 40}}},
			Coarse: &UsageSeries{StepMS: 300000, Points: []UsagePoint{}}},
		{ID: "b"},
	}})
	want := `{"services":[{"id":"api.1","at":"2026-03-01T12:00:00Z","cpu_percent":1.5,"memory_bytes":1099511627776,"resident_bytes":2,"private_bytes":3,` +
		`"pss_bytes":4,"peak_memory_bytes":5,"handles":6,"threads":7,"processes":8,"read_bytes":9,"write_bytes":10,` +
		`"fine":{"step_ms":5000,"points":[[1772366400000,1.5,1099511627776]]},"coarse":{"step_ms":300000,"points":[]}},` +
		`{"id":"b","at":null,"cpu_percent":0,"memory_bytes":0,"resident_bytes":0,"private_bytes":0,` +
		`"pss_bytes":0,"peak_memory_bytes":0,"handles":0,"threads":0,"processes":0,"read_bytes":0,"write_bytes":0}]}`
	if err != nil || string(data) != want {
		t.Errorf("%v\n%s\nwant\n%s", err, data, want)
	}
}
