package supervisor

import (
	"reflect"
	"strings"

	"servicehost/spec"
)

// needsRestart reports whether a process started with a has to be started anew to be what b asks for.
func needsRestart(a, b *spec.Service) bool {
	return a != b && differ(reflect.ValueOf(a).Elem(), reflect.ValueOf(b).Elem(), "", "", func(_, class string) bool { return class == "restart" })
}

func whatChanged(a, b *spec.Service) string {
	var paths []string
	differ(reflect.ValueOf(a).Elem(), reflect.ValueOf(b).Elem(), "", "", func(path, _ string) bool {
		paths = append(paths, path)
		return false
	})
	return strings.Join(paths, ", ")
}

func differ(a, b reflect.Value, path, class string, found func(path, class string) bool) bool {
	if a.Kind() != reflect.Struct || a.NumField() == 0 || a.Type().Field(0).Tag == "" {
		return !reflect.DeepEqual(a.Interface(), b.Interface()) && found(path, class)
	}
	for n := range a.NumField() {
		f := a.Type().Field(n)
		c := f.Tag.Get("class")
		if c == "-" {
			continue
		}
		p := f.Tag.Get("key")
		if path != "" {
			p = path + "." + p
		}
		if differ(a.Field(n), b.Field(n), p, c, found) {
			return true
		}
	}
	return false
}
