//go:build !pkcs11

package signing

import (
	"context"
	"crypto/ecdsa"
	"crypto/sha256"
	"crypto/x509/pkix"
	"time"
)

// Token is a backend in a PKCS#11 token; this build has none.
type Token struct{}

// NewToken returns ErrNoTokens.
func NewToken(TokenConfig, func(context.Context) ([]Key, error), func() time.Time) (*Token, error) {
	return nil, ErrNoTokens
}

// Check returns ErrNoTokens.
func (*Token) Check(context.Context) error { return ErrNoTokens }

// Close does nothing.
func (*Token) Close() error { return nil }

// Generate returns ErrNoTokens.
func (*Token) Generate(string) (*ecdsa.PublicKey, error) { return nil, ErrNoTokens }

// Public returns ErrNoTokens.
func (*Token) Public(string) (*ecdsa.PublicKey, error) { return nil, ErrNoTokens }

// Request returns ErrNoTokens.
func (*Token) Request(string, pkix.Name) ([]byte, error) { return nil, ErrNoTokens }

func (*Token) signES256(context.Context, string, [sha256.Size]byte) ([]byte, error) {
	return nil, ErrNoTokens
}
