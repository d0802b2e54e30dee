package journal

import "testing"

func TestEditedBySaysWhatIsKnown(t *testing.T) {
	for want, d := range map[string]map[string]string{
		"":                   nil,
		"db.yaml of ops\\li": {DetailFile: `C:\conf\db.yaml`, DetailOwner: `ops\li`},
		"commit 1f2e3d4 \"a \"b\"\" by Li Wei (x.yaml of root and another file)": {
			DetailFile: "/etc/x.yaml", DetailOwner: "root", DetailMore: "1", DetailCommit: "1f2e3d4", DetailAuthor: "Li Wei", DetailSubject: `a "b"`},
		"x.yaml and 3 more files, not as in commit 1f2e3d4": {DetailFile: "x.yaml", DetailMore: "3", DetailCommit: "1f2e3d4", DetailUncommitted: "true"},
		"commit 1f2e3d4": {DetailCommit: "1f2e3d4"},
	} {
		if got := EditedBy(Event{Details: d}); got != want {
			t.Errorf("%v: %q, want %q", d, got, want)
		}
	}
}
