package audit

import (
	"context"
	"encoding/json"
	"slices"
	"strconv"
	"time"

	"akashi/internal/actor"
	"akashi/internal/fault"
)

// Query asks for entries of one office; empty members ask for all (S-088).
type Query struct {
	Staff, Concerned, Action, Object string
	Of                               []string  // only what these did; nil: everybody
	From, Until                      time.Time // since, and before; zero: any time
	Before                           string    // id; newer ones are left out
	Limit                            int
}

// Told is an entry with its facts.
type Told struct {
	Record
	Facts map[string]string
}

// ReviewStore reads the log.
type ReviewStore interface {
	// Entries returns entries, newest first, inside an act or a look.
	Entries(ctx context.Context, office string, q Query) ([]Record, error)
}

// Reviews reads the log for those who may, and logs that it was read.
type Reviews struct {
	Log   *Log
	Store ReviewStore
}

// MaxExport is how many entries are taken out at once.
const MaxExport = 20_000

// Export gives write what the log of the actor's office has of a span of time, oldest first,
// and logs the SHA-256 of what it made of it, hex; fault TooLarge "export_too_many". Nothing is
// held up by it, and nothing may be given away when it fails.
func (r *Reviews) Export(ctx context.Context, a actor.Actor, from, until time.Time, write func(ctx context.Context, list []Record) (sha256 string, err error)) error {
	var list []Record
	var entry *Entry
	return r.Log.Look(ctx, a, Entry{Action: "log.export"}, func(ctx context.Context, e *Entry) error {
		found, err := r.Store.Entries(ctx, a.Office, Query{From: from, Until: until, Limit: MaxExport + 1})
		if err != nil {
			return err
		}
		if len(found) > MaxExport {
			return fault.New(fault.TooLarge, "export_too_many", "until").With("max", strconv.Itoa(MaxExport))
		}
		list, entry = found, e
		slices.Reverse(list)
		e.Fact("entries", strconv.Itoa(len(list)))
		e.Fact("from", from.UTC().Format(time.RFC3339))
		e.Fact("until", until.UTC().Format(time.RFC3339))
		return nil
	}, func(ctx context.Context) error {
		sum, err := write(ctx, list)
		if err == nil {
			entry.Fact("sha256", sum)
		}
		return err
	})
}

// Read returns entries of the actor's office. What was asked is logged as far as
// it is in the log already, so that a name that somebody types by mistake stays out.
func (r *Reviews) Read(ctx context.Context, a actor.Actor, q Query) (list []Told, err error) {
	err = r.Log.Act(ctx, a, Entry{Action: "log.read"}, func(ctx context.Context, e *Entry) error {
		found, err := r.Store.Entries(ctx, a.Office, q)
		if err != nil {
			return err
		}
		e.Fact("entries", strconv.Itoa(len(found)))
		if !q.From.IsZero() {
			e.Fact("from", q.From.UTC().Format(time.RFC3339))
		}
		if len(found) > 0 {
			e.Person = q.Concerned
			for name, value := range map[string]string{"staff": q.Staff, "action": q.Action, "object": q.Object} {
				if value != "" {
					e.Fact(name, value)
				}
			}
		}
		for _, record := range found {
			told := Told{Record: record}
			if err := json.Unmarshal(record.Canonical, &struct {
				Facts *map[string]string `json:"facts"`
			}{&told.Facts}); err != nil {
				return err
			}
			list = append(list, told)
		}
		return nil
	})
	return list, err
}
