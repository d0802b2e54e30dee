package forward

import (
	"bytes"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
)

func newSpool(t *testing.T, dir string, limit int64) *spool {
	t.Helper()
	s, err := openSpool(dir, "one", limit)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(s.close)
	return s
}

func chunkOf(from, to int) []byte {
	var b []byte
	for n := from; n < to; n++ {
		b = appendRecord(b, line(n), int64(n))
	}
	return b
}

func appendBlock(dst, data []byte, records int) []byte {
	return append(appendHead(dst, data, records), data...)
}

// addAll adds numbers in blocks of ten.
func addAll(t *testing.T, s *spool, from, to int) (dropped int) {
	t.Helper()
	for n := from; n < to; n += 10 {
		l, _, err := s.add(chunkOf(n, n+10), 10)
		if err != nil {
			t.Fatal(err)
		}
		dropped += l.records
	}
	return dropped
}

// drain takes everything out, and says what was lost on the way.
func drain(t *testing.T, s *spool) (got []string, dropped int) {
	t.Helper()
	for {
		b, l, err := s.peek(1000, chunkRecords)
		if err != nil {
			t.Fatal(err)
		}
		dropped += l.records
		if b.records == 0 {
			return got, dropped
		}
		for _, r := range b.all(nil) {
			got = append(got, string(r.text))
		}
		if err := s.ack(b.end, b.whole); err != nil {
			t.Fatal(err)
		}
	}
}

func TestSpoolIsAQueueOverRestarts(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "spool")
	s := newSpool(t, dir, 1<<20)
	if _, err := os.Stat(dir); err == nil {
		t.Error("there is a folder before there is a record")
	}
	addAll(t, s, 0, 1000)
	b, _, err := s.peek(1000, chunkRecords)
	if err != nil || b.records == 0 || b.records >= 1000 {
		t.Fatalf("%d records, %v", b.records, err)
	}
	first := b.records
	if err := s.ack(b.end, b.whole); err != nil {
		t.Fatal(err)
	}
	if n := s.waiting(); n != 1000-first {
		t.Errorf("%d wait", n)
	}
	s.close()

	s = newSpool(t, dir, 1<<20)
	if n := s.waiting(); n != 1000-first {
		t.Errorf("%d wait after a restart", n)
	}
	addAll(t, s, 1000, 1100)
	got, dropped := drain(t, s)
	numbers(t, got, first, 1100)
	if dropped != 0 || !s.empty() || s.bytes() != 0 || len(filesOf(t, dir, segmentSuffix)) != 0 {
		t.Errorf("dropped %d, %d bytes, files %v", dropped, s.bytes(), filesOf(t, dir, ""))
	}
	addAll(t, s, 0, 10)
	s.close()
	s = newSpool(t, dir, 1<<20)
	got, _ = drain(t, s)
	numbers(t, got, 0, 10)
}

func TestSpoolFilesAreOurs(t *testing.T) {
	if runtime.GOOS == "windows" {
		t.Skip("rights are those of the folder")
	}
	dir := filepath.Join(t.TempDir(), "spool")
	s := newSpool(t, dir, 1<<20)
	addAll(t, s, 0, 10)
	b, _, _ := s.peek(1, 1)
	if err := s.ack(position{b.end.number, 0}, 0); err != nil {
		t.Fatal(err)
	}
	for _, path := range append(filesOf(t, dir, ""), dir, filepath.Join(dir, "one")) {
		st, err := os.Stat(path)
		if err != nil {
			t.Fatal(err)
		}
		if st.Mode().Perm()&0o077 != 0 {
			t.Errorf("%s has mode %v", path, st.Mode())
		}
	}
}

// TestSpoolSurvivesATornWrite cuts the file at every byte of the last block, and puts garbage there.
func TestSpoolSurvivesATornWrite(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "spool")
	s := newSpool(t, dir, 1<<20)
	addAll(t, s, 0, 30)
	s.close()
	path := filesOf(t, dir, segmentSuffix)[0]
	whole, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	block := len(appendBlock(nil, chunkOf(20, 30), 10))
	for cut := 1; cut <= block; cut++ {
		for _, tail := range []string{"", strings.Repeat("\x00", cut)} {
			if err := os.WriteFile(path, append(bytes.Clone(whole[:len(whole)-cut]), tail...), 0o600); err != nil {
				t.Fatal(err)
			}
			s, err := openSpool(dir, "one", 1<<20)
			if err != nil {
				t.Fatal(err)
			}
			if n := s.waiting(); n != 20 {
				t.Fatalf("cut %d: %d records wait", cut, n)
			}
			addAll(t, s, 20, 30)
			got, dropped := drain(t, s)
			numbers(t, got, 0, 30)
			if dropped != 0 {
				t.Errorf("cut %d: dropped %d", cut, dropped)
			}
			s.close()
			if err := os.Remove(filepath.Join(dir, "one", ackName)); err != nil {
				t.Fatal(err)
			}
		}
	}
}

