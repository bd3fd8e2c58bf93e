package shc

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"testing"

	"akashi/signing"
)

// forger signs whatever a test makes up, with a key of its own.
type forger struct {
	key *ecdsa.PrivateKey
	id  string
}

func newForger(t testing.TB) forger {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	return forger{key, signing.Thumbprint(&key.PublicKey)}
}

func (f forger) trust(issuer string) trust { return trust{issuer: {f.id: &f.key.PublicKey}} }

func (f forger) header() string { return `{"zip":"DEF","alg":"ES256","kid":"` + f.id + `"}` }

func (f forger) sign(t testing.TB, input string) []byte {
	t.Helper()
	digest := sha256.Sum256([]byte(input))
	r, s, err := ecdsa.Sign(rand.Reader, f.key, digest[:])
	if err != nil {
		t.Fatal(err)
	}
	out := make([]byte, 64)
	r.FillBytes(out[:32])
	s.FillBytes(out[32:])
	return out
}

// jws signs a header and a payload as they are.
func (f forger) jws(t testing.TB, header string, payload []byte) string {
	t.Helper()
	input := base64.RawURLEncoding.EncodeToString([]byte(header)) + "." + base64.RawURLEncoding.EncodeToString(payload)
	jws, err := Seal([]byte(input), f.sign(t, input))
	if err != nil {
		t.Fatal(err)
	}
	return jws
}

// card deflates the claims and signs.
func (f forger) card(t testing.TB, header string, claims []byte) string {
	t.Helper()
	payload, err := deflate(claims)
	if err != nil {
		t.Fatal(err)
	}
	return f.jws(t, header, payload)
}
