package verify

import (
	"bytes"
	"encoding/json"
	"fmt"
	"math/big"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"akashi/certificate/shc"
	"akashi/certificate/trust"
	"akashi/certificate/vdsnc"
	"akashi/signing"
	"akashi/signing/pki"
)

func TestBarcode(t *testing.T) {
	ut := newCountry(t, signing.TestState, signing.TestCountry, nil)
	b := bundle(t, ut.registered(), ut.current(t))
	text := ut.issue(t)
	v := Text(text, b, now)
	expect{Valid, Revocation, OK, SignerNotRevoked}.check(t, v)
	if v.Family != "vdsnc" || !v.Test || v.Issuer != "UTO" || v.KeyID != signing.Thumbprint(&ut.signerKey.PublicKey) || !v.SignedAt.IsZero() {
		t.Errorf("family %s, test %t, issuer %s, key %s, signed %s", v.Family, v.Test, v.Issuer, v.KeyID, v.SignedAt)
	}
	dose := Dose{Number: 1, Date: "2021-07-07", System: shc.SystemICD11, Code: "XM0GQ8", Product: "SPIKEVAX", Lot: "3000", Country: "JPN", Centre: vdsnc.Centre}
	second := dose
	second.Number, second.Date, second.Lot = 2, "2021-08-05", "3001"
	want := &Holder{
		Names: []string{"KAKUU HANAKO"}, BirthDate: "1980-01-23", DocumentNumber: "XS1234567", CertificateID: "ABCDEFGHJKLM",
		Doses: []Dose{dose, second},
	}
	if diff := cmp.Diff(want, v.Holder); diff != "" {
		t.Error(diff)
	}
	if v := File("a.txt", []byte(text+"\n"), b, now); len(v) != 1 || v[0].Outcome != Valid {
		t.Error("not valid in a file")
	}
	jp := newCountry(t, "JPN", "JP", nil)
	if v := Text(jp.issue(t), bundle(t, jp.registered(), jp.current(t)), now); v.Outcome != Valid || v.Test {
		t.Errorf("outcome %s, test %t", v.Outcome, v.Test)
	}
}

