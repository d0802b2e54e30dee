package journal

import (
	"encoding/json"
	"reflect"
	"testing"
	"time"
)

// fill gives every field of a struct a value of its own.
func fill(v reflect.Value, text string) {
	for i := range v.NumField() {
		switch f := v.Field(i); f.Interface().(type) {
		case time.Time:
			f.Set(reflect.ValueOf(time.Date(2026, 5, 4, 3, 2, 1, 120_000_000, time.FixedZone("", 8*3600))))
		case *Exit:
			x := new(Exit)
			fill(reflect.ValueOf(x).Elem(), text)
			f.Set(reflect.ValueOf(x))
		case map[string]string:
			f.Set(reflect.ValueOf(map[string]string{"b": text, "a" + text: "2", "c": ""}))
		default:
			switch f.Kind() {
			case reflect.String:
				f.SetString(v.Type().Field(i).Name + text)
			case reflect.Int, reflect.Int64:
				f.SetInt(-1 - int64(i))
			case reflect.Uint64:
				f.SetUint(1<<63 + uint64(i))
			default:
				panic("a field of a new type: " + v.Type().Field(i).Name)
			}
		}
	}
}

func checkEncoding(t *testing.T, e Event) {
	t.Helper()
	want, werr := json.Marshal(e)
	got, err := appendEvent([]byte("before "), &e)
	if (err != nil) != (werr != nil) {
		t.Fatalf("%v, encoding/json says %v", err, werr)
	}
	if err == nil && string(got) != "before "+string(want) {
		t.Errorf("%s\nwant   %s", got, want)
	}
}

// A field that appendEvent does not know is found here.
func TestEventsAreWrittenAsEncodingJSONDoes(t *testing.T) {
	checkEncoding(t, Event{})
	checkEncoding(t, Event{Exit: &Exit{}, Details: map[string]string{}})
	for _, text := range []string{"", " plain", `"quoted\`, "line\nbreak\x00", "<&>", "日志", "torn \xff", "\u2028", "\x7f"} {
		var e Event
		fill(reflect.ValueOf(&e).Elem(), text)
		checkEncoding(t, e)
		e.Time = e.Time.UTC()
		checkEncoding(t, e)
	}
	checkEncoding(t, Event{Time: time.Date(12026, 1, 1, 0, 0, 0, 0, time.UTC)})
}

func FuzzEventsAreWrittenAsEncodingJSONDoes(f *testing.F) {
	f.Add("api", "exit 3 after 1.2s", "last_lines", "cannot open \"db\"\n\ttwice")
	f.Fuzz(func(t *testing.T, service, reason, key, value string) {
		checkEncoding(t, Event{Seq: 1, Service: service, Reason: reason, Details: map[string]string{key: value, "": key}})
	})
}
