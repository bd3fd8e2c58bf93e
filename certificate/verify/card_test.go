package verify

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"akashi/certificate/shc"
	"akashi/certificate/trust"
	"akashi/signing"
)

const iss = "https://issuer.example"

func numeric(t testing.TB, jws string) string {
	t.Helper()
	text, err := shc.Numeric(jws)
	if err != nil {
		t.Fatal(err)
	}
	return text
}

func TestCard(t *testing.T) {
	a := newCardIssuer(t, iss)
	b := bundle(t, []signing.Key{a.registered(t)})
	jws := a.issue(t)
	for name, v := range map[string]Verdict{
		"digits":      Text(numeric(t, jws), b, now),
		"jws":         Text(jws, b, now),
		"blanks":      Text("\n "+numeric(t, jws)+"\r\n", b, now),
		"file":        File("a.smart-health-card", shc.File(jws), b, now)[0],
		"other name":  File("-", shc.File(jws), b, now)[0],
		"text file":   File("a.txt", []byte(numeric(t, jws)+"\n"), b, now)[0],
		"single part": Texts([]string{numeric(t, jws)}, b, now),
	} {
		t.Run("ok/"+name, func(t *testing.T) {
			expect{outcome: Valid, facet: Revocation, result: NotApplicable, code: NoList}.check(t, v)
			if v.Family != "shc" || v.Test || v.Issuer != iss || v.KeyID != a.id || !v.SignedAt.Equal(issuedAt) {
				t.Errorf("family %s, test %t, issuer %s, key %s, signed %s", v.Family, v.Test, v.Issuer, v.KeyID, v.SignedAt)
			}
		})
	}
	want := &Holder{
		Names: []string{"KAKUU HANAKO", "架空 花子"}, BirthDate: "1980-01-23",
		Doses: []Dose{
			{Date: "2021-07-07", System: shc.SystemCVX, Code: "207", Lot: "3000", Centre: shc.Performer},
			{Date: "2021-08-05", System: shc.SystemCVX, Code: "207", Lot: "3001", Centre: shc.Performer},
		},
	}
	if diff := cmp.Diff(want, Text(jws, b, now).Holder); diff != "" {
		t.Error(diff)
	}
}

