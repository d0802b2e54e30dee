package host

// askingSignals: Windows has none of these; the service manager's controls PARAMCHANGE and 128 have their place.
func askingSignals() (<-chan Control, func()) { return nil, func() {} }
