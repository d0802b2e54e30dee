// Command floor is the least that a supervisor in Go must do: one ForkExec, one pipe and one file for
// each child, and a wait for all of them together. It knows no delays, no limits, no state and no
// rotation, so that what a real supervisor costs beyond it is the price of being one.
package main
