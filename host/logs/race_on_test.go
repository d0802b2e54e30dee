//go:build race

package logs

// racing: the race detector makes pools forget.
const racing = true
