package hcert

import (
	"strings"
	"time"
)

// Finding is a rule that content breaks without being spoilt by it. It names the member,
// never its value.
type Finding struct {
	Field string `json:"field"` // such as "v[0].mp"
	Code  string `json:"code"`  // such as "not_in_value_set"
}

func (f Finding) String() string { return f.Field + " " + f.Code }

// fields reads the members of a map as issuers wrote them: what is absent, null or of
// another type is the zero value.
type fields struct {
	path   string // with a dot at its end; empty at the top
	values table
}

// text returns a text as written, without blanks around it.
func (f fields) text(name string) string {
	s, _ := f.values[name].(string)
	return strings.TrimSpace(s)
}

// number returns an integer, also one that was written as a float.
func (f fields) number(name string) int {
	switch n := f.values[name].(type) {
	case int64:
		if n == int64(int(n)) {
			return int(n)
		}
	case float64:
		if i := int(n); float64(i) == n {
			return i
		}
	}
	return 0
}

// day returns the date of a date or date-time, as far as it is known; empty for what is none.
func (f fields) day(name string) string {
	s, _, _ := strings.Cut(f.text(name), "T")
	return s
}

// momentForms are the forms of a date-time that issuers wrote. The first are those that the
// schema allows: with a zone (ISO 8601).
var momentForms = []string{
	time.RFC3339, "2006-01-02T15:04:05Z0700", "2006-01-02T15:04:05Z07",
	"2006-01-02T15:04Z07:00",
	"2006-01-02T15:04:05", "2006-01-02 15:04:05", time.DateOnly,
}

const zoned = 3 // of momentForms

// moment returns a time, in UTC where no zone is stated; zero for what is none.
func (f fields) moment(name string) time.Time {
	s := f.text(name)
	for _, form := range momentForms {
		if t, err := time.Parse(form, s); err == nil {
			return t.UTC()
		}
	}
	return time.Time{}
}

// child returns the members of a map; none for what is no map.
func (f fields) child(name string) fields {
	values, _ := f.values[name].(table)
	return fields{f.path + name + ".", values}
}

// has tells whether a member is there and not null.
func (f fields) has(name string) bool { return f.values[name] != nil }
