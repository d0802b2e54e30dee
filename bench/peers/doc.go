// Command peers measures host beside other supervisors on one Linux machine, in one run: how fast each
// starts, restarts, changes and stops services, what it costs at rest, what it keeps of their output, and
// what it leaves behind. See README.md; docs/performance.md has the figures.
package main
