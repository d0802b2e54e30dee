package spec

import (
	"cmp"
	"maps"
	"reflect"
	"slices"
	"strings"
)

// former is what is known of a load that succeeded, for the next one to go on from. It holds no text and no tree.
type former struct {
	// outside is the sum of all that a service may depend on beside its own text and its env files: the rest of
	// the files but of those that have nothing but services.
	outside [16]byte
	host    string             // its name
	sources map[string][]*kept // by path
	drives  map[string]drive
	count   int // services that may be taken over
}

// kept is a service as it was loaded. Nothing was to be said of it.
type kept struct {
	name         string
	sum          [16]byte // of its text
	digest       [16]byte // of its instances
	files        []Input  // its env files
	instances    []*Service
	count        int
	text         int // what sd.text grew by
	expanded     int // and l.expanded
	weight       int32
	out, enabled bool
}

// sourceParts is how a file that was parsed is made up.
type sourceParts struct {
	src     *source
	cut     *cut     // nil: it can't be divided
	outside [16]byte // of all of it, where it can't
	pure    bool     // it has nothing but services
}

// reduce returns a text that has of a file only what is not taken over, and the blocks that it has. One block
// stays at least, for the parser to see.
func (l *loader) reduce(src *source, c *cut) (text string, blocks []block, tail int) {
	former := l.former.sources[src.path]
	known := make(map[string]*kept, len(former))
	for _, k := range former {
		known[k.name] = k
	}
	var b strings.Builder
	line := c.blocks[0].line
	b.WriteString(src.text[:c.from])
	for i := range c.blocks {
		at := &c.blocks[i]
		k := known[at.name]
		if k != nil && k.sum == at.sum && l.sameFiles(k) {
			at.kept = k
			delete(known, at.name) // a second one of that name is a problem
			if i+1 < len(c.blocks) || len(blocks) > 0 {
				continue
			}
		}
		here := *at
		here.line = line
		src.shifts = append(src.shifts, shift{int32(line), int32(at.line - line)})
		blocks = append(blocks, here)
		b.WriteString(src.text[at.from:at.to])
		next := c.tail
		if i+1 < len(c.blocks) {
			next = c.blocks[i+1].line
		}
		line += next - at.line
	}
	if len(blocks) == len(c.blocks) {
		src.shifts = nil
		if c.blocks[len(c.blocks)-1].kept == nil {
			return src.text, c.blocks, c.tail
		}
	}
	src.shifts = append(src.shifts, shift{int32(line), int32(c.tail - line)})
	b.WriteString(src.text[c.to:])
	return b.String(), blocks, line
}

// shift says by how much the lines from one on are further down in the file than in the text that was parsed.
type shift struct{ from, by int32 }

// place returns the line in the file.
func (s *source) place(line int) int32 {
	n, exact := slices.BinarySearchFunc(s.shifts, int32(line), func(s shift, line int32) int { return cmp.Compare(s.from, line) })
	if exact {
		n++
	}
	if n == 0 {
		return int32(line)
	}
	return int32(line) + s.shifts[n-1].by
}

// sameFiles reports whether the env files of a service hold what they held.
func (l *loader) sameFiles(k *kept) bool {
	for _, in := range k.files {
		f := l.fetch(in.Path)
		if f.hash != in.Hash || in.Hash == "" && (f.err == nil || f.err.Error() != missingFile) {
			return false
		}
	}
	return true
}

