package top

import "slices"

// samples is how many of them a history holds: a minute at one per second.
const samples = 60

// history is what an instance used lately.
type history struct {
	cpu, memory [samples]float32
	n           int // taken so far
}

func (h *history) add(cpu float64, memory int64) {
	h.cpu[h.n%samples] = float32(cpu)
	h.memory[h.n%samples] = float32(memory)
	h.n++
}

// last returns the newest n of a ring, oldest first.
func (h *history) last(ring *[samples]float32, n int) []float32 {
	n = min(n, h.n, samples)
	out := make([]float32, 0, n)
	for i := h.n - n; i < h.n; i++ {
		out = append(out, ring[i%samples])
	}
	return out
}

var bars = []rune("▁▂▃▄▅▆▇█")

// sparkOf draws values as bars between two levels.
func sparkOf(values []float32, width int, low, high float32) string {
	out := make([]rune, 0, width)
	for range width - len(values) {
		out = append(out, ' ')
	}
	for _, v := range values {
		i := 0
		if high > low {
			i = int((v - low) / (high - low) * float32(len(bars)))
		}
		out = append(out, bars[max(0, min(i, len(bars)-1))])
	}
	return string(out)
}

// busyLevel is the least CPU, in percent of a core, that is drawn as a full bar.
const busyLevel = 5

// cpuSpark draws from nothing to the highest.
func (h *history) cpuSpark(width int) string {
	values := h.last(&h.cpu, width)
	return sparkOf(values, width, 0, slices.Max(append(slices.Clip(values), busyLevel)))
}

// memorySpark draws the change: what stays as it is is a line at half height, whatever its size.
func (h *history) memorySpark(width int) string {
	values := h.last(&h.memory, width)
	if len(values) == 0 {
		return sparkOf(nil, width, 0, 0)
	}
	low, high := slices.Min(values), slices.Max(values)
	margin := max(high-low, high/10) / 2
	return sparkOf(values, width, low-margin, high+margin)
}
