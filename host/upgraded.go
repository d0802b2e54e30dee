package host

import (
	"time"

	"servicehost/host/journal"
	"servicehost/host/upgrade"
)

const (
	// toldUpgrade is the record of the upgrade that was told last: a host may lack the right to remove the note.
	toldUpgrade = "host/upgrade"
	// oldNews is the age at which an upgrade is of no interest to a host that never heard of one.
	oldNews = 24 * time.Hour
)

var upgradeKinds = map[upgrade.Outcome]journal.Kind{
	upgrade.Upgraded: journal.Upgraded, upgrade.Undone: journal.UpgradeUndone, upgrade.CutShort: journal.UpgradeCut,
}

// tellUpgrade tells what became of the last upgrade, once.
func (h *Host) tellUpgrade() {
	n := h.opt.Upgrade
	if n == nil {
		return
	}
	var told time.Time
	known, err := h.store.Get(toldUpgrade, &told)
	if err != nil || known && told.Equal(n.At) {
		return
	}
	if err := h.store.Put(toldUpgrade, n.At); err != nil {
		h.log.Warn(err.Error()) // it is told again then
	}
	if known || time.Since(n.At) < oldNews {
		h.publish(journal.Event{Kind: upgradeKinds[n.Outcome], Reason: n.Reason, Details: map[string]string{"from": n.From, "to": n.To}})
	}
}
