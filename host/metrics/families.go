package metrics

import (
	"runtime"
)

// family is one metric with all its samples.
type family struct {
	Name   string // without _total
	Type   string // gauge or counter
	Labels []string
	Help   string

	host func(*encoder, *gathered)          // one of these
	each func(*encoder, *Instance, *counts) // once for each instance, whose labels are written in front
}

const (
	gauge   = "gauge"
	counter = "counter"
)

// sample is the name of the samples.
func (f *family) sample() string {
	if f.Type == counter {
		return f.Name + "_total"
	}
	return f.Name
}

// labels are all that the samples have.
func (f *family) labels() []string {
	if f.each != nil {
		return append([]string{"service", "service_instance"}, f.Labels...)
	}
	return f.Labels
}

func (f *family) write(e *encoder, g *gathered) {
	if f.host != nil {
		f.host(e, g)
		return
	}
	for n := range g.Instances {
		e.labels = g.labels[n]
		f.each(e, &g.Instances[n], &g.counts[n])
	}
}

// families are all that is told, in this order.
//
// The process of the host itself goes by servicehost_host_ and not by process_ and go_, as other exporters have it:
// what `host metrics` prints is read by collectors that have those names of their own.
//
// Of a state only the one that holds is told, with a value of 1: nine series for each of a thousand services would
// say no more, and Prometheus ends the series of the former state with the same scrape.
var families = append(hostFamilies, instanceFamilies...)

