package metrics

// Vars are a few sums for who looks at the host itself, as values for JSON.
func (c *Collector) Vars() map[string]any {
	g := c.gather()
	defer c.release(g)
	up, lines, bytes, dropped := 0, int64(0), int64(0), int64(0)
	for n := range g.Instances {
		i := &g.Instances[n]
		if i.State == "running" {
			up++
		}
		lines += i.Log.LinesWritten
		bytes += i.Log.BytesWritten
		dropped += i.Log.LinesDropped + i.Log.LinesLimited
	}
	out := map[string]any{
		"version": g.options.Version, "started_at": g.options.Started, "instances": len(g.Instances), "instances_up": up,
		"log_lines": lines, "log_bytes": bytes, "log_lines_dropped": dropped,
		"goroutines": g.self.goroutines, "heap_bytes": g.self.heap,
	}
	known := func(name string, v int64) { // what the system does not tell is left out
		if v >= 0 {
			out[name] = v
		}
	}
	known("resident_bytes", g.self.resident)
	known("open_handles", g.self.handles)
	known("threads", g.self.threads)
	if g.self.cpu >= 0 {
		out["cpu_seconds"] = g.self.cpu.Seconds()
	}
	return out
}
