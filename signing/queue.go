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
	places   chan struct{} // signing or waiting
	sessions chan struct{} // signing
}

// NewQueue puts a queue before a backend: so many sign at once and so many wait.
func NewQueue(backend Backend, sessions, waiting int) *Queue {
	return &Queue{backend, make(chan struct{}, sessions+waiting), make(chan struct{}, sessions)}
}

func (q *Queue) signES256(ctx context.Context, handle string, digest [sha256.Size]byte) ([]byte, error) {
	select {
	case q.places <- struct{}{}:
	default:
		return nil, ErrBusy
	}
	defer func() { <-q.places }()
	select {
	case q.sessions <- struct{}{}:
	case <-ctx.Done():
		return nil, ctx.Err()
	}
	defer func() { <-q.sessions }()
	return q.backend.signES256(ctx, handle, digest)
}
