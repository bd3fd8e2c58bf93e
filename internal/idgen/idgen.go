// Package idgen makes identifiers: row keys, certificate ids and secrets. All
// randomness comes from one reader so that tests can fix it.
package idgen

import (
	"crypto/rand"
	"encoding/base64"
	"io"

	"github.com/google/uuid"
)

// Gen makes identifiers. The zero value uses the system generator.
type Gen struct{ Rand io.Reader }

// Bytes returns n random bytes.
func (g Gen) Bytes(n int) []byte {
	b := make([]byte, n)
	r := g.Rand
	if r == nil {
		r = rand.Reader
	}
	if _, err := io.ReadFull(r, b); err != nil {
		panic("idgen: no randomness: " + err.Error())
	}
	return b
}

// Row returns a UUIDv7, the second half of every tenant row's key.
func (g Gen) Row() string {
	if g.Rand == nil {
		return uuid.Must(uuid.NewV7()).String()
	}
	return uuid.Must(uuid.NewV7FromReader(g.Rand)).String()
}

// certificateAlphabet has 32 letters without I, O, 0 and 1.
const certificateAlphabet = "23456789ABCDEFGHJKLMNPQRSTUVWXYZ"

// CertificateID returns 12 characters of 60 random bits (design 3.2, S-055).
func (g Gen) CertificateID() string {
	b := g.Bytes(12)
	for i := range b {
		b[i] = certificateAlphabet[b[i]&31]
	}
	return string(b)
}

// Token returns n random bytes as base64url without padding.
func (g Gen) Token(n int) string { return base64.RawURLEncoding.EncodeToString(g.Bytes(n)) }
