package e2e

import (
	"testing"

	"golang.org/x/sys/windows/registry"
)

// The Event Viewer shows the text of events of an installed host, as their source is known to Windows.
func TestInstallMakesTheSourceOfEventsKnown(t *testing.T) {
	s := newService(t)
	s.save(svc("api", s.child("run", "api")))
	messageFile := func() string {
		key, err := registry.OpenKey(registry.LOCAL_MACHINE, `SYSTEM\CurrentControlSet\Services\EventLog\Application\`+s.name, registry.QUERY_VALUE)
		if err != nil {
			return ""
		}
		defer key.Close()
		file, _, err := key.GetStringValue("EventMessageFile")
		if err != nil {
			t.Error(err)
		}
		return file
	}
	s.install()
	if got := messageFile(); got != `%SystemRoot%\System32\EventCreate.exe` {
		t.Errorf("after the installation the message file is %q", got)
	}
	s.must(0, "uninstall", "--name", s.name)
	if got := messageFile(); got != "" {
		t.Errorf("after the removal the message file is %q", got)
	}
}
