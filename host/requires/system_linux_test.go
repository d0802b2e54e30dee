package requires

import (
	"path/filepath"
	"testing"

	"servicehost/spec"
)

const holdersAreSeen = true

func TestListenersAreReadFromTheKernel(t *testing.T) {
	const line = "   0: 0100007F:1F90 00000000:0000 0A 00000000:00000000 00:00000000 00000000  1000        0 48211 1 0000000000000000 100 0 0 10 0"
	if l, ok := parseListener(line, 8080); !ok || l != (listener{uid: "1000", inode: "48211"}) {
		t.Errorf("read as %+v, %v", l, ok)
	}
	for _, other := range []string{"", "  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode",
		"   0: 0100007F:1F90 0100007F:C350 01 00000000:00000000 00:00000000 00000000  1000        0 48211 1", // a connection
		"   0: 0100007F:1F91 00000000:0000 0A 00000000:00000000 00:00000000 00000000  1000        0 48211 1"} {
		if l, ok := parseListener(other, 8080); ok {
			t.Errorf("%q is read as %+v", other, l)
		}
	}
}

func TestServicesWithoutSystemd(t *testing.T) {
	was := systemdRuns
	defer func() { systemdRuns = was }()
	systemdRuns = filepath.Join(t.TempDir(), "none")
	wantOnly(t, check(t, spec.Requires{Services: []string{"ssh"}}, Env{}), "services: service ssh: systemd does not run this system")
}

// A machine with or without systemd: in either case what is not there is not said to be.
func TestUnknownServiceIsUnmet(t *testing.T) {
	systemdRuns = t.TempDir() // asked anyway
	defer func() { systemdRuns = "/run/systemd/system" }()
	if got := check(t, spec.Requires{Services: []string{"no-such-service-here"}}, Env{}); len(got) != 1 {
		t.Errorf("told %q", got)
	}
}
