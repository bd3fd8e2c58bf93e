//go:build pkcs11

package signing

import (
	"context"
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha256"
	"crypto/x509"
	"crypto/x509/pkix"
	"errors"
	"fmt"
	"slices"
	"sync"
	"time"

	"github.com/ThalesGroup/crypto11"
)

const (
	tokenPatience = 5 * time.Second // for a session
	tokenPause    = time.Second     // between two looks for a token that is away
)

// Token is a backend whose private keys stay in a PKCS#11 token (S-063). The
// handle of a key is its label there. It looks for the token when it is first
// needed, and again when it went away.
type Token struct {
	config TokenConfig
	keys   func(context.Context) ([]Key, error)
	now    func() time.Time

	mu     sync.Mutex
	module *crypto11.Context // nil while the token is away
	held   map[string]crypto.Signer
	retry  time.Time // when to look for it again
}

// NewToken makes a backend for the registered keys, which it asks for when it
// meets a handle that it does not know.
func NewToken(config TokenConfig, keys func(context.Context) ([]Key, error), now func() time.Time) (*Token, error) {
	return &Token{config: config, keys: keys, now: now}, nil
}

// Check finds the private key of each key that signs or is to sign. It refuses
// a private key that could leave the token, one that is not of the key
// registered, and a certificate of another key.
func (t *Token) Check(ctx context.Context) error {
	keys, err := t.keys(ctx)
	if err != nil {
		return err
	}
	for _, k := range keys {
		if k.Purpose.inService() && (k.State == Active || k.State == Announced) {
			if _, err := t.signer(ctx, k.Handle); err != nil {
				return err
			}
		}
	}
	return nil
}

// Close ends the sessions.
func (t *Token) Close() error {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.disconnect()
}

func (t *Token) disconnect() error {
	module := t.module
	t.module, t.held = nil, nil
	if module == nil {
		return nil
	}
	return module.Close()
}

// connect logs in to the token, if that was not done already. The caller holds
// the lock.
func (t *Token) connect() error {
	if t.module != nil {
		return nil
	}
	if t.now().Before(t.retry) {
		return ErrTokenAway
	}
	module, err := crypto11.Configure(&crypto11.Config{
		Path: t.config.Module, TokenLabel: t.config.Label, Pin: t.config.PIN,
		MaxSessions: t.config.Sessions + 1, PoolWaitTimeout: tokenPatience, // one session keeps the login
	})
	if err != nil {
		t.retry = t.now().Add(tokenPause)
		return errors.Join(ErrTokenAway, fmt.Errorf("signing: token %q: %w", t.config.Label, err))
	}
	t.module, t.held = module, map[string]crypto.Signer{}
	return nil
}

// look is find in the token. The caller holds the lock.
func (t *Token) look(label string) (crypto.Signer, error) {
	if err := t.connect(); err != nil {
		return nil, err
	}
	pair, err := find(t.module, label)
	if err != nil {
		_ = t.disconnect() // the next one begins anew: it may have been the connection
	}
	return pair, err
}

// find returns the key pair with a label; nil if there is none.
func find(module *crypto11.Context, label string) (crypto.Signer, error) {
	if label == "" {
		return nil, errors.New("signing: a key in a token needs a label")
	}
	found, err := module.FindKeyPairs(nil, []byte(label))
	switch {
	case err != nil:
		return nil, fmt.Errorf("signing: look for %s in the token: %w", label, err)
	case len(found) == 0:
		return nil, nil //nolint:nilnil // said above
	case len(found) > 1:
		return nil, fmt.Errorf("signing: the token has %d keys with the label %s", len(found), label)
	}
	if public, ok := found[0].Public().(*ecdsa.PublicKey); !ok || public.Curve != elliptic.P256() {
		return nil, fmt.Errorf("signing: %s in the token is not a P-256 key", label)
	}
	return found[0], staysInside(module, found[0], label)
}

// check refuses a key pair that is not the one registered.
func (k Key) check(pair crypto.Signer) error {
	if pair == nil {
		return fmt.Errorf("signing: label %s: %w", k.Handle, ErrNoSuchKey)
	}
	if public, ok := pair.Public().(*ecdsa.PublicKey); !ok || Thumbprint(public) != k.ID {
		return fmt.Errorf("signing: %s in the token is not the private key of %s", k.Handle, k.ID)
	}
	return k.checkCertificate()
}