// TestSpoolPassesOverDamage: a byte that a disk turned costs its block, which is counted.
func TestSpoolPassesOverDamage(t *testing.T) {
	for _, at := range []struct{ offset, lost int }{{blockHead + 5, 10}, {3, 30}} {
		dir := filepath.Join(t.TempDir(), "spool")
		s := newSpool(t, dir, 1<<20)
		addAll(t, s, 0, 30)
		path := filesOf(t, dir, segmentSuffix)[0]
		b, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		b[at.offset] ^= 1
		if err := os.WriteFile(path, b, 0o600); err != nil {
			t.Fatal(err)
		}
		got, dropped := drain(t, s)
		if dropped != at.lost || len(got) != 30-at.lost {
			t.Errorf("offset %d: dropped %d, got %v", at.offset, dropped, got)
		}
	}
}

func TestSpoolDropsTheOldestAndCounts(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "spool")
	s := newSpool(t, dir, 1<<20)
	s.segmentSize = 64 << 10
	const all = 200000
	dropped := addAll(t, s, 0, all)
	if s.bytes() > 1<<20 || s.bytes() < 900<<10 {
		t.Errorf("it takes %d bytes", s.bytes())
	}
	if n := s.waiting(); dropped == 0 || n+dropped != all {
		t.Errorf("%d wait, %d were dropped", n, dropped)
	}
	s.close()
	s = newSpool(t, dir, 1<<20)
	got, more := drain(t, s)
	numbers(t, got, dropped, all)
	if more != 0 {
		t.Errorf("%d more were dropped", more)
	}
	l, _, err := s.add(make([]byte, 1<<20), 7)
	if err != nil || l.records != 7 {
		t.Errorf("a block larger than the spool: %+v, %v", l, err)
	}
}

func TestTornAckIsNone(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "spool")
	s := newSpool(t, dir, 1<<20)
	addAll(t, s, 0, 100)
	b, _, err := s.peek(300, chunkRecords)
	if err != nil {
		t.Fatal(err)
	}
	if err := s.ack(b.end, b.whole); err != nil {
		t.Fatal(err)
	}
	s.close()
	path := filepath.Join(dir, "one", ackName)
	ack, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	ack[3] ^= 1
	if err := os.WriteFile(path, ack, 0o600); err != nil {
		t.Fatal(err)
	}
	s = newSpool(t, dir, 1<<20)
	got, _ := drain(t, s)
	numbers(t, got, 0, 100)
}

func TestNamesOfTargetsAreFoldersOfTheirOwn(t *testing.T) {
	if a, b := folderOf("Loki"), folderOf("loki"); strings.EqualFold(a, b) || b != "loki" {
		t.Errorf("%s and %s", a, b)
	}
	for _, name := range []string{"1.seg", "0000000000000000.seg", "000000000000000G.seg", "00000000000000AB.seg", "ack"} {
		if n, ok := segmentNumber(name); ok {
			t.Errorf("%s is segment %d", name, n)
		}
	}
	if n, ok := segmentNumber(segmentName(171)); !ok || n != 171 {
		t.Error("a name is not read back")
	}
}

// FuzzSegment: whatever is in a file, it is read without a panic, and what is read are records.
func FuzzSegment(f *testing.F) {
	good := appendBlock(appendBlock(nil, chunkOf(0, 3), 3), chunkOf(3, 5), 2)
	f.Add(good)
	f.Add(good[:len(good)-4])
	f.Add(appendBlock(nil, []byte("no records"), 3))
	f.Fuzz(func(t *testing.T, b []byte) {
		r := bytes.NewReader(b)
		found, err := scan(r, int64(len(b)), 0)
		if err != nil || found.good > int64(len(b)) || found.done > found.records {
			t.Fatalf("%+v, %v", found, err)
		}
		for at := int64(0); at < found.good; {
			h, data, err := readBlock(r, at)
			rs, _ := appendRecords(nil, data)
			for _, r := range rs {
				if len(r.text) > maxText || len(streams[r.stream]) == 0 {
					t.Fatalf("record %v", r)
				}
			}
			if h.size == 0 && err != nil {
				t.Fatalf("scan went over a block that can't be read: %v", err)
			}
			at += int64(blockHead + h.size)
		}
	})
}
