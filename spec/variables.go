package spec

import (
	"errors"
	"fmt"
	"strings"
)

// Limits of substitution: values are arguments and paths, not documents.
const (
	maxExpansion      = 64 << 10 // one value
	maxExpansionTotal = 16 << 20 // all values of a load
	maxReferences     = 10_000   // in one value
	maxVariableDepth  = 32
)

// closingBrace returns the length of the ${…} that s begins with, or -1; one in another is skipped.
func closingBrace(s string) int {
	depth := 0
	for i := 0; i < len(s); i++ {
		switch {
		case strings.HasPrefix(s[i:], "${"):
			depth++
			i++
		case s[i] == '}':
			if depth--; depth == 0 {
				return i + 1
			}
		}
	}
	return -1
}

// scope resolves the variables of one place: the host's section, or one instance of a service.
type scope struct {
	l *loader
	// own are the variables of the service; AutoPort may be among them.
	own map[string]string
	// perInstance is set once a variable that differs between instances was used, perService once
	// one was that differs between services.
	perInstance, perService bool
	open                    []string // vars being resolved, to find a cycle
	references              int      // resolved for the present value
}

// expand substitutes the variables of a text.
func (s *scope) expand(text string) (string, error) {
	if !strings.Contains(text, "${") {
		return text, nil
	}
	s.references = 0
	return s.expandDepth(text, 0)
}

func (s *scope) expandDepth(text string, depth int) (string, error) {
	if depth > maxVariableDepth {
		return "", words("", "variables are nested more than %d deep", maxVariableDepth)
	}
	var b strings.Builder
	for {
		at := strings.Index(text, "${")
		if at < 0 {
			b.WriteString(text)
			break
		}
		if at > 0 && text[at-1] == '$' {
			b.WriteString(text[:at-1] + "${")
			text = text[at+2:]
			continue
		}
		b.WriteString(text[:at])
		text = text[at:]
		end := closingBrace(text)
		if end < 0 {
			return "", words("write $${ for a literal ${", `"${" is not closed by "}"`)
		}
		value, err := s.reference(text[2:end-1], depth)
		if err != nil {
			return "", err
		}
		b.WriteString(value)
		text = text[end:]
		if b.Len() > maxExpansion {
			return "", words("", "is longer than %d KiB once its variables are replaced", maxExpansion>>10)
		}
	}
	if b.Len() > maxExpansion {
		return "", words("", "is longer than %d KiB once its variables are replaced", maxExpansion>>10)
	}
	if s.l.expanded += b.Len(); s.l.expanded > maxExpansionTotal {
		return "", words("", "all values together are longer than %d MiB once their variables are replaced", maxExpansionTotal>>20)
	}
	return b.String(), nil
}

// reference resolves what stands between ${ and }.
func (s *scope) reference(ref string, depth int) (string, error) {
	if s.references++; s.references > maxReferences {
		return "", words("", "needs more than %d variables", maxReferences)
	}
	s.l.expanded += 16
	name, operand, op := ref, "", byte(0)
	if at := strings.IndexByte(ref, ':'); at >= 0 {
		name = ref[:at]
		if at+1 < len(ref) {
			op, operand = ref[at+1], ref[at+2:]
		}
		if op != '-' && op != '?' {
			return "", words("write ${NAME}, ${NAME:-default} or ${NAME:?message}", "cannot read %s", quote("${"+ref+"}"))
		}
	}
	if !isVariableName(name) {
		hint := "write $${ for a literal ${"
		if bare, _, ok := strings.Cut(name, "-"); ok && isVariableName(bare) {
			hint = "a default is written ${" + bare + ":-default}"
		}
		return "", words(hint, "%s is not the name of a variable", quote(name))
	}
	value, ok, err := s.lookup(name, depth)
	if err != nil {
		return "", err
	}
	switch {
	case op == '-' && value == "":
		return s.expandDepth(operand, depth+1)
	case op == '?' && value == "":
		if operand == "" {
			operand = "is not set"
		}
		return "", &unsetError{words("", "${%s}: %s", name, operand)}
	case !ok:
		return "", &unsetError{words(s.unsetHint(name), "${%s} is not set", name)}
	}
	return value, nil
}

// unsetError is the error of a variable that this machine lacks; it is no fault of the file.
type unsetError struct{ error }

func (e *unsetError) Unwrap() error { return e.error }

