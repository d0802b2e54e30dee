// Package state keeps what must outlive the host: one folder, locked, with a small store of records.
package state