// Spec icao-vds-nc, 7 and 10: each single change fails its own facet, with its own code.
func TestBarcodeChanged(t *testing.T) {
	ut := newCountry(t, signing.TestState, signing.TestCountry, nil)
	with := func(code string, change func(*pki.SignerTemplate)) string {
		return ut.withSigner(t, code, change).issue(t)
	}
	good := ut.issue(t)
	replaced := func(old, new string) string {
		if !strings.Contains(good, old) {
			t.Fatalf("no %s in the code", old)
		}
		return strings.Replace(good, old, new, 1)
	}
	signed := func(old, new string) string { // by the right key
		data, err := vdsnc.Draft(specimen(), ut.state)
		if err != nil {
			t.Fatal(err)
		}
		return ut.seal(t, bytes.Replace(data, []byte(old), []byte(new), 1))
	}
	signature := func(change func([]byte) []byte) string {
		var parts map[string]map[string]any
		if err := json.Unmarshal([]byte(good), &parts); err != nil {
			t.Fatal(err)
		}
		_, tail, _ := strings.Cut(good, `"sigvl":"`)
		raw := decode(t, strings.TrimSuffix(tail, `"}}`))
		return replaced(strings.TrimSuffix(tail, `"}}`), encode(change(raw)))
	}
	rogue := newCountry(t, signing.TestState, signing.TestCountry, nil) // the same names, another key
	xo := newCountry(t, "XOM", "XO", nil)
	disguised := ut
	disguised.state = "JPN"
	copied := ut // a stranger's key under the authority's name and key identifier
	copied.authorityKey = rogue.authorityKey
	for _, c := range []struct {
		name, text string
		want       expect
	}{
		{"malformed/cut", good[:len(good)-9], expect{Unreadable, Readable, Failed, BarcodeMalformed}},
		{"malformed/trailing", good + "{}", expect{Unreadable, Readable, Failed, BarcodeMalformed}},
		{"malformed/duplicate", replaced(`"uvci":`, `"uvci":"ABCDEFGHJKLM","uvci":`), expect{Unreadable, Readable, Failed, BarcodeMalformed}},
		{"schema/version", replaced(`"v":1`, `"v":2`), expect{Unreadable, Readable, Failed, VersionNotSupported}},
		{"schema/null", replaced(`"XS1234567"`, `null`), expect{NotValid, Content, Failed, ContentRules}},
		{"schema/long id though well signed", signed("ABCDEFGHJKLM", "ABCDEFGHJKLMN"), expect{NotValid, Content, Failed, ContentRules}},
		{"algorithm/none", replaced(`"ES256"`, `"none"`), expect{NotValid, Signature, Failed, AlgorithmNotAllowed}},
		{"algorithm/not of the key", replaced(`"ES256"`, `"ES384"`), expect{NotValid, Signature, Failed, AlgorithmNotAllowed}},
		{"signature/short", signature(func(b []byte) []byte { return b[1:] }), expect{NotValid, Signature, Failed, SignatureForm}},
		{"signature/bit", signature(func(b []byte) []byte { b[40] ^= 1; return b }), expect{NotValid, Signature, Failed, SignatureWrong}},
		{"signature/name changed", replaced("KAKUU HANAKO", "KAKUU HANAKA"), expect{NotValid, Signature, Failed, SignatureWrong}},
		{"signature/member added", replaced(`"uvci":`, `"a":1,"uvci":`), expect{NotValid, Signature, Failed, SignatureWrong}},
		{"signature/other key", country{state: "UTO", signerKey: newKey(t), signer: ut.signer}.issue(t), expect{NotValid, Signature, Failed, SignatureWrong}},
		{"issuer/unknown", xo.issue(t), expect{Undecided, Issuer, Unknown, IssuerUnknown}},
		{"issuer/unknown of the same name", rogue.issue(t), expect{Undecided, Issuer, Unknown, IssuerUnknown}},
		{"issuer/chain forged", forgedSigner(t, copied).issue(t), expect{NotValid, Issuer, Failed, ChainWrong}},
		{"signer/document type", with("UT", func(s *pki.SignerTemplate) { s.DocumentTypes = []string{"NT"} }), expect{NotValid, Key, Failed, SignerNotAllowed}},
		{"signer/country", disguised.issue(t), expect{NotValid, Key, Failed, CountryDiffers}},
		{"signer/expired", with("UT", func(s *pki.SignerTemplate) { s.NotAfter = now.Add(-time.Second) }), expect{NotValid, Validity, Failed, SignerExpired}},
		{"signer/not yet valid", with("UT", func(s *pki.SignerTemplate) { s.NotBefore = now.Add(time.Second) }), expect{NotValid, Validity, Failed, SignerNotYetValid}},
	} {
		t.Run("error/"+c.name, func(t *testing.T) {
			c.want.check(t, Text(c.text, bundle(t, ut.registered(), ut.current(t)), now))
		})
	}
	t.Run("error/signer/expired and country", func(t *testing.T) { // one does not hide the other
		late := disguised.withSigner(t, "UT", func(s *pki.SignerTemplate) { s.NotAfter = now.Add(-time.Second) })
		v := Text(late.issue(t), bundle(t, ut.registered(), ut.current(t)), now)
		if v.Facet(Validity).Code != SignerExpired || v.Facet(Key).Code != CountryDiffers {
			t.Errorf("%v", v.Facets)
		}
	})
	t.Run("error/authority expired", func(t *testing.T) {
		later := now.AddDate(20, 0, 0)
		long := ut.withSigner(t, "UT", func(s *pki.SignerTemplate) { s.NotAfter = later.AddDate(1, 0, 0) })
		crl := ut.list(t, later.AddDate(0, 0, -1), later.AddDate(0, 0, 1))
		v := Text(long.issue(t), bundle(t, ut.registered(), crl), later)
		expect{NotValid, Validity, Failed, AuthorityExpired}.check(t, v)
	})
	t.Run("ok/usage period over", func(t *testing.T) { // a note only
		v := Text(with("UT", func(s *pki.SignerTemplate) {
			s.UsageFrom, s.UsageTo = now.AddDate(-1, 0, 0), now.AddDate(0, -1, 0)
		}), bundle(t, ut.registered(), ut.current(t)), now)
		expect{outcome: Valid}.check(t, v)
		if !slices.Equal(v.Notes, []string{vdsnc.WarnSigningPeriodOver}) {
			t.Errorf("notes %v", v.Notes)
		}
	})
}

// forgedSigner makes a signer that names the authority's key identifier but is
// signed by another key. pki.CreateBarcodeSigner would notice, so the
// authority's certificate is made again for the other key with the identifier swapped in.
func forgedSigner(t *testing.T, c country) country {
	t.Helper()
	real, err := pki.ParseCertificate(c.authority)
	if err != nil {
		t.Fatal(err)
	}
	fake, err := pki.CreateAuthority(pki.AuthorityTemplate{
		Country: "UT", CommonName: c.authorityName, NotBefore: now.AddDate(-3, 0, 0), NotAfter: now.AddDate(9, 0, 0),
	}, c.authorityKey)
	if err != nil {
		t.Fatal(err)
	}
	parsed, err := pki.ParseCertificate(fake)
	if err != nil {
		t.Fatal(err)
	}
	c.authority = bytes.ReplaceAll(fake, parsed.SKI, real.SKI)
	return c.withSigner(t, "UT", nil)
}

