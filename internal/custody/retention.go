package custody

import (
	"context"
	"errors"
	"slices"
	"strconv"
	"time"

	"akashi/internal/actor"
	"akashi/internal/audit"
	"akashi/internal/fault"
	"akashi/internal/office"
)

// Retain is the kind of approval that lets a list be erased; its object is the
// run's id.
const Retain = "retention.erase"

// Class of what is kept for a time of its own.
type Class string

const (
	Persons      Class = "persons"      // of the register, with doses and individual number
	Applications Class = "applications" // with passport data and the content of certificates
	LogEntries   Class = "log"          // of the office; the object is the place before which
)

// Due is something that was kept long enough.
type Due struct {
	Class   Class
	Object  string
	Since   time.Time // of the last that happened to it
	Outcome string    // empty: not handled; else Erased, Held, Changed or, of the log, Begun
}

// Outcomes of what was on a list.
const (
	Erased  = "erased"
	Held    = "held"    // somebody keeps it from being erased
	Changed = "changed" // something happened since the list was made, or it is gone
	Begun   = "begun"   // entries of the log, a part at a time
)

// Run is a list of what is due, for people to look at, and its erasure.
type Run struct {
	ID                 string
	Made, Began, Ended time.Time
	Approved           bool // two people let it be erased
	Items              []Due
	Tally              []Tally // of the items, by class and outcome
}

// Tally is how many of a class came to an outcome; none yet: empty.
type Tally struct {
	Class   Class
	Outcome string
	Count   int
}

// State is what became of a list: waiting for two people, approved, erasing, erased,
// replaced by a newer one before anybody began it, or empty.
func (r Run) State() string {
	switch began, ended := !r.Began.IsZero(), !r.Ended.IsZero(); {
	case began && ended:
		return "erased"
	case began:
		return "erasing"
	case ended && len(r.Tally) == 0:
		return "empty"
	case ended:
		return "replaced"
	case r.Approved:
		return "approved"
	}
	return "waiting"
}

// RetentionStore keeps runs and erases what is on them.
type RetentionStore interface {
	Office(ctx context.Context, code string) (office.Office, error)
	// Due returns what is older, oldest first, inside an act.
	Due(ctx context.Context, office string, class Class, before time.Time, limit int) ([]Due, error)
	// AddRun stores a list and ends those that nobody began, inside an act.
	AddRun(ctx context.Context, office string, r Run) error
	// Runs returns lists without items, newest first; LastRun the newest and Run one
	// of them: fault NotFound "retention_run".
	Runs(ctx context.Context, office, before string, limit int) ([]Run, error)
	LastRun(ctx context.Context, office string) (Run, error)
	Run(ctx context.Context, office, id string) (Run, error)
	// RunPage returns what is on a list, by class and object, after one of them.
	RunPage(ctx context.Context, office, run string, after Due, limit int) ([]Due, error)
	// RunItems returns what is on a list; open: only what was not handled.
	RunItems(ctx context.Context, office, run string, open bool, limit int) ([]Due, error)
	// BeginRun, EndRun and Handled note how far a run is, inside an act.
	BeginRun(ctx context.Context, office, run string) error
	EndRun(ctx context.Context, office, run string) error
	Handled(ctx context.Context, office, run string, d Due) error
	// EraseApplication erases one that was not changed since the time, inside an act;
	// faults as ErasePerson, and NotFound "application".
	EraseApplication(ctx context.Context, office, id string, before time.Time) (Erasure, error)
	// StillDue tells, inside an act, whether nothing happened to a person since.
	StillDue(ctx context.Context, office, personID string, before time.Time) (bool, error)
	// CheckpointBefore is the size of the log that was signed at the time.
	CheckpointBefore(ctx context.Context, at time.Time) (int64, error)
	Pruned(ctx context.Context) (map[string]int64, error)
	PruneLog(ctx context.Context, office string, before time.Time, from, to int64) (removed int, err error)
	PruneAlerts(ctx context.Context, office string, before time.Time) error
}

// Retention is the job that erases what was kept long enough (S-077, S-087): it
// makes a list, and when two people have approved that, it erases what is on it,
// one thing in each act, wherever a process before it stopped.
type Retention struct {
	*Service
	Kept RetentionStore
	Now  func() time.Time
	IDs  func() string
	// Archive keeps the entries of the log that will be removed, somewhere and
	// encrypted; nil: only what was kept for ArchiveYears is removed.
	Archive func(ctx context.Context, office string, until int64) error
}

