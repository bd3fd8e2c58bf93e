package signing

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"time"

	"akashi/internal/clock"
)

// Intents gives what was committed for a certificate before anything is
// signed. The store implements it; the signer reads bytes from nowhere else
// (S-056).
type Intents interface {
	ToSign(ctx context.Context, office, certificateID string) ([]ToSign, error)
}

// ToSign is the exact text of one code, and the key that is to sign it.
type ToSign struct {
	Number  int // of the payload within the certificate
	Purpose Purpose
	KeyID   string
	Bytes   []byte
}

// Signature is the signature of one code.
type Signature struct {
	Number int
	KeyID  string
	Value  []byte // r then s, 64 bytes
}

// Backend holds private keys. Its method is not exported: only the signer of
// this package can ask for a signature.
type Backend interface {
	signES256(ctx context.Context, handle string, digest [sha256.Size]byte) ([]byte, error)
}

// Keys finds a registered key by its id.
type Keys func(ctx context.Context, id string) (Key, error)

// ErrNothingToSign is returned for a certificate without a committed intent.
var ErrNothingToSign = errors.New("signing: no intent for this certificate")

// KeyError says why a key does not sign.
type KeyError struct {
	KeyID string
	Code  string // not_active, wrong_purpose, outside_usage, not_es256, not_registered, wrong_office
}

func (e *KeyError) Error() string { return "signing: key " + e.KeyID + ": " + e.Code }

// Signer signs certificates by name.
type Signer struct {
	backend Backend
	intents Intents
	keys    Keys
	now     clock.Clock
}

// NewSigner makes a signer over a backend, the committed intents and the
// registered keys.
func NewSigner(backend Backend, intents Intents, keys Keys, now clock.Clock) *Signer {
	return &Signer{backend, intents, keys, now}
}

// Reserve takes a place in the queue before the keys, if there is one, for a certificate
// that is signed with the context before leave is called. ErrBusy tells that there is none,
// so that nothing need be prepared which could not be signed.
func (s *Signer) Reserve(ctx context.Context) (with context.Context, leave func(), err error) {
	if q, ok := s.backend.(*Queue); ok {
		return q.reserve(ctx)
	}
	return ctx, func() {}, nil
}

// Sign signs every code of a certificate, or none: all keys are checked before
// the first signature. A *KeyError tells which key may not sign and why.
func (s *Signer) Sign(ctx context.Context, office, certificateID string) ([]Signature, error) {
	items, err := s.intents.ToSign(ctx, office, certificateID)
	if err != nil {
		return nil, fmt.Errorf("signing: read intent: %w", err)
	}
	if len(items) == 0 {
		return nil, ErrNothingToSign
	}
	handles := make([]string, len(items))
	for i, item := range items {
		if handles[i], err = s.handle(ctx, item); err != nil {
			return nil, err
		}
	}
	out := make([]Signature, len(items))
	for i, item := range items {
		value, err := s.backend.signES256(ctx, handles[i], sha256.Sum256(item.Bytes))
		if err != nil {
			return nil, fmt.Errorf("signing: key %s: %w", item.KeyID, err)
		}
		out[i] = Signature{item.Number, item.KeyID, value}
	}
	return out, nil
}

// handle returns the backend's name of the key, if the key may sign the item now.
func (s *Signer) handle(ctx context.Context, item ToSign) (string, error) {
	key, err := s.keys(ctx, item.KeyID)
	if err != nil {
		return "", fmt.Errorf("signing: find key %s: %w", item.KeyID, err)
	}
	code := key.refusal(item.KeyID, item.Purpose, s.now.Now())
	if code == "" && !item.Purpose.certifies() {
		code = "wrong_purpose"
	}
	if code != "" {
		return "", &KeyError{item.KeyID, code}
	}
	return key.Handle, nil
}

// refusal says why the key does not sign for a purpose now; empty when it does.
func (k Key) refusal(id string, purpose Purpose, now time.Time) string {
	switch {
	case k.ID != id:
		return "not_registered"
	case k.Purpose != purpose:
		return "wrong_purpose"
	case k.Algorithm != ES256:
		return "not_es256"
	case k.State != Active:
		return "not_active"
	case now.Before(k.UsageFrom) || !now.Before(k.UsageTo):
		return "outside_usage"
	}
	return ""
}
