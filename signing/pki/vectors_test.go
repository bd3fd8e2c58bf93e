package pki

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/rsa"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"errors"
	"math/big"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"golang.org/x/crypto/cryptobyte"
	der "golang.org/x/crypto/cryptobyte/asn1"

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

// Country certificates of other states and of specimens, each checked with its own
// key: explicit parameters of brainpool and of NIST, brainpool by name, RSA, RSASSA-PSS.
// Austria's and Singapore's are link certificates, signed with earlier keys.
func TestOtherAuthorities(t *testing.T) {
	const dir = "emrtd/"
	want := map[string]struct {
		curve string // RSA without one
		err   error
	}{
		"real-sod/AT.csca.der": {"brainpoolP384r1", ErrSignature}, "real-sod/DE.csca.der": {"brainpoolP512r1", nil},
		"real-sod/UK.csca.der": {"P-384", nil}, "real-sod/FR.csca.der": {}, "real-sod/NZ.csca.der": {}, "real-sod/US.csca.der": {},
		"real-sod/PH.csca.der": {}, "real-sod/SG.csca.der": {"", ErrSignature},
		"synthetic/csca-jpn-test.der": {"P-384", nil}, "synthetic/csca-jpn-rogue-test.der": {"P-384", nil},
		"synthetic/csca-deu-brainpool-test.der": {"brainpoolP384r1", nil}, "synthetic/csca-rsa-test.der": {},
	}
	localities := map[string][]string{
		"real-sod/AT.csca.der": {"AUT"}, "real-sod/DE.csca.der": {"D"}, "real-sod/UK.csca.der": {"GBR"}, "real-sod/FR.csca.der": {"FRA"},
		"real-sod/PH.csca.der": {"PHL"}, "real-sod/SG.csca.der": {"SGP"}, "synthetic/csca-jpn-test.der": {"JPN"}, "synthetic/csca-jpn-rogue-test.der": {"JPN"},
		"synthetic/csca-deu-brainpool-test.der": {"JPN"}, "synthetic/csca-rsa-test.der": {"JPN"},
	}
	files, _ := filepath.Glob(filepath.Join(testkit.Shared(t, dir), "*", "*.der"))
	if len(files) != len(want)+8 { // Japan's eight are above
		t.Errorf("%d files, want %d", len(files), len(want)+8)
	}
	for name, want := range want {
		t.Run(name, func(t *testing.T) {
			c := load(t, dir+name)
			if err := c.CheckSignature(c); !errors.Is(err, want.err) {
				t.Errorf("%v: got %v, want %v", c.Subject, err, want.err)
			}
			curve := ""
			if key, ok := c.PublicKey.(*ecdsa.PublicKey); ok {
				curve = key.Curve.Params().Name
			}
			if curve != want.curve {
				t.Errorf("curve %q, want %q", curve, want.curve)
			}
			if wanted := localities[name]; !slices.Equal(c.Localities, wanted) {
				t.Errorf("localities %q, want %q", c.Localities, wanted)
			}
			changed, err := ParseCertificate(flipLast(c.RawTBS, c.Raw))
			if err == nil && c.CheckSignature(changed) == nil {
				t.Error("error/verifies with a changed byte")
			}
		})
	}
	t.Run("list of the specimen state", func(t *testing.T) {
		l, err := ParseCRL(testkit.Read(t, dir+"synthetic/jpn.crl"))
		if err != nil {
			t.Fatal(err)
		}
		if err := load(t, dir+"synthetic/csca-jpn-test.der").CheckCRL(l); err != nil || l.Len() != 1 {
			t.Errorf("%d entries, %v", l.Len(), err)
		}
		if err := load(t, dir+"synthetic/csca-jpn-rogue-test.der").CheckCRL(l); !errors.Is(err, ErrUntrusted) {
			t.Errorf("error/the rogue authority: %v", err)
		}
	})
}