func (s *scope) unsetHint(name string) string {
	switch {
	case name == "PORT":
		return "it is set where the service has a port: key"
	case ownVariable(name):
		return "it is known inside of a service only"
	}
	candidates := make([]string, 0, len(s.l.vars)+6)
	for v := range s.l.vars {
		candidates = append(candidates, v)
	}
	candidates = append(candidates, "HOST_SERVICE", "HOST_INSTANCE", "HOST_DIR", "HOST_NAME", "HOST_EXE", "PORT")
	if !s.l.mayHint(len(candidates)) {
		return ""
	}
	if near := nearest(name, candidates); near != "" {
		return fmt.Sprintf("did you mean ${%s}?", near)
	}
	return "set it under vars:, with --set " + name + "=… or in the environment, or write ${" + name + ":-default}"
}

// isVariableName takes what shells take, and the names of Windows such as ProgramFiles(x86).
func isVariableName(s string) bool {
	for i := range len(s) {
		c := s[i]
		switch {
		case c == '_' || isLetter(c):
		case i > 0 && (c >= '0' && c <= '9' || c == '(' || c == ')' || c == '.'):
		default:
			return false
		}
	}
	return s != ""
}

// ownVariable reports whether a name is given by the host itself.
func ownVariable(name string) bool {
	switch name {
	case "HOST_SERVICE", "HOST_INSTANCE", "HOST_DIR", "HOST_NAME", "HOST_EXE":
		return true
	}
	return false
}

// variable is one entry of vars.
type variable struct {
	node *node
	path string
	// value is set once it is known not to differ between services.
	value string
	err   error
	known bool
}

// lookup finds a variable, in this order: the service's own, --set, HOST_VAR_NAME of the environment,
// vars, the environment.
func (s *scope) lookup(name string, depth int) (string, bool, error) {
	if v, ok := s.own[name]; ok {
		switch name {
		case "HOST_INSTANCE", "PORT":
			s.perInstance, s.perService = true, true
		case "HOST_SERVICE":
			s.perService = true
		}
		return v, true, nil
	}
	if ownVariable(name) {
		if v, ok := s.l.hostVars[name]; ok {
			return v, true, nil
		}
		return "", false, nil
	}
	if name == "PORT" {
		// Whether there is one depends on the service.
		s.perService = true
	}
	if v, ok := s.l.o.Set[name]; ok {
		return v, true, nil
	}
	if v, ok := s.l.lookupEnv("HOST_VAR_" + name); ok {
		return v, true, nil
	}
	if v := s.l.vars[name]; v != nil {
		value, err := s.variable(name, v, depth)
		return value, err == nil, err
	}
	v, ok := s.l.lookupEnv(name)
	return v, ok, nil
}

// variable resolves an entry of vars, which may refer to others.
func (s *scope) variable(name string, v *variable, depth int) (string, error) {
	if v.known {
		return v.value, v.err
	}
	for i, open := range s.open {
		if open == name {
			return "", &circleError{append(append([]string(nil), s.open[i:]...), name)}
		}
	}
	if len(s.open) > maxVariableDepth {
		return "", words("", "variables are nested more than %d deep", maxVariableDepth)
	}
	s.open = append(s.open, name)
	outer := s.perService
	s.perService = false
	value, err := s.expandDepth(v.node.value, depth+1)
	if len(s.open) == 1 {
		err = inVars(name, err)
	}
	s.open = s.open[:len(s.open)-1]
	if !s.perService && len(s.open) == 0 {
		v.value, v.err, v.known = value, err, true
	}
	s.perService = s.perService || outer
	return value, err
}

// inVars says that an error is one of a variable's own value.
func inVars(name string, err error) error {
	var unset *unsetError
	var inner *varsError
	var circle *circleError
	switch {
	case err == nil || errors.As(err, &inner):
		return err
	case errors.As(err, &unset):
		message, hint := errorWords(err)
		return &unsetError{words(hint, "vars.%s: %s", name, message)}
	case errors.As(err, &circle):
		return &varsError{circle.names[0], err}
	}
	return &varsError{name, err}
}

// varsError is a fault of the value of a variable, wherever that is used. It is reported once, at the variable.
type varsError struct {
	name string
	error
}

func (e *varsError) Unwrap() error { return e.error }

// circleError is the error of variables that refer to each other.
type circleError struct{ names []string }

func (e *circleError) Error() string {
	return "the variables refer to each other: " + strings.Join(e.names, " → ")
}

// errorWords splits an error into its message and its hint.
func errorWords(err error) (message, hint string) {
	if w, ok := errors.AsType[*wordsError](err); ok {
		return w.message, w.hint
	}
	return err.Error(), ""
}
