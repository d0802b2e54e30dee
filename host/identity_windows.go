package host

import "golang.org/x/sys/windows"

// runsAsSystem reports whether this process is LocalSystem.
func runsAsSystem() bool {
	var t windows.Token
	if windows.OpenProcessToken(windows.CurrentProcess(), windows.TOKEN_QUERY, &t) != nil {
		return false
	}
	defer t.Close()
	u, err := t.GetTokenUser()
	return err == nil && u.User.Sid.IsWellKnown(windows.WinLocalSystemSid)
}
