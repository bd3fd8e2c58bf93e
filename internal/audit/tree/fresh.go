package tree

import (
	"context"
	"sync"
	"time"

	"golang.org/x/mod/sumdb/note"

	"akashi/internal/clock"
	"akashi/internal/merkle"
)

// ReadOnly is the age of the last checkpoint from which on nothing personal is done.
const ReadOnly = 15 * time.Minute

// Freshness tells whether the log is being signed (S-086).
type Freshness struct {
	Store Store
	Clock clock.Clock
	Key   note.Verifier

	mu      sync.Mutex
	started time.Time // the first question
	looked  time.Time
	last    time.Time
}

// lookEvery is how long it counts that the log is fresh; that it is stale counts for one question.
const lookEvery = 5 * time.Second

// Stale tells whether the last checkpoint of the operation log is too old for
// anything personal to be done. Only what is stored and signed counts, whichever
// process made it: a start gives a log that is known as changed no time. An
// installation that never had a checkpoint has as much time for the first one.
func (f *Freshness) Stale(ctx context.Context) (bool, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	now := f.Clock.Now()
	if f.started.IsZero() {
		f.started = now
	}
	if now.Sub(f.last) >= ReadOnly || now.Sub(f.looked).Abs() >= lookEvery {
		text, _, err := f.Store.LastCheckpoint(ctx, Log)
		if err != nil {
			return false, err
		}
		f.looked, f.last = now, f.signed(text)
	}
	return now.Sub(f.last) >= ReadOnly, nil
}

// signed is the time that a checkpoint says; zero if it is none of this log.
func (f *Freshness) signed(text string) time.Time {
	if text == "" {
		return f.started
	}
	c, err := merkle.OpenCheckpoint(text, f.Key)
	if err != nil {
		return time.Time{}
	}
	return c.Time
}
