package office

import (
	"strings"
	"time"

	"akashi/internal/actor"
	"akashi/internal/clock"
	"akashi/internal/fault"
)

// Hours are when an office works, in Japan's time. Without any it is always open.
type Hours struct {
	Week     map[string]Span `json:"week,omitempty" doc:"mon to sun; a day that is missing is closed"`
	Holidays []clock.Date    `json:"holidays,omitempty"`
}

// Span is from one time of day until before another, such as 08:45 to 17:15.
type Span struct {
	From string `json:"from" doc:"HH:MM"`
	To   string `json:"to" doc:"HH:MM"`
}

// maxHolidays bounds the list: some twenty a year, for years ahead.
const maxHolidays = 400

// Open tells whether the office works at the time.
func (h Hours) Open(t time.Time) bool {
	if len(h.Week) == 0 {
		return true
	}
	today := clock.DateOf(t)
	for _, d := range h.Holidays {
		if d == today {
			return false
		}
	}
	span, open := h.Week[weekday(t)]
	at := clock.TimeOfDay(t)
	return open && span.From <= at && at < span.To
}

// Lets tells whether the office's hours let a person make use of a permission now: one who may
// not issue after them waits (L-09).
func (s Settings) Lets(a actor.Actor, p Permission, now time.Time) bool {
	return p != Issue || s.Hours.Open(now) || a.May(string(IssueAfterHours))
}

func weekday(t time.Time) string {
	return strings.ToLower(clock.DateOf(t).Time().Weekday().String()[:3])
}

// Check refuses hours that cannot be.
func (h Hours) Check() error {
	bad := func(field string) error { return fault.New(fault.Invalid, "hours", field) }
	for day, span := range h.Week {
		if !strings.Contains(" mon tue wed thu fri sat sun ", " "+day+" ") {
			return bad("hours.week")
		}
		for _, text := range []string{span.From, span.To} {
			if t, err := time.Parse("15:04", text); err != nil || t.Format("15:04") != text {
				return bad("hours.week")
			}
		}
		if span.From >= span.To {
			return bad("hours.week")
		}
	}
	if len(h.Holidays) > maxHolidays {
		return bad("hours.holidays")
	}
	for _, d := range h.Holidays {
		if _, err := clock.ParseDate(string(d)); err != nil || !d.Full() {
			return bad("hours.holidays")
		}
	}
	return nil
}
