package forward

import (
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"servicehost/host/files"
)

const (
	segmentSuffix = ".seg"
	// ackName is the file that says up to where the target took the records: 8 bytes number of the segment, 8
	// offset, 4 CRC-32C. A torn one is as good as none: records are sent twice then, not lost.
	ackName = "ack"
	ackSize = 20
)

// spool keeps on disk what a target has not taken: a queue of segments. It belongs to one goroutine. What a
// write gave to the system survives a kill of the host; it is not forced to the disk.
type spool struct {
	parent, dir string
	max         int64
	segmentSize int64
	root        *os.Root
	segments    []segment // oldest first
	next        uint64    // number of the next one
	acked       int64     // offset in the first one: what is before was taken
	out         int       // records behind it that are being sent
	head, tail  *os.File  // of the first segment to read, of the last one to write
}

type segment struct {
	number  uint64
	size    int64
	records int
	done    int // records that the target took, or that are lost
}

// position is the end of what was read.
type position struct {
	number uint64
	offset int64
}

// setMax bounds the spool: 0 takes nothing in, but what is there is still sent.
func (s *spool) setMax(limit int64) {
	s.max = limit
	s.segmentSize = min(max(limit/16, 128<<10), 8<<20)
}

// openSpool finds what is left of former times. The folder is made with the first record.
func openSpool(parent, name string, limit int64) (*spool, error) {
	s := &spool{parent: parent, dir: filepath.Join(parent, folderOf(name)), next: 1}
	s.setMax(limit)
	if _, err := os.Lstat(s.dir); errors.Is(err, fs.ErrNotExist) {
		return s, nil
	}
	return s, s.load()
}

func (s *spool) openRoot() (err error) {
	if s.root != nil {
		return nil
	}
	for _, dir := range []string{s.parent, s.dir} {
		if err := files.MakePrivateDir(dir, 0o700); err != nil {
			return err
		}
	}
	s.root, err = os.OpenRoot(s.dir)
	return err
}

// load scans the segments and goes on where the last ack is.
func (s *spool) load() error {
	if err := s.openRoot(); err != nil {
		return err
	}
	d, err := s.root.Open(".")
	if err != nil {
		return err
	}
	entries, err := d.ReadDir(-1)
	d.Close()
	if err != nil {
		return err
	}
	ack := s.readAck()
	s.next = ack.number + 1
	for _, e := range entries {
		number, ok := segmentNumber(e.Name())
		if !ok || !e.Type().IsRegular() {
			continue
		}
		s.next = max(s.next, number+1)
		if number < ack.number {
			_ = s.root.Remove(e.Name()) // taken already; another time, if not now
			continue
		}
		g, err := s.scanSegment(number, ack)
		if err != nil {
			return err
		}
		if g.records > g.done {
			s.segments = append(s.segments, g)
		} else {
			_ = s.root.Remove(e.Name())
		}
	}
	slices.SortFunc(s.segments, func(a, b segment) int {
		if a.number < b.number {
			return -1
		}
		return 1
	})
	if len(s.segments) > 0 && s.segments[0].number == ack.number {
		s.acked = min(ack.offset, s.segments[0].size)
	}
	return nil
}

func (s *spool) scanSegment(number uint64, ack position) (segment, error) {
	g := segment{number: number}
	f, err := s.root.OpenFile(segmentName(number), os.O_RDWR, 0)
	if err != nil {
		return g, err
	}
	defer f.Close()
	st, err := f.Stat()
	if err != nil {
		return g, err
	}
	offset := int64(0)
	if number == ack.number {
		offset = ack.offset
	}
	found, err := scan(f, st.Size(), offset)
	if err != nil {
		return g, err
	}
	g.size, g.records, g.done = found.good, found.records, found.done
	if found.good < st.Size() {
		err = f.Truncate(found.good)
	}
	return g, err
}

func (s *spool) empty() bool { return len(s.segments) == 0 }

// bytes is what the spool takes on disk.
func (s *spool) bytes() int64 {
	n := int64(0)
	for _, g := range s.segments {
		n += g.size
	}
	return n
}

// waiting is the number of records that were not taken yet.
func (s *spool) waiting() int {
	n := 0
	for _, g := range s.segments {
		n += g.records - g.done
	}
	return n
}

// lost is what had to give way to newer records.
type lost struct {
	records int
	bytes   int64
	// out: what is being sent was among them, and is not counted: it is in memory only now.
	out bool
}

// add appends the records of a chunk, at the cost of the oldest ones where there is no room.
func (s *spool) add(data []byte, records int) (l lost, at position, err error) {
	size := int64(len(data) + blockHead)
	if size > s.max {
		return lost{records: records, bytes: int64(len(data))}, position{}, nil
	}
	if err = s.openRoot(); err != nil {
		return l, at, err
	}
	for total := s.bytes(); total+size > s.max && len(s.segments) > 0; {
		total -= s.segments[0].size
		s.dropOldest(&l)
	}
	if s.tail == nil || s.segments[len(s.segments)-1].size >= s.segmentSize {
		if err = s.begin(); err != nil {
			return l, at, err
		}
	}
	g := &s.segments[len(s.segments)-1]
	head := appendHead(nil, data, records)
	if _, err = s.tail.WriteAt(head, g.size); err == nil {
		_, err = s.tail.WriteAt(data, g.size+blockHead)
	}
	if err != nil {
		_ = s.tail.Truncate(g.size) // what a full disk took is written over by the next block anyway
		return l, at, err
	}
	g.size += size
	g.records += records
	return l, position{g.number, g.size}, nil
}

