package spec

import "time"

// Binary is what the watched files of a service held when they were looked at last. Nobody writes it: the
// host adds it to what was loaded, so that a changed binary is a changed spec to everything else.
type Binary struct {
	// Content identifies names and contents of the files; empty where nobody has looked, BinaryUnknown where
	// they can't be read.
	Content string `class:"restart" json:",omitzero"`
	// Problem is why there is no shadow copy; such a spec can't be started.
	Problem string `class:"restart" json:",omitzero"`
	// Copy is the program within its shadow copy; empty where the program itself is run.
	Copy string `class:"-" json:",omitzero"`
	// Files are those that differ from the content before, for people: api.exe.
	Files string `class:"-" json:",omitzero"`
	// Since is when the last of them was seen to change; zero where that is not known.
	Since time.Time `class:"-" json:",omitzero"`
}

// BinaryUnknown is the content of files that can't be read. It differs from no other.
const BinaryUnknown = "unknown"

// Known reports whether it can be compared.
func (b Binary) Known() bool {
	return b.Problem != "" || b.Content != "" && b.Content != BinaryUnknown
}

// WithBinary returns the service with other content of its watched files, and the hash that follows from it.
func (s *Service) WithBinary(b Binary) *Service {
	c := *s
	c.Binary = b
	c.setHash(&canonical{})
	return &c
}
