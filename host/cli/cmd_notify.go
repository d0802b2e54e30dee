package cli

import (
	"context"
	"fmt"
	"strconv"
	"time"

	"github.com/spf13/cobra"

	"servicehost/host/control"
	"servicehost/host/human"
)

func newNotify(a *app) *cobra.Command {
	cmd := &cobra.Command{
		Use:   "notify",
		Short: "Show who is told of alerts, and whether messages arrive",
		Long: `Without a command it lists the receivers of the running host, the elements of notify: how many messages each of
them took since the host started, how many wait for it, how many were given up, and why it is in trouble.` +
			exits("0  all of them take messages, or there are none", "3  one of them is in trouble", "4  no host is running"),
		Args: cobra.ArbitraryArgs,
		RunE: func(cmd *cobra.Command, args []string) error {
			if len(args) > 0 {
				return unknownCommand(cmd, args[0])
			}
			return a.notifiers(cmd.Context())
		},
	}
	cmd.AddCommand(&cobra.Command{
		Use:   "test [name…]",
		Short: "Send a test message, and show what became of it",
		Long: `The running host sends a message to the named receivers, or to all, once and at once, beside what waits. Its own
secrets, proxies and network are used, not those of this command.` +
			exits("0  each of them took it", "1  one did not", "4  no host is running"),
		ValidArgsFunction: a.completeNotifiers,
		RunE:              func(cmd *cobra.Command, names []string) error { return a.notifyTest(cmd.Context(), names) },
	})
	return cmd
}

func (a *app) notifiers(ctx context.Context) error {
	s, err := a.statusOf(ctx, nil)
	if err != nil {
		return err
	}
	list := s.Host.Notify
	if list == nil {
		list = []control.NotifierStatus{}
	}
	err = a.show(map[string][]control.NotifierStatus{"notifiers": list}, func() { a.printf("%s", a.notifiersText(list)) })
	for _, n := range list {
		if err == nil && n.State != "ok" {
			err = &exit{exitNotAsDesired}
		}
	}
	return err
}

func (a *app) notifiersText(list []control.NotifierStatus) string {
	if len(list) == 0 {
		return "nobody is notified: the spec has no notify section\n"
	}
	t := table{columns: []column{{}, {title: "NAME"}, {title: "KIND"}, {title: "SENT", right: true}, {title: "WAITING", right: true}, {title: "FAILED", right: true}, {title: "STATE", flex: true}}}
	for _, n := range list {
		mark, state := cell{"●", green}, "ok"
		if n.State != "ok" {
			mark, state = cell{"✗", red}, fmt.Sprintf("trouble for %s: %s", age(a.now().Sub(n.Since)), clean(n.Reason))
		}
		kind := n.Kind
		if n.Template != "" && n.Template != "generic" {
			kind = n.Template
		}
		t.add(mark, cell{clean(n.Name), ""}, cell{kind, ""}, number(n.Sent), number(n.Waiting), number(n.Failed), cell{state, ""})
	}
	width, _ := a.out.size()
	return t.render(a.colors(), width)
}

func number(n int64) cell { return cell{strconv.FormatInt(n, 10), ""} }

func (a *app) notifyTest(ctx context.Context, names []string) error {
	answer, err := ask(ctx, a, func(c *control.Client) (control.NotifyTestResult, error) {
		return c.NotifyTest(ctx, control.NotifyTestRequest{Names: names})
	})
	if err != nil {
		return err
	}
	err = a.show(answer, func() {
		t := table{columns: []column{{}, {}, {}, {}}}
		for _, n := range answer.Notifiers {
			took := human.Duration(time.Duration(n.DurationMS) * time.Millisecond)
			if n.OK {
				t.add(cell{"●", green}, cell{clean(n.Name), ""}, cell{n.Kind, ""}, cell{"took it after " + took, ""})
			} else {
				t.add(cell{"✗", red}, cell{clean(n.Name), ""}, cell{n.Kind, ""}, cell{"failed after " + took + ": " + clean(n.Reason), ""})
			}
		}
		a.printf("%s", t.render(a.colors(), 0))
	})
	for _, n := range answer.Notifiers {
		if err == nil && !n.OK {
			err = &exit{exitFailed}
		}
	}
	return err
}

func (a *app) completeNotifiers(cmd *cobra.Command, _ []string, _ string) ([]string, cobra.ShellCompDirective) {
	s, err := a.statusOf(cmd.Context(), nil)
	if err != nil {
		return nil, cobra.ShellCompDirectiveNoFileComp
	}
	var names []string
	for _, n := range s.Host.Notify {
		names = append(names, n.Name)
	}
	return names, cobra.ShellCompDirectiveNoFileComp
}
