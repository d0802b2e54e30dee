package jsonl

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"testing"
)

func lines(n int) []byte {
	var b []byte
	for i := range n {
		b = Append(b, fmt.Appendf(nil, `{"n":%d}`, i))
	}
	return b
}

func scan(t *testing.T, data []byte) ([]string, Result) {
	t.Helper()
	var got []string
	res, err := Scan(bytes.NewReader(data), func(p []byte) error {
		got = append(got, string(p))
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return got, res
}

func TestAppendWritesJSONObjects(t *testing.T) {
	var v struct {
		C string
		E map[string]int
	}
	if err := json.Unmarshal(lines(1), &v); err != nil || v.E["n"] != 0 || len(v.C) != 8 {
		t.Errorf("%s: %v", lines(1), err)
	}
	if n := len(lines(1)); n != Size(len(`{"n":0}`)) {
		t.Errorf("a line of %d bytes, Size says %d", n, Size(len(`{"n":0}`)))
	}
}

func TestScanOfEveryPrefixYieldsTheWholeLines(t *testing.T) {
	data := lines(20)
	for cut := range len(data) + 1 {
		got, res := scan(t, data[:cut])
		whole := bytes.Count(data[:cut], []byte("\n"))
		good := bytes.LastIndexByte(data[:cut], '\n') + 1
		if len(got) != whole || res.Good != int64(good) || res.Torn != (good < cut) || res.Damaged != 0 {
			t.Fatalf("cut at %d: %d lines %+v, want %d and %d", cut, len(got), res, whole, good)
		}
	}
}

func TestScanPassesOverAnyChangedByte(t *testing.T) {
	data := lines(5)
	for i := range data {
		bad := bytes.Clone(data)
		bad[i] ^= 0x5a
		got, _ := scan(t, bad)
		if len(got) < 3 || len(got) > 4 {
			t.Fatalf("byte %d changed: %d of 5 lines left", i, len(got))
		}
		for _, g := range got {
			if !strings.HasPrefix(g, `{"n":`) {
				t.Fatalf("byte %d changed: a broken line was taken: %s", i, g)
			}
		}
	}
}

func TestScanCountsDamageOnlyBeforeTheEnd(t *testing.T) {
	data := append([]byte("rubbish\n"), lines(2)...)
	data = append(data, "more rubbish\nand more"...)
	got, res := scan(t, data)
	if len(got) != 2 || res.Damaged != 1 || !res.Torn {
		t.Errorf("%d lines, %+v", len(got), res)
	}
}

func TestScanReadsLongLinesAndRefusesEndlessOnes(t *testing.T) {
	long := fmt.Appendf(nil, `"%s"`, strings.Repeat("x", 1<<20))
	data := Append(nil, long)
	data = append(data, bytes.Repeat([]byte("y"), MaxLine+1<<20)...)
	data = Append(append(data, '\n'), []byte("1"))
	got, res := scan(t, data)
	if len(got) != 2 || got[0] != string(long) || got[1] != "1" || res.Damaged != 1 {
		t.Errorf("%d lines, %+v", len(got), res)
	}
}

func TestScanEndsWithTheErrorOfTheReceiver(t *testing.T) {
	stop := errors.New("enough")
	n := 0
	_, err := Scan(bytes.NewReader(lines(5)), func([]byte) error {
		if n++; n == 2 {
			return stop
		}
		return nil
	})
	if !errors.Is(err, stop) || n != 2 {
		t.Errorf("%v after %d lines", err, n)
	}
}

func FuzzScan(f *testing.F) {
	f.Add(lines(3))
	f.Add([]byte("{\"c\":\"00000000\",\"e\":}\n"))
	f.Add([]byte("\n\n{"))
	f.Fuzz(func(t *testing.T, data []byte) {
		var again []byte
		res, err := Scan(bytes.NewReader(data), func(p []byte) error {
			again = Append(again, p)
			return nil
		})
		if err != nil || res.Good > int64(len(data)) {
			t.Fatalf("%+v %v", res, err)
		}
		got, res2 := scan(t, again)
		if res2.Torn || res2.Damaged != 0 || len(got) != bytes.Count(again, []byte("\n")) {
			t.Fatalf("what was taken does not come back: %+v", res2)
		}
	})
}
