package cli

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"runtime/debug"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"servicehost/host/control"
)

// Program is what the outside gives to the command line.
type Program struct {
	Version string // of the release; empty: what the build information says
	Args    []string
	Stdout  io.Writer
	Stderr  io.Writer
}

// app is one invocation: the global flags and where output goes.
type app struct {
	Program
	globals
	out terminal
	err terminal
	now func() time.Time
	// force ends a run at once, on the second Ctrl-C.
	force <-chan struct{}
}

// globals are the flags of every command.
type globals struct {
	files    appended
	name     string
	profiles appended
	set      assignments
	output   choice
	noColor  bool
}

// Execute runs one command and returns the exit code of the process.
func Execute(p Program) int {
	a := &app{Program: p, now: time.Now}
	a.output = choice{value: "text", allowed: []string{"text", "json"}}
	a.out, a.err = terminalOf(p.Stdout), terminalOf(p.Stderr)
	ctx, force, release := signals()
	defer release()
	a.force = force

	root := newRoot(a, asked(p.Args))
	root.SetArgs(p.Args)
	root.SetOut(p.Stdout)
	root.SetErr(p.Stderr)
	err := root.ExecuteContext(ctx)
	if err != nil && ctx.Err() != nil && exitCode(ctx, err) >= exitInterrupted {
		err = fmt.Errorf("%w (%w)", context.Cause(ctx), err)
	}
	if badFlag(err) {
		err = withHint("see host --help", "%w", err) // before the command, where cobra does not ask us
	}
	if err != nil {
		asJSON := a.output.value == "json" || wantsJSON(p.Args)
		a.printError(p.Stderr, palette{on: a.err.color && !a.noColor}, asJSON, err)
	}
	return exitCode(ctx, err)
}

// badFlag reports whether an error is one of reading flags that nobody gave a hint yet.
func badFlag(err error) bool {
	var (
		h       *hinted
		missing *pflag.ValueRequiredError
		unknown *pflag.NotExistError
		value   *pflag.InvalidValueError
		syntax  *pflag.InvalidSyntaxError
	)
	return !errors.As(err, &h) && (errors.As(err, &missing) || errors.As(err, &unknown) || errors.As(err, &value) || errors.As(err, &syntax))
}

// wantsJSON looks for the flag where parsing did not come to it.
func wantsJSON(args []string) bool {
	for i, arg := range args {
		switch arg {
		case "-ojson", "-o=json", "--output=json", "--json":
			return true
		case "-o", "--output":
			if i+1 < len(args) && args[i+1] == "json" {
				return true
			}
		case "--":
			return false
		}
	}
	return false
}

// newRoot is the command line with the command of that name; with all of them where there is none such.
func newRoot(a *app, name string) *cobra.Command {
	cobra.MousetrapHelpText = "" // it would look through all processes
	cobra.EnableCommandSorting = false
	root := &cobra.Command{
		Use:   "host",
		Short: "Keep the processes of services.yaml running",
		Long: `host reads one services.yaml, keeps the processes in it running the way the file says, and follows
the file: edit it, and only what changed is touched.

  host validate                 check services.yaml
  host run                      run it in the foreground
  host status                   how is it
  host why NAME                 why is a service as it is`,
		Args:             cobra.ArbitraryArgs,
		SilenceErrors:    true,
		SilenceUsage:     true,
		TraverseChildren: true, // before "logs", -f is the file
		RunE: func(cmd *cobra.Command, args []string) error {
			if len(args) == 0 {
				return cmd.Help()
			}
			return unknownCommand(cmd, args[0])
		},
	}
	root.CompletionOptions.DisableDefaultCmd = true
	root.SetHelpCommand(&cobra.Command{Use: "help [command]", Short: "Help about a command", Hidden: true,
		RunE: func(cmd *cobra.Command, args []string) error {
			found, _, err := cmd.Root().Find(args)
			if err != nil || found == cmd.Root() && len(args) > 0 {
				return unknownCommand(cmd.Root(), strings.Join(args, " "))
			}
			return found.Help()
		}})
	root.SetFlagErrorFunc(func(cmd *cobra.Command, err error) error {
		return withHint(fmt.Sprintf("see %s --help", cmd.CommandPath()), "%w", err)
	})
	f := root.PersistentFlags()
	f.VarP(&a.files, "file", "f", "the spec; several are merged left to right (default $HOST_FILE, ./services.yaml, …)")
	f.StringVar(&a.name, "name", "", "the running host, or the service of the system, with this name")
	f.Var(&a.profiles, "profile", "use services of this profile; repeatable")
	f.Var(&a.set, "set", "set a variable, NAME=value; repeatable")
	f.VarP(&a.output, "output", "o", "form of the output: text or json")
	f.BoolVar(&a.noColor, "no-color", false, "no colours (also: NO_COLOR)")

	root.AddCommand(a.commands(name)...)
	return root
}

func unknownCommand(root *cobra.Command, name string) error {
	hint := "host --help lists the commands"
	if root.SuggestionsMinimumDistance <= 0 {
		root.SuggestionsMinimumDistance = 2
	}
	if near := root.SuggestionsFor(name); len(near) > 0 {
		hint = "did you mean " + strings.Join(near, " or ") + "?"
	}
	return withHint(hint, "unknown command %q", name)
}

func (a *app) json() bool { return a.output.value == "json" }

func (a *app) colors() palette { return palette{on: a.out.color && !a.noColor} }

// printJSON writes a value for machines: indented, as people read it too.
func (a *app) printJSON(v any) error {
	e := json.NewEncoder(a.Stdout)
	e.SetIndent("", "  ")
	e.SetEscapeHTML(false)
	return e.Encode(v)
}

// show writes an answer as JSON where that is asked for, and else as text does.
func (a *app) show(v any, text func()) error {
	if a.json() {
		return a.printJSON(v)
	}
	text()
	return nil
}

// printf writes to standard output.
func (a *app) printf(format string, args ...any) { fmt.Fprintf(a.Stdout, format, args...) }

// askGCPercent has a command that asks a host end before it collects garbage: the answer about a thousand services
// takes 3 MiB, and the first collection would come at 4.
const askGCPercent = 400

// askTime bounds questions that a living host answers at once.
const askTime = 15 * time.Second

// client finds the running host that the flags mean.
func (a *app) client(ctx context.Context) (*control.Client, error) {
	files, err := a.chosenFiles()
	if err != nil {
		return nil, err
	}
	return a.clientOf(ctx, files)
}

// ask puts one question to the running host.
func ask[T any](ctx context.Context, a *app, question func(*control.Client) (T, error)) (answer T, err error) {
	c, err := a.client(ctx)
	if err != nil {
		return answer, err
	}
	defer c.Close()
	return question(c)
}

func (a *app) clientOf(ctx context.Context, files []string) (*control.Client, error) {
	debug.SetGCPercent(askGCPercent)
	ctx, cancel := context.WithTimeout(ctx, askTime)
	defer cancel()
	e, err := control.Find(ctx, control.Selector{Files: files, Name: a.name})
	if err != nil {
		return nil, err
	}
	return control.NewClient(e), nil
}

// serviceNames are what can be named on the command line: services and instances.
func serviceNames(services []control.ServiceStatus) []string {
	names := map[string]bool{}
	for _, s := range services {
		names[s.Name] = true
		names[s.ID] = true
	}
	return slices.Sorted(maps.Keys(names))
}
