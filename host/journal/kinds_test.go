package journal

import (
	"go/ast"
	"go/parser"
	"go/token"
	"strconv"
	"testing"
)

// Every constant of type Kind has a meaning, and none is there twice.
func TestEveryKindHasAMeaning(t *testing.T) {
	file, err := parser.ParseFile(token.NewFileSet(), "event.go", nil, 0)
	if err != nil {
		t.Fatal(err)
	}
	meant := map[Kind]int{}
	for _, m := range Meanings {
		if meant[m.Kind]++; meant[m.Kind] > 1 || m.Text == "" {
			t.Errorf("%q is there twice, or says nothing", m.Kind)
		}
	}
	seen := 0
	ast.Inspect(file, func(n ast.Node) bool {
		v, ok := n.(*ast.ValueSpec)
		if !ok || len(v.Values) != 1 {
			return true
		}
		if name, ok := v.Type.(*ast.Ident); !ok || name.Name != "Kind" {
			return true
		}
		text, err := strconv.Unquote(v.Values[0].(*ast.BasicLit).Value)
		if err != nil {
			t.Fatal(err)
		}
		if k := Kind(text); k != Gap {
			if seen++; meant[k] == 0 {
				t.Errorf("%q has no meaning in Meanings", k)
			}
		}
		return true
	})
	if seen != len(Meanings) {
		t.Errorf("%d kinds, %d meanings", seen, len(Meanings))
	}
}
