package requires

import (
	"slices"
	"strings"

	"servicehost/spec"
)

// system tells where the machine's own is none of the systems.
func system(wanted []spec.Need, name string, version func() string) *Unmet {
	here := ""
	for _, w := range wanted {
		if w.Name != name {
			continue
		}
		if w.Op == "" {
			return nil
		}
		if here == "" {
			here = version()
		}
		if here != "" && satisfies(here, w) {
			return nil
		}
	}
	if here != "" {
		name += " " + here
	}
	return &Unmet{Message: "the system is " + name + ", wanted " + needs(wanted)}
}

func needs(all []spec.Need) string {
	texts := make([]string, len(all))
	for i, n := range all {
		texts[i] = n.String()
	}
	return strings.Join(texts, " or ")
}

func architecture(wanted []string, here string) *Unmet {
	if slices.Contains(wanted, here) {
		return nil
	}
	return &Unmet{Message: "the machine is " + here + ", wanted " + strings.Join(wanted, " or ")}
}
