//go:build unix

package logs

// systemPage is nil: Unix has no code pages, and what a program writes stays as it is.
func systemPage(string) newTransformer { return nil }
