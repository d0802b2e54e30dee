package spec

// HTTP is `host.http`: the listener of metrics, health and the dashboard.
type HTTP struct {
	// Listen is host:port; empty: off.
	Listen string  `key:"listen" class:"live"`
	TLS    HTTPTLS `key:"tls"`
	// Tokens prove who is asking; beyond loopback at least one is needed, and TLS.
	Tokens []HTTPToken `key:"tokens" class:"live"`
}

// HTTPTLS is how the listener proves itself and whom it trusts; paths are absolute or empty. Files that change
// are read again without a restart.
type HTTPTLS struct {
	Cert     string `key:"cert" class:"live"`
	Key      string `key:"key" class:"live"`
	ClientCA string `key:"client_ca" class:"live"` // set: a client needs a certificate of it
}

// HTTPToken is one token. Its text is in a file, never in the spec.
type HTTPToken struct {
	Name string   `key:"name"` // for the journal: who did it
	Role HTTPRole `key:"role"`
	File string   `key:"file"` // absolute
}

// HTTPRole is what a token is good for.
type HTTPRole string

// The values of host.http.tokens.*.role.
const (
	RoleRead HTTPRole = "read"
	RoleAct  HTTPRole = "act"
)
