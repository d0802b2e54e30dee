// Package spec reads what the user wrote: it turns services.yaml and everything it refers to into
// one checked, immutable Spec, or into all the problems of it. It starts nothing and logs nothing.
package spec

// Options says which files to load and in whose place.
type Options struct {
	// Files are merged left to right. At least one.
	Files []string
	// Profiles are the chosen profiles.
	Profiles []string
	// Set are variables given on the command line (--set NAME=value).
	Set map[string]string
	// Platform is the GOOS to check for; empty is this machine's.
	Platform string
	// LookupEnv is the environment of the host; nil is os.LookupEnv.
	LookupEnv func(string) (string, bool)
	// Exe is the path of the host's executable, for ${HOST_EXE}.
	Exe string
	// DefaultName is host.name where the spec names none; empty is the machine's name.
	DefaultName string
	// Managed is set under an OS service manager: state and logs go to the system's places.
	Managed bool
}

// Input is one file that a load looked at; Load reports them whether it succeeds or not.
type Input struct {
	Path string // absolute
	// Hash of the content; empty when the file is missing or unreadable.
	Hash string
	// Glob is set where Path is a pattern whose matches are inputs of their own.
	Glob bool
}

// Result of a load. Spec is nil when there are Problems; Inputs are always there.
type Result struct {
	Spec     *Spec
	Problems Problems
	// Warnings are things that an operator should look at; they refuse nothing.
	Warnings Problems
	Inputs   []Input
}

// Load reads, merges and checks the files. It never panics on what they hold; whatever is wrong is in
// the result, all of it at once.
func Load(o Options) Result {
	l := newLoader(o)
	return l.result(l.load())
}

func (l *loader) result(s *Spec) Result {
	r := Result{Inputs: l.inputs, Problems: tidy(l.problems), Warnings: tidy(l.warnings)}
	if len(r.Problems) == 0 {
		r.Spec = s
	}
	return r
}
