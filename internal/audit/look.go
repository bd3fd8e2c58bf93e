package audit

import (
	"context"
	"errors"
	"sync/atomic"

	"akashi/internal/actor"
)

// Look runs read, which reads about a person and writes nothing, and then use, which
// acts on what was read. The entry of the look is stored with the first act within
// use, in its transaction; where use ends without one, in an act of its own, before
// Look returns. So nobody gets an answer from a look that is not in the log (S-083),
// and when it cannot be stored, Look fails and the caller must answer nothing
// (S-084). A read that fails is refused like an act.
func (l *Log) Look(ctx context.Context, a actor.Actor, e Entry, read func(ctx context.Context, e *Entry) error, use func(ctx context.Context) error) (err error) {
	if err := e.check(a); err != nil {
		return err
	}
	seen, err := l.Book.Look(ctx, a.Office, func(ctx context.Context) error { return read(ctx, &e) })
	if err != nil {
		return l.Refuse(ctx, a, e, err)
	}
	o := &owed{office: a.Office, record: func() (Record, error) { return l.record(a, e, "ok") }}
	ctx = context.WithValue(seen, owedKey{}, o)
	defer func() { // a panic in use does not lose it either
		if !o.stored.Load() {
			err = errors.Join(l.store(context.WithoutCancel(ctx), o), err)
		}
	}()
	return use(ctx)
}

// owed is the entry of a look that is not stored yet. Its time is that of storing, so
// that it never appears long after it (tree.Late), however long use takes.
type owed struct {
	office string
	record func() (Record, error)
	stored atomic.Bool // or an act is about to
}

type owedKey struct{}

// act stores the record that fn returns, and before it that of the look which the
// act is for.
func (l *Log) act(ctx context.Context, office string, fn func(ctx context.Context) (Record, *Once, error)) error {
	o, _ := ctx.Value(owedKey{}).(*owed)
	if o == nil || o.office != office || !o.stored.CompareAndSwap(false, true) {
		o = nil
	}
	err := l.Book.Act(ctx, office, func(ctx context.Context) ([]Record, *Once, error) {
		var records []Record // in the order of their ids
		if o != nil {
			look, err := o.record()
			if err != nil {
				return nil, nil, err
			}
			records = append(records, look)
		}
		r, once, err := fn(ctx)
		return append(records, r), once, err
	})
	if o != nil && err != nil {
		o.stored.Store(false)
	}
	return err
}

// store writes the entry of a look that no act has taken.
func (l *Log) store(ctx context.Context, o *owed) error {
	return l.Book.Act(ctx, o.office, func(context.Context) ([]Record, *Once, error) {
		r, err := o.record()
		return []Record{r}, nil, err
	})
}
