package logs

import (
	"encoding/json"
	"math/rand/v2"
	"os"
	"strings"
	"testing"
	"time"

	"servicehost/spec"
)

// cutShort gives back the room.
func (f smallFile) cutShort(size int64) error {
	info, err := f.info()
	if err != nil {
		return err
	}
	if err := f.logFile.(diskFile).cutShort(size); err != nil {
		return err
	}
	f.disk.room.Add(info.size - size)
	return nil
}

// TestFullDiskLeavesWholeRecords counts every line of a JSON log on a disk that is full now and then.
func TestFullDiskLeavesWholeRecords(t *testing.T) {
	for seed := range uint64(40) {
		path := logPath(t)
		rnd := rand.New(rand.NewPCG(seed, 1))
		disk := &smallDisk{reserves: seed%2 == 0}
		disk.room.Store(rnd.Int64N(5000))
		tm := testTiming
		tm.retry, tm.retryMax, tm.first = 0, 0, time.Hour
		s, _ := testSet(t, disk.files(), tm)
		p, src := openPipeline(t, s, spec.Log{Path: path, MaxSize: 3000, MaxFiles: 1000, Format: spec.FormatJSON})
		const lines = 200
		for rest := numbered(0, lines); len(rest) > 0; {
			n := min(len(rest), 1+rnd.IntN(500))
			src.in <- rest[:n]
			rest = rest[n:]
			if rnd.IntN(4) == 0 {
				disk.room.Add(rnd.Int64N(6000))
			}
		}
		disk.room.Store(1 << 20)
		src.end()
		p.Drain(time.Minute)
		kept, dropped, bytes := int64(0), int64(0), int64(0)
		all := everything(t, path)
		for line := range strings.Lines(all) {
			var got struct{ Stream, Line string }
			if err := json.Unmarshal([]byte(line), &got); err != nil {
				if disk.reserves {
					t.Errorf("seed %d: %q is no record: %v", seed, line, err)
				}
				continue // half a mark, which nobody could foresee
			}
			if got.Stream == streamHost {
				n, b, ok := markOf(got.Line)
				if !ok {
					t.Errorf("seed %d: %q is no mark", seed, got.Line)
				}
				dropped, bytes = dropped+n, bytes+b
				continue
			}
			kept++
		}
		st := p.Stats()
		if kept+dropped != lines || st.LinesDropped != dropped || st.BytesDropped != bytes {
			t.Errorf("seed %d: %d kept, %d of %d bytes told as dropped, stats %+v", seed, kept, dropped, bytes, st)
		}
		p.Close()
	}
}

func TestMarksOfTextAreRecords(t *testing.T) {
	path := logPath(t)
	disk := &smallDisk{reserves: true}
	disk.room.Store(10)
	tm := testTiming
	tm.retry, tm.retryMax, tm.first = 0, 0, time.Hour
	s, _ := testSet(t, disk.files(), tm)
	p, src := openPipeline(t, s, spec.Log{Path: path, Format: spec.FormatText})
	src.send("lost\n")
	src.send("") // taken when the line before is
	disk.room.Store(1 << 20)
	src.send("kept\n")
	src.end()
	p.Drain(time.Minute)
	text := content(t, path)
	lines := strings.Split(text, "\n")
	if len(lines) != 3 || !strings.Contains(lines[0], "Z host api | [host] dropped 1 lines (43 bytes) between ") || !strings.HasSuffix(lines[1], "Z stdout api | kept") {
		t.Errorf("file holds %q", text)
	}
}

func TestRecordBeginsBehindHalfALine(t *testing.T) {
	path := logPath(t)
	put(t, path, "half")
	s, _ := testSet(t, realFiles, testTiming)
	p, src := openPipeline(t, s, spec.Log{Path: path, Format: spec.FormatText})
	src.send("one\n")
	until(t, "a record", func() bool { return strings.HasSuffix(contentOrNone(path), "| one\n") })
	if !strings.HasPrefix(contentOrNone(path), "half\n2") {
		t.Errorf("file holds %q", contentOrNone(path))
	}
	if err := os.Truncate(path, 0); err != nil {
		t.Fatal(err)
	}
	src.send("two")
	src.end()
	p.Drain(time.Minute)
	if got := content(t, path); !strings.HasSuffix(got, " stdout api | two\n") || strings.Count(got, "\n") != 1 {
		t.Errorf("cut short, it holds %q", got)
	}
}

func TestRecordThatWaitedBeginsALine(t *testing.T) {
	var l lockable
	l.locked.Store(true)
	path := logPath(t)
	put(t, path, "half")
	s, _ := testSet(t, l.files(), testTiming)
	p, src := openPipeline(t, s, spec.Log{Path: path, Format: spec.FormatText})
	src.send("one\n")
	src.send("two\n")
	src.send("") // taken when the line before is
	l.locked.Store(false)
	until(t, "records", func() bool { return strings.HasSuffix(contentOrNone(path), "| two\n") })
	if got := content(t, path); !strings.HasPrefix(got, "half\n2") || strings.Count(got, "\n") != 3 {
		t.Errorf("file holds %q", got)
	}
	src.end()
	p.Drain(time.Minute)
}