const (
	// ArchiveYears is how long entries of the log are kept in some form [P] (S-087).
	ArchiveYears = 7
	listed       = 10_000             // of each class on a list; the rest comes with the next
	Listed       = 3 * listed         // at most on a list
	listEvery    = 7 * 24 * time.Hour // a list that nobody approved is made again
	pruneStep    = 5000               // places of the log in one transaction
)

// before is until when something may have happened last.
func before(now time.Time, years int) time.Time { return now.AddDate(-years, 0, -1) }

// List makes a list of what is due in the actor's office now. It erases nothing.
func (r *Retention) List(ctx context.Context, a actor.Actor) (run Run, err error) {
	o, err := r.Kept.Office(ctx, a.Office)
	if err != nil {
		return run, err
	}
	keep, now := o.Settings.Keep.OrDefault(), r.Now().Truncate(time.Millisecond)
	run = Run{ID: r.IDs(), Made: now}
	until, err := r.prunable(ctx, a.Office, keep, now)
	if err != nil {
		return run, err
	}
	err = r.Log.Act(ctx, a, audit.Entry{Action: "retention.list", Object: run.ID}, func(ctx context.Context, e *audit.Entry) error {
		for class, years := range map[Class]int{Persons: keep.Records, Applications: keep.Applications} {
			due, err := r.Kept.Due(ctx, a.Office, class, before(now, years), listed)
			if err != nil {
				return err
			}
			run.Items = append(run.Items, due...)
			e.Fact(string(class), strconv.Itoa(len(due)))
		}
		if until > 0 {
			run.Items = append(run.Items, Due{Class: LogEntries, Object: strconv.FormatInt(until, 10), Since: before(now, r.logYears(keep))})
			e.Fact(string(LogEntries), strconv.FormatInt(until, 10))
		}
		return r.Kept.AddRun(ctx, a.Office, run)
	})
	return run, err
}

// Runs returns the lists of the actor's office, newest first, without items.
func (r *Retention) Runs(ctx context.Context, a actor.Actor, before string, limit int) (list []Run, err error) {
	err = r.Log.Act(ctx, a, audit.Entry{Action: "retention.list_runs"}, func(ctx context.Context, _ *audit.Entry) (err error) {
		list, err = r.Kept.Runs(ctx, a.Office, before, limit)
		return err
	})
	return list, err
}

// Run reads one list with what is on it after an item, by class and object: for those
// who look at it before they let it be erased.
func (r *Retention) Run(ctx context.Context, a actor.Actor, id string, after Due, limit int) (run Run, err error) {
	err = r.Log.Act(ctx, a, audit.Entry{Action: "retention.read", Object: id}, func(ctx context.Context, _ *audit.Entry) (err error) {
		if run, err = r.Kept.Run(ctx, a.Office, id); err == nil {
			run.Items, err = r.Kept.RunPage(ctx, a.Office, id, after, limit)
		}
		return err
	})
	return run, err
}

// logYears is how long entries of the log stay where they are.
func (r *Retention) logYears(keep office.Keeping) int {
	if r.Archive == nil {
		return max(keep.Log, ArchiveYears)
	}
	return keep.Log
}

// prunable is the place before which entries of the log are due; 0 if none are.
func (r *Retention) prunable(ctx context.Context, office string, keep office.Keeping, now time.Time) (int64, error) {
	until, err := r.Kept.CheckpointBefore(ctx, before(now, r.logYears(keep)))
	if err != nil || until == 0 {
		return 0, err
	}
	pruned, err := r.Kept.Pruned(ctx)
	if until <= pruned[office] {
		until = 0
	}
	return until, err
}

// Step goes on in all offices: it erases what was approved, and makes a list where
// something is due and none is open.
func (r *Retention) Step(ctx context.Context, by func(office string) actor.Actor) (done []Run, err error) {
	offices, err := r.Store.Offices(ctx)
	if err != nil {
		return nil, err
	}
	var errs []error
	for _, code := range offices {
		run, err := r.Kept.LastRun(ctx, code)
		last := run.Ended
		if last.IsZero() {
			last = run.Made
		}
		switch {
		case fault.CodeOf(err) == fault.NotFound:
			_, err = r.List(ctx, by(code))
		case err != nil:
		case run.Ended.IsZero() && (run.Approved || !run.Began.IsZero()):
			if err = r.Erase(ctx, by(code), run.ID); err == nil {
				done = append(done, run)
			}
		case r.Now().Sub(last) >= listEvery:
			_, err = r.List(ctx, by(code))
		}
		errs = append(errs, err)
	}
	return done, errors.Join(errs...)
}

