package clock

import (
	"testing"
	"time"
)

func TestToday(t *testing.T) {
	// codes-and-files.md 8: 23:30 and 00:30 in Japan lie on two dates.
	for at, want := range map[string]Date{
		"2026-11-20T14:30:00Z": "2026-11-20",
		"2026-11-20T15:30:00Z": "2026-11-21",
	} {
		now, _ := time.Parse(time.RFC3339, at)
		if got := Clock(func() time.Time { return now }).Today(); got != want {
			t.Errorf("Today at %s = %s, want %s", at, got, want)
		}
	}
}

func TestParseDate(t *testing.T) {
	for _, s := range []string{"2024-02-29", "2024-02", "2024"} {
		if d, err := ParseDate(s); err != nil || string(d) != s {
			t.Errorf("ok/%s: %v %v", s, d, err)
		}
	}
	for _, s := range []string{"", "2023-02-29", "2024-13", "24-01-01", "2024-1-01", "２０２４", "2024-01-01T"} {
		if _, err := ParseDate(s); err == nil {
			t.Errorf("error/%q was accepted", s)
		}
	}
}

func TestYearsUntil(t *testing.T) {
	for _, c := range []struct {
		from, to Date
		want     int
	}{{"2000-03-01", "2026-02-28", 25}, {"2000-03-01", "2026-03-01", 26}, {"2004-02-29", "2025-02-28", 20}} {
		if got := c.from.YearsUntil(c.to); got != c.want {
			t.Errorf("%s..%s = %d, want %d", c.from, c.to, got, c.want)
		}
	}
}
