package office

import (
	"context"
	"strconv"
	"time"

	"akashi/internal/actor"
	"akashi/internal/audit"
	"akashi/internal/clock"
	"akashi/internal/fault"
)

// Lookups is how many people an account may look up within an hour (L-10).
type Lookups struct {
	Soft int `json:"soft"` // the next one is in the log, from which there is an alert (S-089)
	Hard int `json:"hard"` // the next one is refused
}

// DefaultLookups are those of a new office.
var DefaultLookups = Lookups{Soft: 200, Hard: 500}

// LookupStore counts look-ups for all nodes.
type LookupStore interface {
	// CountLookups adds n and returns how many there were, with them, in the hour
	// of the number slot and in the one before; it stops counting beyond most.
	// Needs no act.
	CountLookups(ctx context.Context, office, person string, slot int64, n, most int) (this, before int, err error)
}

// Budget bounds what one account can read (L-10, S-043).
type Budget struct {
	Log   *audit.Log
	Store LookupStore
	Clock clock.Clock
}

// Take counts n look-ups of the person and refuses them when there were too many
// in the past hour. The hour slides: what was counted in the clock hour before
// weighs as much as that still overlaps with the past 60 minutes.
func (b *Budget) Take(ctx context.Context, a actor.Actor, most Lookups, n int) error {
	now := b.Clock.Now()
	slot, passed := now.Unix()/3600, now.Sub(now.Truncate(time.Hour))
	this, before, err := b.Store.CountLookups(ctx, a.Office, a.Person, slot, n, most.Hard+2*n)
	if err != nil {
		return err
	}
	within := this + int(float64(before)*(1-passed.Hours()))
	if within-n <= most.Soft && most.Soft < within { // this one crosses the line
		if err := b.Log.Act(ctx, a, entryOf(within), func(context.Context, *audit.Entry) error { return nil }); err != nil {
			return err
		}
	}
	if within <= most.Hard {
		return nil
	}
	return fault.New(fault.Unavailable, "budget", "").With("max", strconv.Itoa(most.Hard))
}

func entryOf(within int) audit.Entry {
	e := audit.Entry{Action: "lookup.many"}
	e.Fact("within_hour", strconv.Itoa(within))
	return e
}
