package process

import (
	"errors"
	"strings"
	"testing"
	"unicode/utf16"

	"golang.org/x/sys/windows"
)

func TestCommandLineQuotesArguments(t *testing.T) {
	for _, c := range []struct {
		name string
		r    Request
		want string
	}{
		{"plain", Request{Path: `C:\srv\app.exe`, Args: []string{`C:\srv\app.exe`, "-v"}}, `C:\srv\app.exe -v`},
		{"blanks and quotes", Request{Path: `C:\my srv\app.exe`, Args: []string{`C:\my srv\app.exe`, `a "b" c`, `d\`, `e f\`}}, `"C:\my srv\app.exe" "a \"b\" c" d\ "e f\\"`},
		{"empty argument", Request{Path: `C:\app.exe`, Args: []string{"app", ""}}, `app ""`},
		{"no args", Request{Path: `C:\app.exe`}, `C:\app.exe`},
		{"raw tail", Request{Path: `C:\msiexec.exe`, Args: []string{"msiexec"}, RawArgs: `/i "a b.msi" PROP="x y"`}, `msiexec /i "a b.msi" PROP="x y"`},
	} {
		path, line, err := commandLine(c.r)
		if err != nil || path != c.r.Path || line != c.want {
			t.Errorf("%s: %q %q %v, want %q", c.name, path, line, err, c.want)
		}
	}
}

func TestCommandLineRefusesWhatCannotWork(t *testing.T) {
	for _, c := range []struct {
		name string
		r    Request
		kind ErrKind
	}{
		{"relative", Request{Path: `app.exe`, Args: []string{"app"}}, ErrNotFound},
		{"rooted only", Request{Path: `\app.exe`, Args: []string{"app"}}, ErrNotFound},
		{"zero", Request{Path: `C:\app.exe`, Args: []string{"app", "a\x00b"}}, ErrOther},
		{"too long", Request{Path: `C:\app.exe`, Args: []string{"app", strings.Repeat("x", maxLine)}}, ErrOther},
	} {
		_, _, err := commandLine(c.r)
		var e *Error
		if !errors.As(err, &e) || e.Kind != c.kind {
			t.Errorf("%s: %v, want kind %q", c.name, err, c.kind)
		}
	}
}

func TestBatchFilesAreRecognized(t *testing.T) {
	for path, want := range map[string]bool{
		`C:\srv\run.bat`: true, `C:\srv\run.CMD`: true, `C:\srv\run.bat.`: true, `C:\srv\run.bat. .`: true,
		`C:\srv\run.bat::$DATA`: true, `C:\srv\run.exe`: false, `C:\srv.bat\run.exe`: false, `C:\srv\bat`: false,
	} {
		if isBatch(path) != want {
			t.Errorf("isBatch(%q) = %v", path, !want)
		}
	}
}

func TestBatchArgumentsStayData(t *testing.T) {
	path, line, err := commandLine(Request{Path: `C:\my srv\run.bat`, Args: []string{"run", `a&b|c>d^e`, `C:\dir\`, "x y!"}})
	if err != nil {
		t.Fatal(err)
	}
	if !strings.HasSuffix(strings.ToLower(path), `\system32\cmd.exe`) {
		t.Errorf("run by %q", path)
	}
	if want := `/d /v:off /e:on /s /c ""C:\my srv\run.bat" "a&b|c>d^e" "C:\dir\\" "x y!""`; !strings.HasSuffix(line, " "+want) {
		t.Errorf("line %q, want …%q", line, want)
	}
	for _, arg := range []string{`a" & calc & "`, "%PATH%", "a\nb", "a\rb", `"`} {
		_, _, err := commandLine(Request{Path: `C:\srv\run.bat`, Args: []string{"run", arg}})
		var e *Error
		if !errors.As(err, &e) || e.Kind != ErrUnsupported || e.Hint == "" {
			t.Errorf("argument %q: %v", arg, err)
		}
	}
	if _, _, err := commandLine(Request{Path: `C:\50%\run.bat`, Args: []string{"run"}}); err == nil {
		t.Error("a path with a percent sign was taken")
	}
}

// entries takes an environment block apart.
func entries(t *testing.T, block []uint16) []string {
	t.Helper()
	text := string(utf16.Decode(block))
	if !strings.HasSuffix(text, "\x00\x00") {
		t.Fatalf("the block does not end with two zeros: %q", text)
	}
	return strings.Split(strings.TrimSuffix(text, "\x00\x00"), "\x00")
}

func TestEnvironmentIsSortedAndComplete(t *testing.T) {
	block, err := environment([]string{"zeta=1", "Path=old", "PATH=new", "alpha=2", `=C:=C:\srv`, "ÄRGER=ö", "EMPTY="}, "HOST_RUN=x")
	if err != nil {
		t.Fatal(err)
	}
	root, err := windows.GetSystemWindowsDirectory()
	if err != nil {
		t.Fatal(err)
	}
	want := []string{`=C:=C:\srv`, "alpha=2", "EMPTY=", "HOST_RUN=x", "PATH=new", "SystemRoot=" + root, "zeta=1", "ÄRGER=ö"}
	if got := entries(t, block); strings.Join(got, "|") != strings.Join(want, "|") {
		t.Errorf("block %q\nwant  %q", got, want)
	}
	block, err = environment([]string{`SYSTEMROOT=D:\windows`}, "HOST_RUN=x")
	if got := entries(t, block); err != nil || len(got) != 2 || got[1] != `SYSTEMROOT=D:\windows` {
		t.Errorf("a given SystemRoot became %q, %v", got, err)
	}
	for _, bad := range []string{"", "NAME", "=x", "A=b\x00c"} {
		if _, err := environment([]string{bad}, "HOST_RUN=x"); err == nil {
			t.Errorf("entry %q was taken", bad)
		}
	}
}

func TestHelperRefusesBadArguments(t *testing.T) {
	for _, args := range [][]string{
		{helperCtrl}, {helperCtrl, "--pid", "5"}, {helperCtrl, "--event", "ctrl_c"}, {helperCtrl, "--pid", "x", "--event", "ctrl_c"},
		{helperCtrl, "--pid"}, {helperCtrl, "--event", "jump", "--pid", "5"}, {helperCtrl, "--more", "5"},
	} {
		if handled, code := HelperMain(args); !handled || code != ctrlUsage {
			t.Errorf("%q: %v, %#x", args, handled, code)
		}
	}
	if handled, _ := HelperMain([]string{"run"}); handled {
		t.Error(`"run" was taken for a helper`)
	}
}

func TestCtrlErrorSaysWhatFailed(t *testing.T) {
	id := RunID{Service: "web", Instance: 1, Incarnation: 2}
	for _, c := range []struct {
		code uint32
		kind ErrKind
	}{
		{0, ""}, {exitControlC, ""}, {ctrlNoWindow, ErrUnsupported},
		{ctrlAttach | uint32(windows.ERROR_INVALID_HANDLE), ErrUnsupported},
		{ctrlAttach | uint32(windows.ERROR_ACCESS_DENIED), ErrPermission},
		{ctrlGenerate | 87, ErrOther}, {2, ErrOther},
	} {
		err := ctrlError("ctrl_c", id, c.code)
		var e *Error
		if c.kind == "" {
			if err != nil {
				t.Errorf("code %#x: %v", c.code, err)
			}
		} else if !errors.As(err, &e) || e.Kind != c.kind || !strings.Contains(e.Message, "web.1#2") && c.code != 2 {
			t.Errorf("code %#x: %v, want kind %q", c.code, err, c.kind)
		}
	}
}
