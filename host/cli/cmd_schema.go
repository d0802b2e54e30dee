package cli

import (
	"github.com/spf13/cobra"

	"servicehost/spec"
)

func newSchema(a *app) *cobra.Command {
	return &cobra.Command{
		Use:   "schema",
		Short: "Print the JSON schema of services.yaml, for editors",
		Long: `Prints the JSON schema of services.yaml. Editors with a YAML language server take it from a first line
  # yaml-language-server: $schema=services.schema.json` + exits("0  printed"),
		Args: cobra.NoArgs,
		RunE: func(*cobra.Command, []string) error {
			_, err := a.Stdout.Write(spec.Schema())
			return err
		},
	}
}
