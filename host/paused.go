package host

import (
	"regexp"
	"sync"

	"servicehost/host/control"
	"servicehost/host/supervisor"
	"servicehost/spec"
)

// nextTry finds in a reason when a service is started again.
var nextTry = sync.OnceValue(func() *regexp.Regexp {
	return regexp.MustCompile(`\b(next try|tried again) (?:in (?:\d[\d.]*(?:ms|[smhd]))+|at once)`)
})

// holdBack shows the next try of a service as what a pause makes of it: it waits for the resume, and no
// time that passes says when.
func holdBack(p *supervisor.Snapshot, v *control.ServiceStatus) {
	if p.State != supervisor.Backoff && p.State != supervisor.Failed || p.Spec.Type == spec.TypeScheduled || p.NextTry.IsZero() {
		return
	}
	v.NextRun = nil
	v.Reason = nextTry().ReplaceAllString(v.Reason, "$1 after host resume")
}
