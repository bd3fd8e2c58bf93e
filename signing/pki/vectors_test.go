package pki

import (
	"crypto/ecdsa"
	"crypto/rsa"
	"encoding/base64"
	"encoding/json"
	"errors"
	"math/big"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"akashi/internal/testkit"
)

func load(t testing.TB, name string) *Certificate {
	t.Helper()
	c, err := ParseCertificate(testkit.Read(t, name))
	if err != nil {
		t.Fatalf("%s: %v", name, err)
	}
	return c
}

// Two real chains, with explicit curve parameters, RSASSA-PSS and RSA-4096
// (spec icao-vds-nc, 4; vdsnc/README.md).
func TestTrustVectors(t *testing.T) {
	e3 := load(t, "vdsnc/trust/jpn-csca-e3-root-p384-explicit.der")
	e5 := load(t, "vdsnc/trust/jpn-csca-e5-link-rsapss.der")
	aus := load(t, "vdsnc/trust/aus-csca-16f2.der")
	link := load(t, "vdsnc/trust/aus-csca-16f5-link.der")
	signer := japaneseSigner(t)

	t.Run("ok/japan's root, explicit P-384", func(t *testing.T) {
		if e3.Serial.Cmp(big.NewInt(0xe3)) != 0 || !e3.IsCA || e3.Subject.Country() != "JP" || e3.Version != 3 {
			t.Errorf("read as %v %v", e3.Serial, e3.Subject)
		}
		key, ok := e3.PublicKey.(*ecdsa.PublicKey)
		if !ok || key.Curve.Params().Name != "P-384" {
			t.Errorf("key %T", e3.PublicKey)
		}
		if err := e3.CheckSignature(e3); err != nil {
			t.Error(err)
		}
	})
	t.Run("ok/link certificate has the same key and signed the same", func(t *testing.T) {
		if !e3.PublicKey.(*ecdsa.PublicKey).Equal(e5.PublicKey) {
			t.Error("keys differ")
		}
		for _, trusted := range []*Certificate{e3, e5} {
			if got, err := FindAuthority(signer, []*Certificate{aus, trusted}); err != nil || got != trusted {
				t.Errorf("authority %v, %v", got, err)
			}
		}
	})
	t.Run("ok/link certificate, RSASSA-PSS by the key of 2015", func(t *testing.T) {
		if err := load(t, "emrtd/csca-jpn/92-2015-rsa4096.der").CheckSignature(e5); err != nil {
			t.Error(err)
		}
	})
	t.Run("ok/australia, RSA-4096", func(t *testing.T) {
		if key, ok := aus.PublicKey.(*rsa.PublicKey); !ok || key.N.BitLen() != 4096 {
			t.Errorf("key %T", aus.PublicKey)
		}
		if err := aus.CheckSignature(aus); err != nil {
			t.Error(err)
		}
		if !aus.PublicKey.(*rsa.PublicKey).Equal(link.PublicKey) {
			t.Error("link certificate has another key")
		}
	})
	t.Run("ok/japan's signer", func(t *testing.T) {
		if signer.Subject.String() != "C=JP, CN=The Digital Agency" || signer.IsCA || !signer.HasPurpose(PurposeBarcodeSigner) ||
			!signer.ExtKeyUsageCritical || len(signer.DocumentTypes) != 1 || signer.DocumentTypes[0] != "NV" || len(signer.UnknownCritical) != 0 {
			t.Errorf("read as %+v", signer)
		}
		want := Period{time.Date(2021, 11, 16, 2, 49, 59, 0, time.UTC), time.Date(2023, 2, 16, 2, 49, 59, 0, time.UTC)}
		if signer.PrivateKeyUsage != want {
			t.Errorf("private key usage %v", signer.PrivateKeyUsage)
		}
		if string(signer.AKI) != string(e3.SKI) || !signer.Issuer.Equal(e3.Subject) {
			t.Error("key identifier or name of the authority differs")
		}
	})
	t.Run("error/another country", func(t *testing.T) {
		if _, err := FindAuthority(signer, []*Certificate{aus, link}); !errors.Is(err, ErrUntrusted) {
			t.Errorf("got %v", err)
		}
		if err := aus.CheckSignature(signer); !errors.Is(err, ErrSignature) {
			t.Errorf("got %v", err)
		}
	})
}

