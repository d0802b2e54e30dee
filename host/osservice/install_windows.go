package osservice

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"slices"
	"strings"
	"unicode/utf16"

	"golang.org/x/sys/windows"
)

// maxCommand is the longest command line that Windows starts.
const maxCommand = 32767

// manager is the Installer of Windows.
type manager struct{ api scm }

// wanted is a Config in the terms of the SCM.
type wanted struct {
	Config
	account account
	command string
	start   uint32
}

var startTypes = map[StartType]uint32{
	"": windows.SERVICE_AUTO_START, StartAuto: windows.SERVICE_AUTO_START, StartDelayed: windows.SERVICE_AUTO_START,
	StartManual: windows.SERVICE_DEMAND_START, StartDisabled: windows.SERVICE_DISABLED,
}

// check turns a Config into what is requested, or says what is wrong with it.
func check(c Config) (w wanted, err error) {
	w.Config = c
	texts := append([]string{c.Name, c.DisplayName, c.Description, c.Exe, c.Account, c.Password}, c.Args...)
	for _, s := range append(append(texts, c.Dependencies...), c.Privileges...) {
		if strings.ContainsRune(s, 0) {
			return w, errors.New("a text in its configuration has a zero character")
		}
	}
	if c.Name == "" || strings.ContainsAny(c.Name, `/\`) || len(utf16.Encode([]rune(c.Name))) > 256 {
		return w, errors.New(`the name must have 1 to 256 characters, none of them "/" or "\"`)
	}
	if w.DisplayName == "" {
		w.DisplayName = c.Name
	}
	var ok bool
	if w.start, ok = startTypes[c.Start]; !ok {
		return w, fmt.Errorf("start type %q is not one of auto, delayed, manual, disabled", c.Start)
	}
	if w.account, err = parseAccount(c.Name, c.Account); err != nil {
		return w, err
	}
	if w.account.kind != user && c.Password != "" {
		return w, fmt.Errorf(`account "%s" has no password`, w.account.name)
	}
	if w.command, err = commandLine(c.Exe, c.Args); err != nil {
		return w, err
	}
	return w, nil
}

// commandLine always quotes the executable: Windows would try C:\Program.exe for C:\Program Files\host.exe.
func commandLine(exe string, args []string) (string, error) {
	if !filepath.IsAbs(exe) || strings.Contains(exe, `"`) {
		return "", fmt.Errorf(`the path of its executable, "%s", is not absolute`, exe)
	}
	line := `"` + exe + `"`
	for _, a := range args {
		line += " " + windows.EscapeArg(a)
	}
	if len(utf16.Encode([]rune(line))) >= maxCommand {
		return "", fmt.Errorf("its command line is longer than %d characters", maxCommand-1)
	}
	return line, nil
}

func (m *manager) install(ctx context.Context, c Config) (Result, error) {
	w, err := check(c)
	if err != nil {
		return Result{}, fmt.Errorf("cannot install service %q: %w", c.Name, err)
	}
	r, err := m.createOrUpdate(ctx, w)
	if err != nil {
		return r, failed("install", c.Name, err)
	}
	return r, nil
}

func (m *manager) createOrUpdate(ctx context.Context, w wanted) (r Result, err error) {
	if err := ctx.Err(); err != nil {
		return r, err
	}
	db, err := m.api.manager(windows.SC_MANAGER_CONNECT | windows.SC_MANAGER_CREATE_SERVICE)
	if err != nil {
		return r, err
	}
	defer m.api.close(db)
	// START belongs to a handle that sets a restart as recovery.
	// https://learn.microsoft.com/windows/win32/api/winsvc/nf-winsvc-changeserviceconfig2w
	h, err := m.api.open(db, w.Name, windows.SERVICE_CHANGE_CONFIG|windows.SERVICE_QUERY_CONFIG|windows.SERVICE_START)
	switch {
	case errors.Is(err, windows.ERROR_SERVICE_DOES_NOT_EXIST):
		if w.account.kind == user && w.Password == "" {
			return r, fmt.Errorf(`account "%s" needs its password`, w.account.name)
		}
		if err := m.grantLogon(w, &r); err != nil {
			return r, err
		}
		if h, err = m.api.create(db, w.Name, w.raw()); err != nil {
			return r, err
		}
		defer m.api.close(h)
		r.Created = true
		if err := m.setParts(h, w, &r); err != nil {
			// A service that is half of what was asked for must not stay.
			return Result{}, errors.Join(err, m.api.remove(h))
		}
		return r, nil
	case err != nil:
		return r, err
	}
	defer m.api.close(h)
	if err := m.update(h, w, &r); err != nil {
		return r, err
	}
	return r, m.setParts(h, w, &r)
}

// raw is everything that a new service is created with.
func (w wanted) raw() rawConfig {
	c := rawConfig{
		kind: windows.SERVICE_WIN32_OWN_PROCESS, start: w.start, errorControl: windows.SERVICE_ERROR_NORMAL,
		path: pointer(w.command), account: pointer(w.account.name), password: w.password(), display: pointer(w.DisplayName),
	}
	if len(w.Dependencies) > 0 {
		c.dependencies = multiString(w.Dependencies)
	}
	return c
}