// begin makes the next segment the last one.
func (s *spool) begin() error {
	f, err := s.root.OpenFile(segmentName(s.next), os.O_CREATE|os.O_EXCL|os.O_RDWR, 0o600)
	if err != nil {
		return err
	}
	if s.tail != nil {
		s.tail.Close()
	}
	s.tail = f
	s.segments = append(s.segments, segment{number: s.next})
	s.next++
	return nil
}

func (s *spool) dropOldest(l *lost) {
	g := s.segments[0]
	l.records += g.records - g.done - s.out
	l.bytes += g.size - s.acked
	l.out = l.out || s.out > 0
	s.removeFirst()
}

// removeFirst deletes the first segment, whether or not all of it was taken.
func (s *spool) removeFirst() {
	name := segmentName(s.segments[0].number)
	if s.head != nil {
		s.head.Close()
		s.head = nil
	}
	if len(s.segments) == 1 && s.tail != nil {
		s.tail.Close()
		s.tail = nil
	}
	_ = s.root.Remove(name) // if it stays, the ack says that it is done
	s.segments = slices.Delete(s.segments, 0, 1)
	if len(s.segments) == 0 {
		s.segments = nil
	}
	s.acked, s.out = 0, 0
}

// peek reads the oldest records, some chunks of them, without removing them. Damaged ones are removed and
// returned as lost. An error leaves everything as it is.
func (s *spool) peek(limit, limitRecords int) (b batch, l lost, err error) {
	for len(s.segments) > 0 && b.records == 0 {
		if err := s.openHead(); errors.Is(err, fs.ErrNotExist) {
			s.dropOldest(&l)
			continue
		} else if err != nil {
			return b, l, err
		}
		g := &s.segments[0]
		size, at, damaged := 0, s.acked, false
		for at < g.size && size < limit && b.records < limitRecords {
			h, data, err := readBlock(s.head, at)
			switch {
			case err == nil && size > 0 && size+h.size > limit:
			case err == nil:
				b.chunks, b.records, size = append(b.chunks, data), b.records+h.records, size+h.size
				at += int64(blockHead + h.size)
				continue
			case !errors.Is(err, errBlock) && !errors.Is(err, io.EOF):
				return batch{}, l, err
			case b.records > 0: // damage waits until it is the first
			case h.size > 0:
				at += int64(blockHead + h.size)
				l.records, l.bytes = l.records+h.records, l.bytes+int64(h.size)
				g.done += h.records
				s.acked = at
				continue
			default: // there is no way to what is behind
				damaged = true
			}
			break
		}
		switch {
		case b.records > 0:
			b.end, b.spooled, b.whole = position{g.number, at}, true, b.records
			s.out = b.records
		case damaged:
			s.dropOldest(&l)
		default:
			s.removeFirst()
		}
	}
	return b, l, nil
}

func (s *spool) openHead() (err error) {
	if s.head == nil {
		s.head, err = s.root.Open(segmentName(s.segments[0].number))
	}
	return err
}

// putBack forgets that something is being sent.
func (s *spool) putBack() { s.out = 0 }

// ack notes that so many more records were taken, which ended at the position.
func (s *spool) ack(end position, records int) error {
	s.out = 0
	if len(s.segments) == 0 || s.segments[0].number != end.number {
		return nil // it had to give way meanwhile
	}
	g := &s.segments[0]
	g.done += records
	s.acked = end.offset
	err := s.writeAck(end)
	if end.offset >= g.size {
		s.removeFirst()
	}
	return err
}

func (s *spool) writeAck(p position) error {
	f, err := s.root.OpenFile(ackName, os.O_CREATE|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	defer f.Close()
	b := binary.LittleEndian.AppendUint64(nil, p.number)
	b = binary.LittleEndian.AppendUint64(b, uint64(p.offset))
	b = binary.LittleEndian.AppendUint32(b, crc32.Checksum(b, castagnoli))
	_, err = f.WriteAt(b, 0)
	return err
}

func (s *spool) readAck() (p position) {
	f, err := s.root.Open(ackName)
	if err != nil {
		return p
	}
	defer f.Close()
	b := make([]byte, ackSize)
	if _, err := f.ReadAt(b, 0); err != nil || crc32.Checksum(b[:16], castagnoli) != binary.LittleEndian.Uint32(b[16:]) {
		return p
	}
	offset := binary.LittleEndian.Uint64(b[8:])
	if offset > 1<<62 {
		return p
	}
	return position{binary.LittleEndian.Uint64(b), int64(offset)}
}

func (s *spool) close() {
	for _, f := range []*os.File{s.head, s.tail} {
		if f != nil {
			f.Close()
		}
	}
	s.head, s.tail = nil, nil
	if s.root != nil {
		s.root.Close()
		s.root = nil
	}
}

func segmentName(number uint64) string { return fmt.Sprintf("%016x%s", number, segmentSuffix) }

func segmentNumber(name string) (uint64, bool) {
	hex, ok := strings.CutSuffix(name, segmentSuffix)
	if !ok || len(hex) != 16 || strings.ToLower(hex) != hex {
		return 0, false
	}
	n, err := strconv.ParseUint(hex, 16, 64)
	return n, err == nil && n > 0
}

// folderOf is the name of a target as a folder: on a system where case does not count two names must not share
// one.
func folderOf(name string) string {
	if lower := strings.ToLower(name); lower != name {
		return fmt.Sprintf("%s~%08x", lower, crc32.Checksum([]byte(name), castagnoli))
	}
	return name
}
