package audit

import (
	"context"
	"errors"
	"sync"

	"akashi/internal/actor"
)

// Look runs read, which reads about a person and writes nothing, and then use, which
// acts on what was read. The entry of the look is stored with the first act within
// use, in its transaction; where use ends without one, in an act of its own, before
// Look returns. So nobody gets an answer from a look that is not in the log (S-083),
// and when it cannot be stored, Look fails and the caller must answer nothing
// (S-084). A read that fails is refused like an act. A look within the use of another
// is stored with it.
func (l *Log) Look(ctx context.Context, a actor.Actor, e Entry, read func(ctx context.Context, e *Entry) error, use func(ctx context.Context) error) (err error) {
	if err := e.check(a); err != nil {
		return err
	}
	seen, err := l.Book.Look(ctx, a.Office, func(ctx context.Context) error { return read(ctx, &e) })
	if err != nil {
		return l.Refuse(ctx, a, e, err)
	}
	o := owedBy(seen, a.Office)
	if o == nil {
		o = &owed{office: a.Office}
		seen = context.WithValue(seen, owedKey{}, o)
	}
	o.add(func() (Record, error) { return l.record(a, e, "ok") })
	defer func() { // a panic in use does not lose it either
		err = errors.Join(l.store(context.WithoutCancel(seen), o, nil), err)
	}()
	return use(seen)
}

// owed are the entries of looks that are not stored yet, the first first. Their time is
// that of storing, so that none appears long after it (tree.Late), however long use takes.
type owed struct {
	office string
	mu     sync.Mutex
	looks  []func() (Record, error)
}

type owedKey struct{}

// owedBy is what an act of the office has to store, or nil.
func owedBy(ctx context.Context, office string) *owed {
	if o, _ := ctx.Value(owedKey{}).(*owed); o != nil && o.office == office {
		return o
	}
	return nil
}

// add lets further ones be stored after those that are there.
func (o *owed) add(looks ...func() (Record, error)) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.looks = append(o.looks, looks...)
}

// take gives them to one act alone, which adds them again if it fails.
func (o *owed) take() []func() (Record, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	looks := o.looks
	o.looks = nil
	return looks
}

// act stores the record that fn returns, and before it those of the looks which the
// act is for.
func (l *Log) act(ctx context.Context, office string, fn func(ctx context.Context) (Record, *Once, error)) error {
	o := owedBy(ctx, office)
	if o == nil {
		o = &owed{office: office}
	}
	return l.store(ctx, o, fn)
}

// store stores what is owed, and after it the record that fn returns; without fn what is
// owed alone, if anything is.
func (l *Log) store(ctx context.Context, o *owed, fn func(ctx context.Context) (Record, *Once, error)) error {
	looks := o.take()
	if len(looks) == 0 && fn == nil {
		return nil
	}
	err := l.Book.Act(ctx, o.office, func(ctx context.Context) (records []Record, once *Once, err error) {
		for _, look := range looks { // in the order of their ids
			r, err := look()
			if err != nil {
				return nil, nil, err
			}
			records = append(records, r)
		}
		if fn == nil {
			return records, nil, nil
		}
		r, once, err := fn(ctx)
		return append(records, r), once, err
	})
	if err != nil {
		o.add(looks...)
	}
	return err
}
