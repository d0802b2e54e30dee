// Package probe asks services whether they work: startup, readiness and liveness probes with the words and
// the meaning of Kubernetes, put by HTTP, TCP, a program, a line of output, a file or sd_notify. It says what
// it found and decides nothing: starting, stopping and restarting are the supervisor's.
package probe
