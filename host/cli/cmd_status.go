package cli

import (
	"context"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"servicehost/host/control"
)

func newStatus(a *app) *cobra.Command {
	var watch bool
	cmd := &cobra.Command{
		Use:               "status [name…]",
		Short:             "Show the services and how they are",
		ValidArgsFunction: a.completeServices,
		Long: `Shows the host, what it makes of its files, and each service: ● as desired, ○ stopped and meant to be,
✗ somebody should look. Named services are shown with their last lines of output.` + exits(
			"0  everything is as desired",
			"1  the host could not be asked, or has no such service",
			"3  a service is not as desired, or the spec is rejected",
			"4  no host is running"),
		RunE: func(cmd *cobra.Command, args []string) error {
			if watch {
				return a.watchStatus(cmd.Context(), args)
			}
			return a.status(cmd.Context(), args)
		},
	}
	cmd.Flags().BoolVar(&watch, "watch", false, "show it anew each second")
	return cmd
}

func (a *app) status(ctx context.Context, names []string) error {
	s, err := a.statusOf(ctx, names)
	if err != nil {
		return err
	}
	err = a.show(s, func() {
		width, _ := a.out.size()
		a.printf("%s", a.statusText(s, len(names) > 0, width))
	})
	if err == nil && !asDesired(s) {
		err = &exit{exitNotAsDesired}
	}
	return err
}

// statusOf asks the running host for the status.
func (a *app) statusOf(ctx context.Context, names []string) (control.Status, error) {
	return ask(ctx, a, func(c *control.Client) (control.Status, error) { return askStatus(ctx, c, names) })
}

// askStatus asks for the status, of the named services only where names are given.
func askStatus(ctx context.Context, c *control.Client, names []string) (control.Status, error) {
	ctx, cancel := context.WithTimeout(ctx, askTime)
	defer cancel()
	s, err := c.Status(ctx)
	if err != nil || len(names) == 0 {
		return s, err
	}
	for _, name := range names {
		if err := known(name, s.Services); err != nil {
			return s, err
		}
	}
	s.Services = slices.DeleteFunc(s.Services, func(one control.ServiceStatus) bool { return !named(one, names) })
	return s, nil
}

func named(s control.ServiceStatus, names []string) bool {
	return slices.ContainsFunc(names, func(n string) bool {
		return strings.EqualFold(n, s.Name) || strings.EqualFold(n, s.ID)
	})
}

// known returns an error with the nearest name when there is no such service.
func known(name string, services []control.ServiceStatus) error {
	if slices.ContainsFunc(services, func(s control.ServiceStatus) bool { return named(s, []string{name}) }) {
		return nil
	}
	return noService(name, serviceNames(services))
}

func asDesired(s control.Status) bool {
	return s.Host.Spec.State != control.SpecRejected &&
		!slices.ContainsFunc(s.Services, func(one control.ServiceStatus) bool { return !one.AsDesired })
}

// completeServices offers the services of the running host to the shell.
func (a *app) completeServices(cmd *cobra.Command, _ []string, _ string) ([]string, cobra.ShellCompDirective) {
	s, err := a.statusOf(cmd.Context(), nil)
	if err != nil {
		return nil, cobra.ShellCompDirectiveNoFileComp
	}
	return serviceNames(s.Services), cobra.ShellCompDirectiveNoFileComp
}
