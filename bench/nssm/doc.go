// Command nssm runs the same children under NSSM and under host, as services of one service control
// manager, and compares them: the time from the kill of a child to the next one's first instruction, the
// time of a stop, the lines of output that are kept, what is left when the supervisor itself is killed,
// and memory. See README.md.
package main
