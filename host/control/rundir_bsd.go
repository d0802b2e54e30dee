//go:build unix && !linux

package control

// systemRunDir is where root's hosts register.
const systemRunDir = "/var/run/servicehost"
