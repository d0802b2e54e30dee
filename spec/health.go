package spec

import "time"

// Health is how a service is asked whether it works, in the words of Kubernetes: startup gates the other
// two, readiness says whether it is of use, and a failing liveness restarts it. nil: not asked.
type Health struct {
	Startup   *Probe `key:"startup" class:"live" json:",omitzero"`
	Readiness *Probe `key:"readiness" class:"live" json:",omitzero"`
	Liveness  *Probe `key:"liveness" class:"live" json:",omitzero"`
}

// Probe is one question, put again and again. One of HTTP, TCP, Exec, Log, File and Notify is set. A
// placeholder AutoPort stands where ${PORT} of `port: auto` was used.
type Probe struct {
	HTTP   string   `key:"http" json:",omitzero"`   // address, http or https
	TCP    string   `key:"tcp" json:",omitzero"`    // host:port
	Exec   []string `key:"exec" json:",omitzero"`   // program and arguments; exit code 0 is a success
	Log    string   `key:"log" json:",omitzero"`    // regular expression on a line of output
	File   string   `key:"file" json:",omitzero"`   // absolute path, touched within Period
	Notify bool     `key:"notify" json:",omitzero"` // sd_notify: READY=1, and WATCHDOG=1 within Period for liveness

	Method  string            `key:"method" json:",omitzero"`  // of HTTP; empty: GET
	Headers map[string]string `key:"headers" json:",omitzero"` // of HTTP
	Status  []StatusRange     `key:"status" json:",omitzero"`  // of HTTP; empty: 200-399
	Body    string            `key:"body" json:",omitzero"`    // of HTTP: regular expression that the first 64 KiB must match
	TLS     TargetTLS         `key:"tls" json:",omitzero"`     // of HTTP

	InitialDelay     time.Duration `key:"initial_delay" json:",omitzero"`
	Period           time.Duration `key:"period" json:",omitzero"`
	Timeout          time.Duration `key:"timeout" json:",omitzero"`
	SuccessThreshold int           `key:"success_threshold" json:",omitzero"`
	FailureThreshold int           `key:"failure_threshold" json:",omitzero"`
}

// StatusRange is a range of status codes of HTTP, both ends included.
type StatusRange struct{ From, To int }

// DefaultProbe holds the built-in values, which are those of Kubernetes.
var DefaultProbe = Probe{Period: 10 * time.Second, Timeout: time.Second, SuccessThreshold: 1, FailureThreshold: 3}
