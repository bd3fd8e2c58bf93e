//go:build pkcs11

package signing

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha256"
	"crypto/x509"
	"crypto/x509/pkix"
	"errors"
	"fmt"
	"os"
	"runtime"
	"sync"
	"testing"
	"time"

	"github.com/ThalesGroup/crypto11"
	"github.com/miekg/pkcs11"

	"akashi/internal/testkit"
	"akashi/signing/pki"
)

// newToken makes an empty token in a directory of its own and returns where it
// is and the directory.
func newToken(t testing.TB) (TokenConfig, string) {
	t.Helper()
	soft := testkit.NewSoftToken(t)
	return TokenConfig{Module: soft.Module, Label: soft.Label, PIN: soft.PIN, Sessions: 8}, soft.Dir
}

// inToken makes a key in the token and registers it.
func inToken(t testing.TB, c TokenConfig, label string) Key {
	t.Helper()
	token := connected(t, c)
	public, err := token.Generate(label)
	if err := errors.Join(err, token.Close()); err != nil {
		t.Fatal(err)
	}
	return labelled(t, public, label)
}

// connected is the token with the registered keys.
func connected(t testing.TB, c TokenConfig, keys ...Key) *Token {
	t.Helper()
	token, err := NewToken(c, func(context.Context) ([]Key, error) { return keys, nil }, time.Now)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := token.Close(); err != nil {
			t.Error(err)
		}
	})
	return token
}

func labelled(t testing.TB, public *ecdsa.PublicKey, label string) Key {
	t.Helper()
	der, err := x509.MarshalPKIXPublicKey(public)
	if err != nil {
		t.Fatal(err)
	}
	return Key{ID: Thumbprint(public), Purpose: SHC, Algorithm: ES256, State: Active, Public: der, Handle: label}
}

// changed is the key after a change.
func changed(k Key, change func(*Key)) Key {
	change(&k)
	return k
}

// S-063: keys behind PKCS#11, run against SoftHSM2.
func TestToken(t *testing.T) {
	c, tokens := newToken(t)
	key := inToken(t, c, "shc-2026")
	other := inToken(t, c, "other")
	opened := func(t *testing.T, keys ...Key) *Token {
		t.Helper()
		token := connected(t, c, keys...)
		if err := token.Check(t.Context()); err != nil {
			t.Fatal(err)
		}
		return token
	}
	signs := func(t *testing.T, token *Token) error {
		t.Helper()
		message := []byte(rand.Text())
		signature, err := token.signES256(t.Context(), key.Handle, sha256.Sum256(message))
		if err != nil {
			return err
		}
		if public, _ := key.PublicKey(); !verifies(public, message, signature) {
			t.Error("what the token signed does not verify")
		}
		return nil
	}

	t.Run("ok/sign", func(t *testing.T) {
		token := opened(t, key)
		var all sync.WaitGroup
		for range 32 {
			all.Go(func() {
				if err := signs(t, token); err != nil {
					t.Error(err)
				}
			})
		}
		all.Wait()
	})
	t.Run("ok/keys of other purposes stay where they are", func(t *testing.T) {
		opened(t, key, Key{ID: "authority", Purpose: Authority, State: Active, Handle: "elsewhere"})
	})
	t.Run("error/no such handle", func(t *testing.T) {
		if _, err := opened(t, key).signES256(t.Context(), "other", [32]byte{}); err == nil {
			t.Error("signed with a key that is not registered")
		}
	})
	for name, wrong := range map[string]Key{
		"error/another key than registered": changed(key, func(k *Key) { k.Handle = other.Handle }),
		"error/not in the token":            changed(key, func(k *Key) { k.Handle = "missing" }),
		"error/no label":                    changed(key, func(k *Key) { k.Handle = "" }),
		"error/certificate of another key":  changed(key, func(k *Key) { k.Certificate = certificateOf(t) }),
	} {
		t.Run(name, func(t *testing.T) {
			token := connected(t, c, wrong)
			if err := token.Check(t.Context()); err == nil {
				t.Error("passed the check")
			}
			if _, err := token.signES256(t.Context(), wrong.Handle, [32]byte{}); err == nil {
				t.Error("signed")
			}
		})
	}
	t.Run("ok/made after the start", func(t *testing.T) {
		keys := []Key{}
		token, err := NewToken(c, func(context.Context) ([]Key, error) { return keys, nil }, time.Now)
		if err != nil {
			t.Fatal(err)
		}
		defer token.Close()
		if err := signs(t, token); err == nil {
			t.Error("error/signed with a key that nobody registered")
		}
		keys = []Key{key}
		if err := signs(t, token); err != nil {
			t.Error(err)
		}
	})
	t.Run("ok/the same label is the same key", func(t *testing.T) {
		public, err := connected(t, c).Generate(key.Handle)
		if err != nil || Thumbprint(public) != key.ID {
			t.Errorf("%v", err)
		}
	})
	t.Run("ok/certificate request", func(t *testing.T) {
		der, err := connected(t, c).Request(key.Handle, pkix.Name{Country: []string{"UT"}, CommonName: "AK"})
		if err != nil {
			t.Fatal(err)
		}
		request, err := x509.ParseCertificateRequest(der)
		if err != nil || request.CheckSignature() != nil || Thumbprint(request.PublicKey.(*ecdsa.PublicKey)) != key.ID {
			t.Errorf("request %+v: %v", request, err)
		}
		if public, err := connected(t, c).Public(key.Handle); err != nil || Thumbprint(public) != key.ID {
			t.Errorf("ok/public half: %v", err)
		}
		if _, err := connected(t, c).Request("missing", pkix.Name{}); !errors.Is(err, ErrNoSuchKey) {
			t.Errorf("error/a key that is not there: %v", err)
		}
	})
	t.Run("error/PIN", func(t *testing.T) {
		wrong := c
		wrong.PIN = rand.Text()
		if err := connected(t, wrong, key).Check(t.Context()); !errors.Is(err, ErrTokenAway) {
			t.Errorf("got %v", err)
		}
	})
	t.Run("error/key can leave the token", func(t *testing.T) {
		loose := looseKey(t, c, "loose")
		if err := connected(t, c, key, loose).Check(t.Context()); err == nil {
			t.Error("passed the check")
		}
		if _, err := connected(t, c).Generate("loose"); err == nil {
			t.Error("taken for a new one")
		}
	})
	t.Run("ok/goes away and comes back", func(t *testing.T) {
		token := opened(t, key)
		if err := signs(t, token); err != nil {
			t.Fatal(err)
		}
		now := time.Now()
		token.now = func() time.Time { return now }
		gone := tokens + ".gone"
		if err := os.Rename(tokens, gone); err != nil {
			t.Fatal(err)
		}
		interrupt(t, c)
		if err := signs(t, token); !errors.Is(err, ErrTokenAway) {
			t.Errorf("the signature that met it: %v", err)
		}
		if err := signs(t, token); !errors.Is(err, ErrTokenAway) {
			t.Errorf("while away: %v", err)
		}
		if err := os.Rename(gone, tokens); err != nil {
			t.Fatal(err)
		}
		if err := signs(t, token); !errors.Is(err, ErrTokenAway) {
			t.Errorf("looked for the token again at once: %v", err)
		}
		now = now.Add(tokenPause)
		if err := signs(t, token); err != nil {
			t.Errorf("when it is back: %v", err)
		}
	})
	t.Run("ok/sessions lost in the middle", func(t *testing.T) {
		token := opened(t, key)
		interrupt(t, c)
		if err := signs(t, token); !errors.Is(err, ErrTokenAway) {
			t.Errorf("with broken sessions: %v", err)
		}
		if err := signs(t, token); err != nil {
			t.Errorf("afterwards: %v", err)
		}
	})
}

