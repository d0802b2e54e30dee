package e2e

import (
	"fmt"
	"math/rand/v2"
	"os"
	"testing"
	"time"

	"servicehost/host/control"
)

// crashes is how often TestKilledHostStartsAgain kills its host: HOST_E2E_CRASHES, for a soak.
func crashes() int {
	var n int
	if _, err := fmt.Sscan(os.Getenv("HOST_E2E_CRASHES"), &n); err == nil && n > 0 {
		return n
	}
	if testing.Short() || slow {
		return 10
	}
	return 50
}

// TestKilledHostStartsAgain kills the host at random moments and starts it again: nothing runs twice,
// nothing is left over, and what an operator stopped stays stopped.
func TestKilledHostStartsAgain(t *testing.T) {
	r := newRig(t)
	seed := rand.Uint64()
	rnd := rand.New(rand.NewPCG(seed, 2))
	t.Logf("seed %d", seed)
	text := yaml(
		svc("a", r.child("run", "a")),
		svc("b", r.child("tree", "b"), "depends_on: [a]"),
		svc("c", r.child("exit", "c", "150"), "restart: {policy: always, delay: 10ms, limit: 0}"),
		svc("off", r.child("run", "off")),
	)
	r.write(text)
	r.start()
	r.untilState("off", "running")
	r.must(0, "stop", "off")
	for n := range crashes() {
		if rnd.IntN(3) > 0 {
			r.untilState("b", "running")
		}
		time.Sleep(time.Duration(rnd.IntN(300)) * time.Millisecond) // the moment is the point of the test
		r.kill()
		r.start() // waits for the guard of the killed one
		living := map[string]int{}
		for _, tag := range r.alive() {
			if living[tag]++; living[tag] > 1 && tag != "c" {
				t.Fatalf("crash %d: %s runs %d times", n, tag, living[tag])
			}
		}
		if living["off"] > 0 {
			t.Fatalf("crash %d: what the operator stopped runs", n)
		}
		s := r.status()
		for _, v := range s.Services {
			if v.ID == "off" && (v.State != "stopped" || v.Desired != "down" || v.DesiredBy != "operator") {
				t.Fatalf("crash %d: off is %+v", n, v)
			}
		}
		if s.Host.Spec.State == control.SpecRejected {
			t.Fatalf("crash %d: the spec is rejected", n)
		}
	}
	r.stop()
	r.nothingLeft()
}
