package upgrade

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"

	"servicehost/host/human"
)

// askTime is how long an executable has to say its version or to check a spec.
const askTime = 30 * time.Second

// wanted is the checksum that the file must have; empty: nobody says one.
func (u *upgrade) wanted() (string, error) {
	sum := strings.ToLower(strings.TrimSpace(u.SHA256))
	if sum != "" {
		if b, err := hex.DecodeString(sum); err != nil || len(b) != sha256.Size {
			return "", fmt.Errorf("%q is no SHA-256: that has %d hexadecimal digits", u.SHA256, 2*sha256.Size)
		}
	}
	list, must := u.Checksums, true
	if list == "" {
		list, must = u.File+".sha256", sum != ""
		if must {
			return sum, nil
		}
	}
	b, err := os.ReadFile(list)
	if errors.Is(err, fs.ErrNotExist) && !must {
		return sum, nil
	}
	if err != nil {
		return "", fmt.Errorf("cannot read the checksums: %w", err)
	}
	listed, err := sumIn(b, filepath.Base(u.File), !must)
	if err != nil {
		return "", fmt.Errorf("cannot use the checksums in %s: %w", human.Path(list), err)
	}
	if sum != "" && sum != listed {
		return "", fmt.Errorf("%s says another SHA-256 than the command line: %s", human.Path(list), listed)
	}
	return listed, nil
}

