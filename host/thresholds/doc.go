// Package thresholds watches what services use and write against the `thresholds` of their specs. It tells when
// one is crossed and when that is over, once each; what follows is the host's to do.
package thresholds
