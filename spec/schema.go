package spec

import (
	_ "embed"
	"slices"
)

//go:generate go test -run ^TestGeneratedFilesAreInStep$ -update .

//go:embed schema.json
var schemaJSON []byte

// Schema returns the JSON schema of services.yaml, for editors.
func Schema() []byte { return slices.Clone(schemaJSON) }
