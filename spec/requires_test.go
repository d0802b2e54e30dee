package spec

import (
	"os"
	"path/filepath"
	"reflect"
	"testing"
)

func TestRequiresIsWhatIsWritten(t *testing.T) {
	dir := t.TempDir()
	file := filepath.Join(dir, "services.yaml")
	text := `
vars: {P: "9090"}
defaults:
  requires: {os: linux, files: [a.txt]}
services:
  api:
    command: api
    port: 8080
    instances: 2
    requires:
      os: [Windows >= 10.0.17763, linux]
      arch: AMD64
      folders: [data, data, "?x"]
      ports: ["${PORT}", "${P}"]
      commands: ["java>=v17", ./tools/jq, "node == 20.1", 'a < 2', "C++ compiler > 3"]
      tcp: "db:1433"
      services: [MSSQLSERVER, "Some Service"]
`
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	r := Load(Options{Files: []string{file}, Platform: "linux", LookupEnv: noEnv, Exe: "/opt/host"})
	if r.Spec == nil {
		t.Fatal(r.Problems.Error())
	}
	want := Requires{
		OS: []Need{{"windows", ">=", "10.0.17763"}, {Name: "linux"}}, Arch: []string{"amd64"}, Files: []string{dir + "/a.txt"},
		Folders: []string{dir + "/data", dir + "/?x"}, Ports: []int{8081, 9090},
		Commands: []Need{{"java", ">=", "17"}, {Name: dir + "/tools/jq"}, {"node", "=", "20.1"}, {"a", "<", "2"}, {"C++ compiler", ">", "3"}},
		TCP:      []string{"db:1433"}, Services: []string{"MSSQLSERVER", "Some Service"},
	}
	if got := r.Spec.Services[1].Requires; !reflect.DeepEqual(got, want) {
		t.Errorf("got  %+v\nwant %+v", got, want)
	}
	if want.None() || !(Requires{OS: []Need{}}).None() {
		t.Error("None is wrong")
	}
	if s := want.Commands[0].String() + ", " + want.Commands[1].String(); s != "java >= 17, "+dir+"/tools/jq" {
		t.Errorf("written as %s", s)
	}
}
