package passport

import (
	"fmt"
	"strconv"
	"time"

	"akashi/internal/clock"
)

const unknownPart = "<<"

// birthDate reads YYMMDD. Unknown parts are fillers by whole part (Doc 9303-3, 4.8);
// parts after the first unknown one are lost, as clock.Date has no room for
// them. The century is the latest that does not lie after today. The code is ""
// for a complete date.
func birthDate(s string, today clock.Date) (clock.Date, string) {
	parts := []string{s[:2], s[2:4], s[4:6]}
	for _, part := range parts {
		if part != unknownPart && !allDigits(part) {
			return "", CodeBirthFormat
		}
	}
	year, month, day := parts[0], parts[1], parts[2]
	if year == unknownPart {
		// 2000 has every day that any year has.
		if !onCalendar("2000", month, day) {
			return "", CodeBirthCalendar
		}
		return "", CodeBirthIncomplete
	}
	date := bornBy(today, year, month, day)
	switch {
	case !onCalendar(string(date[:4]), month, day):
		return "", CodeBirthCalendar
	case !date.Full():
		return date, CodeBirthIncomplete
	}
	return date, ""
}

// bornBy completes a year of two digits to the latest one that is not after today.
func bornBy(today clock.Date, year, month, day string) clock.Date {
	known := ""
	if month != unknownPart {
		known = "-" + month
		if day != unknownPart {
			known += "-" + day
		}
	}
	century, _ := strconv.Atoi(string(today[:2]))
	date := clock.Date(fmt.Sprintf("%02d%s%s", century, year, known))
	if date > today[:len(date)] {
		date = clock.Date(fmt.Sprintf("%02d%s%s", century-1, year, known))
	}
	return date
}

// expiryDate reads YYMMDD of a date of expiry, always in the 21st century. The
// code is "" for a date that has not passed.
func expiryDate(s string, today clock.Date) (clock.Date, string) {
	if !allDigits(s) {
		return "", CodeExpiryFormat
	}
	year, month, day := "20"+s[:2], s[2:4], s[4:6]
	if !onCalendar(year, month, day) {
		return "", CodeExpiryCalendar
	}
	date := clock.Date(year + "-" + month + "-" + day)
	off := date.Time().Year() - today.Time().Year()
	switch {
	case off > 50 || off < -50:
		return date, CodeExpiryYear
	case date < today:
		return date, CodeExpired
	}
	return date, ""
}

// centuryEarlier returns the same day a hundred years before, "" when it does
// not exist or nobody born then can be alive.
func centuryEarlier(birth, today clock.Date) clock.Date {
	const oldest = 125
	if !birth.Full() {
		return ""
	}
	earlier := clock.Date(birth.Time().AddDate(-100, 0, 0).Format(time.DateOnly))
	if earlier[4:] != birth[4:] || earlier.YearsUntil(today) > oldest {
		return ""
	}
	return earlier
}

func onCalendar(year, month, day string) bool {
	if month == unknownPart {
		month = "01"
	}
	if day == unknownPart {
		day = "01"
	}
	_, err := clock.ParseDate(year + "-" + month + "-" + day)
	return err == nil
}

func allDigits(s string) bool {
	for i := range len(s) {
		if !isDigit(s[i]) {
			return false
		}
	}
	return true
}
