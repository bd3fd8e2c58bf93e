package watch

import (
	"context"
	"slices"
	"strconv"
	"strings"
	"time"

	"akashi/internal/audit/tree"
	"akashi/internal/office"
)

// Kinds of alerts.
const (
	AfterHours       = "issued_after_hours" // an account issued while its office was closed (L-09)
	Rate             = "issue_rate"         // an office issues far more than usual
	Lookups          = "lookup_budget"      // an account looked up unusually many people (L-10)
	Stopped          = "lookup_refused"     // and was stopped
	Refusals         = "refusals"           // an account was refused often
	TerminalRefusals = "refusals_terminal"  // at a terminal somebody was refused often
	FourEyes         = "four_eyes"          // an account tried to be the second person of its own act
	Recovered        = "recovered"          // certificates were left half made, and finished or failed
	Failed           = "certificate_failed" // a certificate did not pass its own checks and was not released
	ClockStep        = "clock_step"         // a node's clock jumped
	ClockApart       = "clock_apart"        // a node's clock and the database server's do not agree
	LogBroken        = tree.AlarmBroken
	LogLate          = tree.AlarmLate
	LogCheckpoint    = tree.AlarmFailed
)

// Kinds lists all kinds.
var Kinds = []string{
	AfterHours, Rate, Lookups, Stopped, Refusals, TerminalRefusals, FourEyes, Recovered, Failed, ClockStep, ClockApart, LogBroken, LogLate, LogCheckpoint,
}

// Limits of S-089; [P] proposed.
const (
	window      = time.Hour
	usualDays   = 28 // that make what is usual
	usualTimes  = 3  // more than this often the usual rate
	fewIssues   = 30 // an hour are never too many [P]
	manyRefused = 20 // within the window, of an account or at a terminal [P]
	ownTwice    = 2  // attempts to be one's own second person [P]
)

// rules judge one entry after the other; what they count is of the last hour;
// times of a clock that has jumped since are not.
type rules struct {
	store   Store
	latest  time.Time // of the entry judged last
	seen    map[subject][]time.Time
	offices map[string]knownOffice
	usual   map[string]usualRate
}

type subject struct{ office, kind, key string }

type knownOffice struct {
	office.Settings
	until time.Time
}

type usualRate struct {
	hour time.Time
	rate float64
}

func newRules(store Store) *rules {
	return &rules{store: store, seen: map[subject][]time.Time{}, offices: map[string]knownOffice{}, usual: map[string]usualRate{}}
}

// counted are the subjects of which the entry is one more.
func counted(e entry) (list []subject) {
	issued := e.Action == "certificate.issue" && e.Result == "ok"
	if issued {
		list = append(list, subject{e.Office, Rate, ""})
	}
	if isRefusal(e.Result) {
		list = append(list, subject{e.Office, Refusals, e.Person}, subject{e.Office, TerminalRefusals, e.Terminal})
	}
	if isOwn(e.Result) {
		list = append(list, subject{e.Office, FourEyes, e.Person})
	}
	return list
}

// isRefusal tells whether somebody wanted what he may not, or what there is not.
func isRefusal(result string) bool {
	code, _, _ := strings.Cut(result, ":")
	return code == "forbidden" || code == "not_found"
}

// isOwn tells whether the second person was the first, or the one concerned.
func isOwn(result string) bool {
	return slices.Contains([]string{"forbidden:second_person", "forbidden:third_person", "forbidden:own_case"}, result)
}

// count adds an entry to what is counted and returns the counts with it.
func (r *rules) count(e entry) (subjects []subject, counts []int) {
	subjects = counted(e)
	for _, s := range subjects {
		recent := slices.DeleteFunc(r.seen[s], func(t time.Time) bool { return e.at.Sub(t).Abs() >= window })
		r.seen[s] = append(recent, e.at)
		counts = append(counts, len(r.seen[s]))
	}
	r.latest = e.at
	return subjects, counts
}

// forget drops what is older than the window.
func (r *rules) forget() {
	for s, times := range r.seen {
		if r.latest.Sub(times[len(times)-1]).Abs() >= window {
			delete(r.seen, s)
		}
	}
}

// judge returns the reasons for alerts that an entry is.
func (r *rules) judge(ctx context.Context, e entry) (events []Event, err error) {
	add := func(kind, key string, facts map[string]string) {
		events = append(events, Event{e.Office, kind, key, e.place, e.at, facts})
	}
	subjects, counts := r.count(e)
	for i, s := range subjects {
		facts := map[string]string{"within_hour": strconv.Itoa(counts[i])}
		switch s.kind {
		case Rate:
			tooMany, err := r.tooMany(ctx, e, counts[i], facts)
			if err != nil {
				return nil, err
			}
			if !tooMany {
				continue
			}
		case FourEyes:
			if counts[i] < ownTwice {
				continue
			}
		default:
			if counts[i] < manyRefused {
				continue
			}
		}
		add(s.kind, s.key, facts)
	}
	switch {
	case e.Action == "certificate.issue" && e.Result == "ok" && !strings.HasPrefix(e.Person, "job:"):
		open, err := r.open(ctx, e)
		if err != nil {
			return nil, err
		}
		if !open {
			add(AfterHours, e.Person, map[string]string{"terminal": e.Terminal})
		}
	case e.Action == "lookup.many" && e.Result == "ok":
		add(Lookups, e.Person, map[string]string{"within_hour": e.facts["within_hour"], "terminal": e.Terminal})
	case e.Result == "unavailable:budget":
		add(Stopped, e.Person, map[string]string{"terminal": e.Terminal})
	case e.Action == "certificate.recover" && e.Result == "ok":
		add(Recovered, "", nil)
	case e.Action == "certificate.fail" && e.Result == "ok":
		add(Failed, "", map[string]string{"reason": e.facts["reason"], "certificate": e.Object})
	case e.Result == "internal:lint":
		add(Failed, "", map[string]string{"reason": "lint", "case": e.Case})
	}
	return events, nil
}

// settingsLast is how long the rules of an office count without another look.
const settingsLast = 15 * time.Minute

// open tells whether the office worked at the time of the entry.
func (r *rules) open(ctx context.Context, e entry) (bool, error) {
	known, ok := r.offices[e.Office]
	if !ok || !e.at.Before(known.until) {
		o, err := r.store.Office(ctx, e.Office)
		if err != nil {
			return false, err
		}
		known = knownOffice{o.Settings, e.at.Add(settingsLast)}
		r.offices[e.Office] = known
	}
	return known.Hours.Open(e.at), nil
}

// tooMany tells whether an office issued more than usual within the hour, and
// writes down what is: the mean of the hours with any, of four weeks.
func (r *rules) tooMany(ctx context.Context, e entry, within int, facts map[string]string) (bool, error) {
	if within <= fewIssues {
		return false, nil
	}
	hour := e.at.Truncate(time.Hour)
	known, ok := r.usual[e.Office]
	if !ok || !known.hour.Equal(hour) {
		certificates, hours, err := r.store.Issued(ctx, e.Office, hour.AddDate(0, 0, -usualDays), hour)
		if err != nil {
			return false, err
		}
		known = usualRate{hour, float64(certificates) / float64(max(hours, 1))}
		r.usual[e.Office] = known
	}
	facts["usual"] = strconv.FormatFloat(known.rate, 'f', 1, 64)
	return float64(within) > usualTimes*known.rate, nil
}
