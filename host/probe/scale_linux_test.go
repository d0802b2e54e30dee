package probe

import (
	"bufio"
	"fmt"
	"math"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"runtime"
	"syscall"
	"testing"
	"time"

	"servicehost/spec"
)

func init() {
	helpers["web"] = func() int {
		s := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {}))
		fmt.Println(s.URL)
		var b [1]byte
		_, _ = os.Stdin.Read(b[:])
		return 0
	}
}

// helper starts this program as another one, with its first line of output as answer.
func helper(t *testing.T, name string, env ...string) (line string) {
	t.Helper()
	c := exec.Command(os.Args[0])
	c.Env = append(append(os.Environ(), "PROBE_TEST_HELPER="+name), env...)
	in, err := c.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	out, err := c.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := c.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = in.Close()
		_ = c.Wait()
	})
	s := bufio.NewScanner(out)
	s.Scan()
	return s.Text()
}

func cpuTime() time.Duration {
	var u syscall.Rusage
	_ = syscall.Getrusage(syscall.RUSAGE_SELF, &u)
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

// A thousand services that are asked cost a little of one core and no goroutine each. What a round costs is nearly
// all the kernel's: 110 to 150 µs on a busy machine, which is 1.1 to 1.5 % of a core at one round every ten seconds.
func TestThousandProbesCostLittle(t *testing.T) {
	const services, period = 1000, 3 * time.Second
	url := helper(t, "web")
	before := runtime.NumGoroutine()
	set := NewSet(Options{})
	defer set.Close()
	watches := make([]*Watch, services)
	for n := range watches {
		watches[n] = set.Watch(Run{Key: fmt.Sprint("web.", n)}, &spec.Health{Liveness: &spec.Probe{HTTP: url + "/live", Period: period, Timeout: 2 * time.Second}}, func(Event) {})
	}
	count := func() (rounds, failed, least uint64) {
		least = math.MaxUint64
		for _, w := range watches {
			s := w.Snapshot().Probes[0]
			rounds, failed, least = rounds+s.Rounds, failed+s.Failed, min(least, s.Rounds)
		}
		return rounds, failed, least
	}
	most, sum, looks := 0, 0, 0
	all := func(times uint64) { // waits until each was asked so often
		t.Helper()
		for end := time.Now().Add(time.Minute); ; time.Sleep(period / 30) {
			_, _, least := count()
			n := runtime.NumGoroutine() - before
			if most, sum, looks = max(most, n), sum+n, looks+1; least >= times {
				return
			}
			if time.Now().After(end) {
				t.Fatalf("one was asked %d times only", least)
			}
		}
	}
	all(1) // and their spreading
	most, sum, looks = 0, 0, 0
	first, _, _ := count()
	begin, used := time.Now(), cpuTime()
	all(2)
	took, used := time.Since(begin), cpuTime()-used
	rounds, failed, _ := count()
	rounds -= first
	perRound := used / time.Duration(max(rounds, 1))
	t.Logf("%d rounds, %d failed; %v of CPU in %v, %v a round, %.2f %% of a core at a period of 10 s; %d goroutines at most, %d in the mean",
		rounds, failed, used, took, perRound, float64(perRound)*services/float64(10*time.Second)*100, most, sum/looks)
	if sum/looks > 200 {
		t.Errorf("%d goroutines in the mean: it is one for each", sum/looks)
	}
	if !raceEnabled && perRound > time.Millisecond {
		t.Errorf("%v of CPU a round", perRound)
	}
}
