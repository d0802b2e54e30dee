package cli

import (
	"runtime"
	"runtime/debug"

	"github.com/spf13/cobra"
)

// build is what is known of this executable.
type build struct {
	Version  string `json:"version"`
	Commit   string `json:"commit"`
	Modified bool   `json:"modified"` // built from a changed checkout
	Time     string `json:"time"`     // of the commit
	Go       string `json:"go"`
	OS       string `json:"os"`
	Arch     string `json:"arch"`
}

func newVersion(a *app) *cobra.Command {
	return &cobra.Command{
		Use:   "version",
		Short: "Print the version, with the commit",
		Long:  `Prints the version of this program and the commit it was built from.` + exits("0  printed"),
		Args:  cobra.NoArgs,
		RunE: func(*cobra.Command, []string) error {
			b := a.build()
			if a.json() {
				return a.printJSON(b)
			}
			commit := "unknown commit"
			if b.Commit != "" {
				commit = "commit " + short(b.Commit)
			}
			if b.Modified {
				commit += " with changes"
			}
			a.printf("host %s (%s, %s, %s/%s)\n", b.Version, commit, b.Go, b.OS, b.Arch)
			return nil
		},
	}
}

func (a *app) build() build {
	b := build{Version: a.Version, Go: runtime.Version(), OS: runtime.GOOS, Arch: runtime.GOARCH}
	info, ok := debug.ReadBuildInfo()
	if ok {
		if b.Version == "" && info.Main.Version != "(devel)" {
			b.Version = info.Main.Version
		}
		for _, s := range info.Settings {
			switch s.Key {
			case "vcs.revision":
				b.Commit = s.Value
			case "vcs.modified":
				b.Modified = s.Value == "true"
			case "vcs.time":
				b.Time = s.Value
			}
		}
	}
	if b.Version == "" {
		b.Version = "dev"
	}
	return b
}