// The document signers in eight real passports chain to the country certificates
// beside them (emrtd/README.md).
func TestDocumentSigners(t *testing.T) {
	files, _ := filepath.Glob(filepath.Join(testkit.Shared(t, "emrtd/real-sod"), "*.EF_SOD.bin"))
	if len(files) != 8 {
		t.Errorf("%d files, want 8", len(files))
	}
	for _, file := range files {
		state, _, _ := strings.Cut(filepath.Base(file), ".")
		t.Run(state, func(t *testing.T) {
			signer := certificateWithin(t, testkit.Read(t, "emrtd/real-sod/"+filepath.Base(file)))
			if _, err := FindAuthority(signer, []*Certificate{load(t, "emrtd/real-sod/"+state+".csca.der")}); err != nil {
				t.Errorf("%v: %v", signer.Subject, err)
			}
		})
	}
}

// certificateWithin returns the first certificate that stands in some bytes.
func certificateWithin(t *testing.T, b []byte) *Certificate {
	t.Helper()
	for i := range len(b) - 4 {
		if b[i] != 0x30 || b[i+1] != 0x82 {
			continue
		}
		if end := i + 4 + int(b[i+2])<<8 + int(b[i+3]); end <= len(b) {
			if c, err := ParseCertificate(b[i:end]); err == nil {
				return c
			}
		}
	}
	t.Fatal("no certificate")
	return nil
}

// flipLast changes a bit of the last byte of the signed part.
func flipLast(tbs, raw []byte) []byte {
	out := bytes.Clone(raw)
	out[bytes.Index(raw, tbs)+len(tbs)-1] ^= 1
	return out
}

// RFC 5639, 3: each curve's generator lies on it, and has the order n.
func TestKnownCurves(t *testing.T) {
	for _, c := range curves() {
		p := c.Params()
		if !c.contains(p.Gx, p.Gy) || c.contains(p.Gy, p.Gx) {
			t.Errorf("%s: a or b is wrong", p.Name)
		}
		if x, y := c.ScalarBaseMult(p.N.Bytes()); x.Sign() != 0 || y.Sign() != 0 {
			t.Errorf("%s: order of the generator", p.Name)
		}
	}
	if len(curves()) != 9 {
		t.Errorf("%d curves, want 9", len(curves()))
	}
}

func knownAs(t *testing.T, name string) *knownCurve {
	t.Helper()
	for _, c := range curves() {
		if c.Params().Name == name {
			return c
		}
	}
	t.Fatalf("no curve %s", name)
	return nil
}

// S-065: signatures in DER as certificates carry them, against others' vectors.
func TestWycheproofSignatures(t *testing.T) {
	var list struct {
		Groups []struct {
			DER   string `json:"publicKeyDer"`
			Tests []struct {
				ID               int `json:"tcId"`
				Msg, Sig, Result string
			} `json:"tests"`
		} `json:"testGroups"`
	}
	if err := json.Unmarshal(testkit.Read(t, "security/wycheproof/ecdsa_p256_sha256_der.json"), &list); err != nil {
		t.Fatal(err)
	}
	unhex := func(s string) []byte {
		b, err := hex.DecodeString(s)
		if err != nil {
			t.Fatal(err)
		}
		return b
	}
	ran := map[string]int{}
	for _, g := range list.Groups {
		info := cryptobyte.String(unhex(g.DER))
		var inner cryptobyte.String
		if !info.ReadASN1(&inner, der.SEQUENCE) {
			t.Fatal("key of the group")
		}
		key, notKnown, err := readKey(inner)
		if notKnown != nil || err != nil {
			t.Fatal(notKnown, err)
		}
		c := Certificate{PublicKey: key}
		for _, v := range g.Tests {
			ran[v.Result]++
			err := c.check(unhex(v.Msg), signature{algorithm: ecdsaSHA256, value: unhex(v.Sig)})
			if (err == nil) != (v.Result == "valid") {
				t.Errorf("test %d, %s: %v", v.ID, v.Result, err)
			}
		}
	}
	if ran["valid"]+ran["invalid"] != 323 || ran["valid"] == 0 {
		t.Errorf("ran %v, want 323", ran)
	}
}

// ecdsaSHA256 is the AlgorithmIdentifier.
var ecdsaSHA256 = []byte{0x30, 10, 6, 8, 0x2a, 0x86, 0x48, 0xce, 0x3d, 4, 3, 2}

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