// The eight Japanese country certificates, each with the one that signed it (emrtd/README.md).
func TestJapaneseAuthorities(t *testing.T) {
	dir := testkit.Shared(t, "emrtd/csca-jpn")
	signers := map[string]string{
		"76-2013-rsa4096.der": "76-2013-rsa4096.der", "92-2015-rsa4096.der": "92-2015-rsa4096.der",
		"e3-2019-p384.der": "e3-2019-p384.der", "0144-2024-p384.der": "0144-2024-p384.der",
		"93-link-2013key-by-2015.der": "92-2015-rsa4096.der", "94-link-2015key-by-2013.der": "76-2013-rsa4096.der",
		"e5-link-2019key-by-2015.der": "92-2015-rsa4096.der", "0146-link-2024key-by-2019.der": "e3-2019-p384.der",
	}
	files, _ := filepath.Glob(filepath.Join(dir, "*.der"))
	if len(files) != len(signers) {
		t.Fatalf("%d files, want %d", len(files), len(signers))
	}
	for name, by := range signers {
		t.Run("ok/"+name, func(t *testing.T) {
			signed, authority := load(t, "emrtd/csca-jpn/"+name), load(t, "emrtd/csca-jpn/"+by)
			if err := authority.CheckSignature(signed); err != nil {
				t.Error(err)
			}
		})
	}
}

// Country certificates of other states, each checked with its own key: brainpool is
// "not supported", never "invalid"; Singapore's is a link certificate, signed by CA 4.
func TestOtherAuthorities(t *testing.T) {
	dir := testkit.Shared(t, "emrtd/real-sod")
	want := map[string]error{
		"AT": ErrUnsupported, "DE": ErrUnsupported, "UK": nil,
		"FR": nil, "NZ": nil, "US": nil, "PH": nil, "SG": ErrSignature,
	}
	for state, want := range want {
		t.Run(state, func(t *testing.T) {
			b, err := os.ReadFile(filepath.Join(dir, state+".csca.der"))
			if err != nil {
				t.Fatal(err)
			}
			c, err := ParseCertificate(b)
			if err != nil {
				t.Fatal(err)
			}
			if err := c.CheckSignature(c); !errors.Is(err, want) {
				t.Errorf("%v: got %v, want %v", c.Subject, err, want)
			}
		})
	}
}

func TestCRLVectors(t *testing.T) {
	t.Run("ok/australia, no entries", func(t *testing.T) {
		l, err := ParseCRL(testkit.Read(t, "vdsnc/trust/aus-2021-08-19.crl"))
		if err != nil {
			t.Fatal(err)
		}
		if err := load(t, "vdsnc/trust/aus-csca-16f2.der").CheckCRL(l); err != nil {
			t.Error(err)
		}
		if l.Len() != 0 || l.Number.Int64() != 64 || l.Lists(big.NewInt(0x18ad)) {
			t.Errorf("%d entries, number %v", l.Len(), l.Number)
		}
		inside, after := time.Date(2021, 9, 30, 0, 0, 0, 0, time.UTC), time.Date(2021, 11, 18, 0, 0, 0, 0, time.UTC)
		if !l.Current(inside) || l.Current(after) {
			t.Errorf("current from %v to %v", l.ThisUpdate, l.NextUpdate)
		}
	})
	t.Run("ok/synthetic, one entry", func(t *testing.T) {
		l, err := ParseCRL(testkit.Read(t, "vdsnc/synthetic/jpn.crl"))
		if err != nil {
			t.Fatal(err)
		}
		if err := load(t, "vdsnc/synthetic/csca-jpn-test.der").CheckCRL(l); err != nil {
			t.Error(err)
		}
		if l.Len() != 1 || !l.Lists(big.NewInt(0x010c)) || l.Lists(big.NewInt(0x010b)) {
			t.Errorf("%d entries", l.Len())
		}
		if err := load(t, "vdsnc/synthetic/csca-jpn-rogue-test.der").CheckCRL(l); !errors.Is(err, ErrUntrusted) {
			t.Errorf("the rogue authority of the same name: %v", err)
		}
	})
}

func japaneseSigner(t testing.TB) *Certificate {
	t.Helper()
	var wrapped []struct {
		Sig struct{ Cer string } `json:"sig"`
	}
	if err := json.Unmarshal(testkit.Read(t, "vdsnc/real/jpn-three-doses.json"), &wrapped); err != nil {
		t.Fatal(err)
	}
	b, err := base64.RawURLEncoding.DecodeString(strings.TrimRight(wrapped[0].Sig.Cer, "="))
	if err != nil {
		t.Fatal(err)
	}
	c, err := ParseCertificate(b)
	if err != nil {
		t.Fatal(err)
	}
	return c
}
