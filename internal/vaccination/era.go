package vaccination

import (
	"fmt"
	"regexp"
	"strconv"
	"strings"

	"golang.org/x/text/unicode/norm"

	"akashi/internal/clock"
	"akashi/internal/fault"
)

// era is one of the calendar.
type era struct {
	name, latin, letter string
	begins              clock.Date
	first               int // year of the Gregorian calendar in which the first year began
}

// eras of the calendar, the latest first (codes-and-files.md 8). Meiji dates
// before the solar calendar of 1873 are refused.
var eras = []era{
	{"令和", "Reiwa", "R", "2019-05-01", 2019},
	{"平成", "Heisei", "H", "1989-01-08", 1989},
	{"昭和", "Showa", "S", "1926-12-25", 1926},
	{"大正", "Taisho", "T", "1912-07-30", 1912},
	{"明治", "Meiji", "M", "1873-01-01", 1868},
}

// eraOf finds an era by its name, the first character of it or its letter, with
// the last day of it; empty for that of today.
func eraOf(text string) (e era, last clock.Date) {
	for _, e := range eras {
		if text == e.letter || text != "" && strings.HasPrefix(e.name, text) {
			return e, last
		}
		last = e.begins.AddDays(-1)
	}
	return era{}, ""
}

// year is the one of the Gregorian calendar that a year of the era began in: 元 or a number.
func (e era) year(text string) int {
	n := 1
	if text != "元" {
		n, _ = strconv.Atoi(text)
	}
	return e.first + n - 1
}

var eraForm = regexp.MustCompile(`^(令和|平成|昭和|大正|明治|[RHSTM])(元|[0-9]{1,2})(?:年|[./-])([0-9]{1,2})(?:月|[./-])([0-9]{1,2})日?$`)

// ParseEraDate reads a date of the Japanese calendar such as 令和3年7月26日,
// 平成元年1月8日, R3.7.26 or ㋿3.7.26; width is folded and blanks are dropped.
// pastEnd tells that the date lies after the end of its era (平成31年5月1日), which
// occurs on old forms: it is converted, with a warning due.
func ParseEraDate(s string) (date clock.Date, pastEnd bool, err error) {
	bad := fault.New(fault.Invalid, "date_form", "")
	if len(s) > 64 {
		return "", false, bad
	}
	text := strings.ToUpper(strings.Join(strings.Fields(norm.NFKC.String(s)), ""))
	m := eraForm.FindStringSubmatch(text)
	if m == nil {
		return "", false, bad
	}
	era, last := eraOf(m[1])
	date, err = dateOf(era.year(m[2]), m[3], m[4])
	if err != nil || era.year(m[2]) < era.first || date < era.begins {
		return "", false, fault.New(fault.Invalid, "date_calendar", "")
	}
	return date, last != "" && date > last, nil
}

// dateOf is the date of a year, a month and a day, each of digits; without a month or a
// day as much as there is.
func dateOf(year int, month, day string) (clock.Date, error) {
	text := fmt.Sprintf("%04d", year)
	for _, part := range []string{month, day} {
		if part != "" {
			text += fmt.Sprintf("-%02s", part)
		}
	}
	return clock.ParseDate(text)
}

// EraYear names the year of a full date by the Japanese calendar, such as 令和3年
// or 平成元年; empty for a partial date or one before 1873.
func EraYear(d clock.Date) string {
	if !d.Full() {
		return ""
	}
	year, err := strconv.Atoi(string(d[:4]))
	if err != nil {
		return ""
	}
	for _, era := range eras {
		switch n := year - era.first + 1; {
		case d < era.begins:
		case n == 1:
			return era.name + "元年"
		default:
			return era.name + strconv.Itoa(n) + "年"
		}
	}
	return ""
}

// InBoth is a full date by both calendars, such as 2021-07-26（令和3年7月26日）.
func InBoth(d clock.Date) string {
	year := EraYear(d)
	if year == "" {
		return string(d)
	}
	t := d.Time()
	return fmt.Sprintf("%s（%s%d月%d日）", d, year, t.Month(), t.Day())
}
