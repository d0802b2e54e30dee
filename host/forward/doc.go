// Package forward sends the output of services to log targets: OTLP, Loki, syslog and JSON lines.
//
// A Hub serves all targets of a host. Streams hand records to a sink, which only copies them into memory. One
// goroutine per target sends them in batches, one request at a time, so that their order is kept. What is not
// taken within a second is written to the spool on disk, and read back from there when the target is back: a
// target that is away, or a host that is killed, loses nothing that the spool has room for. What a target took
// is noted in the spool; a crash in between has records sent twice, never lost.
//
// The spool holds records, not requests: its name is the name of the target, and a target that moved to another
// address or another protocol gets what was kept for it.
//
// Lock order: Hub.mu, then target.mu or intake.mu, none of which is held during a request or while a file is
// written. OnEvent is called with none of them held.
package forward
