package cli

import (
	"context"
	"time"

	"github.com/spf13/cobra"

	"servicehost/host/control"
)

func newDashboard(a *app) *cobra.Command {
	var noOpen bool
	cmd := &cobra.Command{
		Use:   "dashboard",
		Short: "Open the dashboard in the browser, signed in",
		Long: `Opens the page of host.http with a link that signs in once, within a minute, as who runs this command. Where
there is no browser to open, it prints the link. It is a secret until it was used.` + exits(
			"0  opened, or the link printed",
			"1  the dashboard is not served",
			"4  no host is running"),
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error { return a.dashboard(cmd.Context(), !noOpen) },
	}
	cmd.Flags().BoolVar(&noOpen, "no-open", false, "only print the link")
	return cmd
}

// openBrowser is replaced by tests.
var openBrowser = browse

func (a *app) dashboard(ctx context.Context, open bool) error {
	l, err := ask(ctx, a, func(c *control.Client) (control.LoginAnswer, error) {
		ctx, cancel := context.WithTimeout(ctx, askTime)
		defer cancel()
		return c.Login(ctx)
	})
	if err != nil {
		return err
	}
	return a.show(l, func() {
		if open {
			err := openBrowser(l.URL)
			if err == nil {
				a.printf("opened in the browser; if it is not there: host dashboard --no-open\n")
				return
			}
			a.printf("no browser could be opened: %s\n", clean(err.Error()))
		}
		a.printf("open this within %s; it works once:\n%s\n", age(max(0, l.ExpiresAt.Sub(a.now()).Round(time.Second))), l.URL)
	})
}
