package host

import (
	"context"
	"fmt"
	"strings"

	"servicehost/host/human"
	"servicehost/host/journal"
	"servicehost/host/process"
	"servicehost/host/secrets"
	"servicehost/spec"
)

// secret finds a secret for the backend. A program that prints one is run by the supervisor: nothing else in
// this process may wait for children.
func (h *Host) secret(s process.Secret) (string, error) {
	// What is done at the end of the host may need one, too; the resolver bounds the time.
	return h.resolver().Resolve(context.Background(), secrets.Source{From: s.From, Name: s.Name, Exec: s.Exec})
}

func (h *Host) resolver() secrets.Resolver {
	return secrets.Resolver{Run: func(ctx context.Context, argv []string, limit int) ([]byte, error) {
		return h.sup.Output(ctx, argv, limit)
	}}
}

// maxNamed is how many services a warning names.
const maxNamed = 10

// warnOfSystem says once which services have every right on this machine only because nobody said who they
// run as.
func (h *Host) warnOfSystem(s *spec.Spec) {
	if !h.opt.Managed || !runsAsSystem() {
		return
	}
	if w := systemWarning(s.Services); w != "" {
		h.publish(journal.Event{Kind: journal.Warning, Reason: w})
	}
}

// systemWarning is empty where every service says who it runs as.
func systemWarning(services []*spec.Service) string {
	var names []string
	for _, s := range services {
		if s.User == "" && s.Session != spec.SessionUser && s.Instance == 1 {
			names = append(names, s.Name)
		}
	}
	if len(names) == 0 {
		return ""
	}
	listed := strings.Join(names[:min(len(names), maxNamed)], ", ")
	if more := len(names) - maxNamed; more > 0 {
		listed += fmt.Sprintf(" and %d more", more)
	}
	verb := "runs"
	if len(names) > 1 {
		verb = "run"
	}
	return fmt.Sprintf("%s without user %s as LocalSystem, with every right on this machine: %s; user: NT AUTHORITY\\LocalService is enough for most",
		human.Count(len(names), "service"), verb, listed)
}