// checkCertificate refuses a certificate of another key.
func (k Key) checkCertificate() error {
	if len(k.Certificate) == 0 {
		return nil
	}
	certificate, err := x509.ParseCertificate(k.Certificate)
	if err != nil {
		return fmt.Errorf("signing: the certificate of %s does not parse", k.ID)
	}
	if public, ok := certificate.PublicKey.(*ecdsa.PublicKey); !ok || Thumbprint(public) != k.ID {
		return fmt.Errorf("signing: the certificate of %s is of another key", k.ID)
	}
	return nil
}

// staysInside refuses a private key that the token would hand out.
func staysInside(module *crypto11.Context, key crypto.Signer, label string) error {
	for attribute, want := range map[crypto11.AttributeType]byte{crypto11.CkaExtractable: 0, crypto11.CkaSensitive: 1} {
		a, err := module.GetAttribute(key, attribute)
		if err != nil {
			return fmt.Errorf("signing: attributes of %s in the token: %w", label, err)
		}
		if a == nil || len(a.Value) != 1 || a.Value[0] != want {
			return fmt.Errorf("signing: the private key %s can leave the token", label)
		}
	}
	return nil
}

// signer returns the private key of a registered key.
func (t *Token) signer(ctx context.Context, handle string) (crypto.Signer, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if pair, ok := t.held[handle]; ok {
		return pair, nil
	}
	keys, err := t.keys(ctx)
	if err != nil {
		return nil, err
	}
	at := slices.IndexFunc(keys, func(k Key) bool { return k.Handle == handle && k.Purpose.inService() })
	if at < 0 {
		return nil, fmt.Errorf("signing: no key is registered with the label %q", handle)
	}
	pair, err := t.look(handle)
	if err == nil {
		err = keys[at].check(pair)
	}
	if err != nil {
		return nil, err
	}
	t.held[handle] = pair
	return pair, nil
}

// lose drops the sessions with which a signature failed: a token that comes back
// knows neither them nor the login.
func (t *Token) lose(key crypto.Signer, handle string) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.held[handle] == key {
		_ = t.disconnect() // sessions of a token that is gone cannot be closed
	}
}

func (t *Token) signES256(ctx context.Context, handle string, digest [sha256.Size]byte) ([]byte, error) {
	key, err := t.signer(ctx, handle)
	if err != nil {
		return nil, err
	}
	der, err := key.Sign(nil, digest[:], crypto.SHA256)
	if err != nil {
		t.lose(key, handle)
		return nil, errors.Join(ErrTokenAway, err)
	}
	return fixed(der)
}

// Generate makes a P-256 key pair that never leaves the token and returns its
// public half. A key that has the label already is returned if it stays inside too.
func (t *Token) Generate(label string) (*ecdsa.PublicKey, error) {
	pair, err := t.pair(label, func(module *crypto11.Context) (crypto.Signer, error) {
		return module.GenerateECDSAKeyPairWithLabel([]byte(label), []byte(label), elliptic.P256())
	})
	if err != nil {
		return nil, err
	}
	return pair.Public().(*ecdsa.PublicKey), nil //nolint:forcetypeassert // find refuses others
}

// Public returns the public half of a key in the token.
func (t *Token) Public(label string) (*ecdsa.PublicKey, error) {
	pair, err := t.pair(label, absent)
	if err != nil {
		return nil, err
	}
	return pair.Public().(*ecdsa.PublicKey), nil //nolint:forcetypeassert // find refuses others
}

// Request returns a certificate request (PKCS#10, DER) for a key in the token,
// signed with that key.
func (t *Token) Request(label string, subject pkix.Name) ([]byte, error) {
	pair, err := t.pair(label, absent)
	if err != nil {
		return nil, err
	}
	der, err := x509.CreateCertificateRequest(rand.Reader, &x509.CertificateRequest{Subject: subject}, pair)
	if err != nil {
		return nil, fmt.Errorf("signing: certificate request for %s: %w", label, err)
	}
	return der, nil
}

func absent(*crypto11.Context) (crypto.Signer, error) { return nil, ErrNoSuchKey }

// pair returns the key pair with a label, or what missing makes of it.
func (t *Token) pair(label string, missing func(*crypto11.Context) (crypto.Signer, error)) (crypto.Signer, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	pair, err := t.look(label)
	if err != nil || pair != nil {
		return pair, err
	}
	if pair, err = missing(t.module); err != nil {
		return nil, fmt.Errorf("signing: key %s: %w", label, err)
	}
	return pair, nil
}
