package cli

import (
	"os"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"servicehost/spec"
)

// validation is what `host validate -o json` says.
type validation struct {
	Valid     bool           `json:"valid"`
	Files     []string       `json:"files"`
	Services  int            `json:"services"`
	Instances int            `json:"instances"`
	Hash      string         `json:"hash,omitempty"`
	Problems  []spec.Problem `json:"problems"`
	Warnings  []spec.Problem `json:"warnings"`
}

func newValidate(a *app) *cobra.Command {
	format := choice{value: "text", allowed: []string{"text", "github", "json"}}
	platform := choice{allowed: []string{"windows", "linux", "darwin", "freebsd"}}
	cmd := &cobra.Command{
		Use:   "validate [file…]",
		Short: "Check the spec and show all of its problems",
		Long: `Loads the spec with everything it includes and shows all problems at once, each with its place and,
where a mistake is common, with a hint. Nothing is started and no host is asked.

--platform checks a file for another system than this one.` + exits(
			"0  valid",
			"1  invalid"),
		RunE: func(cmd *cobra.Command, args []string) error {
			if a.json() && !cmd.Flags().Changed("format") {
				format.value = "json"
			}
			return a.validate(append(slices.Clone(a.files), args...), format.value, platform.value)
		},
	}
	cmd.Flags().Var(&format, "format", "form of the problems: text, github (annotations) or json")
	cmd.Flags().Var(&platform, "platform", "check for this system (default this one)")
	return cmd
}

func (a *app) validate(files []string, format, platform string) error {
	a.files = files
	files, err := a.specFiles()
	if err != nil {
		return err
	}
	r := spec.Load(a.loadOptions(files, platform))
	v := validation{Valid: r.Spec != nil, Files: files, Problems: r.Problems, Warnings: r.Warnings}
	if v.Problems == nil {
		v.Problems = []spec.Problem{}
	}
	if v.Warnings == nil {
		v.Warnings = []spec.Problem{}
	}
	if r.Spec != nil {
		v.Instances, v.Services, v.Hash = len(r.Spec.Services), countServices(r.Spec), r.Spec.Hash
	}
	switch format {
	case "json":
		err = a.printJSON(v)
	case "github":
		writeAnnotations(a.Stdout, "warning", v.Warnings)
		writeAnnotations(a.Stdout, "error", v.Problems)
	default:
		a.writeProblems(a.Stdout, a.colors(), v.Problems)
		if len(v.Warnings) > 0 {
			a.printf("%s\n", a.colors().yellow("warnings:"))
			a.writeProblems(a.Stdout, a.colors(), v.Warnings)
		}
		if v.Valid {
			a.printf("%s is valid: %s\n", a.validFiles(files), amount(v.Services, v.Instances))
		}
	}
	if err == nil && !v.Valid {
		err = &exit{exitFailed}
	}
	return err
}

// loadOptions are those of a spec that this process loads by itself.
func (a *app) loadOptions(files []string, platform string) spec.Options {
	exe, _ := os.Executable()
	return spec.Options{Files: files, Profiles: a.profiles, Set: a.set, Platform: platform, Exe: exe}
}

func (a *app) validFiles(files []string) string {
	names := make([]string, len(files))
	for i, f := range files {
		names[i] = clean(a.shown(f))
	}
	return strings.Join(names, " + ")
}

func countServices(s *spec.Spec) int {
	names := map[string]bool{}
	for _, one := range s.Services {
		names[one.Name] = true
	}
	return len(names)
}

func amount(services, instances int) string {
	text := count(services, "service", "services")
	if instances != services {
		text += ", " + count(instances, "instance", "instances")
	}
	return text
}
