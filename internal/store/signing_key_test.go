package store

import (
	"context"
	"errors"
	"testing"

	"akashi/signing"
)

// S-067: a key that is withdrawn is out of use with the commit in this process,
// and in another one after keyLife.
func TestMoveKey(t *testing.T) {
	each(t, func(t *testing.T, f *fixture) {
		key := signing.Key{ID: "k1", Purpose: signing.SHC, Issuer: "https://a.test", Algorithm: signing.ES256, Public: []byte{1}, State: signing.Active, Handle: "h"}
		if err := f.act(t, here, func(ctx context.Context) error { return f.RegisterKeys(ctx, here, []signing.Key{key}) }); err != nil {
			t.Fatal(err)
		}
		other, err := Open(t.Context(), f.config)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = other.Close() })
		state := func(s *Store) signing.State {
			k, err := s.SigningKey(t.Context(), "k1")
			if err != nil {
				t.Fatal(err)
			}
			return k.State
		}
		if state(f.Store) != signing.Active || state(other) != signing.Active {
			t.Fatal("ok/registered")
		}
		undone := errors.New("undone")
		if err := f.act(t, here, func(ctx context.Context) error {
			return errors.Join(f.MoveKey(ctx, here, key, signing.Compromised), undone)
		}); !errors.Is(err, undone) || state(f.Store) != signing.Active {
			t.Errorf("ok/undone: %v %v", state(f.Store), err)
		}
		if err := f.act(t, here, func(ctx context.Context) error { return f.MoveKey(ctx, here, key, signing.Compromised) }); err != nil {
			t.Fatal(err)
		}
		if got := state(f.Store); got != signing.Compromised {
			t.Errorf("error/same process: %v", got)
		}
		f.now = f.now.Add(keyLife)
		if got := state(other); got != signing.Compromised {
			t.Errorf("error/other process: %v", got)
		}
	})
}
