package signing

import (
	"context"
	"crypto/sha256"
	"errors"
	"testing"
	"testing/synctest"
	"time"
)

// slow is a backend that takes its time, and counts who is in it.
type slow struct{ inside, most, signed int }

func (s *slow) signES256(context.Context, string, [sha256.Size]byte) ([]byte, error) {
	s.inside++
	s.most = max(s.most, s.inside)
	time.Sleep(3 * time.Millisecond) // a network module's time; the fake clock of synctest
	s.inside--
	s.signed++
	return make([]byte, 64), nil
}

// A bounded queue with back-pressure (performance 5.3): as many as there are
// sessions sign at once, some wait, the rest is refused and told so.
func TestQueue(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		backend := &slow{}
		q := NewQueue(backend, 8, 20)
		results := make(chan error)
		for range 40 {
			go func() {
				_, err := q.signES256(t.Context(), "key", [32]byte{})
				results <- err
			}()
		}
		busy := 0
		for range 40 {
			if err := <-results; errors.Is(err, ErrBusy) {
				busy++
			} else if err != nil {
				t.Error(err)
			}
		}
		if backend.most != 8 || backend.signed != 28 || busy != 12 {
			t.Errorf("at once %d, signed %d, refused %d", backend.most, backend.signed, busy)
		}
		if _, err := q.signES256(t.Context(), "key", [32]byte{}); err != nil {
			t.Errorf("ok/places are free again: %v", err)
		}
	})
	t.Run("ok/a place that is kept", func(t *testing.T) {
		signer, other := NewSigner(NewQueue(&slow{}, 1, 0), nil, nil, nil), NewQueue(&slow{}, 1, 0)
		q := signer.backend.(*Queue)
		ctx, leave, err := signer.Reserve(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		if _, _, err := signer.Reserve(t.Context()); !errors.Is(err, ErrBusy) {
			t.Errorf("error/a second place: %v", err)
		}
		if _, err := q.signES256(t.Context(), "key", [32]byte{}); !errors.Is(err, ErrBusy) {
			t.Errorf("error/without a place: %v", err)
		}
		for range 2 { // a certificate has several codes
			if _, err := q.signES256(ctx, "key", [32]byte{}); err != nil {
				t.Errorf("ok/with its place: %v", err)
			}
		}
		leave()
		if _, err := q.signES256(t.Context(), "key", [32]byte{}); err != nil {
			t.Errorf("ok/after it left: %v", err)
		}
		_, leaveOther, err := other.reserve(ctx)
		if err != nil {
			t.Fatal(err)
		}
		defer leaveOther()
		if _, err := other.signES256(ctx, "key", [32]byte{}); !errors.Is(err, ErrBusy) {
			t.Errorf("error/a place elsewhere is none here: %v", err)
		}
	})
	t.Run("error/who gives up leaves the queue", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			backend := &slow{}
			q := NewQueue(backend, 1, 1)
			go func() { _, _ = q.signES256(context.Background(), "key", [32]byte{}) }()
			synctest.Wait()
			ctx, cancel := context.WithTimeout(t.Context(), time.Millisecond)
			defer cancel()
			if _, err := q.signES256(ctx, "key", [32]byte{}); !errors.Is(err, context.DeadlineExceeded) {
				t.Errorf("got %v", err)
			}
			if _, err := q.signES256(t.Context(), "key", [32]byte{}); err != nil {
				t.Errorf("its place was not given back: %v", err)
			}
			if backend.signed != 2 {
				t.Errorf("signed %d", backend.signed)
			}
		})
	})
}
