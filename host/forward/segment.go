package forward

import (
	"encoding/binary"
	"errors"
	"hash/crc32"
	"io"
)

// A segment is a file of blocks. A block is a head and the records of a chunk:
//
//	4 bytes magic, 4 length of the data, 4 number of records, 4 CRC-32C of the data, 4 CRC-32C of the 16 before
//
// all little endian. What follows the last whole block was torn by a crash and is cut off.

const (
	blockHead  = 20
	blockMagic = 0x31425348
	// maxBlock bounds the data of a block: a chunk, or one record that is larger.
	maxBlock = 2 << 20
)

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

var errBlock = errors.New("a block of the spool is damaged")

type block struct {
	size    int // of the data
	records int
	sum     uint32
}

func appendHead(dst, data []byte, records int) []byte {
	at := len(dst)
	dst = binary.LittleEndian.AppendUint32(dst, blockMagic)
	dst = binary.LittleEndian.AppendUint32(dst, uint32(len(data)))
	dst = binary.LittleEndian.AppendUint32(dst, uint32(records))
	dst = binary.LittleEndian.AppendUint32(dst, crc32.Checksum(data, castagnoli))
	return binary.LittleEndian.AppendUint32(dst, crc32.Checksum(dst[at:], castagnoli))
}

// parseHead reads the head of a block.
func parseHead(b []byte) (block, error) {
	if len(b) < blockHead || binary.LittleEndian.Uint32(b) != blockMagic ||
		binary.LittleEndian.Uint32(b[16:]) != crc32.Checksum(b[:16], castagnoli) {
		return block{}, errBlock
	}
	h := block{
		size:    int(binary.LittleEndian.Uint32(b[4:])),
		records: int(binary.LittleEndian.Uint32(b[8:])),
		sum:     binary.LittleEndian.Uint32(b[12:]),
	}
	if h.size > maxBlock || h.records > h.size {
		return block{}, errBlock
	}
	return h, nil
}

// scanned is what a segment holds.
type scanned struct {
	good    int64 // the end of the last whole block
	records int   // up to there
	done    int   // those before the offset that was asked about
}

// scan walks over the heads of a segment of the given size. A block is whole when its end is in the file;
// whether its data is, shows when it is read. Only the last one's data is looked at: that is what a crash tears.
func scan(r io.ReaderAt, size, offset int64) (scanned, error) {
	var s scanned
	head := make([]byte, blockHead)
	for s.good+blockHead <= size {
		if _, err := r.ReadAt(head, s.good); err != nil {
			return s, err
		}
		b, err := parseHead(head)
		end := s.good + blockHead + int64(b.size)
		if err != nil || end > size {
			break
		}
		if end == size && !whole(r, s.good, b) {
			break
		}
		s.good, s.records = end, s.records+b.records
		if end <= offset {
			s.done = s.records
		}
	}
	return s, nil
}

func whole(r io.ReaderAt, at int64, b block) bool {
	data := make([]byte, b.size)
	_, err := r.ReadAt(data, at+blockHead)
	return err == nil && crc32.Checksum(data, castagnoli) == b.sum
}

// readBlock reads the block at an offset. Of one whose data is damaged the size and number of records are
// still told, with errBlock.
func readBlock(r io.ReaderAt, at int64) (b block, data []byte, err error) {
	var head [blockHead]byte
	if _, err = r.ReadAt(head[:], at); err != nil {
		return b, nil, err
	}
	if b, err = parseHead(head[:]); err != nil {
		return b, nil, err
	}
	data = make([]byte, b.size)
	if _, err = r.ReadAt(data, at+blockHead); err != nil {
		return b, nil, err
	}
	if crc32.Checksum(data, castagnoli) != b.sum {
		return b, nil, errBlock
	}
	return b, data, nil
}
