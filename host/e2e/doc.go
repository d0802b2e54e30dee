// Package e2e holds the stories that the whole program has to live through, with real processes: the
// test binary is the host, its command line and its children, on every system alike.
package e2e