var hostFamilies = []family{
	{Name: "servicehost_build_info", Type: gauge, Labels: []string{"version", "goversion", "goos", "goarch"},
		Help: "Which host this is; always 1.",
		host: func(e *encoder, g *gathered) {
			e.put(1, "version", g.options.Version, "goversion", runtime.Version(), "goos", runtime.GOOS, "goarch", runtime.GOARCH)
		}},
	{Name: "servicehost_host_info", Type: gauge, Labels: []string{"name"}, Help: "What the host is called, host.name; always 1.",
		host: func(e *encoder, g *gathered) { e.put(1, "name", g.Name) }},
	{Name: "servicehost_host_start_time_seconds", Type: gauge, Help: "When the host was started, in Unix time.",
		host: func(e *encoder, g *gathered) { e.moment(g.options.Started) }},
	{Name: "servicehost_host_paused", Type: gauge, Help: "Whether host pause holds back reloads and restarts.",
		host: func(e *encoder, g *gathered) { e.truth(g.Paused) }},
	{Name: "servicehost_host_cpu_seconds", Type: counter, Help: "CPU time that the host itself used, without its services.",
		host: func(e *encoder, g *gathered) {
			if g.self.cpu >= 0 {
				e.put(g.self.cpu.Seconds())
			}
		}},
	{Name: "servicehost_host_resident_memory_bytes", Type: gauge, Help: "Resident memory of the host itself, the working set on Windows.",
		host: func(e *encoder, g *gathered) { e.known(g.self.resident) }},
	{Name: "servicehost_host_heap_bytes", Type: gauge, Help: "Memory that live and not yet swept objects of the host take.",
		host: func(e *encoder, g *gathered) { e.known(g.self.heap) }},
	{Name: "servicehost_host_goroutines", Type: gauge, Help: "Goroutines of the host.",
		host: func(e *encoder, g *gathered) { e.known(g.self.goroutines) }},
	{Name: "servicehost_host_threads", Type: gauge, Help: "Threads of the host.",
		host: func(e *encoder, g *gathered) { e.known(g.self.threads) }},
	{Name: "servicehost_host_open_handles", Type: gauge, Help: "Open file descriptors of the host itself, handles on Windows.",
		host: func(e *encoder, g *gathered) { e.known(g.self.handles) }},

	{Name: "servicehost_spec_state", Type: gauge, Labels: []string{"state"},
		Help: "Where the files of the spec stand: applied, pending, rejected, rolled_back or last_good; 1 for the one that holds.",
		host: func(e *encoder, g *gathered) { e.put(1, "state", g.Spec.State) }},
	{Name: "servicehost_spec_problems", Type: gauge, Help: "Problems of the files as they are; not 0 where they are rejected.",
		host: func(e *encoder, g *gathered) { e.put(float64(g.Spec.Problems)) }},
	{Name: "servicehost_spec_applied_timestamp_seconds", Type: gauge, Help: "When the spec that is in force was applied, in Unix time.",
		host: func(e *encoder, g *gathered) { e.moment(g.Spec.AppliedAt) }},
	{Name: "servicehost_spec_last_reload_successful", Type: gauge, Help: "Whether the last reload was not rejected; 1 before the first one.",
		host: func(e *encoder, g *gathered) { e.truth(!g.refused) }},
	{Name: "servicehost_reloads", Type: counter, Labels: []string{"result"}, Help: "Reloads since the host started by how they went: applied, rejected or pending.",
		host: func(e *encoder, g *gathered) {
			for n, r := range reloadKinds {
				e.count(g.reloads[n], "result", r.name)
			}
		}},

	{Name: "servicehost_logs_rotated_bytes", Type: gauge, Help: "What the rotated logs of all services take on disk, which host.logs.max_total bounds.",
		host: func(e *encoder, g *gathered) { e.sum(g.Logs.RotatedBytes) }},
	{Name: "servicehost_logs_evicted_files", Type: counter, Help: "Rotated logs that were deleted early, for host.logs.max_total or min_free.",
		host: func(e *encoder, g *gathered) { e.sum(g.Logs.EvictedFiles) }},
	{Name: "servicehost_logs_evicted_bytes", Type: counter, Help: "What the rotated logs took that were deleted early.",
		host: func(e *encoder, g *gathered) { e.sum(g.Logs.EvictedBytes) }},

	{Name: "servicehost_forward_up", Type: gauge, Labels: []string{"target", "type"}, Help: "Whether a log target takes what is sent.",
		host: targets(func(e *encoder, t *Target) { e.truth(t.Up, "target", t.Name, "type", t.Type) })},
	{Name: "servicehost_forward_sent_records", Type: counter, Labels: []string{"target"}, Help: "Log records that a target took.",
		host: targets(func(e *encoder, t *Target) { e.sum(t.SentRecords, "target", t.Name) })},
	{Name: "servicehost_forward_sent_bytes", Type: counter, Labels: []string{"target"}, Help: "Text of the records that a target took.",
		host: targets(func(e *encoder, t *Target) { e.sum(t.SentBytes, "target", t.Name) })},
	{Name: "servicehost_forward_dropped_records", Type: counter, Labels: []string{"target"}, Help: "Log records that a target did not get: for want of room, or because it refused them.",
		host: targets(func(e *encoder, t *Target) { e.sum(t.DroppedRecords, "target", t.Name) })},
	{Name: "servicehost_forward_dropped_bytes", Type: counter, Labels: []string{"target"}, Help: "Text of the records that a target did not get.",
		host: targets(func(e *encoder, t *Target) { e.sum(t.DroppedBytes, "target", t.Name) })},
	{Name: "servicehost_forward_waiting_records", Type: gauge, Labels: []string{"target"}, Help: "Log records that wait for a target, in memory and on disk.",
		host: targets(func(e *encoder, t *Target) { e.sum(t.WaitingRecords, "target", t.Name) })},
	{Name: "servicehost_forward_spooled_bytes", Type: gauge, Labels: []string{"target"}, Help: "What waits for a target on disk.",
		host: targets(func(e *encoder, t *Target) { e.sum(t.SpooledBytes, "target", t.Name) })},

	{Name: "servicehost_notify_up", Type: gauge, Labels: []string{"notifier", "type"}, Help: "Whether a receiver of alerts takes what is sent.",
		host: notifiers(func(e *encoder, n *Notifier) { e.truth(n.Up, "notifier", n.Name, "type", n.Kind) })},
	{Name: "servicehost_notify_sent_messages", Type: counter, Labels: []string{"notifier"}, Help: "Alerts that a receiver took.",
		host: notifiers(func(e *encoder, n *Notifier) { e.sum(n.Sent, "notifier", n.Name) })},
	{Name: "servicehost_notify_failed_messages", Type: counter, Labels: []string{"notifier"}, Help: "Alerts that were given up.",
		host: notifiers(func(e *encoder, n *Notifier) { e.sum(n.Failed, "notifier", n.Name) })},
	{Name: "servicehost_notify_waiting_messages", Type: gauge, Labels: []string{"notifier"}, Help: "Alerts that wait for a receiver.",
		host: notifiers(func(e *encoder, n *Notifier) { e.sum(n.Waiting, "notifier", n.Name) })},
}

func notifiers(write func(*encoder, *Notifier)) func(*encoder, *gathered) {
	return func(e *encoder, g *gathered) {
		for n := range g.Notifiers {
			write(e, &g.Notifiers[n])
		}
	}
}

func targets(write func(*encoder, *Target)) func(*encoder, *gathered) {
	return func(e *encoder, g *gathered) {
		for n := range g.Targets {
			write(e, &g.Targets[n])
		}
	}
}
