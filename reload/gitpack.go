package reload

import (
	"bytes"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"io"
	"os"
	"slices"
	"strings"
)

// Bounds of packs, beyond what git makes by itself: its chains of deltas are 50 deep, or 250 when told to
// pack aggressively; a pack more is made with each fetch, until gc makes one of 50.
const (
	maxPacks = 2000
	maxChain = 300
)

const (
	kindOffsetDelta objectKind = 6
	kindRefDelta    objectKind = 7
)

var errPack = errors.New("not a pack as git writes it")

// packedObject looks an object up in the packs: https://git-scm.com/docs/gitformat-pack
func packedObject(common *os.Root, hash string) (object, bool) {
	wanted, err := hex.DecodeString(hash)
	if err != nil {
		return object{}, false
	}
	if fi, err := common.Stat("objects/pack"); err != nil || !fi.IsDir() {
		return object{}, false
	}
	d, err := common.Open("objects/pack")
	if err != nil {
		return object{}, false
	}
	names, err := d.Readdirnames(maxPacks)
	d.Close()
	if err != nil {
		return object{}, false
	}
	for _, name := range names {
		base, ok := strings.CutSuffix(name, ".idx")
		if !ok || !strings.HasPrefix(base, "pack-") {
			continue
		}
		if p, err := openPack(common, "objects/pack/"+base, len(wanted)); err == nil {
			o, err := p.object(wanted)
			p.close()
			if err == nil {
				return o, true
			}
		}
	}
	return object{}, false
}

// pack is an open pack with its index.
type pack struct {
	index, data *os.File
	fan         [256]uint32 // how many objects have a hash that begins with this byte or a lower one
	width       int         // of a hash
}

func openPack(common *os.Root, base string, width int) (p pack, err error) {
	p.width = width
	if p.index, err = openRegular(common, base+".idx"); err != nil {
		return p, err
	}
	if p.data, err = openRegular(common, base+".pack"); err != nil {
		p.index.Close()
		return p, err
	}
	var head [8 + 4*256]byte
	if _, err = p.index.ReadAt(head[:], 0); err == nil && !bytes.HasPrefix(head[:], []byte("\xfftOc\x00\x00\x00\x02")) {
		err = errPack // version 1 was left behind in 2007
	}
	for n := range p.fan {
		p.fan[n] = binary.BigEndian.Uint32(head[8+4*n:])
	}
	if err != nil || !slices.IsSorted(p.fan[:]) {
		p.close()
		return p, errPack
	}
	return p, nil
}

func (p pack) close() {
	p.index.Close()
	p.data.Close()
}

// find returns where in the pack an object begins.
func (p pack) find(hash []byte) (int64, error) {
	low, high := int64(0), int64(p.fan[hash[0]])
	if hash[0] > 0 {
		low = int64(p.fan[hash[0]-1])
	}
	const table = 8 + 4*256
	total, width := int64(p.fan[255]), int64(p.width)
	got := make([]byte, width)
	for low < high {
		mid := low + (high-low)/2
		if _, err := p.index.ReadAt(got, table+mid*width); err != nil {
			return 0, err
		}
		switch c := bytes.Compare(got, hash); {
		case c < 0:
			low = mid + 1
		case c > 0:
			high = mid
		default:
			return p.offset(table+total*(width+4)+4*mid, table+total*(width+8))
		}
	}
	return 0, os.ErrNotExist
}

// offset reads an entry of the table of offsets; one beyond 2 GiB stands in a table of its own.
func (p pack) offset(at, large int64) (int64, error) {
	var b [8]byte
	if _, err := p.index.ReadAt(b[:4], at); err != nil {
		return 0, err
	}
	n := binary.BigEndian.Uint32(b[:4])
	if n < 1<<31 {
		return int64(n), nil
	}
	if _, err := p.index.ReadAt(b[:], large+8*int64(n&(1<<31-1))); err != nil {
		return 0, err
	}
	far := binary.BigEndian.Uint64(b[:])
	if far >= 1<<62 {
		return 0, errPack
	}
	return int64(far), nil
}

