package eventlog

import (
	"fmt"

	"golang.org/x/sys/windows"
)

// reportEvent is the seam to Windows.
type reportEvent func(eventType uint16, id uint32, strings []string) error

// windowsSink writes into the Application log.
type windowsSink struct {
	handle windows.Handle
	report reportEvent
}

func openSink(source string) (sink, error) {
	name, err := windows.UTF16PtrFromString(source)
	if err != nil {
		return nil, fmt.Errorf("cannot open the Event Log for source %q: %w", source, err)
	}
	h, err := windows.RegisterEventSource(nil, name)
	if err != nil {
		return nil, fmt.Errorf("cannot open the Event Log for source %q: %w", source, err)
	}
	s := &windowsSink{handle: h}
	s.report = s.reportEvent
	return s, nil
}

func (s *windowsSink) write(r record) error {
	if err := s.report(viewerType(r.kind.Severity), r.kind.ID, viewerStrings(r)); err != nil {
		return fmt.Errorf("cannot write to the Event Log: %w", err)
	}
	return nil
}

func (s *windowsSink) reportEvent(eventType uint16, id uint32, strings []string) error {
	list := make([]*uint16, len(strings))
	for n, text := range strings {
		p, err := windows.UTF16PtrFromString(text)
		if err != nil {
			return err
		}
		list[n] = p
	}
	return windows.ReportEvent(s.handle, eventType, 0, id, 0, uint16(len(list)), 0, &list[0], nil)
}

func (s *windowsSink) close() { _ = windows.DeregisterEventSource(s.handle) } // nothing is left to be done
