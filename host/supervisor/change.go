package supervisor

import (
	"strings"

	"servicehost/reload"
	"servicehost/spec"
)

func needsRestart(a, b *spec.Service) bool { return reload.NeedsRestart(a, b) }

func whatChanged(a, b *spec.Service) string { return strings.Join(reload.ChangedKeys(a, b), ", ") }
