package state

// startGuard has no counterpart here: the job of the host ends its children.
func startGuard(*Store, string) int { return 0 }