// ErrNoArchive tells that entries of the log were to be archived, and nothing
// archives now: they stay, and the list stays open, until something does or the
// office keeps them for longer.
var ErrNoArchive = errors.New("custody: entries of the log that are to be removed cannot be archived: there is no recipient of backups")

// Erase erases what is on the open list of the actor's office, with an approval
// of two people, and goes on with one that was begun. ErrNoArchive keeps nothing
// else on the list from being erased.
func (r *Retention) Erase(ctx context.Context, a actor.Actor, id string) error {
	run, err := r.Kept.LastRun(ctx, a.Office)
	if err == nil && (run.ID != id || !run.Ended.IsZero()) {
		err = fault.New(fault.NotFound, "retention_run", "")
	}
	if err != nil {
		return err
	}
	if run.Began.IsZero() {
		err := r.Log.Act(ctx, a, audit.Entry{Action: "retention.begin", Object: id}, func(ctx context.Context, _ *audit.Entry) error {
			if err := r.use(ctx, a, Retain, id, nil); err != nil {
				return err
			}
			return r.Kept.BeginRun(ctx, a.Office, id)
		})
		if err != nil {
			return err
		}
	}
	var refused error
	for {
		items, err := r.Kept.RunItems(ctx, a.Office, id, true, someItems)
		if err != nil {
			return err
		}
		o, err := r.Kept.Office(ctx, a.Office)
		if err != nil {
			return err
		}
		items = slices.DeleteFunc(items, func(d Due) bool { return refused != nil && d.Class == LogEntries })
		if len(items) == 0 && refused != nil {
			return refused
		}
		if len(items) == 0 {
			return r.end(ctx, a, id)
		}
		for _, d := range items {
			switch err := r.erase(ctx, a, o.Settings.Keep.OrDefault(), run, d); {
			case errors.Is(err, ErrNoArchive):
				refused = err
			case err != nil:
				return err
			}
		}
	}
}

// someItems is how many things are read at a time.
const someItems = 500

// end says in the log what became of the list: the proof of the erasure.
func (r *Retention) end(ctx context.Context, a actor.Actor, id string) error {
	items, err := r.Kept.RunItems(ctx, a.Office, id, false, Listed)
	if err != nil {
		return err
	}
	counts := map[string]int{}
	for _, d := range items {
		counts[string(d.Class)+" "+d.Outcome]++
	}
	return r.Log.Act(ctx, a, audit.Entry{Action: "retention.end", Object: id}, func(ctx context.Context, e *audit.Entry) error {
		for what, n := range counts {
			e.Fact(what, strconv.Itoa(n))
		}
		return r.Kept.EndRun(ctx, a.Office, id)
	})
}

func (r *Retention) erase(ctx context.Context, a actor.Actor, keep office.Keeping, run Run, d Due) error {
	if d.Class == LogEntries {
		return r.prune(ctx, a, run, d)
	}
	e := audit.Entry{Action: "retention.erase", Object: d.Object}
	if d.Class == Persons {
		e.Person = d.Object
	}
	return r.Log.Act(ctx, a, e, func(ctx context.Context, e *audit.Entry) error {
		var done Erasure
		var err error
		if d.Class == Persons {
			var still bool
			if still, err = r.Kept.StillDue(ctx, a.Office, d.Object, before(r.Now(), keep.Records)); err == nil {
				if still {
					done, err = r.Store.ErasePerson(ctx, a.Office, d.Object)
				} else {
					err = fault.New(fault.NotFound, "person", "")
				}
			}
		} else {
			done, err = r.Kept.EraseApplication(ctx, a.Office, d.Object, before(r.Now(), keep.Applications))
		}
		switch d.Outcome = Erased; {
		case fault.CodeOf(err) == fault.NotFound:
			d.Outcome = Changed
		case fault.CodeOf(err) == fault.Conflict:
			d.Outcome = Held
		case err != nil:
			return err
		}
		e.Fact("class", string(d.Class))
		e.Fact("outcome", d.Outcome)
		e.Fact("keys", strconv.Itoa(done.Keys))
		return r.Kept.Handled(ctx, a.Office, run.ID, d)
	})
}
