//go:build !race

package spec

// slowness is how much slower and larger the race detector makes everything.
const slowness = 1
