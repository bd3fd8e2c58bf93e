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

// eras of the calendar, the latest first (codes-and-files.md 8). Meiji dates
// before the solar calendar of 1873 are refused.
var eras = []struct {
	name, letter string
	begins       clock.Date
	first        int // year of the Gregorian calendar in which the first year began
}{
	{"令和", "R", "2019-05-01", 2019},
	{"平成", "H", "1989-01-08", 1989},
	{"昭和", "S", "1926-12-25", 1926},
	{"大正", "T", "1912-07-30", 1912},
	{"明治", "M", "1873-01-01", 1868},
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
	year := 1
	if m[2] != "元" {
		year, _ = strconv.Atoi(m[2])
	}
	month, _ := strconv.Atoi(m[3])
	day, _ := strconv.Atoi(m[4])
	for i, era := range eras {
		if m[1] != era.name && m[1] != era.letter {
			continue
		}
		date, err = clock.ParseDate(fmt.Sprintf("%04d-%02d-%02d", era.first+year-1, month, day))
		if year < 1 || err != nil || date < era.begins {
			return "", false, fault.New(fault.Invalid, "date_calendar", "")
		}
		return date, i > 0 && date >= eras[i-1].begins, nil
	}
	return "", false, bad
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

var (
	eightDigits = regexp.MustCompile(`^[0-9]{8}$`)
	slashed     = regexp.MustCompile(`^([0-9]{4})/([0-9]{1,2})/([0-9]{1,2})$`)
)

// TypedDate is a date as ISO: of eight digits, as spreadsheet programs write it, or of the
// Japanese calendar; any other text stays as it is, to be judged as it was typed.
func TypedDate(text string) string {
	folded := strings.TrimSpace(FoldWidth(text))
	if eightDigits.MatchString(folded) {
		folded = folded[:4] + "-" + folded[4:6] + "-" + folded[6:]
	}
	if m := slashed.FindStringSubmatch(folded); m != nil {
		folded = fmt.Sprintf("%s-%02s-%02s", m[1], m[2], m[3])
	}
	if d, err := clock.ParseDate(folded); err == nil {
		return string(d)
	}
	if d, pastEnd, err := ParseEraDate(folded); err == nil && !pastEnd {
		return string(d)
	}
	return text
}