// Spec smart-health-cards, 8: each single change fails its own facet, with its own code.
func TestCardChanged(t *testing.T) {
	a, other := newCardIssuer(t, iss), newCardIssuer(t, "https://other.example")
	stranger := newCardIssuer(t, "https://stranger.example")
	b := bundle(t, []signing.Key{a.registered(t), other.registered(t)})
	claim := func(name string, value any) string {
		return a.changed(t, func(claims, _ map[string]any) { claims[name] = value })
	}
	dose := func(name string, value any) string {
		return a.changed(t, func(_, vc map[string]any) {
			if value == nil {
				delete(entry(vc, 1), name)
				return
			}
			entry(vc, 1)[name] = value
		})
	}
	seconds := func(d time.Duration) int64 { return now.Add(d).Unix() }
	forged := cardIssuer{iss, newKey(t), a.id} // names the key, does not have it
	foreign := cardIssuer{iss, other.key, other.id}
	for _, c := range []struct {
		name, text string
		want       expect
	}{
		{"digits/odd", numeric(t, a.issue(t)) + "1", expect{Unreadable, Readable, Failed, CardDigits}},
		{"digits/above 77", "shc:/78" + numeric(t, a.issue(t))[7:], expect{Unreadable, Readable, Failed, CardDigits}},
		{"scheme", "shc:" + numeric(t, a.issue(t))[5:], expect{Unreadable, Readable, Failed, CardScheme}},
		{"shape/trailing", a.issue(t) + ".x", expect{Unreadable, Readable, Failed, CardShape}},
		{"shape/padding", a.issue(t) + "==", expect{Unreadable, Readable, Failed, CardShape}},
		{"signature/short", a.issue(t)[:len(a.issue(t))-2], expect{NotValid, Signature, Failed, SignatureForm}},
		{"signature/bit", flip(a.issue(t), 2), expect{NotValid, Signature, Failed, SignatureWrong}},
		{"signature/other key", forged.issue(t), expect{NotValid, Signature, Failed, SignatureWrong}},
		{"header/none", a.jws(t, `{"zip":"DEF","alg":"none","kid":"`+a.id+`"}`, deflate(t, []byte("{}"))), expect{NotValid, Signature, Failed, AlgorithmNotAllowed}},
		{"header/no zip", a.jws(t, `{"alg":"ES256","kid":"`+a.id+`"}`, []byte("{}")), expect{NotValid, Signature, Failed, CompressionNotAllowed}},
		{"header/condition", a.jws(t, `{"zip":"DEF","alg":"ES256","kid":"`+a.id+`","crit":["exp"]}`, deflate(t, []byte("{}"))), expect{NotValid, Signature, Failed, ConditionNotKnown}},
		{"header/key address", a.jws(t, `{"zip":"DEF","alg":"ES256","kid":"`+a.id+`","jku":"https://x.example"}`, deflate(t, []byte("{}"))), expect{NotValid, Signature, Failed, KeyEnclosed}},
		{"header/no key", a.jws(t, `{"zip":"DEF","alg":"ES256"}`, deflate(t, []byte("{}"))), expect{NotValid, Signature, Failed, KeyNotNamed}},
		{"header/no JSON", a.jws(t, `{"zip":"DEF"`, deflate(t, []byte("{}"))), expect{NotValid, Signature, Failed, HeaderMalformed}},
		{"inflate/trailing", a.jws(t, a.header(), append(deflate(t, []byte("{}")), 0)), expect{Unreadable, Readable, Failed, CardInflate}},
		{"claims/not an object", a.jws(t, a.header(), deflate(t, []byte("[]"))), expect{Unreadable, Readable, Failed, CardClaims}},
		{"claims/duplicate", a.jws(t, a.header(), deflate(t, []byte(`{"iss":"`+iss+`","iss":"`+iss+`"}`))), expect{Unreadable, Readable, Failed, CardClaims}},
		{"issuer/http", claim("iss", "http://issuer.example"), expect{NotValid, Issuer, Failed, IssuerForm}},
		{"issuer/slash", claim("iss", iss+"/"), expect{NotValid, Issuer, Failed, IssuerForm}},
		{"issuer/unknown", stranger.issue(t), expect{Undecided, Issuer, Unknown, IssuerUnknown}},
		{"key/of another issuer (L-12)", foreign.issue(t), expect{NotValid, Key, Failed, KeyNotOfIssuer}},
		{"time/future", claim("nbf", seconds(ClockSkew+time.Second)), expect{NotValid, Validity, Failed, NotYetValid}},
		{"time/milliseconds", claim("nbf", now.UnixMilli()), expect{NotValid, Validity, Failed, NotYetValid}},
		{"time/expired", claim("exp", seconds(0)), expect{NotValid, Validity, Failed, Expired}},
		{"time/expires before issue", claim("exp", issuedAt.Unix()-1), expect{NotValid, Validity, Failed, ExpiresBeforeIssue}},
		{"content/not completed", dose("status", "not-done"), expect{NotValid, Content, Failed, DoseNotCompleted}},
		{"content/subpotent", dose("isSubpotent", true), expect{NotValid, Content, Failed, DoseSubpotent}},
		{"content/no code", dose("vaccineCode", nil), expect{NotValid, Content, Failed, DoseWithoutCode}},
		{"content/no date", dose("occurrenceDateTime", nil), expect{NotValid, Content, Failed, DoseWithoutDate}},
		{"content/of nobody", dose("patient", map[string]any{"reference": "resource:7"}), expect{NotValid, Content, Failed, DoseOfNobody}},
		{"content/no name", a.changed(t, func(_, vc map[string]any) { delete(entry(vc, 0), "name") }), expect{NotValid, Content, Failed, NoName}},
		{"content/two patients", a.changed(t, func(_, vc map[string]any) {
			entry(vc, 1)["resourceType"] = "Patient"
		}), expect{NotValid, Content, Failed, SeveralPatients}},
	} {
		t.Run("error/"+c.name, func(t *testing.T) { c.want.check(t, Text(c.text, b, now)) })
	}
	for name, text := range map[string]string{
		"skew":      claim("nbf", seconds(ClockSkew)),
		"in force":  claim("exp", seconds(time.Second)),
		"fraction":  claim("nbf", 1639970498.349618),
		"malleable": malleable(a.issue(t)), // n-s verifies as well: no identifier of a card, but no fault
	} {
		t.Run("ok/"+name, func(t *testing.T) { expect{outcome: Valid}.check(t, Text(text, b, now)) })
	}
	t.Run("error/payload bit", func(t *testing.T) {
		v := Text(flip(a.issue(t), 1), b, now)
		if v.Outcome == Valid || v.Outcome == Undecided {
			t.Errorf("outcome %s", v.Outcome)
		}
		checkForm(t, v)
	})
	t.Run("error/no patient and no dose", func(t *testing.T) {
		v := Text(a.changed(t, func(_, vc map[string]any) {
			vc["credentialSubject"].(map[string]any)["fhirBundle"] = map[string]any{"resourceType": "Bundle", "type": "collection", "entry": []any{}}
		}), b, now)
		expect{NotValid, Content, Failed, NoPatient}.check(t, v)
		if !slices.Contains(v.Notes, NoDose) {
			t.Errorf("notes %v", v.Notes)
		}
	})
}

