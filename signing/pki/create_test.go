package pki

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"errors"
	"math/big"
	"testing"
	"time"
)

var (
	begin = time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	end   = begin.AddDate(10, 0, 0)
)

func newKey(t testing.TB, curve elliptic.Curve) *ecdsa.PrivateKey {
	t.Helper()
	key, err := ecdsa.GenerateKey(curve, rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	return key
}

type testAuthority struct {
	der  []byte
	key  crypto.Signer
	cert *Certificate
}

func newAuthority(t testing.TB, curve elliptic.Curve) testAuthority {
	t.Helper()
	key := newKey(t, curve)
	b, err := CreateAuthority(AuthorityTemplate{
		Country: "UT", Organization: "Utopia", CommonName: "TEST CSCA", Serial: big.NewInt(1), NotBefore: begin, NotAfter: end,
	}, key)
	if err != nil {
		t.Fatal(err)
	}
	c, err := ParseCertificate(b)
	if err != nil {
		t.Fatal(err)
	}
	return testAuthority{b, key, c}
}

func signerTemplate() SignerTemplate {
	return SignerTemplate{
		Country: "UT", CommonName: "01", Serial: big.NewInt(2), NotBefore: begin, NotAfter: end,
		UsageFrom: begin, UsageTo: begin.AddDate(0, 3, 0), DocumentTypes: []string{"NV"},
	}
}

// Spec icao-vds-nc, 4: what is made has every part that the report demands.
func TestCreate(t *testing.T) {
	for _, curve := range []elliptic.Curve{elliptic.P256(), elliptic.P384(), elliptic.P521()} {
		t.Run("ok/"+curve.Params().Name, func(t *testing.T) {
			authority := newAuthority(t, curve)
			if a := authority.cert; !a.IsCA || a.KeyUsage != x509.KeyUsageCertSign|x509.KeyUsageCRLSign || len(a.SKI) == 0 || a.Subject.Country() != "UT" {
				t.Errorf("authority %+v", a)
			}
			if err := authority.cert.CheckSignature(authority.cert); err != nil {
				t.Error(err)
			}
			key := newKey(t, elliptic.P256())
			b, err := CreateBarcodeSigner(signerTemplate(), &key.PublicKey, authority.der, authority.key)
			if err != nil {
				t.Fatal(err)
			}
			c, err := ParseCertificate(b)
			if err != nil {
				t.Fatal(err)
			}
			if found, err := FindAuthority(c, []*Certificate{authority.cert}); found != authority.cert || err != nil {
				t.Errorf("authority %v, %v", found, err)
			}
			if c.IsCA || !key.PublicKey.Equal(c.PublicKey) || string(c.AKI) != string(authority.cert.SKI) ||
				c.KeyUsage != x509.KeyUsageDigitalSignature || !c.KeyUsageCritical ||
				len(c.ExtKeyUsage) != 1 || !c.HasPurpose(PurposeBarcodeSigner) || !c.ExtKeyUsageCritical ||
				len(c.DocumentTypes) != 1 || c.DocumentTypes[0] != "NV" || len(c.UnknownCritical) != 0 ||
				c.PrivateKeyUsage != (Period{begin, begin.AddDate(0, 3, 0)}) {
				t.Errorf("signer %+v", c)
			}
		})
	}
	t.Run("ok/without optional parts", func(t *testing.T) {
		template := signerTemplate()
		template.DocumentTypes, template.UsageFrom, template.UsageTo = nil, time.Time{}, time.Time{}
		authority := newAuthority(t, elliptic.P256())
		b, err := CreateBarcodeSigner(template, &newKey(t, elliptic.P256()).PublicKey, authority.der, authority.key)
		if err != nil {
			t.Fatal(err)
		}
		if c, err := ParseCertificate(b); err != nil || c.HasDocumentTypes || c.PrivateKeyUsage != (Period{}) {
			t.Errorf("signer %+v, %v", c, err)
		}
	})
	t.Run("ok/of HC1 codes", func(t *testing.T) {
		template := signerTemplate()
		template.DocumentTypes, template.UsageFrom, template.UsageTo = nil, time.Time{}, time.Time{}
		authority := newAuthority(t, elliptic.P256())
		b, err := CreateHealthSigner(template, &newKey(t, elliptic.P256()).PublicKey, authority.der, authority.key)
		if err != nil {
			t.Fatal(err)
		}
		c, err := ParseCertificate(b)
		if err != nil || c.KeyUsage != x509.KeyUsageDigitalSignature || len(c.ExtKeyUsage) != 1 || !c.HasPurpose(PurposeHealthDose) ||
			c.ExtKeyUsageCritical || string(c.AKI) != string(authority.cert.SKI) || c.Subject.Country() != template.Country {
			t.Errorf("signer %+v, %v", c, err)
		}
	})
	t.Run("error/country of three letters", func(t *testing.T) {
		if _, err := CreateAuthority(AuthorityTemplate{Country: "UTO", NotBefore: begin, NotAfter: end}, newKey(t, elliptic.P256())); err == nil {
			t.Error("made")
		}
	})
	t.Run("error/ends before it begins", func(t *testing.T) {
		if _, err := CreateAuthority(AuthorityTemplate{Country: "UT", NotBefore: end, NotAfter: begin}, newKey(t, elliptic.P256())); err == nil {
			t.Error("made")
		}
	})
	t.Run("error/another key than the authority's", func(t *testing.T) {
		authority := newAuthority(t, elliptic.P256())
		if _, err := CreateBarcodeSigner(signerTemplate(), &newKey(t, elliptic.P256()).PublicKey, authority.der, newKey(t, elliptic.P256())); err == nil {
			t.Error("made")
		}
	})
}

func TestCreateCRL(t *testing.T) {
	authority := newAuthority(t, elliptic.P384())
	revoked := []*big.Int{big.NewInt(300), big.NewInt(2), big.NewInt(0x80), new(big.Int).Lsh(big.NewInt(1), 150)}
	b, err := CreateCRL(authority.der, authority.key, 7, revoked, begin, begin.AddDate(0, 3, 0))
	if err != nil {
		t.Fatal(err)
	}
	l, err := ParseCRL(b)
	if err != nil {
		t.Fatal(err)
	}
	t.Run("ok/lists what was revoked and no more", func(t *testing.T) {
		for _, serial := range revoked {
			if !l.Lists(serial) {
				t.Errorf("%v not listed", serial)
			}
		}
		for _, n := range []int64{0, 1, 3, 299, 301, -128} {
			if l.Lists(big.NewInt(n)) {
				t.Errorf("%d listed", n)
			}
		}
		if l.Number.Int64() != 7 || l.Len() != len(revoked) {
			t.Errorf("number %v, %d entries", l.Number, l.Len())
		}
	})
	t.Run("ok/issuer", func(t *testing.T) {
		if err := authority.cert.CheckCRL(l); err != nil {
			t.Error(err)
		}
	})
	t.Run("error/authority of the same name with another key", func(t *testing.T) {
		if err := newAuthority(t, elliptic.P384()).cert.CheckCRL(l); !errors.Is(err, ErrUntrusted) {
			t.Errorf("got %v", err)
		}
	})
	t.Run("error/signature", func(t *testing.T) {
		changed := append([]byte(nil), b...)
		changed[len(changed)-1] ^= 1
		l, err := ParseCRL(changed)
		if err != nil {
			t.Fatal(err)
		}
		if err := authority.cert.CheckCRL(l); !errors.Is(err, ErrSignature) {
			t.Errorf("got %v", err)
		}
	})
	t.Run("error/signer may not sign lists", func(t *testing.T) {
		weaker := *authority.cert
		weaker.KeyUsage = x509.KeyUsageCertSign
		if err := weaker.CheckCRL(l); !errors.Is(err, ErrUntrusted) {
			t.Errorf("got %v", err)
		}
	})
	t.Run("error/unknown critical extension", func(t *testing.T) {
		partial := *l
		partial.UnknownCritical = append(partial.UnknownCritical, oidKeyUsage)
		if err := authority.cert.CheckCRL(&partial); !errors.Is(err, ErrUnsupported) {
			t.Errorf("got %v", err)
		}
	})
}
