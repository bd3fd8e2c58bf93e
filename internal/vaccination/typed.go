package vaccination

import (
	"regexp"
	"strconv"
	"strings"

	"golang.org/x/text/unicode/norm"

	"akashi/internal/clock"
	"akashi/internal/fault"
)

// longestTyped bounds what is read as a date, in bytes.
const longestTyped = 64

// What a keyboard that is set to Japanese types for the marks between numbers.
var marks = strings.NewReplacer("ー", "-", "‐", "-", "‑", "-", "–", "-", "—", "-", "−", "-", "。", ".", "・", ".")

const (
	fullDate = `(?:年|[./-])([0-9]{1,2})(?:月|[./-])([0-9]{1,2})日?`
	partDate = `年(?:([0-9]{1,2})月)?`
	ofEra    = `^(令和?|平成?|昭和?|大正?|明治?|[RHSTM])[.]?`
)

// Ways to write a date, with year, month and day as groups.
var (
	westernDates = []*regexp.Regexp{
		regexp.MustCompile(`^([0-9]{4})` + fullDate + `$`), regexp.MustCompile(`^([0-9]{4})` + partDate + `$`),
		regexp.MustCompile(`^([0-9]{4})([0-9]{2})([0-9]{2})$`), regexp.MustCompile(`^([0-9]{4})(?:-([0-9]{2}))?$`),
	}
	eraDates = []*regexp.Regexp{
		regexp.MustCompile(ofEra + `(元|[0-9]{1,2})` + fullDate + `$`), regexp.MustCompile(ofEra + `(元|[0-9]{1,2})` + partDate + `$`),
		regexp.MustCompile(ofEra + `([0-9]{2})([0-9]{2})([0-9]{2})$`),
	}
	yearLast  = regexp.MustCompile(`^[0-9]{1,2}[./-][0-9]{1,2}[./-][0-9]{4}$`)
	yearShort = regexp.MustCompile(`^[0-9]{1,2}(?:年|[./-])[0-9]{1,2}(?:月|[./-])[0-9]{1,2}日?$|^[0-9]{6}$`)
)

// ReadDate reads a date as people write it, the year first: 1991-02-18, 1991/2/18,
// 1991.2.18, 19910218, 1991年2月18日, or of the Japanese calendar (codes-and-files.md 8)
// 平成3年2月18日, 平3.2.18, H3.2.18, H030218; width is folded and blanks are dropped. What
// is not known may be left out: 1991-02, 1991年, 平成3年2月.
//
// Nothing is guessed: a date that could be two is refused with a fault (Invalid) that
// says how to write it: date_year_last, date_year_short, date_unclear; so is one that is
// not in the calendar, date_calendar, or not of its era, date_other_era or date_before_era.
func ReadDate(text string) (clock.Date, error) {
	if len(text) > longestTyped {
		return "", unreadDate("date_unclear")
	}
	text = strings.ToUpper(marks.Replace(strings.Join(strings.Fields(norm.NFKC.String(text)), "")))
	for _, form := range westernDates {
		if m := form.FindStringSubmatch(text); m != nil {
			year, _ := strconv.Atoi(m[1])
			return inCalendar(year, m[2:])
		}
	}
	for _, form := range eraDates {
		if m := form.FindStringSubmatch(text); m != nil {
			return inEra(m[1], m[2], m[3:])
		}
	}
	switch {
	case yearLast.MatchString(text):
		return "", unreadDate("date_year_last")
	case yearShort.MatchString(text):
		return "", unreadDate("date_year_short")
	}
	return "", unreadDate("date_unclear")
}

func unreadDate(key string) *fault.Error { return fault.New(fault.Invalid, key, "") }

// inCalendar is a date of a year with what follows it: month and day, or the month, or nothing.
func inCalendar(year int, rest []string) (clock.Date, error) {
	var part [2]string
	copy(part[:], rest)
	d, err := dateOf(year, part[0], part[1])
	if err != nil {
		return "", unreadDate("date_calendar")
	}
	return d, nil
}

// inEra is inCalendar for a year of an era, which at least a day of it has to lie in.
func inEra(name, yearText string, rest []string) (clock.Date, error) {
	e, last := eraOf(name)
	year := e.year(yearText)
	d, err := inCalendar(year, rest)
	if err != nil || year < e.first {
		return "", unreadDate("date_calendar")
	}
	const firstDay, lastDay = "-01-01", "-12-31"
	known := len(d) - len("2006")
	earliest, latest := d+clock.Date(firstDay[known:]), d+clock.Date(lastDay[known:])
	switch {
	case last == "" && latest < e.begins:
		return "", unreadDate("date_before_era").With("era", e.name).With("latin", e.latin).With("begins", InBoth(e.begins))
	case last != "" && (latest < e.begins || earliest > last):
		return "", unreadDate("date_other_era").With("era", e.name).With("latin", e.latin).With("begins", InBoth(e.begins)).With("ends", InBoth(last))
	}
	return d, nil
}
