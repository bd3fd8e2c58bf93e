package office

import (
	"context"
	"errors"
	"fmt"

	"akashi/internal/actor"
	"akashi/internal/fault"
)

// Work is what a job does with many things of an office, one by one, so that a process
// that dies has left each of them done or not. What fails is counted, and keeps nothing
// else from being done; while the service is away nothing is counted.
type Work[T any] struct {
	Office func(ctx context.Context, code string) (Office, error)
	Open   func(ctx context.Context, code string, most int) ([]T, error) // still to be done, in order
	// Do does one and tells as whom; fault Conflict "bulk_state" if somebody else is at it.
	Do     func(ctx context.Context, code string, item T) (actor.Actor, error)
	Failed func(ctx context.Context, a actor.Actor, item T, err error) error // counts a try
	Name   func(item T) string                                               // for errors: internal keys only
}

var errTaken = fault.New(fault.Conflict, "bulk_state", "")

// Step does at most so many things of an office that is not suspended. It returns how many
// are done, and the faults of the others.
func (w Work[T]) Step(ctx context.Context, code string, most int) (n int, err error) {
	items, err := w.Open(ctx, code, most)
	if err != nil {
		return 0, err
	}
	for _, item := range items {
		// Looked up for each: who suspends an office stops what is going on.
		o, failed := w.Office(ctx, code)
		if failed != nil || o.Settings.Suspended != nil {
			return n, errors.Join(err, failed)
		}
		switch a, failed := w.Do(ctx, code, item); {
		case failed == nil:
			n++
		case errors.Is(failed, errTaken): // another node has it
		default:
			err = errors.Join(err, fmt.Errorf("%s: %w", w.Name(item), failed), w.Failed(ctx, a, item, failed))
			if fault.CodeOf(failed) == fault.Unavailable {
				return n, err // so would be the others
			}
		}
	}
	return n, err
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
