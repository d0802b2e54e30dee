package host

import (
	"context"
	"path/filepath"
	"time"

	"servicehost/host/control"
	"servicehost/host/forward"
	"servicehost/host/journal"
	"servicehost/host/secrets"
	"servicehost/spec"
)

// forwardWait is how long the end of the host waits for log targets; what they have not taken then is in
// their spools.
const forwardWait = 2 * time.Second

func (h *Host) newForward(s spec.Host) *forward.Hub {
	return forward.New(forward.Options{
		Dir: filepath.Join(s.StateDir, "spool"), Host: s.Name, Version: h.opt.Version, Secret: h.targetSecret, OnEvent: h.onForwardEvent,
	})
}

func (h *Host) targetSecret(ctx context.Context, s spec.Secret) (string, error) {
	from := secrets.Source{From: secrets.FromCredential, Name: s.Credential}
	switch {
	case s.File != "":
		from = secrets.Source{From: secrets.FromFile, Name: s.File}
	case s.Env != "":
		from = secrets.Source{From: secrets.FromEnv, Name: s.Env}
	case len(s.Exec) > 0:
		from = secrets.Source{From: secrets.FromExec, Exec: s.Exec}
	case s.DPAPI != "":
		from = secrets.Source{From: secrets.FromDPAPI, Name: s.DPAPI}
	}
	return h.resolver().Resolve(ctx, from)
}

var forwardKinds = map[string]journal.Kind{
	forward.EventTrouble: journal.ForwardTrouble, forward.EventRecovered: journal.ForwardOK, forward.EventDropped: journal.ForwardDropped,
}

func (h *Host) onForwardEvent(e forward.Event) {
	h.publish(journal.Event{Kind: forwardKinds[e.Kind], Reason: e.Text, Details: map[string]string{journal.DetailTarget: e.Target}})
}

func (h *Host) closeForward() {
	ctx, cancel := context.WithTimeout(context.Background(), forwardWait)
	defer cancel()
	h.forward.Close(ctx)
}

// targets are the log targets as status shows them.
func (h *Host) targets() []control.LogTargetStatus {
	var out []control.LogTargetStatus
	for _, t := range h.forward.Stats() {
		out = append(out, control.LogTargetStatus{
			Name: t.Name, Type: string(t.Type), State: t.State, Since: t.Since, Reason: t.LastError, SentRecords: t.SentRecords, SentBytes: t.SentBytes,
			DroppedRecords: t.DroppedRecords, DroppedBytes: t.DroppedBytes, WaitingRecords: t.WaitingRecords, SpooledBytes: t.SpooledBytes,
		})
	}
	return out
}
