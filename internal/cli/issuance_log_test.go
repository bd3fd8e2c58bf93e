package cli_test

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/rand"
	"crypto/sha256"
	"crypto/x509"
	"encoding/asn1"
	"encoding/pem"
	"math/big"
	"os"
	"path/filepath"
	"testing"
	"time"

	"akashi/certificate"
	"akashi/certificate/shc"
	"akashi/certificate/trust"
	"akashi/certificate/vdsnc"
	"akashi/certificate/verify"
	"akashi/internal/testkit/world"
	"akashi/signing"
)

// thief has the files of the active keys and works outside the service.
type thief struct {
	t    *testing.T
	dir  string
	keys map[signing.Purpose]signing.Key
}

func steal(t *testing.T, w *world.World) thief {
	t.Helper()
	keys, err := w.Store.SigningKeys(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	th := thief{t, filepath.Join(w.Config.Data, "keys"), map[signing.Purpose]signing.Key{}}
	for _, k := range keys {
		th.keys[k.Purpose] = k
	}
	return th
}

func (th thief) sign(key signing.Key, message []byte) []byte {
	th.t.Helper()
	text, err := os.ReadFile(filepath.Join(th.dir, key.Handle))
	if err != nil {
		th.t.Fatal(err)
	}
	block, _ := pem.Decode(text)
	private, err := x509.ParsePKCS8PrivateKey(block.Bytes)
	if err != nil {
		th.t.Fatal(err)
	}
	digest := sha256.Sum256(message)
	der, err := private.(*ecdsa.PrivateKey).Sign(rand.Reader, digest[:], crypto.SHA256)
	if err != nil {
		th.t.Fatal(err)
	}
	var v struct{ R, S *big.Int }
	if _, err := asn1.Unmarshal(der, &v); err != nil {
		th.t.Fatal(err)
	}
	out := make([]byte, 64)
	v.R.FillBytes(out[:32])
	v.S.FillBytes(out[32:])
	return out
}

func (th thief) card(c certificate.Certificate) string {
	th.t.Helper()
	key := th.keys[signing.SHC]
	draft, err := shc.Draft(c, shc.Options{Issuer: signing.TestIssuer, KeyID: key.ID, RevocationID: "AAAAAAAAAAA"})
	if err != nil {
		th.t.Fatal(err)
	}
	jws, err := shc.Seal(draft, th.sign(key, draft))
	if err != nil {
		th.t.Fatal(err)
	}
	text, err := shc.Numeric(jws)
	if err != nil {
		th.t.Fatal(err)
	}
	return text
}

func (th thief) barcode(c certificate.Certificate) string {
	th.t.Helper()
	key := th.keys[signing.VDSNC]
	draft, err := vdsnc.Draft(c, signing.TestState)
	if err != nil {
		th.t.Fatal(err)
	}
	text, err := vdsnc.Seal(draft, th.sign(key, draft), key.Certificate)
	if err != nil {
		th.t.Fatal(err)
	}
	return text
}

// Issue 4, section 4: what was issued is in the published log; a card made
// outside the service with the stolen active key has a right signature and is
// named as not issued, by nobody being asked about it.
func TestStolenKey(t *testing.T) {
	world.Each(t, func(t *testing.T, w *world.World) {
		i, _, err := w.Issuance.Issue(t.Context(), w.Clerk, w.Approved(t, certificate.Travel))
		if err != nil {
			t.Fatal(err)
		}
		b, err := w.Trust(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		dir := t.TempDir()
		if err := b.Write(dir); err != nil {
			t.Fatal(err)
		}
		b, report, err := trust.Load(os.DirFS(dir))
		if err != nil || len(report) > 0 {
			t.Fatalf("ok/trust directory: %v %v", report, err)
		}
		now := time.Now().UTC()
		judge := func(text string, at time.Time) verify.Verdict { return verify.File("", []byte(text), b, at)[0] }
		for _, p := range i.Payloads {
			if v := judge(p.Text, now); v.Outcome != verify.Valid || v.Facet(verify.Issued).Code != verify.InIssuanceLog {
				t.Errorf("ok/issued %s: %s %v", p.Family, v.Outcome, v.Facets)
			}
		}
		forged := i.Certificate
		forged.ID, forged.IssuedAt = "FGHJKLMNPQRS", now.Add(-time.Hour).Truncate(time.Second)
		dayless := forged
		dayless.AI = ""
		th := steal(t, w)
		for name, c := range map[string]struct {
			text    string
			at      time.Time
			outcome verify.Outcome
			code    string
		}{
			"card":                   {th.card(forged), now, verify.NotValid, verify.NotInIssuanceLog},
			"bar code":               {th.barcode(dayless), now, verify.NotValid, verify.NotInIssuanceLog},
			"bar code, old log":      {th.barcode(dayless), now.Add(time.Hour), verify.Undecided, verify.IssuanceLogOld},
			"bar code of today":      {th.barcode(forged), now, verify.Undecided, verify.IssuanceLogOld}, // it may be younger than the log
			"card younger than that": {th.card(func() certificate.Certificate { c := forged; c.IssuedAt = now.Truncate(time.Second); return c }()), now, verify.Undecided, verify.IssuanceLogOld},
		} {
			v := judge(c.text, c.at)
			if v.Outcome != c.outcome || v.Facet(verify.Issued).Code != c.code || v.Facet(verify.Signature).Result != verify.OK || v.Facet(verify.Key).Result != verify.OK {
				t.Errorf("error/%s: %s %v", name, v.Outcome, v.Facets)
			}
		}
		// Without the log the same card is valid: that is what the log is for.
		if b, err = w.Issuance.Published(t.Context()); err != nil {
			t.Fatal(err)
		}
		if v := judge(th.card(forged), now); v.Outcome != verify.Valid || v.Facet(verify.Issued).Result != verify.NotApplicable {
			t.Errorf("without the log: %s %v", v.Outcome, v.Facets)
		}
	})
}
