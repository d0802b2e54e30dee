package metrics

import (
	"strconv"

	"servicehost/host/probe"
)

var instanceFamilies = []family{
	{Name: "servicehost_service_up", Type: gauge, Help: "Whether its process runs and has passed its startup probe.",
		each: func(e *encoder, i *Instance, _ *counts) { e.truth(i.State == "running") }},
	{Name: "servicehost_service_as_desired", Type: gauge, Help: "Whether nothing about it needs an operator's eye, as host status has it.",
		each: func(e *encoder, i *Instance, _ *counts) { e.truth(i.AsDesired) }},
	{Name: "servicehost_service_desired", Type: gauge, Help: "Whether it is to be up; 0 where an operator or the spec has stopped it.",
		each: func(e *encoder, i *Instance, _ *counts) { e.truth(i.Wanted) }},
	{Name: "servicehost_service_state", Type: gauge, Labels: []string{"state"},
		Help: "Its state: stopped, waiting, starting, running, stopping, killing, backoff, exited or failed; 1 for the one that holds.",
		each: func(e *encoder, i *Instance, _ *counts) { e.put(1, "state", i.State) }},
	{Name: "servicehost_service_health", Type: gauge, Labels: []string{"health"},
		Help: "Its health: unknown, starting, healthy or unhealthy; 1 for the one that holds.",
		each: func(e *encoder, i *Instance, _ *counts) { e.put(1, "health", i.Health) }},
	{Name: "servicehost_service_spec_state", Type: gauge, Labels: []string{"state"},
		Help: "How it stands to the spec: applied, pending or rolled_back; 1 for the one that holds.",
		each: func(e *encoder, i *Instance, _ *counts) { e.put(1, "state", i.SpecState) }},
	{Name: "servicehost_service_start_time_seconds", Type: gauge, Help: "When its process was started, in Unix time; absent without one.",
		each: func(e *encoder, i *Instance, _ *counts) { e.moment(i.StartedAt) }},
	{Name: "servicehost_service_uptime_seconds", Type: gauge, Help: "How long its process runs; 0 without one.",
		each: func(e *encoder, i *Instance, _ *counts) { e.put(i.uptime.Seconds()) }},
	{Name: "servicehost_service_next_start_timestamp_seconds", Type: gauge,
		Help: "When it will be started next, by its schedule, after a backoff or by restart.retry_after, in Unix time; absent where nothing is planned.",
		each: func(e *encoder, i *Instance, _ *counts) { e.moment(i.NextStart) }},

	{Name: "servicehost_service_starts", Type: counter, Help: "Starts of it since the host started, the first one and those that failed included.",
		each: func(e *encoder, _ *Instance, c *counts) { e.count(c.starts) }},
	{Name: "servicehost_service_restarts", Type: counter, Labels: []string{"reason"},
		Help: "Starts of it that followed a former run, by why: exit (it ended by itself), start_failed, probe, limit (memory), max_runtime, change (of spec or program), operator, threshold, dependency, rollback or retry (by restart.retry_after). Reasons other than exit are absent until they happen.",
		each: restarts},
	{Name: "servicehost_service_exits", Type: counter, Labels: []string{"code", "signal"},
		Help: "Ends of its process, asked for or not, by exit code and signal. The first eight ways are told apart, what else there is has the code \"other\".",
		each: exits},
	{Name: "servicehost_service_failed_starts", Type: counter, Help: "Starts of it that brought no process to life.",
		each: func(e *encoder, _ *Instance, c *counts) { e.count(c.startFailures) }},
	{Name: "servicehost_service_failures", Type: counter, Help: "How often it was given up: a crash loop, or an end that restart.policy lets be.",
		each: func(e *encoder, _ *Instance, c *counts) { e.count(c.failures) }},
	{Name: "servicehost_service_kills", Type: counter, Help: "Stops of it that ended in a kill, after stop.timeout.",
		each: func(e *encoder, _ *Instance, c *counts) { e.count(c.kills) }},
	{Name: "servicehost_service_limit_hits", Type: counter, Help: "How often it ran into one of its limits.",
		each: func(e *encoder, _ *Instance, c *counts) { e.count(c.limits) }},
	{Name: "servicehost_service_threshold_crossings", Type: counter, Help: "How often it crossed one of its thresholds.",
		each: func(e *encoder, _ *Instance, c *counts) { e.count(c.thresholds) }},
	{Name: "servicehost_service_unhealthy_events", Type: counter, Help: "How often it stopped being ready.",
		each: func(e *encoder, _ *Instance, c *counts) { e.count(c.unhealthy) }},
	{Name: "servicehost_service_rollbacks", Type: counter, Help: "How often it went back to the spec or the program that worked before.",
		each: func(e *encoder, _ *Instance, c *counts) { e.count(c.rollbacks) }},

	{Name: "servicehost_service_cpu_seconds", Type: counter, Help: "CPU time of its tree since its process was started.",
		each: used(func(e *encoder, i *Instance, c *counts) { e.put(c.cpu.Seconds()) })},
	{Name: "servicehost_service_memory_bytes", Type: gauge, Help: "Memory of its tree as host status shows it: resident on Unix, private on Windows.",
		each: used(func(e *encoder, i *Instance, _ *counts) { e.sum(i.Usage.Memory) })},
	{Name: "servicehost_service_resident_memory_bytes", Type: gauge, Help: "Resident memory of its tree, the working set on Windows.",
		each: used(func(e *encoder, i *Instance, _ *counts) { e.some(i.Usage.Resident) })},
	{Name: "servicehost_service_private_memory_bytes", Type: gauge, Help: "Memory that belongs to its tree alone.",
		each: used(func(e *encoder, i *Instance, _ *counts) { e.some(i.Usage.Private) })},
	{Name: "servicehost_service_memory_limit_bytes", Type: gauge, Help: "limits.memory; absent without one.",
		each: func(e *encoder, i *Instance, _ *counts) { e.some(i.MemoryLimit) }},
	{Name: "servicehost_service_open_handles", Type: gauge, Help: "Open file descriptors of its tree, handles on Windows.",
		each: used(func(e *encoder, i *Instance, _ *counts) { e.some(int64(i.Usage.Handles)) })},
	{Name: "servicehost_service_threads", Type: gauge, Help: "Threads of its tree.",
		each: used(func(e *encoder, i *Instance, _ *counts) { e.some(int64(i.Usage.Threads)) })},
	{Name: "servicehost_service_processes", Type: gauge, Help: "Processes of its tree.",
		each: used(func(e *encoder, i *Instance, _ *counts) { e.sum(int64(i.Usage.Processes)) })},
	{Name: "servicehost_service_read_bytes", Type: counter, Help: "What its tree has read since its process was started.",
		each: used(func(e *encoder, i *Instance, _ *counts) { e.sum(i.Usage.ReadBytes) })},
	{Name: "servicehost_service_written_bytes", Type: counter, Help: "What its tree has written since its process was started.",
		each: used(func(e *encoder, i *Instance, _ *counts) { e.sum(i.Usage.WriteBytes) })},

	{Name: "servicehost_probe_success", Type: gauge, Labels: []string{"probe"}, Help: "Whether the last round of a probe (startup, readiness, liveness) was a success; absent before the first one.",
		each: probes(func(e *encoder, p *probe.Status) {
			if p.Rounds > 0 {
				e.truth(p.Result == probe.Success, "probe", string(p.Probe))
			}
		})},
	{Name: "servicehost_probe_duration_seconds", Type: gauge, Labels: []string{"probe"}, Help: "How long the last round of a probe took.",
		each: probes(func(e *encoder, p *probe.Status) {
			if p.Rounds > 0 {
				e.put(p.Duration.Seconds(), "probe", string(p.Probe))
			}
		})},
	{Name: "servicehost_probe_rounds", Type: counter, Labels: []string{"probe", "result"}, Help: "Rounds of a probe since its process was started, by result: success or failure.",
		each: probes(func(e *encoder, p *probe.Status) {
			e.count(p.Rounds-min(p.Failed, p.Rounds), "probe", string(p.Probe), "result", "success")
			e.count(p.Failed, "probe", string(p.Probe), "result", "failure")
		})},

	{Name: "servicehost_log_lines", Type: counter, Help: "Lines of its output that are in its logs.",
		each: func(e *encoder, i *Instance, _ *counts) { e.sum(i.Log.LinesWritten) }},
	{Name: "servicehost_log_bytes", Type: counter, Help: "Output of it that is in its logs.",
		each: func(e *encoder, i *Instance, _ *counts) { e.sum(i.Log.BytesWritten) }},
	{Name: "servicehost_log_dropped_lines", Type: counter, Labels: []string{"reason"}, Help: "Lines of its output that are in no log: trouble (the file could not be written) or rate (more than log.rate).",
		each: func(e *encoder, i *Instance, _ *counts) {
			e.sum(i.Log.LinesDropped, "reason", "trouble")
			e.sum(i.Log.LinesLimited, "reason", "rate")
		}},
	{Name: "servicehost_log_dropped_bytes", Type: counter, Labels: []string{"reason"}, Help: "Output of it that is in no log: trouble or rate.",
		each: func(e *encoder, i *Instance, _ *counts) {
			e.sum(i.Log.BytesDropped, "reason", "trouble")
			e.sum(i.Log.BytesLimited, "reason", "rate")
		}},
	{Name: "servicehost_log_cut_lines", Type: counter, Help: "Lines of its output that were cut at log.max_line.",
		each: func(e *encoder, i *Instance, _ *counts) { e.sum(i.Log.LinesCut) }},
	{Name: "servicehost_log_dropping", Type: gauge, Help: "Whether its output is dropped just now, because its log can't be written.",
		each: func(e *encoder, i *Instance, _ *counts) { e.truth(i.Log.Dropping != "") }},

	{Name: "servicehost_job_last_run_success", Type: gauge, Help: "Whether the last run of a oneshot or a scheduled service ended with success; absent before the first one.",
		each: lastRun(func(e *encoder, r *Run) { e.truth(r.Success) })},
	{Name: "servicehost_job_last_run_timestamp_seconds", Type: gauge, Help: "When the last run of a oneshot or a scheduled service ended, in Unix time.",
		each: lastRun(func(e *encoder, r *Run) { e.moment(r.EndedAt) })},
	{Name: "servicehost_job_last_run_duration_seconds", Type: gauge, Help: "How long the last run of a oneshot or a scheduled service took.",
		each: lastRun(func(e *encoder, r *Run) { e.put(r.Duration.Seconds()) })},
	{Name: "servicehost_job_skipped_runs", Type: counter, Help: "Runs that were left out because the former one was not over.",
		each: func(e *encoder, i *Instance, c *counts) {
			if i.Job {
				e.count(c.skipped)
			}
		}},
}

