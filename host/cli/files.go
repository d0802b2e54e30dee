package cli

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
)

const specName = "services.yaml"

// chosenFiles are the files that were named: with -f, or in HOST_FILE. None is no error.
func (a *app) chosenFiles() ([]string, error) {
	files := []string(a.files)
	if len(files) == 0 {
		if f := os.Getenv("HOST_FILE"); f != "" {
			files = []string{f}
		}
	}
	var chosen []string
	for _, f := range files {
		abs, err := filepath.Abs(f)
		if err != nil {
			return nil, err
		}
		if !slices.Contains(chosen, abs) { // before the command and behind it
			chosen = append(chosen, abs)
		}
	}
	return chosen, nil
}

// specFiles are the files to load: the chosen ones, or the first that is found where a spec usually lies.
func (a *app) specFiles() ([]string, error) {
	files, err := a.chosenFiles()
	if err != nil || len(files) > 0 {
		return files, err
	}
	places := usualPlaces()
	for _, p := range places {
		if exists(p) {
			return []string{p}, nil
		}
	}
	return nil, withHint("name the file with -f FILE", "no %s found; looked for %s", specName, strings.Join(places, ", "))
}

// usualPlaces is where a spec is looked for, the nearest first.
func usualPlaces() []string {
	places := []string{here()}
	if exe, err := os.Executable(); err == nil {
		if real, err := filepath.EvalSymlinks(exe); err == nil {
			exe = real
		}
		places = append(places, filepath.Join(filepath.Dir(exe), specName))
	}
	return append(places, systemSpec())
}

func here() string {
	abs, err := filepath.Abs(specName)
	if err != nil {
		return specName
	}
	return abs
}

func exists(path string) bool {
	info, err := os.Stat(path)
	return err == nil && !info.IsDir()
}

// shown is the name of a file for people: as they gave it, what lies below it beside that, and else what
// display makes of it.
func (a *app) shown(path string) string {
	for _, given := range a.files {
		abs, err := filepath.Abs(given)
		if err != nil {
			continue
		}
		if abs == path {
			return given
		}
		if rel, err := filepath.Rel(filepath.Dir(abs), path); err == nil && filepath.IsLocal(rel) {
			return filepath.Join(filepath.Dir(given), rel)
		}
	}
	return display(path)
}

// display shortens a path below the current folder, as people and compilers write it.
func display(path string) string {
	wd, err := os.Getwd()
	if err != nil || !filepath.IsAbs(path) {
		return path
	}
	if rel, err := filepath.Rel(wd, path); err == nil && filepath.IsLocal(rel) {
		return rel
	}
	return path
}

func folder(path string) bool {
	info, err := os.Stat(path)
	return err == nil && info.IsDir()
}
