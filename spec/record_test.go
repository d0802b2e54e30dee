package spec_test

import (
	"encoding/json"
	"reflect"
	"testing"
	"time"

	"servicehost/spec"
)

// What worked last is kept as JSON: with all fields set nothing may be lost, and what is not set takes no room.
func TestServiceAsJSONKeepsWhatIsSetAndNothingElse(t *testing.T) {
	var full, back, none spec.Service
	fill(reflect.ValueOf(&full).Elem())
	full.Env["GONE"] = nil
	raw, err := json.Marshal(&full)
	if err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(raw, &back); err != nil {
		t.Fatal(err)
	}
	if !reflect.DeepEqual(full, back) {
		t.Errorf("kept as %s, which is read as\n%+v\nand was\n%+v", raw, back, full)
	}
	raw, err = json.Marshal(&none)
	if err != nil {
		t.Fatal(err)
	}
	if string(raw) != "{}" {
		t.Errorf("of an empty service this is kept: %s", raw)
	}
}

// fill sets everything in v to something else than its zero.
func fill(v reflect.Value) {
	switch v.Kind() {
	case reflect.Bool:
		v.SetBool(true)
	case reflect.Int, reflect.Int64:
		v.SetInt(7)
	case reflect.Uint64:
		v.SetUint(7)
	case reflect.Float64:
		v.SetFloat(1.5)
	case reflect.String:
		v.SetString("text")
	case reflect.Pointer:
		v.Set(reflect.New(v.Type().Elem()))
		fill(v.Elem())
	case reflect.Slice:
		v.Set(reflect.MakeSlice(v.Type(), 1, 1))
		fill(v.Index(0))
	case reflect.Map:
		key, value := reflect.New(v.Type().Key()).Elem(), reflect.New(v.Type().Elem()).Elem()
		fill(key)
		fill(value)
		v.Set(reflect.MakeMap(v.Type()))
		v.SetMapIndex(key, value)
	case reflect.Struct:
		if v.Type() == reflect.TypeFor[time.Time]() {
			v.Set(reflect.ValueOf(time.Unix(1, 0).UTC()))
			return
		}
		for n := range v.NumField() {
			if v.Type().Field(n).IsExported() {
				fill(v.Field(n))
			}
		}
	default:
		panic("a kind that no spec had: " + v.Type().String())
	}
}
