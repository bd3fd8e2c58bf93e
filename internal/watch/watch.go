// Package watch reads the operation log for people: it raises alerts on what needs
// a look within minutes (S-089), and tells afterwards what a leak touched.
//
// Alerts are a function of the log in the order of its tree: whoever judges the
// same entries again finds the same ones, so that several nodes and a crash double
// nothing. What goes on about the same subject within an hour is one alert. They
// hold internal keys, codes and counts, and stand outside of the log, from which
// they can be made again.
package watch

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"sync"
	"time"

	"akashi/internal/audit"
	"akashi/internal/audit/tree"
	"akashi/internal/clock"
	"akashi/internal/idgen"
	"akashi/internal/office"
)

// Installation is the office of alerts that concern no office in particular.
const Installation = "000000"

// Alert is an episode of something that people must look at.
type Alert struct {
	Office    string
	ID        string
	Kind      string
	Subject   string            // internal key of an account, terminal, certificate, tree or node; may be empty
	FirstAt   time.Time         // of the event that raised it
	LastAt    time.Time         // of the latest event
	Count     int               // of events
	Facts     map[string]string // codes and counts as of the latest event
	Delivered time.Time         // zero: the receiver has not taken it
	SeenBy    string            // account that acknowledged it; empty if nobody did since LastAt
	SeenAt    time.Time
	Note      string // of who acknowledged it last, in words

	FirstMark, LastMark int64 // order of the events: places in the log, or times
}

// Event is one reason for an alert.
type Event struct {
	Office, Kind, Subject string
	Mark                  int64
	At                    time.Time
	Facts                 map[string]string
}

// Quiet is how long nothing happens before the next event is another alert.
const Quiet = time.Hour

// Store is the database.
type Store interface {
	Size(ctx context.Context, name tree.Name) (int64, error)
	Rows(ctx context.Context, name tree.Name, from, to int64, fn func(tree.Row) error) error
	Lead(ctx context.Context, lease, holder string, now, until time.Time, fn func(ctx context.Context) error) (bool, error)
	// Watched is the place of the next entry to be judged; KeepWatched sets it inside Lead.
	Watched(ctx context.Context) (int64, error)
	KeepWatched(ctx context.Context, place int64) error
	// Alerting runs fn in a transaction of the office, for LastAlert and SaveAlert.
	Alerting(ctx context.Context, office string, fn func(ctx context.Context) error) error
	LastAlert(ctx context.Context, office, kind, subject string) (a Alert, found bool, err error)
	SaveAlert(ctx context.Context, a Alert) error
	// UndeliveredAlerts returns those of all offices, oldest first.
	UndeliveredAlerts(ctx context.Context, limit int) ([]Alert, error)
	// KeepDelivered tells, inside Alerting, that an alert was taken.
	KeepDelivered(ctx context.Context, office, id string, at time.Time) error
	// Issued counts the certificates issued since from and before until, and the
	// clock hours in which there were any.
	Issued(ctx context.Context, office string, from, until time.Time) (certificates, hours int, err error)
	Office(ctx context.Context, code string) (office.Office, error)
}

// Service judges the log. It may run on every node; one leads.
type Service struct {
	Store  Store
	Holder string // this process
	Node   string // this machine, as people call it
	Clock  clock.Clock
	// Elapsed is a clock that nobody sets, since any time; nil: the machine's.
	Elapsed func() time.Duration
	// Other is the clock of another machine (S-104); zero where there is none. May be nil.
	Other func(ctx context.Context) (time.Time, error)
	IDs   idgen.Gen
	Send  *Receiver // nil: nobody is told; alerts are listed

	mu    sync.Mutex
	next  int64 // the place that memory is right for
	rules *rules
	beat  beat
}

const (
	lease     = "watch"
	leaseTime = time.Minute
	atOnce    = 2048 // entries that are judged before the place is kept
)

func (s *Service) lead(ctx context.Context, fn func(ctx context.Context) error) (bool, error) {
	now := s.Clock.Now()
	return s.Store.Lead(ctx, lease, s.Holder, now, now.Add(leaseTime), fn)
}

// Step judges what has come into the log and sends what nobody has taken.
func (s *Service) Step(ctx context.Context, logger *slog.Logger) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if err := errors.Join(s.checkClock(ctx), s.compareClock(ctx)); err != nil {
		return err
	}
	led, err := s.judge(ctx)
	if err != nil || !led || s.Send == nil {
		return err
	}
	return s.deliver(ctx, logger)
}

