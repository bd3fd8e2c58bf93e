package server

import (
	"cmp"
	"errors"
	"reflect"
	"strings"

	"akashi/internal/clock"
	"akashi/internal/fault"
	"akashi/internal/vaccination"
)

// isDate tells whether a member of a body is a date or a list of dates. The API takes
// dates as ISO only; a form may have them as people write them, and asJSON reads them.
func isDate(body any, path string) bool {
	t := reflect.TypeOf(body)
	for name := range strings.SplitSeq(path, ".") {
		for t != nil && t.Kind() == reflect.Pointer {
			t = t.Elem()
		}
		if t == nil || t.Kind() != reflect.Struct {
			return false
		}
		t = member(t, name)
	}
	for t != nil && (t.Kind() == reflect.Pointer || t.Kind() == reflect.Slice) {
		t = t.Elem()
	}
	return t == reflect.TypeFor[clock.Date]()
}

// member is the type of a member of a body by its name in JSON; nil for none.
func member(t reflect.Type, name string) reflect.Type {
	for _, f := range reflect.VisibleFields(t) {
		if tag, _, _ := strings.Cut(f.Tag.Get("json"), ","); tag == name {
			return f.Type
		}
	}
	return nil
}

// typedDates are the dates of a field as ISO, empty where one cannot be read; the fault
// names the field.
func typedDates(path string, typed []string, lines bool) ([]string, error) {
	if lines {
		typed = items(typed, true)
	}
	dates := make([]string, len(typed))
	var first error
	for i, text := range typed {
		d, err := typedDate(path, text)
		dates[i], first = string(d), cmp.Or(first, err)
	}
	return dates, first
}

// typedDate reads what was typed into a field; nothing stays nothing.
func typedDate(field, text string) (clock.Date, error) {
	if strings.TrimSpace(text) == "" {
		return "", nil
	}
	d, err := vaccination.ReadDate(text)
	var f *fault.Error
	if errors.As(err, &f) {
		f.Field = field
	}
	return d, err
}

// readDates reads the dates of the query of a page, as people write them; one that
// cannot be read stays as it was typed.
func (c *call) readDates(names ...string) (err error) {
	for _, name := range names {
		if !c.query.Has(name) {
			continue
		}
		if d, wrong := typedDate(name, c.query.Get(name)); wrong == nil {
			c.query.Set(name, string(d))
		} else if err == nil {
			err = wrong
		}
	}
	return err
}
