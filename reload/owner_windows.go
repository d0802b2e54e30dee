package reload

import "golang.org/x/sys/windows"

// ownerOf returns the SID of the account that owns a file, and how to find its name. What an elevated
// administrator wrote belongs to the group of administrators, as Windows Server is set up.
func ownerOf(path string) (id string, name func() string, ok bool) {
	sd, err := windows.GetNamedSecurityInfo(path, windows.SE_FILE_OBJECT, windows.OWNER_SECURITY_INFORMATION)
	if err != nil {
		return "", nil, false
	}
	sid, _, err := sd.Owner()
	if err != nil || sid == nil {
		return "", nil, false
	}
	return sid.String(), func() string {
		account, domain, _, err := sid.LookupAccount("")
		switch {
		case err != nil || account == "":
			return ""
		case domain == "":
			return account
		}
		return domain + `\` + account
	}, true
}
