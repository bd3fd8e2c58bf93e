//go:build pkcs11

package signing

import (
	"context"
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/sha256"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/ThalesGroup/crypto11"
)

// Token is a backend whose private keys stay in a PKCS#11 token (S-063). The
// handle of a key is its label there.
type Token struct {
	config TokenConfig
	keys   []Key
	now    func() time.Time

	mu     sync.Mutex
	module *crypto11.Context // nil while the token is away
	held   map[string]crypto.Signer
	retry  time.Time // when to look for it again
}

// OpenToken finds the private keys of those keys that sign certificates and
// paper. It refuses a key that could leave the token, one that is not the key
// registered, and one whose certificate is of another. now is asked when to
// look for a token that went away.
func OpenToken(config TokenConfig, keys []Key, now func() time.Time) (*Token, error) {
	t := &Token{config: config, keys: keys, now: now}
	return t, t.connect()
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

func (t *Token) connect() error {
	module, err := crypto11.Configure(&crypto11.Config{
		Path: t.config.Module, TokenLabel: t.config.Label, Pin: t.config.PIN,
		MaxSessions: t.config.Sessions + 1, PoolWaitTimeout: tokenPatience, // one session keeps the login
	})
	if err != nil {
		return fmt.Errorf("signing: token %q: %w", t.config.Label, err)
	}
	held := map[string]crypto.Signer{}
	for _, k := range t.keys {
		if !k.Purpose.inService() || k.State == Compromised {
			continue
		}
		if held[k.Handle], err = findKey(module, k); err != nil {
			return errors.Join(err, module.Close())
		}
	}
	t.module, t.held = module, held
	return nil
}

func findKey(module *crypto11.Context, k Key) (crypto.Signer, error) {
	if k.Handle == "" {
		return nil, fmt.Errorf("signing: key %s has no label in the token", k.ID)
	}
	found, err := module.FindKeyPairs(nil, []byte(k.Handle))
	if err != nil {
		return nil, fmt.Errorf("signing: key %s in the token: %w", k.Handle, err)
	}
	if len(found) != 1 {
		return nil, fmt.Errorf("signing: the token has %d keys with the label %s", len(found), k.Handle)
	}
	public, ok := found[0].Public().(*ecdsa.PublicKey)
	if !ok || public.Curve != elliptic.P256() || Thumbprint(public) != k.ID {
		return nil, fmt.Errorf("signing: %s in the token is not the private key of %s", k.Handle, k.ID)
	}
	if err := k.checkCertificate(); err != nil {
		return nil, err
	}
	return found[0], staysInside(module, found[0], k.Handle)
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

// signer returns a key of the token, which is looked for again when it was away.
func (t *Token) signer(handle string) (crypto.Signer, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.module == nil {
		if t.now().Before(t.retry) {
			return nil, ErrTokenAway
		}
		if err := t.connect(); err != nil {
			t.retry = t.now().Add(tokenPause)
			return nil, errors.Join(ErrTokenAway, err)
		}
	}
	key, ok := t.held[handle]
	if !ok {
		return nil, fmt.Errorf("no private key %q in the token", handle)
	}
	return key, nil
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

func (t *Token) signES256(_ context.Context, handle string, digest [sha256.Size]byte) ([]byte, error) {
	key, err := t.signer(handle)
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

// GenerateInToken makes a P-256 key pair that never leaves the token and returns
// its public half; the label is to be new.
func GenerateInToken(config TokenConfig, label string) (*ecdsa.PublicKey, error) {
	module, err := crypto11.Configure(&crypto11.Config{Path: config.Module, TokenLabel: config.Label, Pin: config.PIN, MaxSessions: 2})
	if err != nil {
		return nil, fmt.Errorf("signing: token %q: %w", config.Label, err)
	}
	public, err := generate(module, label)
	return public, errors.Join(err, module.Close())
}

func generate(module *crypto11.Context, label string) (*ecdsa.PublicKey, error) {
	found, err := module.FindKeyPairs(nil, []byte(label))
	if err != nil {
		return nil, fmt.Errorf("signing: look for %s in the token: %w", label, err)
	}
	if label == "" || len(found) > 0 {
		return nil, fmt.Errorf("signing: the token has a key with the label %q already", label)
	}
	key, err := module.GenerateECDSAKeyPairWithLabel([]byte(label), []byte(label), elliptic.P256())
	if err != nil {
		return nil, fmt.Errorf("signing: make key %s in the token: %w", label, err)
	}
	return key.Public().(*ecdsa.PublicKey), nil //nolint:forcetypeassert // of an ECDSA key pair
}
