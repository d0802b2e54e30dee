package host

import (
	"slices"
	"testing"

	"servicehost/host/state"
	"servicehost/spec"
)

// TestLastGoodFollowsWhatChanges keeps one spec after the other and reads back what a host that finds broken
// files would run, also when the records were written by a host before.
func TestLastGoodFollowsWhatChanges(t *testing.T) {
	store, err := state.Open(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	defer store.Close()
	service := func(name string, instance int, hash string) *spec.Service {
		return &spec.Service{Name: name, Instance: instance, ID: name, Hash: hash}
	}
	a, b, b2, c := service("a", 1, "1"), service("b", 1, "1"), service("b", 2, "1"), service("c", 1, "1")
	h := &Host{store: store}
	for n, want := range [][]*spec.Service{
		{a, b, b2, c}, {a, b, b2, c}, {a, b, c}, {service("a", 1, "2"), b, c}, {b}, {a, b, service("b", 2, "3"), c}, nil, {c},
	} {
		if n == 5 {
			h = &Host{store: store} // it knows nothing of what was kept
		}
		h.keepLastGood(&spec.Spec{Services: want})
		got, err := h.readLastGood()
		if err != nil {
			t.Fatal(err)
		}
		if !slices.EqualFunc(got.Services, want, func(x, y *spec.Service) bool { return x.Name == y.Name && x.Instance == y.Instance && x.Hash == y.Hash }) {
			t.Errorf("step %d: %d services, or others, instead of %d", n, len(got.Services), len(want))
		}
	}
}
