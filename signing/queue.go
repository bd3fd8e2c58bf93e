package signing

import (
	"context"
	"crypto/sha256"
	"errors"
)

// ErrBusy is returned when as many signatures wait for the backend as may wait.
// Nothing was signed; trying again later helps.
var ErrBusy = errors.New("signing: too many signatures wait for the keys")

// Queue lets a bounded number of callers into a backend and a bounded number
// wait for it; the next one is refused with ErrBusy at once. A hardware module
// has few sessions: without a bound every request would wait, and none end.
type Queue struct {
	backend  Backend
	places   chan struct{} // signing, waiting, or to sign soon
	sessions chan struct{} // signing
}

// NewQueue puts a queue before a backend: so many sign at once and so many wait.
func NewQueue(backend Backend, sessions, waiting int) *Queue {
	return &Queue{backend, make(chan struct{}, sessions+waiting), make(chan struct{}, sessions)}
}

// placed marks the context of a caller who has a place.
type placed struct{}

// reserve takes a place until leave is called; signing with the context takes no other.
func (q *Queue) reserve(ctx context.Context) (with context.Context, leave func(), err error) {
	select {
	case q.places <- struct{}{}:
		return context.WithValue(ctx, placed{}, q), func() { <-q.places }, nil
	default:
		return ctx, nil, ErrBusy
	}
}

func (q *Queue) signES256(ctx context.Context, handle string, digest [sha256.Size]byte) ([]byte, error) {
	if ctx.Value(placed{}) != q {
		_, leave, err := q.reserve(ctx)
		if err != nil {
			return nil, err
		}
		defer leave()
	}
	select {
	case q.sessions <- struct{}{}:
	case <-ctx.Done():
		return nil, ctx.Err()
	}
	defer func() { <-q.sessions }()
	return q.backend.signES256(ctx, handle, digest)
}
