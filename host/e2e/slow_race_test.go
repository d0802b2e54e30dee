//go:build race || windows

package e2e

// slow is set where a start of the test binary costs a multiple.
const slow = true
