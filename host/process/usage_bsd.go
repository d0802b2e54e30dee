//go:build freebsd || netbsd || openbsd || dragonfly

package process

func (s *system) usage(*run, bool) (Usage, error) {
	return Usage{}, &Error{Kind: ErrUnsupported, Message: "usage is not known on this system"}
}