// Spec icao-vds-nc, 7, step 8, S-069: missing and old lists are a state of their own.
func TestBarcodeRevocation(t *testing.T) {
	ut := newCountry(t, signing.TestState, signing.TestCountry, nil)
	other := newCountry(t, "XOM", "XO", nil)
	old := func(revoked ...*big.Int) []byte {
		return ut.list(t, now.AddDate(0, 0, -60), now.Add(-time.Second), revoked...)
	}
	serial := ut.signerSerial
	for _, c := range []struct {
		name  string
		lists [][]byte
		want  expect
	}{
		{"ok/current", [][]byte{ut.current(t)}, expect{Valid, Revocation, OK, SignerNotRevoked}},
		{"ok/another serial", [][]byte{ut.current(t, big.NewInt(0x010d))}, expect{Valid, Revocation, OK, SignerNotRevoked}},
		{"ok/old and current", [][]byte{old(), ut.current(t)}, expect{Valid, Revocation, OK, SignerNotRevoked}},
		{"error/revoked", [][]byte{ut.current(t, serial)}, expect{NotValid, Revocation, Failed, SignerRevoked}},
		{"error/revoked by an old list", [][]byte{old(serial)}, expect{NotValid, Revocation, Failed, SignerRevoked}},
		{"error/missing", nil, expect{Undecided, Revocation, Unknown, ListMissing}},
		{"error/list of another authority", [][]byte{other.current(t, serial)}, expect{Undecided, Revocation, Unknown, ListMissing}},
		{"error/old", [][]byte{old()}, expect{Undecided, Revocation, Unknown, ListNotCurrent}},
		{"error/of a later time", [][]byte{ut.list(t, now.Add(time.Second), now.AddDate(0, 0, 9))}, expect{Undecided, Revocation, Unknown, ListNotCurrent}},
	} {
		t.Run(c.name, func(t *testing.T) {
			b := bundle(t, append(ut.registered(), other.registered()...), c.lists...)
			c.want.check(t, Text(ut.issue(t), b, now))
		})
	}
}

func TestBarcodeWithoutTrust(t *testing.T) {
	ut := newCountry(t, signing.TestState, signing.TestCountry, nil)
	for name, b := range map[string]*trust.Bundle{"nil": nil, "zero": {}} {
		t.Run("error/"+name, func(t *testing.T) {
			v := Text(ut.issue(t), b, now)
			expect{Undecided, Issuer, Unknown, IssuerUnknown}.check(t, v)
			for _, f := range []string{Key, Revocation} {
				if v.Facet(f).Code != NotChecked {
					t.Errorf("%s was checked", f)
				}
			}
		})
	}
}

// A holder goes where it is asked for by name, and nowhere else.
func TestHolderIsRedacted(t *testing.T) {
	ut := newCountry(t, signing.TestState, signing.TestCountry, nil)
	v := Text(ut.issue(t), bundle(t, ut.registered(), ut.current(t)), now)
	for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q"} {
		for _, value := range []any{v, &v, v.Holder, *v.Holder} {
			text := fmt.Sprintf(verb, value)
			for _, p := range personal {
				if strings.Contains(text, p) {
					t.Errorf("%s of %T shows personal values", verb, value)
				}
			}
		}
	}
	for _, p := range personal {
		if strings.Contains(v.LogValue().String()+v.Holder.LogValue().String(), p) {
			t.Error("log shows personal values")
		}
	}
}

// A root that has ended does not hide a newer certificate for the same key (a
// link certificate, say), in whatever order the two lie.
func TestAuthorityRenewed(t *testing.T) {
	for range 8 { // the order of the bundle depends on random signatures
		ut := newCountry(t, signing.TestState, signing.TestCountry, nil)
		ended, err := pki.CreateAuthority(pki.AuthorityTemplate{
			Country: "UT", CommonName: ut.authorityName, NotBefore: now.AddDate(-3, 0, 0), NotAfter: now.AddDate(0, -1, 0),
		}, ut.authorityKey)
		if err != nil {
			t.Fatal(err)
		}
		keys := append(ut.registered(), signing.Key{ID: "ended", Purpose: signing.Authority, Certificate: ended, State: signing.Retired})
		expect{Valid, Validity, OK, InTime}.check(t, Text(ut.issue(t), bundle(t, keys, ut.current(t)), now))
	}
}
