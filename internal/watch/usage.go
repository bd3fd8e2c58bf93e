package watch

import (
	"cmp"
	"context"
	"slices"
	"strconv"
	"strings"
	"time"

	"akashi/internal/actor"
	"akashi/internal/audit"
	"akashi/internal/audit/tree"
	"akashi/internal/clock"
	"akashi/internal/fault"
	"akashi/internal/office"
)

// MaxDays is for how many days the look-ups are counted at once.
const MaxDays = 31

// Usage is what an account looked up on a day: counts only (R-132, R-175, L-10).
type Usage struct {
	Day       clock.Date     `json:"day"`
	Staff     string         `json:"staff"`
	Lookups   int            `json:"lookups" doc:"acts that showed a person's data, or asked the register for a person"`
	Persons   int            `json:"persons" doc:"different persons, as far as the log names them"`
	Purposes  map[string]int `json:"purposes" doc:"of the look-ups"`
	Loose     int            `json:"without_application" doc:"of the look-ups: no application or number case behind them"`
	Closed    int            `json:"outside_hours" doc:"of the look-ups: by the opening hours as they are now"`
	Refused   int            `json:"refused" doc:"tried and refused"`
	Own       int            `json:"own_case" doc:"of the refused: a case of one's own or of one's household"`
	TakenBack int            `json:"withdrawn" doc:"applications that the account withdrew, after it may have looked somebody up"`
}

// Usages is the table of a span of days, and how far it is proven.
type Usages struct {
	Rows    []Usage `json:"rows"`
	Entries int     `json:"entries" doc:"of the log, that were read for it"`
	Proven  int     `json:"proven" doc:"of these: under a signed checkpoint"`
}

// UsageStore reads the log of an office.
type UsageStore interface {
	// Day calls fn with the entries of a time, in no order; those without a place are at -1.
	Day(ctx context.Context, office string, from, until time.Time, fn func(tree.Row) error) error
	Covered(ctx context.Context) (int64, error) // size of the last checkpoint of the log
	Office(ctx context.Context, code string) (office.Office, error)
}

// UsageReports counts look-ups by account and day for those who answer for it.
type UsageReports struct {
	Log   *audit.Log
	Store UsageStore
}

// Read counts from the first day to the last; of accounts, if not nil, only these.
func (r *UsageReports) Read(ctx context.Context, a actor.Actor, first, last clock.Date, of []string) (told Usages, err error) {
	if first > last || last > first.AddDays(MaxDays-1) {
		return told, fault.New(fault.Invalid, "days", "until").With("max", strconv.Itoa(MaxDays))
	}
	err = r.Log.Act(ctx, a, audit.Entry{Action: "lookup.list"}, func(_ context.Context, e *audit.Entry) error {
		e.Fact("from", string(first))
		e.Fact("until", string(last))
		return nil
	})
	if err == nil { // after the act: reading a month is no reason for others to wait
		told, err = r.count(ctx, a.Office, first, last, of)
	}
	return told, err
}

func (r *UsageReports) count(ctx context.Context, code string, first, last clock.Date, of []string) (told Usages, err error) {
	o, err := r.Store.Office(ctx, code)
	if err != nil {
		return told, err
	}
	covered, err := r.Store.Covered(ctx)
	if err != nil {
		return told, err
	}
	c := counter{hours: o.Settings.Hours, rows: map[about]*Usage{}, persons: map[about]map[string]bool{}}
	err = r.Store.Day(ctx, code, first.Begins(), last.AddDays(1).Begins(), func(row tree.Row) error {
		if of != nil && !slices.Contains(of, row.Columns.Person) {
			return nil
		}
		told.Entries++
		if row.Seq >= 0 && row.Seq < covered {
			told.Proven++
		}
		c.add(*row.Columns)
		return nil
	})
	told.Rows = c.sorted()
	return told, err
}

// about is whom and when a row of the table is about.
type about struct {
	day   clock.Date
	staff string
}

type counter struct {
	hours   office.Hours
	rows    map[about]*Usage
	persons map[about]map[string]bool
}

// looksUp tells whether an act shows a person's data or asks for a person.
func looksUp(action string) bool {
	if action == "application.create" || action == "application.withdraw" { // tell nothing of the register
		return false
	}
	classes, _ := lookUp(shows, action)
	return action == "account.add_kin" || len(classes) > 0 && !slices.Contains(classes, accountData)
}

func (c *counter) add(e audit.Record) {
	at, err := time.Parse(time.RFC3339, e.At)
	if err != nil || strings.HasPrefix(e.Person, "job:") {
		return
	}
	taken := e.Action == "application.withdraw" && e.Result == "ok"
	if !looksUp(e.Action) && !taken {
		return
	}
	key := about{clock.DateOf(at), e.Person}
	u := c.rows[key]
	if u == nil {
		u = &Usage{Day: key.day, Staff: key.staff, Purposes: map[string]int{}}
		c.rows[key], c.persons[key] = u, map[string]bool{}
	}
	switch {
	case taken:
		u.TakenBack++
	case e.Result != "ok":
		u.Refused++
		if e.Result == ownCase {
			u.Own++
		}
	default:
		u.Lookups++
		u.Purposes[e.Purpose]++
		if !c.hours.Open(at) {
			u.Closed++
		}
		noun, _, _ := strings.Cut(e.Action, ".")
		if e.Case == "" && noun != "application" && noun != "certificate" { // these name theirs by the object
			u.Loose++
		}
		if e.Concerned != "" && !c.persons[key][e.Concerned] {
			c.persons[key][e.Concerned] = true
			u.Persons++
		}
	}
}

// ownCase is how the log says that a case was the person's own.
const ownCase = "forbidden:own_case"

// sorted are the rows, newest day first, then who looked up most.
func (c *counter) sorted() []Usage {
	list := []Usage{}
	for _, u := range c.rows {
		if u.Lookups+u.Refused+u.TakenBack > 0 {
			list = append(list, *u)
		}
	}
	slices.SortFunc(list, func(a, b Usage) int {
		return cmp.Or(cmp.Compare(b.Day, a.Day), b.Lookups-a.Lookups, cmp.Compare(a.Staff, b.Staff))
	})
	return list
}
