package vdsnc

import (
	"encoding/json"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"akashi/internal/clock"
)

// reader keeps the first failure of a schema check, and what was remarkable.
type reader struct {
	err            *Error
	notes, unknown []string
}

func (r *reader) fail(code, path string) {
	if r.err == nil {
		r.err = fail(StepSchema, code, path)
	}
}

func (r *reader) note(n string) {
	if !slices.Contains(r.notes, n) {
		r.notes = append(r.notes, n)
	}
}

// members reads the members of one object. After a failure it gives zero values.
type members struct {
	*reader
	path   string
	values map[string]any
	asked  map[string]bool
}

func (r *reader) object(v any, path string) members {
	values, ok := v.(map[string]any)
	if !ok {
		r.fail("wrong_type", path)
	}
	return members{r, path, values, map[string]bool{}}
}

func (m members) at(name string) string { return m.path + "." + name }

func (m members) has(name string) bool { _, ok := m.values[name]; return ok }

func (m members) required(name string) (v any, ok bool) {
	m.asked[name] = true
	if v, ok = m.values[name]; !ok {
		m.fail("missing", m.at(name))
	}
	return v, ok
}

func (m members) child(name string) members {
	v, ok := m.required(name)
	if !ok {
		v = map[string]any{}
	}
	return m.object(v, m.at(name))
}

// list reads an array of one or more objects.
func (m members) list(name string) []members {
	v, ok := m.required(name)
	if !ok {
		return nil
	}
	items, ok := v.([]any)
	if !ok {
		m.fail("wrong_type", m.at(name))
		return nil
	}
	if len(items) == 0 {
		m.fail("empty", m.at(name))
	}
	out := make([]members, len(items))
	for i, item := range items {
		out[i] = m.object(item, m.at(name)+"["+strconv.Itoa(i)+"]")
	}
	return out
}

// text reads a string of 1 to limit characters; 0 is no limit.
func (m members) text(name string, limit int) string {
	v, ok := m.required(name)
	if !ok {
		return ""
	}
	s, ok := v.(string)
	switch {
	case !ok:
		m.fail("wrong_type", m.at(name))
	case s == "":
		m.fail("empty", m.at(name))
	case limit > 0 && utf8.RuneCountInString(s) > limit:
		m.fail("too_long", m.at(name))
	case listed(s):
	case strings.ContainsFunc(s, invisible):
		m.fail("character_not_allowed", m.at(name))
	default:
		m.note(NoteCharacters)
	}
	return s
}

// invisible characters could make a person read another text than the one signed.
func invisible(r rune) bool { return unicode.In(r, unicode.C, unicode.Zl, unicode.Zp) }

func (m members) optionalText(name string, limit int) string {
	if !m.has(name) {
		return ""
	}
	return m.text(name, limit)
}

// oneOf reads a string of a closed list.
func (m members) oneOf(name string, values ...string) string {
	s := m.text(name, 0)
	if m.err == nil && !slices.Contains(values, s) {
		m.fail("not_in_list", m.at(name))
	}
	return s
}

func (m members) integer(name string, from, to int) int {
	v, ok := m.required(name)
	if !ok {
		return 0
	}
	number, ok := v.(json.Number)
	if !ok {
		m.fail("wrong_type", m.at(name))
		return 0
	}
	n, err := strconv.Atoi(number.String())
	if err != nil || n < from || n > to {
		m.fail("out_of_range", m.at(name))
	}
	return n
}

func (m members) state(name string) string {
	s := m.text(name, 3)
	if m.err == nil && !isState(s) {
		m.fail("not_a_country", m.at(name))
	}
	return s
}

// date reads a full date.
func (m members) date(name string) clock.Date {
	s := m.text(name, 0)
	d, err := clock.ParseDate(s)
	if m.err == nil && (err != nil || !d.Full()) {
		m.fail("not_a_date", m.at(name))
	}
	return d
}

// birthDate reads a date whose month and day may be unknown, left out or filled with XX.
func (m members) birthDate(name string) clock.Date {
	s := m.text(name, len(time.DateOnly))
	known := s
	if len(s) == len(time.DateOnly) {
		known = strings.TrimSuffix(strings.TrimSuffix(s, "-XX"), "-XX")
	}
	d, err := clock.ParseDate(known)
	switch {
	case m.err != nil:
	case err != nil:
		m.fail("not_a_date", m.at(name))
	case !d.Full():
		m.note(NotePartialBirthDate)
	}
	return d
}

// moment reads an RFC 3339 time with offset.
func (m members) moment(name string) time.Time {
	t, err := time.Parse(time.RFC3339, m.text(name, 0))
	if m.err == nil && err != nil {
		m.fail("not_a_time", m.at(name))
	}
	return t
}

// closed refuses members that nobody asked for.
func (m members) closed() {
	for _, name := range m.others() {
		m.fail("unknown_member", name)
	}
}

// open lists members that nobody asked for.
func (m members) open() { m.unknown = append(m.unknown, m.others()...) }

// others returns the paths of such members. A name that is no plain word is not repeated.
func (m members) others() (paths []string) {
	var names []string
	for name := range m.values {
		if !m.asked[name] {
			names = append(names, name)
		}
	}
	slices.Sort(names)
	for _, name := range names {
		if len(name) > maxPlace || !listed(name) {
			name = "?"
		}
		paths = append(paths, m.at(name))
	}
	return paths
}
