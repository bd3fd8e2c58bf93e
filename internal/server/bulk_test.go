package server

import (
	"os"
	"reflect"
	"slices"
	"strings"
	"testing"
)

// personal are the members of a body that say something about a person.
var personal = []string{"name", "family", "given", "family_kana", "given_kana", "birth_date", "passport", "form", "subject", "applicant", "applicants", "ticket_number", "address_number", "individual_number", "text"}

// holdsPersons tells whether a value of the type can hold many persons: a list of what
// has a personal member, or of what the type does not tell.
func holdsPersons(t reflect.Type, many bool, seen []reflect.Type) bool {
	if t == nil || slices.Contains(seen, t) {
		return false
	}
	seen = append(seen, t)
	switch t.Kind() {
	case reflect.Pointer:
		return holdsPersons(t.Elem(), many, seen)
	case reflect.Slice, reflect.Array:
		return t.Elem().Kind() != reflect.Uint8 && holdsPersons(t.Elem(), true, seen)
	case reflect.Map:
		return holdsPersons(t.Elem(), many, seen)
	case reflect.Interface:
		return many
	case reflect.Struct:
		for i := range t.NumField() {
			f := t.Field(i)
			name, _, _ := strings.Cut(f.Tag.Get("json"), ",")
			if many && slices.Contains(personal, name) || f.IsExported() && holdsPersons(f.Type, many, seen) {
				return true
			}
		}
	}
	return false
}

// S-029, R-169, L-17: which routes can tell of many persons in one answer, or give a
// file, was judged by a reviewer, with how many at most; a new one is judged first.
func TestBulk(t *testing.T) {
	text, err := os.ReadFile("testdata/bulk.tsv")
	if err != nil {
		t.Fatal(err)
	}
	var listed []string
	for line := range strings.Lines(string(text)) {
		cells := strings.Split(strings.TrimSuffix(line, "\n"), "\t")
		if len(cells) != 3 || cells[1] == "" || len(cells[2]) < 20 {
			t.Errorf("neither how many nor why: %q", line)
		}
		listed = append(listed, cells[0])
	}
	var found []string
	for _, r := range (&Server{}).routes() {
		if r.gives != "" || r.out == nil && r.status == 200 || holdsPersons(reflect.TypeOf(r.out), false, nil) {
			found = append(found, string(r.faces[0])+" "+r.id)
		}
	}
	slices.Sort(found)
	if !slices.Equal(found, listed) {
		t.Errorf("routes are\n%s\nreviewed are\n%s", strings.Join(found, "\n"), strings.Join(listed, "\n"))
	}
}
