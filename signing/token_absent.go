//go:build !pkcs11

package signing

import (
	"context"
	"crypto/ecdsa"
	"crypto/sha256"
	"time"
)

// Token is a backend in a PKCS#11 token; this build has none.
type Token struct{}

// OpenToken returns ErrNoTokens.
func OpenToken(TokenConfig, []Key, func() time.Time) (*Token, error) { return nil, ErrNoTokens }

// Close does nothing.
func (*Token) Close() error { return nil }

func (*Token) signES256(context.Context, string, [sha256.Size]byte) ([]byte, error) {
	return nil, ErrNoTokens
}

// GenerateInToken returns ErrNoTokens.
func GenerateInToken(TokenConfig, string) (*ecdsa.PublicKey, error) { return nil, ErrNoTokens }
