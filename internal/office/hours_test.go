package office

import (
	"testing"
	"time"

	"akashi/internal/clock"
)

// Issue 4, section 1: opening hours in Japan's time, with holidays.
func TestHours(t *testing.T) {
	h := Hours{Week: map[string]Span{"mon": {"08:45", "17:15"}, "sun": {"09:00", "12:00"}}, Holidays: []clock.Date{"2026-11-23"}}
	for at, want := range map[string]bool{
		"2026-11-16T08:44:59+09:00": false, "2026-11-16T08:45:00+09:00": true, "2026-11-16T17:14:59+09:00": true, "2026-11-16T17:15:00+09:00": false,
		"2026-11-17T10:00:00+09:00": false, // a Tuesday
		"2026-11-23T10:00:00+09:00": false, // a holiday
		"2026-11-22T10:00:00+09:00": true,  // a Sunday
		"2026-11-22T01:30:00Z":      true,  // the same Sunday, 10:30 in Japan
		"2026-11-22T23:50:00Z":      false, // already the holiday, 08:50 in Japan
		"2026-11-15T23:50:00Z":      true,  // still Sunday here, Monday 08:50 in Japan
	} {
		moment, err := time.Parse(time.RFC3339, at)
		if err != nil {
			t.Fatal(err)
		}
		if got := h.Open(moment); got != want {
			t.Errorf("%s: %v", at, got)
		}
	}
	if !(Hours{}).Open(time.Time{}) {
		t.Error("ok/an office without hours is closed")
	}
	if err := h.Check(); err != nil {
		t.Errorf("ok/check: %v", err)
	}
	for name, bad := range map[string]Hours{
		"day":     {Week: map[string]Span{"monday": {"08:45", "17:15"}}},
		"form":    {Week: map[string]Span{"mon": {"8:45", "17:15"}}},
		"time":    {Week: map[string]Span{"mon": {"08:45", "24:15"}}},
		"order":   {Week: map[string]Span{"mon": {"17:15", "08:45"}}},
		"holiday": {Holidays: []clock.Date{"2026-11"}},
		"many":    {Holidays: make([]clock.Date, maxHolidays+1)},
	} {
		if bad.Check() == nil {
			t.Errorf("error/%s: accepted", name)
		}
	}
}
