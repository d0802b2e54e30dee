//go:build unix

package supervisor

import (
	"servicehost/host/process"
	"servicehost/spec"
)

// accountEnv: another user gets the environment of the host, as every Unix user expects.
func accountEnv(*environment, *spec.Service, int) *process.AccountEnv { return nil }
