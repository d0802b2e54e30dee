// Command soak drives a built host for as long as it is told, with hundreds of services that crash, flood, fork and
// refuse to end, under edits, commands, readers and scrapes, and judges at the end whether anything has grown, was
// left behind or was lost. Other modes measure a crash storm, and what many probed or idle services cost. See README.md.
package main
