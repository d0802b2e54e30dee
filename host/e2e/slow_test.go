//go:build !race && !windows

package e2e

const slow = false
