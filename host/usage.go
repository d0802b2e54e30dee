package host

import (
	"context"
	"math"

	"servicehost/host/control"
	"servicehost/host/process"
	"servicehost/host/supervisor"
	"servicehost/host/usage"
	"servicehost/spec"
)

// newUsage begins to sample what the services use.
func (h *Host) newUsage() *usage.Sampler {
	var list []usage.Instance // one for all calls: they are made every few seconds
	return usage.New(usage.Options{
		Usage: func(id process.RunID, full bool) (process.Usage, error) { return h.backend.Usage(id, full) },
		Instances: func() []usage.Instance {
			list = list[:0]
			for _, p := range h.sup.Snapshots() {
				i := usage.Instance{ID: p.ID}
				if p.PID != 0 {
					i.Run, i.StartedAt = p.Run, p.StartedAt
				}
				list = append(list, i)
			}
			return list
		},
	})
}

// used fills in what status tells of the usage, where it is that of the run that status tells of.
func used(v *control.ServiceStatus, p *supervisor.Snapshot, u usage.Sample) {
	if p.PID != 0 && u.Run == p.Run {
		v.CPUPercent, v.MemoryBytes, v.Processes = percent(u.CPUPercent), u.Memory, u.Processes
	}
}

// percent is a share of a core as it is told: finer than a tenth is noise.
func percent(p float64) float64 { return math.Round(p*10) / 10 }

// Usage is `GET /v1/usage`.
func (h *Host) Usage(_ context.Context, r control.UsageRequest) (control.UsageAnswer, error) {
	var services []*spec.Service
	for _, p := range h.sup.Snapshots() {
		services = append(services, p.Spec)
	}
	chosen, err := choose(services, r.Names)
	if err != nil {
		return control.UsageAnswer{}, err
	}
	ids := make(map[string]bool, len(chosen))
	for _, s := range chosen {
		ids[s.ID] = true
	}
	now := h.usage.NowOf(ids, true)
	out := control.UsageAnswer{Services: make([]control.ServiceUsage, 0, len(chosen))}
	for _, s := range chosen {
		v := control.ServiceUsage{ID: s.ID}
		if u, ok := now[s.ID]; ok {
			v = control.ServiceUsage{
				ID: s.ID, At: &u.At, CPUPercent: percent(u.CPUPercent), MemoryBytes: u.Memory, ResidentBytes: u.Resident,
				PrivateBytes: u.Private, PSSBytes: u.PSS, PeakMemoryBytes: u.PeakMemory, Handles: u.Handles, Threads: u.Threads,
				Processes: u.Processes, ReadBytes: u.ReadBytes, WriteBytes: u.WriteBytes,
			}
		}
		if !r.NoHistory {
			all := h.usage.History(s.ID)
			v.Fine, v.Coarse = series(all.Fine), series(all.Coarse)
		}
		out.Services = append(out.Services, v)
	}
	return out, nil
}

func series(s usage.Series) *control.UsageSeries {
	out := &control.UsageSeries{StepMS: s.Step.Milliseconds(), Points: make([]control.UsagePoint, len(s.Points))}
	for n, p := range s.Points {
		out.Points[n] = control.UsagePoint{float64(p.At.UnixMilli()), percent(float64(p.CPUPercent)), float64(p.Memory)}
	}
	return out
}
