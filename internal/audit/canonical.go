package audit

import (
	"encoding/json"
	"maps"
	"slices"

	"github.com/gowebpki/jcs"
)

// canonical is the canonical form (RFC 8785) of a record and its facts. Records are
// made of keys and codes, which are written as they are, by order of the members'
// names; a record with anything else in it is left to jcs.
func canonical(r Record, facts map[string]string) ([]byte, error) {
	w := writer{out: make([]byte, 0, 512), plain: true}
	w.member("{", "action", r.Action)
	w.member(",", "at", r.At)
	w.member(",", "case", r.Case)
	w.member(",", "concerned", r.Concerned)
	if len(facts) > 0 {
		w.out = append(w.out, `,"facts":`...)
		before := "{"
		for _, name := range slices.Sorted(maps.Keys(facts)) {
			w.member(before, name, facts[name])
			before = ","
		}
		w.out = append(w.out, '}')
	}
	w.member(",", "id", r.ID)
	w.member(",", "object", r.Object)
	w.member(",", "office", r.Office)
	w.member(",", "person", r.Person)
	w.member(",", "purpose", r.Purpose)
	w.member(",", "request", r.Request)
	w.member(",", "result", r.Result)
	w.member(",", "terminal", r.Terminal)
	if !w.plain {
		return transformed(r, facts)
	}
	return append(w.out, '}'), nil
}

// transformed is the canonical form of any record.
func transformed(r Record, facts map[string]string) ([]byte, error) {
	b, err := json.Marshal(struct {
		Record
		Facts map[string]string `json:"facts,omitempty"`
	}{r, facts})
	if err != nil {
		return nil, err
	}
	return jcs.Transform(b)
}

// writer writes members whose names and values need no escape.
type writer struct {
	out   []byte
	plain bool // all of them so far
}

func (w *writer) member(before, name, value string) {
	w.plain = w.plain && isPlain(name) && isPlain(value)
	w.out = append(append(append(w.out, before...), '"'), name...)
	w.out = append(append(append(w.out, `":"`...), value...), '"')
}

// isPlain tells whether a string is printable ASCII that JSON writes as it is, and
// whose bytes sort as its UTF-16 units do.
func isPlain(s string) bool {
	for _, c := range []byte(s) {
		if c < ' ' || c > '~' || c == '"' || c == '\\' {
			return false
		}
	}
	return true
}
