// Package logs carries the output of services into files: capture, rotation, compression, reading back.
//
// A Set serves all services of a host, a Pipeline one instance; the pipeline outlives the runs whose
// streams are attached to it. Bytes go from the slice that the stream hands over into the file in the
// same goroutine, so nothing is buffered, and what Drain waited for is in the file; only a decoder,
// where log.encoding asks for one, keeps the beginning of a character or an undecided piece of a line, and
// a shaper, where something is asked about lines, a line that has not ended or a record that may go on.
// The package decides nothing about services and never stops one: output that can't be written is
// dropped, counted and said.
//
// Lock order: input.mu, Pipeline.mu, writer.mu, Set.mu. OnEvent is called with none of them held.
package logs
