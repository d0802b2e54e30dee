package cli

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"

	"golang.org/x/term"
)

// password reads the password of the account, where it needs one: from standard input when that was
// asked for, and else from the terminal, unseen.
func (a *app) password(o installOptions) (string, error) {
	switch {
	case o.passwordStdin && o.account == "":
		return "", withHint("name the account with --account", "--password-stdin has no account to belong to")
	case o.passwordStdin:
		return firstLine(os.Stdin)
	case !needsPassword(o.account):
		return "", nil
	case !term.IsTerminal(int(os.Stdin.Fd())):
		return "", withHint("give it on standard input, with --password-stdin", "account %q needs a password, and there is no terminal to ask for it", o.account)
	}
	fmt.Fprintf(a.Stderr, "password of %s: ", clean(o.account))
	text, err := term.ReadPassword(int(os.Stdin.Fd()))
	fmt.Fprintln(a.Stderr)
	if err != nil {
		return "", fmt.Errorf("cannot read the password: %w", err)
	}
	return string(text), nil
}

func firstLine(r io.Reader) (string, error) {
	line, err := bufio.NewReader(r).ReadString('\n')
	if err != nil && !errors.Is(err, io.EOF) {
		return "", fmt.Errorf("cannot read the password: %w", err)
	}
	line = strings.TrimSuffix(strings.TrimSuffix(line, "\n"), "\r")
	if line == "" {
		return "", errors.New("cannot read the password: standard input is empty")
	}
	return line, nil
}
