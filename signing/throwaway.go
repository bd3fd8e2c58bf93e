package signing

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha256"
	"errors"
	"fmt"

	"golang.org/x/crypto/cryptobyte"
	"golang.org/x/crypto/cryptobyte/asn1"
)

// Throwaway signs drafts for the lint before signing, so that a draft can be
// read back by the very code that reads certificates. Its key is made on the
// spot, lives in memory only and is registered nowhere: what it signs verifies
// under no published key.
type Throwaway struct{ key *ecdsa.PrivateKey }

// NewThrowaway makes a new key from the system generator.
func NewThrowaway() (*Throwaway, error) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return nil, fmt.Errorf("signing: throw-away key: %w", err)
	}
	return &Throwaway{key}, nil
}

// ID returns the thumbprint of the key.
func (t *Throwaway) ID() string { return Thumbprint(t.PublicKey()) }

// PublicKey returns the key under which signed drafts verify.
func (t *Throwaway) PublicKey() *ecdsa.PublicKey { return &t.key.PublicKey }

// SignDraft signs the bytes of a draft; the signature has 64 bytes, r then s.
func (t *Throwaway) SignDraft(draft []byte) ([]byte, error) {
	return signES256(t.key, sha256.Sum256(draft))
}

// signES256 returns r then s, 32 bytes each. The same key and digest give the
// same signature (RFC 6979), so that what is signed again has the same bytes.
func signES256(key *ecdsa.PrivateKey, digest [sha256.Size]byte) ([]byte, error) {
	der, err := key.Sign(nil, digest[:], crypto.SHA256)
	if err != nil {
		return nil, err
	}
	return fixed(der)
}

// fixed turns a DER signature into r then s, 32 bytes each (RFC 7518, 3.4).
func fixed(der []byte) ([]byte, error) {
	var r, s []byte
	text, value := cryptobyte.String(der), cryptobyte.String(nil)
	if !text.ReadASN1(&value, asn1.SEQUENCE) || !value.ReadASN1Integer(&r) || !value.ReadASN1Integer(&s) || len(r) > 32 || len(s) > 32 {
		return nil, errors.New("signing: not an ECDSA signature")
	}
	out := make([]byte, 64)
	copy(out[32-len(r):], r)
	copy(out[64-len(s):], s)
	return out, nil
}
