package spec

import "time"

// Health is how a service is asked whether it works, in the words of Kubernetes: startup gates the other
// two, readiness says whether it is of use, and a failing liveness restarts it. nil: not asked.
type Health struct {
	Startup   *Probe `key:"startup" class:"live"`
	Readiness *Probe `key:"readiness" class:"live"`
	Liveness  *Probe `key:"liveness" class:"live"`
}

// Probe is one question, put again and again. One of HTTP, TCP, Exec, Log, File and Notify is set. A
// placeholder AutoPort stands where ${PORT} of `port: auto` was used.
type Probe struct {
	HTTP   string   `key:"http"`   // address, http or https
	TCP    string   `key:"tcp"`    // host:port
	Exec   []string `key:"exec"`   // program and arguments; exit code 0 is a success
	Log    string   `key:"log"`    // regular expression on a line of output
	File   string   `key:"file"`   // absolute path, touched within Period
	Notify bool     `key:"notify"` // sd_notify: READY=1, and WATCHDOG=1 within Period for liveness

	Method  string            `key:"method"`  // of HTTP; empty: GET
	Headers map[string]string `key:"headers"` // of HTTP
	Status  []StatusRange     `key:"status"`  // of HTTP; empty: 200-399
	Body    string            `key:"body"`    // of HTTP: regular expression that the first 64 KiB must match
	TLS     TargetTLS         `key:"tls"`     // of HTTP

	InitialDelay     time.Duration `key:"initial_delay"`
	Period           time.Duration `key:"period"`
	Timeout          time.Duration `key:"timeout"`
	SuccessThreshold int           `key:"success_threshold"`
	FailureThreshold int           `key:"failure_threshold"`
}

// StatusRange is a range of status codes of HTTP, both ends included.
type StatusRange struct{ From, To int }

// DefaultProbe holds the built-in values, which are those of Kubernetes.
var DefaultProbe = Probe{Period: 10 * time.Second, Timeout: time.Second, SuccessThreshold: 1, FailureThreshold: 3}
