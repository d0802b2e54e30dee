package cli

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"

	"github.com/spf13/cobra"
	"golang.org/x/term"

	"servicehost/host/human"
	"servicehost/host/secrets"
)

func newSecret(a *app) *cobra.Command {
	cmd := &cobra.Command{
		Use:   "secret",
		Short: "Keep passwords and other secrets out of the spec",
		Long:  `A spec says where a secret is, never what: password: {dpapi: FILE}, {file: FILE}, {env: NAME}, {exec: [...]}.`,
		RunE: func(cmd *cobra.Command, args []string) error {
			if len(args) > 0 {
				return unknownCommand(cmd, args[0])
			}
			return cmd.Help()
		},
	}
	var out string
	protect := &cobra.Command{
		Use:   "protect",
		Short: "Write a secret so that only this machine can read it (Windows)",
		Long: `Asks for a secret, or reads it from standard input where that is no terminal, and writes it as text that
only this machine can turn back, for password: {dpapi: FILE} in the spec. It is never an argument, which
every user of the machine could see.

Any program on this machine can turn the text back. So the file is readable for SYSTEM, Administrators and
its owner only; a host that runs under another account needs to be let in:
  icacls FILE /grant "NT SERVICE\servicehost:R"

On other systems use {file: FILE} with a file of mode 0600.` + exits(
			"0  written",
			"1  not written"),
		Args: cobra.NoArgs,
		RunE: func(*cobra.Command, []string) error { return a.protect(os.Stdin, out) },
	}
	protect.Flags().StringVar(&out, "out", "", "write to this new file (default standard output)")
	cmd.AddCommand(protect)
	return cmd
}

// protectedFile is what `host secret protect -o json` says.
type protectedFile struct {
	File string `json:"file"`
}

func (a *app) protect(in *os.File, out string) error {
	if !secrets.CanProtect() {
		return withHint("put it into a file of mode 0600 and write {file: FILE} in the spec", "only Windows protects secrets for a machine")
	}
	if out != "" {
		if _, err := os.Lstat(out); err == nil { // before anybody types
			return withHint("choose another name, or delete it first", "%s is there already", human.Path(out))
		}
	}
	plain, err := a.readSecret(in)
	if err != nil {
		return fmt.Errorf("cannot read the secret: %w", err)
	}
	defer clear(plain)
	text, err := secrets.Protect(plain)
	if err != nil {
		return err
	}
	if out == "" {
		_, err := a.Stdout.Write(text)
		return err
	}
	if err := secrets.WriteNew(out, text); err != nil {
		if errors.Is(err, fs.ErrExist) {
			return withHint("choose another name, or delete it first", "%s is there already", human.Path(out))
		}
		return fmt.Errorf("cannot write the secret: %w", err)
	}
	return a.show(protectedFile{out}, func() {
		a.printf("written to %s, for SYSTEM, Administrators and you; in the spec: {dpapi: %s}\n", human.Path(out), out)
	})
}

// readSecret reads a secret from a person, twice and unseen, or all of a pipe.
func (a *app) readSecret(in *os.File) ([]byte, error) {
	fd := int(in.Fd())
	if !term.IsTerminal(fd) {
		all, err := io.ReadAll(io.LimitReader(in, secrets.MaxSize+1))
		defer clear(all)
		if err != nil {
			return nil, err
		}
		if len(all) > secrets.MaxSize {
			return nil, fmt.Errorf("it has more than %d KiB", secrets.MaxSize>>10)
		}
		text, err := secrets.Text(all)
		return []byte(text), err
	}
	ask := func(prompt string) ([]byte, error) {
		fmt.Fprint(a.Stderr, prompt)
		defer fmt.Fprintln(a.Stderr)
		return term.ReadPassword(fd)
	}
	first, err := ask("secret: ")
	if err != nil {
		return nil, err
	}
	again, err := ask("again: ")
	defer clear(again)
	switch {
	case err != nil:
	case len(first) == 0:
		err = errors.New("it is empty")
	case string(first) != string(again):
		err = errors.New("the two are not the same")
	default:
		return first, nil
	}
	clear(first)
	return nil, err
}
