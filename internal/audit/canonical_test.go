package audit

import (
	"bytes"
	"reflect"
	"testing"
)

// What is written at once is what RFC 8785 asks for, whatever a member holds: every
// member in turn takes every value, and facts take them as name and value.
func TestCanonical(t *testing.T) {
	hostile := []string{
		"", "p-1", "a b", `"`, `\`, `","result":"ok`, "\x00", "\x1f", "\t\r\n\b\f", "\x7f", "<&>/", "\u2028\u2029", "証", "é", "\U00020BB7",
		"\uFB33", "\xff", "\xed\xa0\x80", "\uFFFD", "A", "a", "{}", "null", "1e3",
	}
	plain := map[string]string{"state": "approved", "copy 7KQ4ZPWM2XNB": "00ff", "B": "1", "b": "2", "": "3"}
	check := func(r Record, facts map[string]string) {
		t.Helper()
		want, wantErr := transformed(r, facts)
		got, err := canonical(r, facts)
		if (err != nil) != (wantErr != nil) || !bytes.Equal(got, want) {
			t.Errorf("%q, %v\n%q, %v", got, err, want, wantErr)
		}
	}
	fields := reflect.TypeFor[Record]().NumField() - 1 // all but Canonical
	for i := range fields {
		for _, value := range hostile {
			r := Record{Office: "900001", ID: "0", At: "2026-11-21T01:02:03.004Z", Person: "s1", Terminal: "t1", Action: "test", Result: "ok"}
			reflect.ValueOf(&r).Elem().Field(i).SetString(value)
			check(r, nil)
			check(r, map[string]string{})
			check(r, plain)
		}
	}
	for i, name := range hostile {
		for _, value := range hostile {
			check(Record{}, map[string]string{name: value})
			check(Record{}, map[string]string{name: value, hostile[len(hostile)-1-i]: "x", "m": "y"})
		}
	}
}

func FuzzCanonical(f *testing.F) {
	f.Add("application.submit", "00000000-0000-7000-8000-000000000001", "state", "approved", "reason")
	f.Add(`"`, "\xff", "証", "\U00020BB7", "\uFB33")
	f.Fuzz(func(t *testing.T, action, object, name, value, other string) {
		r, facts := Record{Action: action, Object: object}, map[string]string{name: value, other: object}
		want, wantErr := transformed(r, facts)
		got, err := canonical(r, facts)
		if (err != nil) != (wantErr != nil) || !bytes.Equal(got, want) {
			t.Errorf("%q, %v\n%q, %v", got, err, want, wantErr)
		}
	})
}