// interrupt ends all sessions behind the backend's back, as a module does that
// lost its device.
func interrupt(t *testing.T, c TokenConfig) {
	t.Helper()
	module := pkcs11.New(c.Module)
	defer module.Destroy()
	if err := module.Finalize(); err != nil {
		t.Fatal(err)
	}
}

// looseKey is a key pair that the token hands out.
func looseKey(t *testing.T, c TokenConfig, label string) Key {
	t.Helper()
	module, err := crypto11.Configure(&crypto11.Config{Path: c.Module, TokenLabel: c.Label, Pin: c.PIN, MaxSessions: 2})
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = module.Close() }()
	public, err := crypto11.NewAttributeSetWithIDAndLabel([]byte(label), []byte(label))
	if err != nil {
		t.Fatal(err)
	}
	private := public.Copy()
	if err := errors.Join(private.Set(crypto11.CkaExtractable, true), private.Set(crypto11.CkaSensitive, false)); err != nil {
		t.Fatal(err)
	}
	pair, err := module.GenerateECDSAKeyPairWithAttributes(public, private, elliptic.P256())
	if err != nil {
		t.Fatal(err)
	}
	return labelled(t, pair.Public().(*ecdsa.PublicKey), label)
}

// certificateOf is a certificate of some other key.
func certificateOf(t *testing.T) []byte {
	t.Helper()
	der, err := pki.CreateAuthority(pki.AuthorityTemplate{
		Country: TestCountry, Organization: "Akashi TEST", CommonName: "another key", NotBefore: noon, NotAfter: noon.AddDate(1, 0, 0),
	}, newKey(t, elliptic.P256()))
	if err != nil {
		t.Fatal(err)
	}
	return der
}

// BenchmarkToken: signatures of a software token at 1, 8 and 32 callers.
func BenchmarkToken(b *testing.B) {
	c, _ := newToken(b)
	token := connected(b, c, inToken(b, c, "shc"))
	for _, callers := range []int{1, 8, 32} {
		b.Run(fmt.Sprintf("callers=%d", callers), func(b *testing.B) {
			q := NewQueue(token, c.Sessions, callers)
			b.SetParallelism((callers + runtime.GOMAXPROCS(0) - 1) / runtime.GOMAXPROCS(0))
			b.RunParallel(func(p *testing.PB) {
				for p.Next() {
					if _, err := q.signES256(b.Context(), "shc", [32]byte{1}); err != nil {
						b.Error(err)
					}
				}
			})
			b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "signatures/s")
		})
	}
}