func used(write func(*encoder, *Instance, *counts)) func(*encoder, *Instance, *counts) {
	return func(e *encoder, i *Instance, c *counts) {
		if !i.Usage.At.IsZero() {
			write(e, i, c)
		}
	}
}

func probes(write func(*encoder, *probe.Status)) func(*encoder, *Instance, *counts) {
	return func(e *encoder, i *Instance, _ *counts) {
		for n := range i.Probes {
			write(e, &i.Probes[n])
		}
	}
}

func lastRun(write func(*encoder, *Run)) func(*encoder, *Instance, *counts) {
	return func(e *encoder, i *Instance, _ *counts) {
		if i.Job && !i.LastRun.EndedAt.IsZero() {
			write(e, &i.LastRun)
		}
	}
}

func restarts(e *encoder, i *Instance, c *counts) {
	for r, n := range c.restarts {
		if n > 0 || reason(r) == afterExit && !i.Job {
			e.count(n, "reason", reasonNames[r])
		}
	}
}

func exits(e *encoder, _ *Instance, c *counts) {
	for _, x := range c.exits {
		code := strconv.Itoa(x.code)
		switch {
		case x.code == otherExits:
			code = "other"
		case x.code > 0xFFFF: // an NTSTATUS
			code = "0x" + strconv.FormatInt(int64(x.code), 16)
		}
		e.count(x.n, "code", code, "signal", x.signal)
	}
}
