package logs

import (
	"regexp"
	"regexp/syntax"
	"unicode/utf8"
)

// Matcher is a regular expression that is asked for each line. Those for stack traces nearly always begin
// with ^ and few characters: then the first byte of most lines is enough to tell. It may be used by many goroutines.
type Matcher struct {
	re    *regexp.Regexp
	first [256]verdict // by the first byte of a line
	blank bool         // whether an empty line matches
}

type verdict uint8

const (
	never  verdict = iota
	always         // whatever follows
	ask            // the expression
)

// NewMatcher returns the matcher of an expression.
func NewMatcher(re *regexp.Regexp) *Matcher {
	m := &Matcher{re: re, blank: re.MatchString("")}
	for i := range m.first {
		m.first[i] = ask
	}
	parsed, err := syntax.Parse(re.String(), syntax.Perl)
	if err != nil {
		return m
	}
	begin := beginning(parsed.Simplify())
	if begin == nil {
		return m
	}
	for i := range m.first {
		m.first[i] = never
		if i >= utf8.RuneSelf {
			m.first[i] = ask
		}
	}
	sure := always
	if !begin.whole {
		sure = ask
	}
	for i := 0; i+1 < len(begin.runes); i += 2 {
		for r := begin.runes[i]; r <= min(begin.runes[i+1], utf8.RuneSelf-1); r++ {
			m.first[r] = sure
		}
	}
	return m
}

// Match reports whether the expression matches the line.
func (m *Matcher) Match(line []byte) bool {
	if len(line) == 0 {
		return m.blank
	}
	switch m.first[line[0]] {
	case never:
		return false
	case always:
		return true
	}
	return m.re.Match(line)
}

// opening is what the first character of a match at the beginning of a line can be.
type opening struct {
	runes []rune // pairs: from, to
	whole bool   // one of them is a match already
}

// beginning returns nil where a match may begin anywhere, or in a way that isn't worth while.
func beginning(re *syntax.Regexp) *opening {
	switch re.Op {
	case syntax.OpCapture:
		return beginning(re.Sub[0])
	case syntax.OpAlternate:
		return anyOf(re.Sub, beginning)
	case syntax.OpConcat:
		if op := re.Sub[0].Op; op != syntax.OpBeginText && op != syntax.OpBeginLine || len(re.Sub) < 2 {
			return nil
		}
		s := leading(re.Sub[1])
		if s != nil && len(re.Sub) > 2 {
			s.whole = false
		}
		return s
	default:
		return nil
	}
}

// leading is what an expression that can't be empty begins with.
func leading(re *syntax.Regexp) *opening {
	switch re.Op {
	case syntax.OpCharClass:
		return &opening{runes: re.Rune, whole: true}
	case syntax.OpAnyCharNotNL, syntax.OpAnyChar:
		return &opening{runes: []rune{0, utf8.MaxRune}, whole: true}
	case syntax.OpLiteral:
		if re.Flags&syntax.FoldCase != 0 {
			return nil
		}
		return &opening{runes: []rune{re.Rune[0], re.Rune[0]}, whole: len(re.Rune) == 1}
	case syntax.OpPlus, syntax.OpCapture:
		return leading(re.Sub[0])
	case syntax.OpConcat:
		s := leading(re.Sub[0])
		if s != nil && len(re.Sub) > 1 {
			s.whole = false
		}
		return s
	case syntax.OpAlternate:
		return anyOf(re.Sub, leading)
	default:
		return nil
	}
}

// anyOf is what one of several expressions begins with.
func anyOf(all []*syntax.Regexp, of func(*syntax.Regexp) *opening) *opening {
	each := &opening{whole: true}
	for _, re := range all {
		one := of(re)
		if one == nil {
			return nil
		}
		each.runes = append(each.runes, one.runes...)
		each.whole = each.whole && one.whole
	}
	return each
}
