package journal

import "strings"

// EditedBy says in words who made the edit that an event tells of, "" where it does not:
// commit 1f2e3d4 "raise api memory" by Li Wei (services.yaml of root).
func EditedBy(e Event) string {
	d := e.Details
	file := baseName(d[DetailFile])
	if owner := d[DetailOwner]; owner != "" && file != "" {
		file += " of " + owner
	}
	if more := d[DetailMore]; more == "1" {
		file += " and another file"
	} else if more != "" {
		file += " and " + more + " more files"
	}
	if d[DetailCommit] == "" {
		return file
	}
	commit := "commit " + d[DetailCommit]
	if d[DetailSubject] != "" {
		commit += ` "` + d[DetailSubject] + `"`
	}
	if d[DetailAuthor] != "" {
		commit += " by " + d[DetailAuthor]
	}
	switch {
	case file == "":
		return commit
	case d[DetailUncommitted] != "":
		return file + ", not as in " + commit
	}
	return commit + " (" + file + ")"
}

// baseName takes a path of any system: a journal may be read on another one.
func baseName(path string) string { return path[strings.LastIndexAny(path, `/\`)+1:] }