// sumIn finds the checksum of a file in the output of sha256sum. A file with one checksum and no name is
// taken where it is for this one file alone.
func sumIn(b []byte, name string, alone bool) (string, error) {
	b = bytes.TrimPrefix(b, []byte("\ufeff"))
	for line := range strings.Lines(string(b)) {
		f := strings.Fields(line)
		if len(f) == 0 {
			continue
		}
		if d, err := hex.DecodeString(f[0]); err != nil || len(d) != sha256.Size {
			continue
		}
		listed := ""
		if len(f) > 1 {
			listed = strings.TrimPrefix(strings.Join(f[1:], " "), "*")
			listed = listed[strings.LastIndexAny(listed, `/\`)+1:]
		}
		if listed == name || alone && (listed == "" || len(strings.Fields(string(b))) <= 2) {
			return strings.ToLower(f[0]), nil
		}
	}
	return "", fmt.Errorf("there is no line for %q", name)
}

func sumOf(path string) (string, error) {
	f, err := os.Open(path)
	if err != nil {
		return "", err
	}
	defer f.Close()
	h := sha256.New()
	if _, err := io.Copy(h, f); err != nil {
		return "", err
	}
	return hex.EncodeToString(h.Sum(nil)), nil
}

// stage copies the new executable beside the present one and returns its checksum. What is looked at and
// run from here on is the copy: nobody can change it who can't change the present one.
func stage(file, to, exe string) (sum string, err error) {
	fail := func(err error) (string, error) {
		return sum, fmt.Errorf("cannot copy %s: %w", human.Path(file), err)
	}
	in, err := os.Open(file)
	if err != nil {
		return fail(err)
	}
	defer in.Close()
	if err := remove(to); err != nil {
		return fail(err)
	}
	out, err := os.OpenFile(to, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o700)
	if err != nil {
		return fail(err)
	}
	h := sha256.New()
	_, err = io.Copy(io.MultiWriter(out, h), in)
	if err == nil {
		err = out.Sync()
	}
	if e := out.Close(); err == nil {
		err = e
	}
	if err == nil {
		err = protectLike(to, exe)
	}
	if err != nil {
		return fail(err)
	}
	return hex.EncodeToString(h.Sum(nil)), nil
}

// verify reports whether the executable at path is to replace the present one; an error says why it must not.
func (u *upgrade) verify(ctx context.Context, path, want string) (bool, error) {
	fail := func(err error) (bool, error) {
		return false, fmt.Errorf("cannot upgrade to %s: %w", human.Path(u.File), err)
	}
	if want != "" && want != u.res.SHA256 {
		return fail(fmt.Errorf("its SHA-256 is %s, not %s: it is damaged, or another file", u.res.SHA256, want))
	}
	if want == "" {
		u.note("nobody says which SHA-256 the new executable must have; give --sha256 or --checksum-file")
	}
	next, err := versionOf(ctx, path)
	if err != nil {
		return fail(err)
	}
	u.res.To = next
	present, err := versionOf(ctx, u.Exe)
	if err != nil {
		u.note("the present executable does not say its version (%v)", err)
		present = "unknown"
	}
	u.res.From = present
	order, comparable := compareVersions(next, present)
	switch {
	case next == present && !u.Force:
		same, err := sumOf(u.Exe)
		if err == nil && same != u.res.SHA256 {
			u.note("the present executable is another build of the same version; --force replaces it")
		}
		return false, nil
	case comparable && order < 0 && !u.Downgrade:
		return fail(fmt.Errorf("it is version %s, older than the present %s; --allow-downgrade takes it all the same", next, present))
	case !comparable && next != present:
		u.note("versions %s and %s can't be compared", present, next)
	}
	if err := u.validate(ctx, path); err != nil {
		return fail(err)
	}
	return true, nil
}

// versionOf asks an executable what it is.
func versionOf(ctx context.Context, path string) (string, error) {
	out, _, err := ask(ctx, path, "version", "-o", "json")
	var v struct {
		Version string `json:"version"`
		Go      string `json:"go"`
	}
	if err == nil {
		err = json.Unmarshal(out, &v)
	}
	switch {
	case err != nil:
		return "", fmt.Errorf("it does not say its version as a host does: %w", err)
	case v.Version == "" || v.Go == "":
		return "", errors.New("it is no host: it does not say its version")
	}
	return v.Version, nil
}

// validate has the new executable check the present spec. What the present one refuses as well is no
// reason: it may be so only here, where the environment of the service is missing.
func (u *upgrade) validate(ctx context.Context, path string) error {
	if u.Validate == nil {
		u.note("no spec was checked: none is known")
		return nil
	}
	problems, err := problemsOf(ctx, path, u.Validate)
	if err != nil {
		return fmt.Errorf("it can't check the present spec: %w", err)
	}
	if len(problems) == 0 {
		return nil
	}
	if now, err := problemsOf(ctx, u.Exe, u.Validate); err != nil || len(now) > 0 {
		u.note("the present spec is invalid, for the present version, too: %s", strings.Join(problems, "; "))
		return nil
	}
	return fmt.Errorf("it refuses the present spec, which version %s takes: %s", u.res.From, strings.Join(problems, "; "))
}

func problemsOf(ctx context.Context, path string, args []string) ([]string, error) {
	out, code, err := ask(ctx, path, args...)
	var v struct {
		Valid    *bool `json:"valid"`
		Problems []struct {
			File    string `json:"file"`
			Line    int    `json:"line"`
			Path    string `json:"path"`
			Message string `json:"message"`
		} `json:"problems"`
	}
	if code > 1 || json.Unmarshal(out, &v) != nil || v.Valid == nil {
		if err == nil {
			err = errors.New("its answer can't be read")
		}
		return nil, err
	}
	if *v.Valid {
		return nil, nil
	}
	var list []string
	for _, p := range v.Problems[:min(3, len(v.Problems))] {
		list = append(list, fmt.Sprintf("%s:%d: %s: %s", human.Path(p.File), p.Line, p.Path, p.Message))
	}
	if more := len(v.Problems) - len(list); more > 0 {
		list = append(list, fmt.Sprintf("and %d more", more))
	}
	if len(list) == 0 {
		list = []string{"it does not say why"}
	}
	return list, nil
}

// ask runs an executable and returns what it says on standard output.
func ask(ctx context.Context, path string, args ...string) (out []byte, code int, err error) {
	ctx, cancel := context.WithTimeout(ctx, askTime)
	defer cancel()
	cmd := exec.CommandContext(ctx, path, args...)
	var o, e bytes.Buffer
	cmd.Stdout, cmd.Stderr = &o, &e
	cmd.WaitDelay = time.Second
	err = cmd.Run()
	if ctx.Err() != nil {
		return nil, -1, fmt.Errorf("it did not end within %s", human.Duration(askTime))
	}
	if cmd.ProcessState != nil {
		code = cmd.ProcessState.ExitCode()
	}
	if err != nil {
		if text := human.Plain(firstLine(e.String())); text != "" {
			err = fmt.Errorf("%w: %s", err, text)
		}
	}
	return o.Bytes(), code, err
}

func firstLine(s string) string {
	line, _, _ := strings.Cut(strings.TrimSpace(s), "\n")
	return line[:min(len(line), 300)]
}
