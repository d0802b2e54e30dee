package reload

import (
	"reflect"
	"slices"

	"servicehost/spec"
)

// NeedsRestart reports whether a process started with before has to be started anew to be what after
// asks for: a field of class restart differs.
func NeedsRestart(before, after *spec.Service) bool {
	return before != after && slices.ContainsFunc(serviceLeaves(), func(l leaf) bool {
		return l.class == "restart" && differs(l, before, after)
	})
}

// ChangedKeys returns the paths of the keys in which two specs of one instance differ.
func ChangedKeys(before, after *spec.Service) []string {
	var paths []string
	for _, l := range serviceLeaves() {
		if differs(l, before, after) {
			paths = append(paths, l.path)
		}
	}
	if slices.Contains(paths, "command") { // which tells what the folder that comes with it would
		paths = slices.DeleteFunc(paths, func(p string) bool { return p == "command_dir" })
	}
	return paths
}

func differs(l leaf, before, after *spec.Service) bool {
	if l.path == binaryPath {
		return binaryDiffers(before, after)
	}
	return !same(reflect.ValueOf(before).Elem().FieldByIndex(l.index), reflect.ValueOf(after).Elem().FieldByIndex(l.index))
}
