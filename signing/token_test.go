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
	"os/exec"
	"path/filepath"
	"runtime"
	"sync"
	"testing"
	"time"

	"github.com/ThalesGroup/crypto11"
	"github.com/miekg/pkcs11"

	"akashi/signing/pki"
)

const softHSM = "/usr/lib/softhsm/libsofthsm2.so"

// newToken makes an empty token in a directory of its own and returns where it
// is and the directory.
func newToken(t testing.TB) (TokenConfig, string) {
	t.Helper()
	tool, err := exec.LookPath("softhsm2-util")
	if err != nil {
		if os.Getenv("CI") == "true" {
			t.Fatal("softhsm2-util is missing")
		}
		t.Skip("softhsm2-util is missing")
	}
	dir := t.TempDir()
	tokens := filepath.Join(dir, "tokens")
	settings := filepath.Join(dir, "softhsm2.conf")
	if err := errors.Join(os.Mkdir(tokens, 0o700),
		os.WriteFile(settings, []byte("directories.tokendir = "+tokens+"\nlog.level = ERROR\n"), 0o600)); err != nil {
		t.Fatal(err)
	}
	t.Setenv("SOFTHSM2_CONF", settings)
	c := TokenConfig{Module: softHSM, Label: "akashi", PIN: rand.Text(), Sessions: 8}
	out, err := exec.Command(tool, "--init-token", "--free", "--label", c.Label, "--pin", c.PIN, "--so-pin", rand.Text()).CombinedOutput()
	if err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	return c, tokens
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
		if _, err := connected(t, c).Request("missing", pkix.Name{}); err == nil {
			t.Error("error/requested for a key that is not there")
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
		interrupt(t)
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
		interrupt(t)
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
func interrupt(t *testing.T) {
	t.Helper()
	module := pkcs11.New(softHSM)
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
