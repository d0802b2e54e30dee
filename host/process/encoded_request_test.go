package process

import (
	"encoding/json"
	"reflect"
	"testing"
)

// A field that is added to Request must not get lost on its way to a keeper.
func TestEveryFieldOfARequestTravels(t *testing.T) {
	var r Request
	fill(t, reflect.ValueOf(&r).Elem())
	b, err := json.Marshal(encodeRequest(r))
	if err != nil {
		t.Fatal(err)
	}
	var w wireRequest
	if err := json.Unmarshal(b, &w); err != nil {
		t.Fatal(err)
	}
	if got := w.decode(); !reflect.DeepEqual(got, r) {
		t.Errorf("arrived as %+v, sent %+v", got, r)
	}
}

// fill gives every field a value that is not its zero.
func fill(t *testing.T, v reflect.Value) {
	switch v.Kind() {
	case reflect.Pointer:
		v.Set(reflect.New(v.Type().Elem()))
		fill(t, v.Elem())
	case reflect.Struct:
		for i := range v.NumField() {
			fill(t, v.Field(i))
		}
	case reflect.Slice:
		v.Set(reflect.MakeSlice(v.Type(), 1, 1))
		fill(t, v.Index(0))
	case reflect.String:
		v.SetString("text")
	case reflect.Int, reflect.Int64:
		v.SetInt(7)
	case reflect.Bool:
		v.SetBool(true)
	default:
		t.Fatalf("no value for a %s", v.Type())
	}
}
