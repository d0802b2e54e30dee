package cli

import (
	"github.com/spf13/cobra"
)

func newCompletion(a *app) *cobra.Command {
	return &cobra.Command{
		Use:       "completion bash|zsh|fish|powershell",
		Short:     "Print a script that completes commands and names of services",
		ValidArgs: []string{"bash", "zsh", "fish", "powershell"},
		Long: `Prints a script for the shell. Load it in the shell's start file:

  bash        source <(host completion bash)
  zsh         source <(host completion zsh)
  fish        host completion fish | source
  PowerShell  host completion powershell | Out-String | Invoke-Expression` + exits("0  printed", "1  unknown shell"),
		Args: func(_ *cobra.Command, args []string) error {
			if len(args) != 1 {
				return withHint("like: host completion bash", "say which shell: bash, zsh, fish or powershell")
			}
			return nil
		},
		RunE: func(cmd *cobra.Command, args []string) error {
			root := cmd.Root()
			switch args[0] {
			case "bash":
				return root.GenBashCompletionV2(a.Stdout, true)
			case "zsh":
				return root.GenZshCompletion(a.Stdout)
			case "fish":
				return root.GenFishCompletion(a.Stdout, true)
			case "powershell", "pwsh":
				return root.GenPowerShellCompletionWithDesc(a.Stdout)
			}
			return withHint("there are bash, zsh, fish and powershell", "unknown shell %q", args[0])
		},
	}
}
