package process

import (
	"encoding/json"
	"reflect"
	"testing"
)

// fill sets every field to something, so that a field which is lost on the way shows.
func fill(v reflect.Value) {
	switch v.Kind() {
	case reflect.Struct:
		for i := range v.NumField() {
			fill(v.Field(i))
		}
	case reflect.Pointer:
		v.Set(reflect.New(v.Type().Elem()))
		fill(v.Elem())
	case reflect.Slice:
		v.Set(reflect.MakeSlice(v.Type(), 2, 2))
		fill(v.Index(0))
		fill(v.Index(1))
	case reflect.String:
		v.SetString("text")
	case reflect.Bool:
		v.SetBool(true)
	case reflect.Int, reflect.Int64:
		v.SetInt(7)
	default:
		panic("no value for " + v.Type().String())
	}
}

func TestEveryFieldOfARequestTravels(t *testing.T) {
	var want Request
	fill(reflect.ValueOf(&want).Elem())
	want.Args[1] = "caf\xe9"
	text, err := json.Marshal(call{Request: encodeRequest(want)})
	if err != nil {
		t.Fatal(err)
	}
	var got call
	if err := json.Unmarshal(text, &got); err != nil {
		t.Fatal(err)
	}
	if r := got.Request.decode(); !reflect.DeepEqual(r, want) {
		t.Errorf("arrived as %+v, want %+v", r, want)
	}
}

func TestLimitHitTravels(t *testing.T) {
	want := Event{Kind: LimitHit, Run: RunID{Service: "web", Instance: 1, Incarnation: 2}, Limit: limitMemory, Killed: true}
	text, err := json.Marshal(want)
	if err != nil {
		t.Fatal(err)
	}
	var got Event
	if err := json.Unmarshal(text, &got); err != nil {
		t.Fatal(err)
	}
	if got != want {
		t.Errorf("arrived as %+v, want %+v", got, want)
	}
}
