package web

import (
	"bytes"
	"context"
	"encoding/json"
	"reflect"
	"time"

	"servicehost/host/control"
	"servicehost/host/journal"
)

// batch makes one frame of an event and those that wait behind it.
func batch(e journal.Event, more <-chan journal.Event) []byte {
	var b bytes.Buffer
	write(&b, "journal", e)
	for range maxBatch {
		select {
		case e, ok := <-more:
			if !ok {
				return b.Bytes()
			}
			write(&b, "journal", e)
		default:
			return b.Bytes()
		}
	}
	return b.Bytes()
}

// write puts one event of the stream into b. JSON has no line breaks.
func write(b *bytes.Buffer, name string, data any) {
	j, err := json.Marshal(data)
	if err != nil {
		return
	}
	b.WriteString("event: ")
	b.WriteString(name)
	b.WriteString("\ndata: ")
	b.Write(j)
	b.WriteString("\n\n")
}

// view is what was last seen and told.
type view struct {
	seen   bool
	host   control.HostStatus
	status control.Status
	byID   map[string]int // index in status.Services
	frame  []byte         // the whole of it; nil: not written yet
	used   time.Time      // when usage was last measured for this
}

// whole is the status as one frame; nil: nothing is known yet.
func (v *view) whole() []byte {
	if !v.seen {
		return nil
	}
	if v.frame == nil {
		var b bytes.Buffer
		write(&b, "status", v.status)
		v.frame = b.Bytes()
	}
	return v.frame
}

type changes struct {
	Changed []control.ServiceStatus `json:"changed"`
	Removed []string                `json:"removed"`
}

// look asks the host how it is and returns what changed; nil: nothing did.
func (v *view) look(ctx context.Context, o Options) []byte {
	used := v.used
	measured := time.Since(used) > measureTime
	if measured {
		used = time.Now()
	}
	now, err := o.Status(ctx, measured)
	if err != nil {
		return nil
	}
	before := *v
	*v = view{seen: true, used: used, host: calmHost(now.Host), status: now, byID: make(map[string]int, len(now.Services))}
	var eq comparer
	ch := changes{Changed: []control.ServiceStatus{}, Removed: []string{}}
	for n := range now.Services {
		s := &now.Services[n]
		v.byID[s.ID] = n
		// Mostly they stand in the same order.
		if n < len(before.status.Services) && before.status.Services[n].ID == s.ID {
			if !eq.same(&before.status.Services[n], s) {
				ch.Changed = append(ch.Changed, *s)
			}
			continue
		}
		if at, ok := before.byID[s.ID]; !ok || !eq.same(&before.status.Services[at], s) {
			ch.Changed = append(ch.Changed, *s)
		}
	}
	for n := range before.status.Services {
		if id := before.status.Services[n].ID; !v.has(id) {
			ch.Removed = append(ch.Removed, id)
		}
	}
	if !before.seen {
		return nil // nobody was told anything yet
	}
	var b bytes.Buffer
	if !reflect.DeepEqual(before.host, v.host) {
		write(&b, "host", now.Host)
	}
	if len(ch.Changed)+len(ch.Removed) > 0 {
		write(&b, "services", ch)
	}
	if b.Len() == 0 {
		return nil
	}
	return b.Bytes()
}

func (v *view) has(id string) bool {
	_, ok := v.byID[id]
	return ok
}

type usageNow struct {
	At       int64                 `json:"at"` // Unix milliseconds
	Services map[string][2]float64 `json:"services"`
}

// usage is what the services use, as a frame: percent of a core, and bytes.
func (v *view) usage() []byte {
	u := usageNow{At: time.Now().UnixMilli(), Services: map[string][2]float64{}}
	for n := range v.status.Services {
		if s := &v.status.Services[n]; s.PID != 0 {
			u.Services[s.ID] = [2]float64{s.CPUPercent, float64(s.MemoryBytes)}
		}
	}
	var b bytes.Buffer
	write(&b, "usage", u)
	return b.Bytes()
}
