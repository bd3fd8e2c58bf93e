package signing

import (
	"context"
	"crypto/sha256"
	"fmt"
	"time"

	"akashi/internal/clock"
)

// PaperCopy names a printed copy of a stored certificate.
type PaperCopy struct {
	CertificateID string
	Number        int // of the copy, from 1
}

// Papers makes the file of stored copies, with room for a signature by the
// certificate of the key. Issuance implements it from what it has stored; the
// signer of paper gets what it signs from nowhere else (S-062).
type Papers interface {
	Unsigned(ctx context.Context, office string, copies []PaperCopy, by Key, at time.Time) (Unsigned, error)
}

// Unsigned is a file that lacks only its signature.
type Unsigned interface {
	Digest() [sha256.Size]byte                 // what the key signs
	Complete(signature []byte) ([]byte, error) // the signed file; r then s, 64 bytes
}

// SignedPaper is a signed file. The same copies, key, time and value give the
// same file again, so that a reprint needs no key: it may be retired by then.
type SignedPaper struct {
	File  []byte
	KeyID string
	At    time.Time
	Value []byte // r then s, 64 bytes
}

// PaperSigner signs printed pages by the name of their copies, with keys that
// sign nothing else.
type PaperSigner struct {
	backend Backend
	papers  Papers
	keys    Keys
	now     clock.Clock
}

// NewPaperSigner makes a signer over a backend, the stored copies and the
// registered keys.
func NewPaperSigner(backend Backend, papers Papers, keys Keys, now clock.Clock) *PaperSigner {
	return &PaperSigner{backend, papers, keys, now}
}

// Sign makes the file of copies of one office, signed with its paper key. A
// *KeyError tells why the key may not sign.
func (s *PaperSigner) Sign(ctx context.Context, office string, copies []PaperCopy, keyID string) (SignedPaper, error) {
	key, err := s.keys(ctx, keyID)
	if err != nil {
		return SignedPaper{}, fmt.Errorf("signing: find key %s: %w", keyID, err)
	}
	now := s.now.Now().UTC().Truncate(time.Second)
	code := key.refusal(keyID, Paper, now)
	if code == "" && (key.Issuer != office || len(key.Certificate) == 0) {
		code = "wrong_office"
	}
	if code != "" {
		return SignedPaper{}, &KeyError{keyID, code}
	}
	unsigned, err := s.papers.Unsigned(ctx, office, copies, key, now)
	if err != nil {
		return SignedPaper{}, err
	}
	value, err := s.backend.signES256(ctx, key.Handle, unsigned.Digest())
	if err != nil {
		return SignedPaper{}, fmt.Errorf("signing: key %s: %w", keyID, err)
	}
	file, err := unsigned.Complete(value)
	if err != nil {
		return SignedPaper{}, fmt.Errorf("signing: key %s: %w", keyID, err)
	}
	return SignedPaper{file, keyID, now, value}, nil
}
