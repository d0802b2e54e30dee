//go:build unix

package process

import (
	"errors"
	"fmt"
	"os"
	"os/user"
	"strconv"
	"syscall"

	"golang.org/x/sys/unix"

	"servicehost/host/human"
)

// startError says in words why a program could not be started. The kernel's answer does not tell
// whether the folder, the program or its interpreter is missing, so it looks again.
func startError(r Request, err error) error {
	if e := (*Error)(nil); errors.As(err, &e) {
		return e
	}
	if st, serr := os.Stat(r.Dir); r.Dir != "" && (serr != nil || !st.IsDir()) {
		if errors.Is(serr, os.ErrPermission) {
			return &Error{Kind: ErrPermission, Message: fmt.Sprintf("folder %s may not be entered", human.Path(r.Dir))}
		}
		return &Error{Kind: ErrNotFound, Message: fmt.Sprintf("folder %s not found", human.Path(r.Dir)), Hint: "see dir:"}
	}
	switch {
	case errors.Is(err, unix.ENOENT) || errors.Is(err, unix.ENOTDIR):
		if _, serr := os.Stat(r.Path); serr == nil {
			return &Error{Kind: ErrFormat, Message: fmt.Sprintf("cannot run %s: its interpreter or loader was not found", human.Path(r.Path)),
				Hint: "look at its first line (#!) and at its line ends: CRLF is a common cause"}
		}
		return &Error{Kind: ErrNotFound, Message: fmt.Sprintf("executable %s not found", human.Path(r.Path))}
	case errors.Is(err, unix.EACCES):
		return &Error{Kind: ErrPermission, Message: fmt.Sprintf("%s is not executable for this user", human.Path(r.Path)), Hint: "chmod +x, or a noexec mount"}
	case errors.Is(err, unix.EPERM):
		return &Error{Kind: ErrPermission, Message: fmt.Sprintf("not permitted to run %s as the wanted user", human.Path(r.Path)), Hint: "changing the user needs root"}
	case errors.Is(err, unix.ENOEXEC):
		return &Error{Kind: ErrFormat, Message: fmt.Sprintf("%s is no program for this machine", human.Path(r.Path)), Hint: "a script needs a #! line"}
	case errors.Is(err, unix.EAGAIN), errors.Is(err, unix.ENOMEM), errors.Is(err, unix.EMFILE), errors.Is(err, unix.ENFILE):
		return &Error{Kind: ErrResources, Message: fmt.Sprintf("no resources to run %s: %v", human.Path(r.Path), err), Hint: "see the limits on processes, memory and open files"}
	case errors.Is(err, unix.E2BIG):
		return &Error{Kind: ErrOther, Message: fmt.Sprintf("arguments and environment of %s are too long", human.Path(r.Path))}
	}
	return &Error{Kind: ErrOther, Message: fmt.Sprintf("cannot run %s: %v", human.Path(r.Path), err)}
}

// credential resolves a user and a group name or number; nil means the own identity.
func credential(userName, groupName string) (*syscall.Credential, error) {
	if userName == "" && groupName == "" {
		return nil, nil
	}
	c := &syscall.Credential{Uid: uint32(os.Getuid()), Gid: uint32(os.Getgid())}
	if userName != "" {
		u, err := user.Lookup(userName)
		if err != nil {
			if u, err = user.LookupId(userName); err != nil {
				return nil, &Error{Kind: ErrUser, Message: fmt.Sprintf("user %q not found", userName)}
			}
		}
		uid, _ := strconv.ParseUint(u.Uid, 10, 32)
		gid, _ := strconv.ParseUint(u.Gid, 10, 32)
		c.Uid, c.Gid = uint32(uid), uint32(gid)
		if ids, err := u.GroupIds(); err == nil {
			for _, s := range ids {
				if n, err := strconv.ParseUint(s, 10, 32); err == nil {
					c.Groups = append(c.Groups, uint32(n))
				}
			}
		}
	}
	if groupName != "" {
		g, err := user.LookupGroup(groupName)
		if err != nil {
			if g, err = user.LookupGroupId(groupName); err != nil {
				return nil, &Error{Kind: ErrUser, Message: fmt.Sprintf("group %q not found", groupName)}
			}
		}
		gid, _ := strconv.ParseUint(g.Gid, 10, 32)
		c.Gid = uint32(gid)
	}
	if os.Getuid() != 0 {
		if c.Uid != uint32(os.Getuid()) || c.Gid != uint32(os.Getgid()) {
			who := fmt.Sprintf("user %q", userName)
			switch {
			case userName == "":
				who = fmt.Sprintf("group %q", groupName)
			case groupName != "":
				who += fmt.Sprintf(", group %q", groupName)
			}
			return nil, &Error{Kind: ErrPermission, Message: "cannot become " + who, Hint: "only a host that runs as root can"}
		}
		return nil, nil
	}
	return c, nil
}
