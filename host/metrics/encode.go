package metrics

import (
	"io"
	"math"
	"strconv"
	"strings"
	"sync"
	"time"
)

// encoder writes families. What went wrong is told by end.
type encoder struct {
	w      io.Writer
	format format
	buf    []byte
	err    error

	name   string // of the samples
	labels string // in front of those of a sample: `service="api"`
}

// chunk is how much is written at once.
const chunk = 32 << 10

var buffers = sync.Pool{New: func() any { b := make([]byte, 0, chunk+4<<10); return &b }}

func newEncoder(w io.Writer, f format) *encoder {
	return &encoder{w: w, format: f, buf: (*buffers.Get().(*[]byte))[:0]}
}

// free gives the buffer back; the encoder is of no use any more.
func (e *encoder) free() {
	b := e.buf[:0]
	buffers.Put(&b)
}

// all writes every family that has a sample.
func (e *encoder) all(g *gathered) {
	for n := range families {
		f := &families[n]
		start := len(e.buf)
		e.begin(f)
		head := len(e.buf)
		f.write(e, g)
		if len(e.buf) == head && start < head {
			e.buf = e.buf[:start]
		}
	}
}

// begin writes the head of a family.
func (e *encoder) begin(f *family) {
	e.name, e.labels = f.sample(), ""
	head := e.name
	if e.format == openMetrics {
		head = f.Name
	}
	e.buf = append(e.buf, "# HELP "...)
	e.buf = append(e.buf, head...)
	e.buf = append(e.buf, ' ')
	e.buf = append(e.buf, helpEscapes[e.format].Replace(f.Help)...)
	e.buf = append(e.buf, "\n# TYPE "...)
	e.buf = append(e.buf, head...)
	e.buf = append(e.buf, ' ')
	e.buf = append(e.buf, f.Type...)
	e.buf = append(e.buf, '\n')
}

// put writes a sample, with further labels as names and values by turns.
func (e *encoder) put(value float64, labels ...string) {
	e.buf = append(e.buf, e.name...)
	if e.labels != "" || len(labels) > 0 {
		e.buf = append(e.buf, '{')
		e.buf = append(e.buf, e.labels...)
		for n := 0; n+1 < len(labels); n += 2 {
			if n > 0 || e.labels != "" {
				e.buf = append(e.buf, ',')
			}
			e.buf = appendLabel(e.buf, labels[n], labels[n+1])
		}
		e.buf = append(e.buf, '}')
	}
	e.buf = append(e.buf, ' ')
	e.buf = appendValue(e.buf, value)
	e.buf = append(e.buf, '\n')
	if len(e.buf) >= chunk {
		e.flush()
	}
}

func (e *encoder) count(n uint64, labels ...string) { e.put(float64(n), labels...) }
func (e *encoder) sum(n int64, labels ...string)    { e.put(float64(n), labels...) }

func (e *encoder) truth(yes bool, labels ...string) {
	v := 0.0
	if yes {
		v = 1
	}
	e.put(v, labels...)
}

// moment writes a point in time, unless there is none.
func (e *encoder) moment(t time.Time, labels ...string) {
	if !t.IsZero() {
		e.put(float64(t.UnixMilli())/1e3, labels...)
	}
}

// known writes a value that is below zero where the system does not tell it.
func (e *encoder) known(n int64) {
	if n >= 0 {
		e.put(float64(n))
	}
}

// some writes a value that is 0 where it is not known.
func (e *encoder) some(n int64) {
	if n > 0 {
		e.put(float64(n))
	}
}

func (e *encoder) flush() {
	if e.err == nil {
		_, e.err = e.w.Write(e.buf)
	}
	e.buf = e.buf[:0]
}

func (e *encoder) end() error {
	if e.format == openMetrics {
		e.buf = append(e.buf, "# EOF\n"...)
	}
	e.flush()
	return e.err
}

// In text a quotation mark stands for itself in a help, in OpenMetrics it does not.
var helpEscapes = [...]*strings.Replacer{
	textFormat:  strings.NewReplacer(`\`, `\\`, "\n", `\n`),
	openMetrics: labelEscapes,
}

var labelEscapes = strings.NewReplacer(`\`, `\\`, "\n", `\n`, `"`, `\"`)

func appendLabel(b []byte, name, value string) []byte {
	b = append(b, name...)
	b = append(b, '=', '"')
	if strings.ContainsAny(value, "\\\n\"") {
		value = labelEscapes.Replace(value)
	}
	b = append(b, strings.ToValidUTF8(value, "\uFFFD")...)
	return append(b, '"')
}

func appendValue(b []byte, v float64) []byte {
	if n := math.Trunc(v); n == v && math.Abs(v) < 1<<53 {
		return strconv.AppendInt(b, int64(v), 10)
	}
	return strconv.AppendFloat(b, v, 'f', -1, 64)
}

// labelsOf are the labels of everything that is told of an instance. Its own is not called instance, for that is
// what Prometheus calls the host itself.
func labelsOf(i *Instance) string {
	b := appendLabel(nil, "service", i.Service)
	b = append(b, ',')
	return string(appendLabel(b, "service_instance", strconv.Itoa(i.Number)))
}