// object reads one, and what its deltas are made of.
func (p pack) object(hash []byte) (object, error) {
	at, err := p.find(hash)
	if err != nil {
		return object{}, err
	}
	var deltas [][]byte
	for range maxChain {
		kind, data, before, err := p.entry(at)
		switch {
		case err != nil:
			return object{}, err
		case kind == kindCommit || kind == kindTree || kind == kindBlob:
			for _, d := range slices.Backward(deltas) {
				if data, err = applyDelta(data, d); err != nil {
					return object{}, err
				}
			}
			return object{kind, data}, nil
		case kind != kindOffsetDelta && kind != kindRefDelta || before <= 0:
			return object{}, errPack
		}
		deltas = append(deltas, data)
		at = before
	}
	return object{}, errPack
}

// entry reads what stands at a place of the pack; for a delta, where that stands which it changes.
func (p pack) entry(at int64) (kind objectKind, data []byte, before int64, err error) {
	// Both numbers are shorter than this, and so is a hash.
	var head [64]byte
	n, err := p.data.ReadAt(head[:], at)
	if err != nil && !errors.Is(err, io.EOF) {
		return 0, nil, 0, err
	}
	b := head[:n]
	if n == 0 {
		return 0, nil, 0, errPack
	}
	kind = objectKind(b[0] >> 4 & 7)
	size, used := uint64(b[0]&15), 1
	for shift := 4; b[used-1]&0x80 != 0; shift += 7 {
		if used == n || shift > 53 {
			return 0, nil, 0, errPack
		}
		size |= uint64(b[used]&0x7f) << shift
		used++
	}
	if size > maxObject {
		return 0, nil, 0, errPack
	}
	switch kind {
	case kindOffsetDelta:
		var back int64
		for first := true; first || b[used-1]&0x80 != 0; first = false {
			if used == n || back > 1<<54 {
				return 0, nil, 0, errPack
			}
			if !first {
				back++
			}
			back = back<<7 | int64(b[used]&0x7f)
			used++
		}
		if before = at - back; back <= 0 || before <= 0 {
			return 0, nil, 0, errPack
		}
	case kindRefDelta:
		if used+p.width > n {
			return 0, nil, 0, errPack
		}
		if before, err = p.find(b[used : used+p.width]); err != nil {
			return 0, nil, 0, err
		}
		used += p.width
	case kindCommit, kindTree, kindBlob: // as it is
	}
	data, err = inflate(io.NewSectionReader(p.data, at+int64(used), maxObject+1<<10), int64(size)+1)
	if err != nil || uint64(len(data)) != size {
		return 0, nil, 0, errPack
	}
	return kind, data, before, nil
}

// applyDelta makes an object of another one: the sizes of both, then what to copy of it and what to insert.
func applyDelta(from, delta []byte) ([]byte, error) {
	size, n := binary.Uvarint(delta)
	if n <= 0 || size != uint64(len(from)) {
		return nil, errPack
	}
	delta = delta[n:]
	size, n = binary.Uvarint(delta)
	if n <= 0 || size > maxObject {
		return nil, errPack
	}
	delta = delta[n:]
	out := make([]byte, 0, size)
	for len(delta) > 0 {
		op := delta[0]
		delta = delta[1:]
		if op&0x80 == 0 {
			if op == 0 || int(op) > len(delta) {
				return nil, errPack
			}
			out = append(out, delta[:op]...)
			delta = delta[op:]
			continue
		}
		var at, length int
		for bit := range 7 {
			if op&(1<<bit) == 0 {
				continue
			}
			if len(delta) == 0 {
				return nil, errPack
			}
			if bit < 4 {
				at |= int(delta[0]) << (8 * bit)
			} else {
				length |= int(delta[0]) << (8 * (bit - 4))
			}
			delta = delta[1:]
		}
		if length == 0 {
			length = 1 << 16
		}
		if at < 0 || at > len(from) || length > len(from)-at || len(out)+length > maxObject {
			return nil, errPack
		}
		out = append(out, from[at:at+length]...)
	}
	if uint64(len(out)) != size {
		return nil, errPack
	}
	return out, nil
}
