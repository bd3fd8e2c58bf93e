// Package statistics counts what an office does: certificates by day, kind, channel and state,
// refusals by reason, time per case.
//
// It promises figures without persons: nothing that it reads, gives or logs names one. Inside the
// office a figure is shown as it is, because whoever may see it may open the cases behind it; in
// a table that leaves the house, counts below ten are withheld (R-253, S-095).
package statistics

import (
	"cmp"
	"context"
	"maps"
	"slices"
	"strconv"

	"akashi/certificate"
	"akashi/internal/actor"
	"akashi/internal/application"
	"akashi/internal/audit"
	"akashi/internal/clock"
	"akashi/internal/fault"
)

// MaxDays is the longest span.
const MaxDays = 400

// Question says of what.
type Question struct {
	From, To clock.Date       // Japan's dates, both included
	Kind     certificate.Kind // empty: all kinds
}

// check refuses a span that is none or too long.
func (q Question) check() error {
	for _, d := range []struct {
		field string
		date  clock.Date
	}{{"from", q.From}, {"to", q.To}} {
		if parsed, err := clock.ParseDate(string(d.date)); err != nil || !parsed.Full() {
			return fault.New(fault.Invalid, "date", d.field)
		}
	}
	if q.Kind != "" && !slices.Contains(certificate.Kinds(), q.Kind) {
		return fault.New(fault.Invalid, "unknown_value", "kind")
	}
	if n := q.From.DaysUntil(q.To); n < 0 || n >= MaxDays {
		return fault.New(fault.Invalid, "span", "to").With("max", strconv.Itoa(MaxDays))
	}
	return nil
}

// Issued is how many certificates are alike: issued on the same day, of one kind, channel and
// present state, and after the same time.
type Issued struct {
	Day                  clock.Date
	Kind, Channel, State string
	Seconds              int // since the application was made, by the minute from ten on; -1: not the first of its application
	Count                int
}

// Refused is how many applications were refused for the same reasons.
type Refused struct {
	Reasons []application.Reason
	Count   int
}

// Store counts; no act is needed.
type Store interface {
	// CountIssued counts what was issued, by day.
	CountIssued(ctx context.Context, office string, q Question) ([]Issued, error)
	// CountRefused counts what was refused in the span.
	CountRefused(ctx context.Context, office string, q Question) ([]Refused, error)
}

// Service is the use case.
type Service struct {
	Log   *audit.Log
	Store Store
}

// Cell is one count.
type Cell struct {
	Key   string // a day, a code
	Count int
}

// Case is the time per case: the first certificates that were issued on a day, and how long after
// the application was made, in seconds, for the middle one and for nine in ten.
type Case struct {
	Day                clock.Date // empty: of the whole span
	Count, Median, P90 int
}

// Figures is what was counted. Lists by a code are by falling count; days without anything are there.
type Figures struct {
	Question
	Issued, Refused                         int
	Days, Kinds, Channels, States, Refusals []Cell
	Cases                                   []Case // days with a case
	Whole                                   Case
}

// Count counts. The look is logged, though it is of nobody.
func (s *Service) Count(ctx context.Context, a actor.Actor, q Question) (Figures, error) {
	if err := q.check(); err != nil {
		return Figures{}, err
	}
	e := audit.Entry{Action: "statistic.read"}
	e.Fact("from", string(q.From))
	e.Fact("to", string(q.To))
	e.Fact("kind", string(q.Kind))
	if err := s.Log.Act(ctx, a, e, func(context.Context, *audit.Entry) error { return nil }); err != nil {
		return Figures{}, err
	}
	issued, err := s.Store.CountIssued(ctx, a.Office, q)
	if err != nil {
		return Figures{}, err
	}
	refused, err := s.Store.CountRefused(ctx, a.Office, q)
	return figures(q, issued, refused), err
}

func figures(q Question, issued []Issued, refused []Refused) Figures {
	f := Figures{Question: q}
	days, kinds, channels, states, reasons := tally{}, tally{}, tally{}, tally{}, tally{}
	for d := q.From; d != q.To; d = d.AddDays(1) {
		days[string(d)] = 0
	}
	days[string(q.To)] = 0
	took, whole := map[clock.Date]spread{}, spread{}
	for _, i := range issued {
		f.Issued += i.Count
		days[string(i.Day)] += i.Count
		kinds[i.Kind] += i.Count
		channels[i.Channel] += i.Count
		states[i.State] += i.Count
		if i.Seconds >= 0 {
			if took[i.Day] == nil {
				took[i.Day] = spread{}
			}
			took[i.Day][i.Seconds] += i.Count
			whole[i.Seconds] += i.Count
		}
	}
	for _, r := range refused {
		f.Refused += r.Count
		for code := range codes(r.Reasons) {
			reasons[code] += r.Count
		}
	}
	f.Days, f.Kinds, f.Channels, f.States, f.Refusals = days.byKey(), kinds.byCount(), channels.byCount(), states.byCount(), reasons.byCount()
	for _, d := range slices.Sorted(maps.Keys(took)) {
		f.Cases = append(f.Cases, took[d].of(d))
	}
	f.Whole = whole.of("")
	return f
}

// codes are the codes of reasons, each once.
func codes(reasons []application.Reason) map[string]bool {
	set := map[string]bool{}
	for _, r := range reasons {
		set[r.Code] = true
	}
	return set
}

// tally counts by a code.
type tally map[string]int

func (t tally) byKey() (list []Cell) {
	for _, key := range slices.Sorted(maps.Keys(t)) {
		list = append(list, Cell{key, t[key]})
	}
	return list
}

func (t tally) byCount() []Cell {
	list := t.byKey()
	slices.SortStableFunc(list, func(a, b Cell) int { return cmp.Compare(b.Count, a.Count) })
	return list
}

// spread is how many cases took how many seconds.
type spread map[int]int

func (s spread) of(d clock.Date) Case {
	c := Case{Day: d}
	for _, n := range s {
		c.Count += n
	}
	c.Median, c.P90 = s.rank((c.Count+1)/2), s.rank((9*c.Count+9)/10)
	return c
}

// rank is the time of the nth case, from 1.
func (s spread) rank(n int) int {
	for _, seconds := range slices.Sorted(maps.Keys(s)) {
		if n -= s[seconds]; n <= 0 {
			return seconds
		}
	}
	return 0
}
