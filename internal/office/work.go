package office

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"akashi/internal/actor"
	"akashi/internal/audit"
	"akashi/internal/clock"
	"akashi/internal/fault"
)

// Work is what a job does with many things of an office, one by one, so that a process
// that dies has left each of them done or not. What fails is counted, and keeps nothing
// else from being done; while the service is away nothing is counted.
type Work[T any] struct {
	Log   *audit.Log
	Clock clock.Clock
	Store WorkStore
	Job   string                                                                          // who acts, where nobody has asked or whoever asked may not: "job:mail"
	Needs []Permission                                                                    // of whoever asked, when it is done
	Open  func(ctx context.Context, code string, waiting []string, most int) ([]T, error) // still to be done, in order, but of those who wait
	Of    func(item T) Item                                                               // what it is about
	Do    func(ctx context.Context, a actor.Actor, item T) error                          // fault Conflict "bulk_state" if somebody else is at it
	Again error                                                                           // that may be gone at the next try, though it looks as if only a person could help
	Tries int                                                                             // after which an item is left for a person
	Fail  func(ctx context.Context, code string, item T, fault string, tries int) error   // counts so many tries, inside an act
}

// WorkStore has whom a job works for; needs no act.
type WorkStore interface {
	Offices(ctx context.Context) ([]string, error)
	Office(ctx context.Context, code string) (Office, error)
	Staff(ctx context.Context, code, id string) (Staff, error)
}

// Item tells of one thing who asked for it, in which case, and the entry of a try that failed.
type Item struct {
	Person string // empty: it is the job's own act
	Case   string
	Try    audit.Entry
}

// ErrTaken is what Do returns where somebody else is at a thing: it is looked at again.
var ErrTaken = fault.New(fault.Conflict, "bulk_state", "")

// Each does at most so many things of each office (Step).
func (w Work[T]) Each(ctx context.Context, most int) (int, error) {
	return Each(ctx, w.Store.Offices, func(ctx context.Context, code string) (int, error) { return w.Step(ctx, code, most) })
}

// Step does at most so many things of an office that is not suspended. It returns how many
// are done, and the faults of the others. What is asked for by somebody who may not do it at
// this hour waits, and is in nobody's way.
func (w Work[T]) Step(ctx context.Context, code string, most int) (n int, err error) {
	items, err := w.open(ctx, code, most)
	if err != nil {
		return 0, err
	}
	for _, item := range items {
		// Looked up for each: who suspends an office stops what is going on.
		o, failed := w.Store.Office(ctx, code)
		if failed != nil || o.Settings.Suspended != nil {
			return n, errors.Join(err, failed)
		}
		a, failed := w.actor(ctx, code, item)
		if failed == nil && w.waits(o, a) { // since a moment ago
			continue
		}
		if failed == nil {
			failed = w.Do(ctx, a, item)
		}
		switch {
		case failed == nil:
			n++
		case errors.Is(failed, ErrTaken): // another node has it
		default:
			try := w.Of(item).Try
			err = errors.Join(err, fmt.Errorf("%s %s: %w", try.Action, try.Object, failed), w.fail(ctx, a, item, failed))
			if fault.CodeOf(failed) == fault.Unavailable {
				return n, err // so would be the others
			}
		}
	}
	return n, err
}

// open asks until nobody of the things it has waits.
func (w Work[T]) open(ctx context.Context, code string, most int) ([]T, error) {
	var waiting []string
	judged := map[string]bool{"": true}
	for {
		items, err := w.Open(ctx, code, waiting, most)
		if err != nil || len(items) == 0 {
			return nil, err
		}
		o, err := w.Store.Office(ctx, code)
		if err != nil {
			return nil, err
		}
		before := len(waiting)
		for _, item := range items {
			person := w.Of(item).Person
			if judged[person] {
				continue
			}
			judged[person] = true
			if a, err := w.actor(ctx, code, item); err == nil && w.waits(o, a) {
				waiting = append(waiting, person)
			}
		}
		if len(waiting) == before {
			return items, nil
		}
	}
}

func (w Work[T]) waits(o Office, a actor.Actor) bool {
	return slices.ContainsFunc(w.Needs, func(p Permission) bool { return !o.Settings.Lets(a, p, w.Clock.Now()) })
}

// actor is whoever asked, as long as he may do so himself; else the job.
func (w Work[T]) actor(ctx context.Context, code string, item T) (actor.Actor, error) {
	of := w.Of(item)
	job := actor.Actor{Office: code, Person: w.Job, Terminal: "jobs", Purpose: actor.Operate, Case: of.Case}
	if of.Person == "" {
		return job, nil
	}
	p, err := w.Store.Staff(ctx, code, of.Person)
	if err != nil {
		return job, err
	}
	a, err := p.OnBehalf(actor.Certificate, of.Case, w.Clock.Now(), w.Needs...)
	if err != nil {
		return job, err
	}
	return a, nil
}

// fail counts a try, and all of them where only a person can help.
func (w Work[T]) fail(ctx context.Context, a actor.Actor, item T, err error) error {
	tries := 1
	switch fault.CodeOf(err) {
	case fault.Unavailable:
		return nil
	case fault.Conflict, fault.NotFound, fault.Invalid, fault.Forbidden:
		if !errors.Is(err, w.Again) {
			tries = w.Tries
		}
	}
	return w.Log.Act(ctx, a, w.Of(item).Try, func(ctx context.Context, _ *audit.Entry) error {
		return w.Fail(ctx, a.Office, item, audit.Result(err), tries)
	})
}

// Each does something for one office after the other, whatever fails for another, and adds up.
func Each(ctx context.Context, offices func(context.Context) ([]string, error), do func(ctx context.Context, code string) (int, error)) (n int, err error) {
	codes, err := offices(ctx)
	if err != nil {
		return 0, err
	}
	for _, code := range codes {
		done, failed := do(ctx, code)
		n, err = n+done, errors.Join(err, failed)
	}
	return n, err
}