// password is an empty one for built-in accounts; virtual and managed ones are refused with any.
// https://learn.microsoft.com/windows/win32/api/winsvc/nf-winsvc-changeserviceconfigw
func (w wanted) password() *uint16 {
	switch w.account.kind {
	case localSystem, builtIn:
		return pointer("")
	case user:
		return pointer(w.Password)
	case virtual, managed:
	}
	return nil
}

func pointer(s string) *uint16 {
	p, _ := windows.UTF16PtrFromString(s) // check has looked for zeros
	return p
}

func (m *manager) grantLogon(w wanted, r *Result) error {
	if !w.account.needsLogonRight() {
		return nil
	}
	err := m.api.logonRight(w.account.name)
	if unsupported(err) {
		r.Warnings = append(r.Warnings, lacking(`the right to log on as a service for "`+w.account.name+`"`, err))
		return nil
	}
	return err
}

// update changes what is different. What is the same is not written: each write is a change that tools which
// watch services report.
func (m *manager) update(h windows.Handle, w wanted, r *Result) error {
	now, err := m.api.query(h)
	if err != nil {
		return err
	}
	c := rawConfig{kind: windows.SERVICE_NO_CHANGE, start: windows.SERVICE_NO_CHANGE, errorControl: windows.SERVICE_NO_CHANGE}
	var changed []string
	differs := func(name, from, to string) {
		changed = append(changed, fmt.Sprintf("%s: %s → %s", name, from, to))
	}
	if now.kind != windows.SERVICE_WIN32_OWN_PROCESS {
		c.kind = windows.SERVICE_WIN32_OWN_PROCESS
		differs("type", fmt.Sprintf("%#x", now.kind), "a process of its own")
	}
	if now.start != w.start {
		c.start = w.start
		differs("start type", startWord(now.start), startWord(w.start))
	}
	if now.errorControl != windows.SERVICE_ERROR_NORMAL {
		c.errorControl = windows.SERVICE_ERROR_NORMAL
		differs("a failed start", "ignored or severe", "logged")
	}
	if now.path != w.command {
		c.path = pointer(w.command)
		differs("command", now.path, w.command)
	}
	if now.display != w.DisplayName {
		c.display = pointer(w.DisplayName)
		differs("display name", quoted(now.display), quoted(w.DisplayName))
	}
	if from, to := dependencyWords(now.dependencies), dependencyWords(w.Dependencies); !strings.EqualFold(from, to) {
		c.dependencies = multiString(w.Dependencies)
		differs("dependencies", from, to)
	}
	if !sameAccount(now.account, w.account.name, m.api.computer()) {
		if w.account.kind == user && w.Password == "" {
			return fmt.Errorf(`account "%s" needs its password`, w.account.name)
		}
		c.account, c.password = pointer(w.account.name), w.password()
		differs("account", now.account, w.account.name)
	} else if w.Password != "" {
		c.account, c.password = pointer(w.account.name), w.password()
		changed = append(changed, "password: set anew")
	}
	if len(changed) == 0 {
		return nil
	}
	if c.account != nil {
		if err := m.grantLogon(w, r); err != nil {
			return err
		}
	}
	if err := m.api.change(h, c); err != nil {
		return err
	}
	r.Changed = append(r.Changed, changed...)
	return nil
}

// setParts requests the parts that are not yet as they are wanted. A part that can't be read is requested,
// and is no news.
func (m *manager) setParts(h windows.Handle, w wanted, r *Result) error {
	for _, p := range partsOf(w.Config, w.account) {
		buffer, err := m.api.query2(h, p.level)
		present := ""
		if err == nil {
			present = p.read(structure(buffer))
		}
		switch {
		case present == p.want, p.plain && (r.Created || err != nil):
			continue
		}
		switch err := m.api.change2(h, p.level, p.info); {
		case unsupported(err):
			r.Warnings = append(r.Warnings, lacking(p.name, err))
		case err != nil:
			return fmt.Errorf("%s can't be set: %w", p.name, err)
		case !r.Created && present != "":
			r.Changed = append(r.Changed, fmt.Sprintf("%s: %s → %s", p.name, present, p.want))
		}
	}
	return nil
}

func lacking(what string, err error) string {
	no, _ := errors.AsType[windows.Errno](err)
	return fmt.Sprintf("this system can't set %s (error %d)", what, uint32(no))
}

func dependencyWords(list []string) string {
	if len(list) == 0 {
		return "none"
	}
	list = slices.Clone(list)
	slices.SortFunc(list, func(a, b string) int { return strings.Compare(strings.ToLower(a), strings.ToLower(b)) })
	return strings.Join(list, ", ")
}

func startWord(start uint32) string {
	switch start {
	case windows.SERVICE_AUTO_START:
		return string(StartAuto)
	case windows.SERVICE_DEMAND_START:
		return string(StartManual)
	case windows.SERVICE_DISABLED:
		return string(StartDisabled)
	}
	return fmt.Sprintf("boot (%d)", start)
}
