package eventlog

import (
	"errors"
	"fmt"
	"strings"

	"golang.org/x/sys/windows"
	"golang.org/x/sys/windows/registry"
)

const (
	sourcesKey = `SYSTEM\CurrentControlSet\Services\EventLog\Application`

	// messageFile has the messages 1 to 1000, each of them "%1". It belongs to Windows: no file of ours is
	// held open by an Event Viewer when it is to be replaced, and a viewer on another machine finds it, too.
	messageFile = `%SystemRoot%\System32\EventCreate.exe`
)

// Install makes the source of events known to Windows, or mends what is there. It needs an administrator.
func Install(source string) error {
	if err := checkSource(source); err != nil {
		return fmt.Errorf("cannot install event source %q: %w", source, err)
	}
	key, _, err := registry.CreateKey(registry.LOCAL_MACHINE, sourcesKey+`\`+source, registry.QUERY_VALUE|registry.SET_VALUE)
	if err != nil {
		return fmt.Errorf("cannot install event source %q: %w", source, explain(err))
	}
	defer key.Close()
	if other := foreignFile(key); other != "" {
		return fmt.Errorf("cannot install event source %q: it belongs to another program, its messages are in %s", source, other)
	}
	err = errors.Join(
		key.SetDWordValue("CustomSource", 1),
		key.SetExpandStringValue("EventMessageFile", messageFile),
		key.SetDWordValue("TypesSupported", typeError|typeWarning|typeInformation))
	if err != nil {
		return fmt.Errorf("cannot install event source %q: %w", source, explain(err))
	}
	return nil
}

// Remove makes the source unknown again. One that is not there, or that another program installed, is no error.
func Remove(source string) error {
	if checkSource(source) != nil {
		return nil
	}
	key, err := registry.OpenKey(registry.LOCAL_MACHINE, sourcesKey+`\`+source, registry.QUERY_VALUE)
	if errors.Is(err, windows.ERROR_FILE_NOT_FOUND) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("cannot remove event source %q: %w", source, explain(err))
	}
	foreign := foreignFile(key)
	key.Close()
	if foreign != "" {
		return nil
	}
	if err := registry.DeleteKey(registry.LOCAL_MACHINE, sourcesKey+`\`+source); err != nil && !errors.Is(err, windows.ERROR_FILE_NOT_FOUND) {
		return fmt.Errorf("cannot remove event source %q: %w", source, explain(err))
	}
	return nil
}

func checkSource(source string) error {
	if source == "" || strings.ContainsAny(source, "\\\x00") {
		return errors.New("the name of a source is a name of a registry key: not empty, without backslashes")
	}
	return nil
}

// foreignFile is the message file of a source that is not ours.
func foreignFile(key registry.Key) string {
	file, _, err := key.GetStringValue("EventMessageFile")
	if err != nil || file == "" || strings.HasSuffix(strings.ToLower(file), `\eventcreate.exe`) {
		return ""
	}
	return file
}

func explain(err error) error {
	if errors.Is(err, windows.ERROR_ACCESS_DENIED) {
		return fmt.Errorf("%w; run it as administrator", err)
	}
	return err
}
