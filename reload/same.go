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
		return l.class == "restart" && differs(l, before, after) && !tellable(l, before, after)
	})
}

// tellable reports whether a process can be told of a difference by on_change: it is one of what files hold.
func tellable(l leaf, before, after *spec.Service) bool {
	if after.OnChange == nil {
		return false
	}
	switch l.path {
	case configPath:
		return true
	case binaryPath:
		return !after.Watch.ShadowCopy && !before.Watch.ShadowCopy
	case "env":
		for _, name := range names(before.Env, after.Env) {
			x, inOld := before.Env[name]
			y, inNew := after.Env[name]
			if inOld == inNew && (x == y || x != nil && y != nil && *x == *y) {
				continue
			}
			if inOld && !before.EnvFromFile[name] || inNew && !after.EnvFromFile[name] {
				return false
			}
		}
		return true
	}
	return false
}

// Told reports whether a running process has to be told by on_change that files which it reads itself hold
// something else.
func Told(before, after *spec.Service) bool {
	if before == after || after.OnChange == nil {
		return false
	}
	return slices.ContainsFunc(serviceLeaves(), func(l leaf) bool {
		return l.class == "restart" && differs(l, before, after) && tellable(l, before, after)
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
