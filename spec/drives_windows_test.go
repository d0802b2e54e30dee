package spec

import "testing"

func TestSystemDriveIsThereAndAFreeLetterIsNot(t *testing.T) {
	if d := systemDrives("C"); d.missing || d.remote {
		t.Errorf("drive C is %+v", d)
	}
	for letter := 'A'; letter <= 'Z'; letter++ {
		if systemDrives(string(letter)).missing {
			return
		}
	}
	t.Skip("every letter is taken")
}
