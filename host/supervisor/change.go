package supervisor

import (
	"strings"

	"servicehost/reload"
	"servicehost/spec"
)

func needsRestart(a, b *spec.Service) bool { return reload.NeedsRestart(a, b) }

func whatChanged(a, b *spec.Service) string {
	if otherBinary(a, b) {
		return binaryChange(a, b)
	}
	return strings.Join(reload.ChangedKeys(a, b), ", ")
}
