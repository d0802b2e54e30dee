//go:build unix && !darwin

package upgrade

const thisSystem = unixELF
