package certlogic

import (
	"cmp"
	"regexp"
	"strings"
	"time"
)

// compared makes a comparison of two operands, or of three in a chain, of one type.
func compared[T any](compare func(a, b T) int, holds func(int) bool, of string) func([]any) (any, error) {
	return func(v []any) (any, error) {
		operands := make([]T, len(v))
		for i, one := range v {
			var ok bool
			if operands[i], ok = one.(T); !ok {
				return nil, fault("comparison of what is no " + of)
			}
		}
		for i := range operands[1:] {
			if !holds(compare(operands[i], operands[i+1])) {
				return false, nil
			}
		}
		return true, nil
	}
}

func numbers(holds func(int) bool) func([]any) (any, error) {
	return compared(cmp.Compare[int64], holds, "number")
}

func times(holds func(int) bool) func([]any) (any, error) {
	return compared(time.Time.Compare, holds, "time")
}

// momentForm is a date, or a date and time: fractions of a second beyond the third digit are
// cut, and UTC is meant where no offset is stated.
var momentForm = regexp.MustCompile(`^(\d{4}-\d\d-\d\d)(?:T(\d\d:\d\d:\d\d)(?:\.(\d{1,3})\d*)?(Z|[+-]\d\d?(?::?\d\d)?)?)?$`)

func parseTime(s string) (time.Time, error) {
	m := momentForm.FindStringSubmatch(s)
	if m == nil {
		return time.Time{}, fault("not a time")
	}
	text := m[1] + "T" + cmp.Or(m[2], "00:00:00") + "." + (m[3] + "000")[:3] + offset(m[4])
	t, err := time.Parse("2006-01-02T15:04:05.000Z07:00", text)
	if err != nil {
		return time.Time{}, fault("not a time of the calendar")
	}
	return t.UTC(), nil
}

// offset writes an offset as RFC 3339 does.
func offset(s string) string {
	if s == "" || s == "Z" {
		return "Z"
	}
	digits := strings.ReplaceAll(s[1:], ":", "")
	if len(digits)%2 == 1 { // an hour of one digit
		digits = "0" + digits
	}
	digits = (digits + "00")[:4]
	return s[:1] + digits[:2] + ":" + digits[2:]
}

// plusTime adds to a time; months and years may run over: a year after 29 February is 1 March.
func plusTime(v []any) (any, error) {
	text, isText := v[0].(string)
	amount, isNumber := v[1].(int64)
	unit, isUnit := v[2].(string)
	const century = 100 * 366 * 24 // hours, more than any rule adds
	if !isText || !isNumber || !isUnit || amount < -century || amount > century {
		return nil, fault("operands of plusTime")
	}
	t, err := parseTime(text)
	if err != nil {
		return nil, err
	}
	n := int(amount)
	switch unit {
	case "year":
		return t.AddDate(n, 0, 0), nil
	case "month":
		return t.AddDate(0, n, 0), nil
	case "day":
		return t.AddDate(0, 0, n), nil
	case "hour":
		return t.Add(time.Duration(n) * time.Hour), nil
	}
	return nil, fault("unit of plusTime")
}

// dateOfBirth returns the last day that a date of birth, as far as it is known, can mean.
func dateOfBirth(v []any) (any, error) {
	s, _ := v[0].(string)
	for form, last := range map[string]func(time.Time) time.Time{
		"2006":        func(t time.Time) time.Time { return t.AddDate(1, 0, -1) },
		"2006-01":     func(t time.Time) time.Time { return t.AddDate(0, 1, -1) },
		time.DateOnly: func(t time.Time) time.Time { return t },
	} {
		if t, err := time.Parse(form, s); err == nil && len(s) == len(form) {
			return last(t), nil
		}
	}
	return nil, fault("not a date of birth")
}
