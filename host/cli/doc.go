// Package cli is the command line: one cmd_<verb>.go for each command, of which cobra sees only the
// constructor. It asks the running host over its control channel and decides nothing about services.
package cli
