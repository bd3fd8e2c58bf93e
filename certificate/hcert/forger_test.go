package hcert

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"errors"
	"sync"
	"testing"
)

// forger makes codes with any content, well signed.
type forger struct {
	key *ecdsa.PrivateKey
	rsa *rsa.PrivateKey
}

func newForger(t testing.TB) *forger {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	return &forger{key, longKey()}
}

var longKey = sync.OnceValue(func() *rsa.PrivateKey { return must(rsa.GenerateKey(rand.Reader, 2048)) })

func (f *forger) sign(t testing.TB, signed []byte) []byte {
	t.Helper()
	digest := sha256.Sum256(signed)
	r, s, err := ecdsa.Sign(rand.Reader, f.key, digest[:])
	if err != nil {
		t.Fatal(err)
	}
	out := make([]byte, sizeES256)
	r.FillBytes(out[:32])
	s.FillBytes(out[32:])
	return out
}

func (f *forger) signPSS(t testing.TB, signed []byte, salt int) []byte {
	t.Helper()
	digest := sha256.Sum256(signed)
	out, err := rsa.SignPSS(rand.Reader, f.rsa, crypto.SHA256, digest[:], &rsa.PSSOptions{SaltLength: salt})
	if err != nil {
		t.Fatal(err)
	}
	return out
}

// message signs a payload under the given headers with ES256.
func (f *forger) message(t testing.TB, inside, outside table, payload []byte) []byte {
	t.Helper()
	m := message{protected: []byte{}, payload: payload}
	if inside != nil {
		m.protected = must(encode(inside))
	}
	m.signature = f.sign(t, must(m.signed()))
	return must(encode([]any{m.protected, outside, m.payload, m.signature}))
}

// code puts claims into a code with usual headers.
func (f *forger) code(t testing.TB, claims any) string {
	t.Helper()
	return pack(f.message(t, table{labelAlgorithm: -7, labelKeyID: []byte("12345678")}, table{}, must(encode(claims))))
}

func must[T any](v T, err error) T {
	if err != nil {
		panic(err)
	}
	return v
}

// pack makes the text of inflated bytes.
func pack(b []byte) string { return Prefix + encodeBase45(deflate(b)) }

// reason names step and code of a failure; "" for nil.
func reason(err error) string {
	var e *Error
	switch {
	case err == nil:
		return ""
	case errors.As(err, &e):
		return string(e.Step) + " " + e.Code
	}
	return err.Error()
}