// Every byte of a payload counts: a change that still inflates and parses fails the signature.
func TestCardPayloadChanged(t *testing.T) {
	a := newCardIssuer(t, iss)
	b := bundle(t, []signing.Key{a.registered(t)})
	parts := strings.Split(a.issue(t), ".")
	changed := strings.Split(a.changed(t, func(_, vc map[string]any) { entry(vc, 0)["birthDate"] = "1980-01-24" }), ".")
	v := Text(parts[0]+"."+changed[1]+"."+parts[2], b, now)
	expect{NotValid, Signature, Failed, SignatureWrong}.check(t, v)
}

// A key with a revocation list (crlVersion) leaves the card undecided: the list is not here.
func TestCardRevocationUnknown(t *testing.T) {
	a := newCardIssuer(t, iss)
	published := string(bundle(t, []signing.Key{a.registered(t)}).JWKS(iss))
	withList := strings.Replace(published, `"kty"`, `"crlVersion":1,"kty"`, 1)
	b := loaded(t, iss, withList)
	expect{Undecided, Revocation, Unknown, ListMissing}.check(t, Text(a.issue(t), b, now))
}

// Design 3.7, S-072: a TEST card is valid and says TEST.
func TestCardOfTestIssuer(t *testing.T) {
	a := newCardIssuer(t, signing.TestIssuer)
	v := Text(a.issue(t), bundle(t, []signing.Key{a.registered(t)}), now)
	expect{outcome: Valid}.check(t, v)
	if !v.Test {
		t.Error("does not say TEST")
	}
	v = Text(a.issue(t), bundle(t, nil), now)
	expect{Undecided, Issuer, Unknown, IssuerUnknown}.check(t, v)
}

// Freshness is told and never changes the outcome.
func TestFreshness(t *testing.T) {
	a := newCardIssuer(t, iss)
	made := func(at time.Time) *trust.Bundle {
		b, err := trust.FromKeys([]signing.Key{a.registered(t)}, nil, at)
		if err != nil {
			t.Fatal(err)
		}
		return b
	}
	for name, c := range map[string]struct {
		made time.Time
		want expect
	}{
		"ok/limit":      {now.Add(-MaxTrustAge), expect{Valid, Freshness, OK, TrustFresh}},
		"ok/later":      {now.Add(time.Hour), expect{Valid, Freshness, OK, TrustFresh}},
		"error/old":     {now.Add(-MaxTrustAge - time.Second), expect{Valid, Freshness, Unknown, TrustOld}},
		"error/undated": {time.Time{}, expect{Valid, Freshness, Unknown, TrustUndated}},
	} {
		t.Run(name, func(t *testing.T) { c.want.check(t, Text(a.issue(t), made(c.made), now)) })
	}
	newer := newCardIssuer(t, iss) // its key came after the bundle
	v := Text(newer.issue(t), made(issuedAt.Add(-time.Minute)), now)
	expect{NotValid, Key, Failed, KeyNotOfIssuer}.check(t, v)
	if f := v.Facet(Freshness); f.Code != TrustBeforeCode {
		t.Errorf("freshness %s", f.Code)
	}
	v = Text(newer.issue(t), made(now), now)
	if f := v.Facet(Freshness); f.Code != TrustFresh {
		t.Errorf("freshness %s", f.Code)
	}
}

// L-12: another installation's specimen is under the same iss, but its key is not on
// the list, and a country may have more authorities than the list knows.
func TestOtherInstallation(t *testing.T) {
	a, other := newCardIssuer(t, signing.TestIssuer), newCardIssuer(t, signing.TestIssuer)
	ut, elsewhere := newCountry(t, signing.TestState, signing.TestCountry, nil), newCountry(t, signing.TestState, signing.TestCountry, nil)
	b := bundle(t, append(ut.registered(), a.registered(t)), ut.current(t))
	expect{outcome: Valid}.check(t, Text(a.issue(t), b, now))
	expect{NotValid, Key, Failed, KeyOfOtherTest}.check(t, Text(other.issue(t), b, now))
	expect{Undecided, Issuer, Unknown, IssuerUnknown}.check(t, Text(elsewhere.issue(t), b, now))
}