// complete puts what is taken over into the tree of a reduced text.
func (l *loader) complete(root *node, c *cut) bool {
	services, _ := root.get("services")
	if services == nil || services.kind != mapNode {
		return false
	}
	parsed := services.pairs
	all := make([]pair, len(c.blocks))
	nodes := make([]node, 0, 2*len(c.blocks))
	for i := range c.blocks {
		b := &c.blocks[i]
		if len(parsed) > 0 && parsed[0].key.value == b.name {
			all[i], parsed = parsed[0], parsed[1:]
		}
		if b.kept == nil {
			if all[i].key == nil {
				return false
			}
			continue
		}
		nodes = append(nodes, node{kind: scalarNode, value: b.name, line: int32(b.line), column: int32(c.column), src: root.src},
			node{kind: keptNode, line: int32(b.line), column: int32(c.column), src: root.src, height: int32(len(l.taken))})
		l.taken = append(l.taken, b.kept)
		all[i] = pair{&nodes[len(nodes)-2], &nodes[len(nodes)-1]}
		l.weight += b.kept.weight
	}
	services.pairs = all
	return len(parsed) == 0 && l.weight+root.weight <= maxWeight
}

// outside is the sum of what all services may depend on.
func (l *loader) outside() [16]byte {
	var all strings.Builder
	for _, p := range l.parts {
		if !p.pure {
			all.WriteString(p.src.path + "\x00")
			all.Write(p.outside[:])
		}
	}
	return sumOf(all.String())
}

// differs reports whether something that every service may depend on is not as it was.
func (f *former) differs(l *loader) bool {
	if f.outside != l.outside() {
		return true
	}
	for letter, was := range f.drives {
		if l.driveOf(letter) != was {
			return true
		}
	}
	l.drives = maps.Clone(f.drives)
	return false
}

// takeOver makes a service what it was.
func (sd *serviceDecoder) takeOver(p pair, k *kept) {
	l := sd.l
	sd.entries[k.name] = &serviceEntry{key: p.key, kept: k, out: k.out, enabled: k.enabled, instances: k.instances, digest: k.digest}
	sd.total += k.count
	sd.text += k.text
	l.expanded += k.expanded
	if sd.total > maxTotalInstances || sd.text > maxTotalText || l.expanded > maxExpansionTotal {
		l.doubt = true
	}
	for _, in := range k.files {
		l.addInput(in)
	}
	sd.out = append(sd.out, k.instances...)
}

// remember returns what the next load can go on from.
func (l *loader) remember(s *Spec) *former {
	f := &former{outside: l.outside(), host: s.Host.Name, sources: make(map[string][]*kept, len(l.parts)), drives: l.drives}
	hashes := map[string]string{}
	for _, in := range l.inputs {
		hashes[in.Path] = in.Hash
	}
	for _, p := range l.parts {
		if p.cut == nil {
			continue
		}
		all := make([]*kept, 0, len(p.cut.blocks))
		for _, b := range p.cut.blocks {
			e := l.services.entries[b.name]
			switch {
			case e == nil || e.loud:
				continue
			case e.kept == nil:
				e.kept = e.keep(b, hashes)
			}
			all = append(all, e.kept)
		}
		f.sources[p.src.path] = all
		f.count += len(all)
	}
	return f
}

func (e *serviceEntry) keep(b block, hashes map[string]string) *kept {
	k := &kept{
		name: strings.Clone(b.name), sum: b.sum, digest: e.digest, count: len(e.instances), text: e.cost, expanded: e.expanded,
		weight: e.weight, out: e.out, enabled: e.enabled,
	}
	if !e.out {
		k.instances = e.instances
		k.name = e.instances[0].Name
	}
	for _, path := range e.files {
		k.files = append(k.files, Input{Path: path, Hash: hashes[path]})
	}
	return k
}

// adopt replaces services by those of the former load that are the same, so that there is one value of each.
func (f *former) adopt(s *Spec, sd *serviceDecoder) {
	for _, src := range f.sources {
		for _, k := range src {
			e := sd.entries[k.name]
			if e == nil || e.kept != nil || len(e.instances) != len(k.instances) || e.digest != k.digest || !reflect.DeepEqual(e.instances, k.instances) {
				continue
			}
			e.instances = k.instances
		}
	}
	for i, svc := range s.Services {
		s.Services[i] = sd.entries[svc.Name].instances[svc.Instance-1]
	}
}