func (s *Service) judge(ctx context.Context) (led bool, err error) {
	if led, err = s.lead(ctx, func(context.Context) error { return nil }); err != nil || !led {
		return led, err
	}
	place, err := s.Store.Watched(ctx)
	if err != nil {
		return led, err
	}
	size, err := s.Store.Size(ctx, tree.Log)
	if err != nil || place >= size {
		return led, err
	}
	if s.rules == nil || s.next != place {
		if err := s.remember(ctx, place); err != nil {
			return led, err
		}
	}
	for place < size && led {
		until := min(place+atOnce, size)
		if err := s.judgeRange(ctx, place, until); err != nil {
			s.rules = nil
			return led, err
		}
		led, err = s.lead(ctx, func(ctx context.Context) error { return s.Store.KeepWatched(ctx, until) })
		if err != nil || !led {
			s.rules = nil
			return led, err
		}
		place, s.next = until, until
	}
	return led, nil
}

// remember makes memory what it was before the entry at the place: it judges the
// hour before once more, which raises nothing.
func (s *Service) remember(ctx context.Context, place int64) error {
	s.rules = newRules(s.Store)
	var past []entry
	for from := place; from > 0; {
		to := from
		from = max(from-atOnce, 0)
		block, err := s.entries(ctx, from, to)
		if err != nil {
			return err
		}
		past = append(block, past...)
		if len(past) > 0 && past[len(past)-1].at.Sub(past[0].at).Abs() > window {
			break
		}
	}
	s.next = place
	for _, e := range past {
		s.rules.count(e)
	}
	return nil
}

func (s *Service) judgeRange(ctx context.Context, from, to int64) error {
	entries, err := s.entries(ctx, from, to)
	if err != nil {
		return err
	}
	var events []Event
	for _, e := range entries {
		found, err := s.rules.judge(ctx, e)
		if err != nil {
			return err
		}
		events = append(events, found...)
	}
	s.rules.forget()
	return s.raise(ctx, events)
}

// entry is a row of the log as the rules read it.
type entry struct {
	audit.Record
	facts map[string]string
	at    time.Time
	place int64
}

func (s *Service) entries(ctx context.Context, from, to int64) (list []entry, err error) {
	err = s.Store.Rows(ctx, tree.Log, from, to, func(r tree.Row) error {
		if e, ok := read(r); ok {
			list = append(list, e)
		}
		return nil
	})
	return list, err
}

// read returns the entry; false where there is none to be read, which the proof of
// the log finds.
func read(r tree.Row) (e entry, ok bool) {
	if r.Columns == nil {
		return e, false
	}
	var told struct{ Facts map[string]string }
	if json.Unmarshal(r.Data, &told) != nil {
		return e, false
	}
	at, err := time.Parse(time.RFC3339, r.Columns.At)
	return entry{*r.Columns, told.Facts, at, r.Seq}, err == nil
}

// raise stores events, those about the same in one transaction.
func (s *Service) raise(ctx context.Context, events []Event) error {
	about := func(a, b Event) int {
		return cmp.Or(cmp.Compare(a.Office, b.Office), cmp.Compare(a.Kind, b.Kind), cmp.Compare(a.Subject, b.Subject))
	}
	slices.SortStableFunc(events, about)
	for len(events) > 0 {
		n := 1
		for n < len(events) && about(events[0], events[n]) == 0 {
			n++
		}
		same := events[:n]
		events = events[n:]
		err := s.Store.Alerting(ctx, same[0].Office, func(ctx context.Context) error { return s.keep(ctx, same) })
		if err != nil {
			return fmt.Errorf("watch: %w", err)
		}
	}
	return nil
}

// keep adds events about the same to the last alert, or begins new ones. Events
// that it holds already count once.
func (s *Service) keep(ctx context.Context, events []Event) error {
	first := events[0]
	a, found, err := s.Store.LastAlert(ctx, first.Office, first.Kind, first.Subject)
	if err != nil {
		return err
	}
	changed := false
	for _, e := range events {
		if found && e.Mark <= a.LastMark {
			continue
		}
		if found && e.At.Sub(a.LastAt).Abs() > Quiet {
			if changed {
				if err := s.Store.SaveAlert(ctx, a); err != nil {
					return err
				}
			}
			found = false
		}
		if !found {
			a = Alert{Office: e.Office, ID: s.IDs.Row(), Kind: e.Kind, Subject: e.Subject, FirstAt: e.At, FirstMark: e.Mark}
		}
		a.LastAt, a.LastMark, a.Facts = e.At, e.Mark, e.Facts
		a.Count++
		found, changed = true, true
	}
	if !changed {
		return nil
	}
	return s.Store.SaveAlert(ctx, a)
}

// Tell raises an alert on something that does not stand in the log and concerns
// the installation. Several nodes may tell the same: it is one alert.
func (s *Service) Tell(ctx context.Context, kind, subject string, facts map[string]string) error {
	now := s.Clock.Now().Truncate(time.Millisecond)
	e := Event{Installation, kind, subject, now.UnixMilli(), now, facts}
	_, err := s.Store.Lead(ctx, "alerts", s.Holder, now, time.UnixMilli(0), func(ctx context.Context) error {
		return s.keep(ctx, []Event{e})
	})
	return err
}
