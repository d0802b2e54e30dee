package osservice

import (
	"errors"
	"reflect"
	"testing"
	"time"

	"github.com/kardianos/service"
	"golang.org/x/sys/windows"
)

func TestFrontOfKardianosKeepsTheConfig(t *testing.T) {
	for _, start := range []StartType{StartAuto, StartDelayed, StartManual, StartDisabled} {
		c := sample()
		c.Start, c.Account, c.Password, c.Dir = start, `CORP\ops`, "s3cret", `D:\my apps`
		c.Dependencies, c.Privileges = []string{"Tcpip"}, []string{}
		if got := fromFront(toFront(c)); !reflect.DeepEqual(got, c) {
			t.Errorf("became\n%+v, want\n%+v", got, c)
		}
	}
	// What is written for kardianos/service itself means the same here.
	got := fromFront(&service.Config{Option: service.KeyValue{"StartType": "automatic", "DelayedAutoStart": true, "Password": "x"}})
	if got.Start != StartDelayed || got.Password != "x" {
		t.Errorf("%+v", got)
	}
}

func TestFrontOfKardianosIsThisPackage(t *testing.T) {
	if _, err := New(); err != nil {
		t.Fatal(err)
	}
	if service.Platform() != "windows-scm" || !service.Interactive() {
		t.Errorf("platform %q, interactive %v", service.Platform(), service.Interactive())
	}
	f := newFakeSCM(t)
	service.ChooseSystem(front{&manager{api: f}})
	s, err := service.New(nil, toFront(sample()))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := s.Status(); !errors.Is(err, service.ErrNotInstalled) {
		t.Errorf("status of none: %v", err)
	}
	if err := service.Control(s, "install"); err != nil || f.name != "host" {
		t.Errorf("install: %v, there is %q", err, f.name)
	}
	f.states = append(f.states, runs)
	if got, err := s.Status(); err != nil || got != service.StatusRunning {
		t.Errorf("status %v, %v", got, err)
	}
	f.states = []windows.SERVICE_STATUS_PROCESS{stopped}
	if got, err := s.Status(); err != nil || got != service.StatusStopped {
		t.Errorf("status %v, %v", got, err)
	}
	if err := s.Uninstall(); err != nil || f.name != "" {
		t.Errorf("uninstall: %v, there is %q", err, f.name)
	}
	if s.String() != "Host" || time.Duration(0) != s.(*fronted).config.StopBudget-70*time.Second {
		t.Errorf("%s %+v", s, s.(*fronted).config)
	}
}
