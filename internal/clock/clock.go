// Package clock is the only source of "now" and of calendar dates.
//
// Stored times are UTC. Dates on certificates and forms are Japan's (UTC+9, no
// summer time) and are computed here, never by the machine's local zone.
package clock

import (
	"fmt"
	"time"
	_ "time/tzdata"
)

// Clock tells the time. The zero value is the system clock; tests inject one
// that stands still.
type Clock func() time.Time

// Now returns the current time in UTC.
func (c Clock) Now() time.Time {
	if c == nil {
		return time.Now().UTC()
	}
	return c().UTC()
}

// Today returns the current date in Japan.
func (c Clock) Today() Date { return DateOf(c.Now()) }

var japan = func() *time.Location {
	l, err := time.LoadLocation("Asia/Tokyo")
	if err != nil {
		panic(err)
	}
	return l
}()

// Date is a calendar date in ISO form: "2006-01-02", or with unknown parts
// "2006-01" and "2006", or "" when nothing is known. Full dates compare as text.
type Date string

// DateOf returns the date in Japan at the given time.
func DateOf(t time.Time) Date { return Date(t.In(japan).Format(time.DateOnly)) }

// Midnight returns when a full date begins in Japan; the zero time for another.
func Midnight(d Date) time.Time {
	t, _ := time.ParseInLocation(time.DateOnly, string(d), japan)
	return t.UTC()
}

// TimeOfDay returns the time in Japan as "15:04".
func TimeOfDay(t time.Time) string { return t.In(japan).Format("15:04") }

// ParseDate reads a full or partial ISO date and checks the calendar.
func ParseDate(s string) (Date, error) {
	layout := map[int]string{4: "2006", 7: "2006-01", 10: time.DateOnly}[len(s)]
	if layout == "" {
		return "", fmt.Errorf("not a date of the form YYYY-MM-DD")
	}
	t, err := time.Parse(layout, s)
	if err != nil || t.Format(layout) != s {
		return "", fmt.Errorf("not a date of the calendar")
	}
	return Date(s), nil
}

// Full tells whether year, month and day are known.
func (d Date) Full() bool { return len(d) == 10 }

// Time returns midnight UTC of a full date; the zero time otherwise.
func (d Date) Time() time.Time {
	t, _ := time.Parse(time.DateOnly, string(d))
	return t
}

// Begins returns midnight in Japan of a full date.
func (d Date) Begins() time.Time {
	t, _ := time.ParseInLocation(time.DateOnly, string(d), japan)
	return t
}

// AddDays returns the date n days later; an incomplete date stays as it is.
func (d Date) AddDays(n int) Date {
	if !d.Full() {
		return d
	}
	return Date(d.Time().AddDate(0, 0, n).Format(time.DateOnly))
}

// DaysUntil returns the number of days from d to e; both must be full.
func (d Date) DaysUntil(e Date) int { return int(e.Time().Sub(d.Time()).Hours() / 24) }

// YearsUntil returns the completed years from d to e, as an age is counted; both must be full.
func (d Date) YearsUntil(e Date) int {
	years := e.Time().Year() - d.Time().Year()
	if d[5:] > e[5:] {
		years--
	}
	return years
}
