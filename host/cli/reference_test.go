package cli

import (
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
)

//go:generate go test -run ^TestReferenceOfCommandsIsInStep$ -update .

var update = flag.Bool("update", false, "write docs/commands.md anew")

// docs/commands.md is made of the commands themselves.
func TestReferenceOfCommandsIsInStep(t *testing.T) {
	path := filepath.Join("..", "..", "docs", "commands.md")
	want := reference(newRoot(&app{globals: globals{output: choice{value: "text", allowed: []string{"text", "json"}}}, now: time.Now}, ""))
	if *update {
		if err := os.WriteFile(path, []byte(want), 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	got, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if strings.ReplaceAll(string(got), "\r\n", "\n") != want {
		t.Error("docs/commands.md is not in step with the commands; write it anew with: go generate ./host/cli")
	}
}

// reference describes every command that is shown in the help.
func reference(root *cobra.Command) string {
	var b strings.Builder
	b.WriteString("# Commands\n\nMade from the program by `go generate ./host/cli`; edits are lost.\n\n")
	b.WriteString("Flags of every command, before or behind it:\n\n")
	flagTable(&b, root.PersistentFlags())
	b.WriteString("\n| command | does |\n|---|---|\n")
	for _, c := range leaves(root) {
		name := strings.TrimPrefix(c.CommandPath(), "host ")
		fmt.Fprintf(&b, "| [%s](#host-%s) | %s |\n", name, strings.ReplaceAll(name, " ", "-"), cellText(c.Short))
	}
	for _, c := range leaves(root) {
		text, codes, _ := strings.Cut(c.Long, "\n\nExit codes:\n")
		fmt.Fprintf(&b, "\n## %s\n\n```\n%s\n```\n\n%s\n", c.CommandPath(), c.Parent().CommandPath()+" "+c.Use, indented(text))
		if local := c.LocalNonPersistentFlags(); local.HasFlags() {
			b.WriteString("\n")
			flagTable(&b, local)
		}
		b.WriteString("\n| exit code | meaning |\n|---|---|\n")
		for line := range strings.Lines(codes) {
			code, meaning, _ := strings.Cut(strings.TrimSpace(line), "  ")
			if code != "" {
				fmt.Fprintf(&b, "| %s | %s |\n", code, cellText(meaning))
			}
		}
	}
	return b.String()
}

// leaves are the commands that do something and are shown in the help, in its order.
func leaves(c *cobra.Command) (all []*cobra.Command) {
	for _, sub := range c.Commands() {
		switch {
		case sub.Hidden:
		case sub.HasAvailableSubCommands():
			if strings.Contains(sub.Long, exits()) { // it does something itself
				all = append(all, sub)
			}
			all = append(all, leaves(sub)...)
		default:
			all = append(all, sub)
		}
	}
	return all
}

// indented keeps what is indented in a help text as code.
func indented(text string) string {
	var b strings.Builder
	for line := range strings.Lines(text) {
		if strings.HasPrefix(line, "  ") {
			line = "  " + line
			if !strings.HasSuffix(b.String(), "\n\n") && !strings.HasPrefix(lastLine(b.String()), "    ") {
				b.WriteString("\n")
			}
		}
		b.WriteString(line)
	}
	return b.String()
}

func lastLine(s string) string {
	s = strings.TrimSuffix(s, "\n")
	return s[strings.LastIndexByte(s, '\n')+1:]
}

func flagTable(b *strings.Builder, flags *pflag.FlagSet) {
	b.WriteString("| flag | meaning |\n|---|---|\n")
	flags.VisitAll(func(f *pflag.Flag) {
		if f.Hidden || f.Name == "help" {
			return
		}
		name := "--" + f.Name
		if f.Shorthand != "" {
			name = "-" + f.Shorthand + ", " + name
		}
		if kind := f.Value.Type(); kind != "bool" {
			name += " " + kind
		}
		usage := f.Usage
		if f.DefValue != "" && f.DefValue != "false" && f.DefValue != "[]" {
			usage += " (default " + f.DefValue + ")"
		}
		fmt.Fprintf(b, "| `%s` | %s |\n", cellText(name), cellText(usage))
	})
}

func cellText(s string) string { return strings.ReplaceAll(s, "|", `\|`) }
