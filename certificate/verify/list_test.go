package verify

import (
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"math/big"
	"net/url"
	"strings"
	"testing"
	"time"

	"akashi/certificate/shc"
	"akashi/certificate/trust"
	"akashi/internal/testkit"
	"akashi/signing"
)

// published is the issuer's key set, with more members on its key.
func (i cardIssuer) published(t testing.TB, members string) string {
	t.Helper()
	text := string(bundle(t, []signing.Key{i.registered(t)}).JWKS(i.iss))
	return strings.Replace(text, `"kty"`, members+`"kty"`, 1)
}

// Spec smart-health-cards, 7: what a list does to a card. The card's rid is
// vwAjHdarZuc; entry.T revokes what was issued before T.
func TestCardList(t *testing.T) {
	a := newCardIssuer(t, iss)
	jws := a.issue(t)
	at := func(d time.Duration) string { return fmt.Sprintf("vwAjHdarZuc.%d", issuedAt.Add(d).Unix()) }
	withoutID := a.changed(t, func(_, vc map[string]any) { delete(vc, "rid") })
	card, err := shc.Parse(withoutID)
	if err != nil {
		t.Fatal(err)
	}
	hash, err := card.BundleHash()
	if err != nil {
		t.Fatal(err)
	}
	for name, c := range map[string]struct {
		text, version, method, ctr string
		entries                    []string
		problem                    string
		want                       expect
	}{
		"ok/empty":            {jws, `1`, "rid", `1`, []string{}, "", expect{Valid, Revocation, OK, NotRevoked}},
		"ok/others":           {jws, `7`, "rid", `7`, []string{"vwAjHdarZuC", "a"}, "", expect{Valid, Revocation, OK, NotRevoked}},
		"ok/text as number":   {jws, `"7"`, "rid", `7`, []string{}, "", expect{Valid, Revocation, OK, NotRevoked}},
		"ok/number as text":   {jws, `7`, "rid", `"7"`, []string{}, "", expect{Valid, Revocation, OK, NotRevoked}},
		"ok/issued at":        {jws, `1`, "rid", `1`, []string{at(0)}, "", expect{Valid, Revocation, OK, NotRevoked}},
		"ok/issued after":     {jws, `1`, "rid", `1`, []string{at(-time.Hour)}, "", expect{Valid, Revocation, OK, NotRevoked}},
		"ok/without id":       {withoutID, `1`, "rid", `1`, []string{"vwAjHdarZuc"}, "", expect{Valid, Revocation, OK, NotRevoked}},
		"ok/other digest":     {withoutID, `1`, "hash-fhir", `1`, []string{"vwAjHdarZuc"}, "", expect{Valid, Revocation, OK, NotRevoked}},
		"error/listed":        {jws, `1`, "rid", `1`, []string{"a", "vwAjHdarZuc"}, "", expect{NotValid, Revocation, Failed, CardRevoked}},
		"error/issued before": {jws, `1`, "rid", `1`, []string{at(time.Second)}, "", expect{NotValid, Revocation, Failed, CardRevoked}},
		"error/digest":        {withoutID, `1`, "hash-fhir", `1`, []string{hash}, "", expect{NotValid, Revocation, Failed, CardRevoked}},
		"error/older list":    {jws, `2`, "rid", `1`, []string{}, "another_version", expect{Undecided, Revocation, Unknown, ListMissing}},
		"error/newer list":    {jws, `2`, "rid", `"3"`, []string{}, "another_version", expect{Undecided, Revocation, Unknown, ListMissing}},
		"error/other method":  {jws, `1`, "uvci", `1`, []string{}, "wrong_method", expect{Undecided, Revocation, Unknown, ListMissing}},
		"error/bad entry":     {jws, `1`, "rid", `1`, []string{"vwAjHdarZuc.soon"}, "wrong_time", expect{Undecided, Revocation, Unknown, ListMissing}},
	} {
		t.Run(name, func(t *testing.T) {
			entries, err := json.Marshal(c.entries)
			if err != nil {
				t.Fatal(err)
			}
			list := fmt.Appendf(nil, `{"kid":%q,"method":%q,"ctr":%s,"rids":%s}`, a.id, c.method, c.ctr, entries)
			b, report := withList(t, iss, a.published(t, `"crlVersion":`+c.version+`,`), list)
			if codes(report) != c.problem {
				t.Errorf("problems %s", report)
			}
			c.want.check(t, Text(c.text, b, now))
		})
	}
}

// authority certifies keys of health cards.
type authority struct {
	key  cardIssuer
	cert *x509.Certificate
}

func newAuthority(t testing.TB, from, to time.Time) authority {
	t.Helper()
	a := authority{key: newCardIssuer(t, "")}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "Root"}, NotBefore: from, NotAfter: to,
		IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageCertSign,
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &a.key.key.PublicKey, a.key.key)
	if err != nil {
		t.Fatal(err)
	}
	if a.cert, err = x509.ParseCertificate(der); err != nil {
		t.Fatal(err)
	}
	return a
}

// certify gives the x5c member of a key.
func (a authority) certify(t testing.TB, i cardIssuer, name string, from, to time.Time) string {
	t.Helper()
	uri, err := url.Parse(name)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(2), Subject: pkix.Name{CommonName: "Issuer"}, NotBefore: from, NotAfter: to,
		KeyUsage: x509.KeyUsageDigitalSignature, URIs: []*url.URL{uri},
	}
	der, err := x509.CreateCertificate(rand.Reader, template, a.cert, &i.key.PublicKey, a.key.key)
	if err != nil {
		t.Fatal(err)
	}
	text := base64.StdEncoding.EncodeToString
	return `"x5c":["` + text(der) + `","` + text(a.cert.Raw) + `"],`
}

// Spec smart-health-cards, 4: the chain of a key is judged at the time of signing, the
// verdict names the rule, and a chain for another issuer spoils the key.
func TestCardChain(t *testing.T) {
	a := newCardIssuer(t, iss)
	years := func(n int) time.Time { return now.AddDate(n, 0, 0) }
	root := newAuthority(t, years(-5), years(5))
	for name, c := range map[string]struct {
		member  string
		at      time.Time
		problem string
		want    expect
	}{
		"ok/in force":          {root.certify(t, a, iss, years(-1), years(1)), now, "", expect{Valid, Key, OK, KeyOfIssuer}},
		"ok/ended since":       {root.certify(t, a, iss, years(-1), years(1)), years(4), "", expect{Valid, Key, OK, KeyOfIssuer}},
		"ok/root ended too":    {root.certify(t, a, iss, years(-1), years(1)), years(9), "", expect{Valid, Key, OK, KeyOfIssuer}},
		"error/ended before":   {root.certify(t, a, iss, years(-2), years(-1)), now, "", expect{NotValid, Key, Failed, KeyNotInForce}},
		"error/not begun":      {root.certify(t, a, iss, years(1), years(2)), years(1), "", expect{NotValid, Key, Failed, KeyNotInForce}},
		"error/another issuer": {root.certify(t, a, iss+"/x", years(-1), years(1)), now, "key 0: chain_names_another_issuer", expect{NotValid, Key, Failed, KeyNotOfIssuer}},
		"error/never together": {newAuthority(t, years(2), years(3)).certify(t, a, iss, years(-1), years(1)), now, "key 0: chain_never_in_force", expect{NotValid, Key, Failed, KeyNotOfIssuer}},
		"error/another root": {
			strings.Split(root.certify(t, a, iss, years(-1), years(1)), ",")[0] + "," + strings.SplitN(newAuthority(t, years(-5), years(5)).certify(t, a, iss, years(-1), years(1)), ",", 2)[1],
			now, "key 0: bad_chain", expect{NotValid, Key, Failed, KeyNotOfIssuer},
		},
	} {
		t.Run(name, func(t *testing.T) {
			b, report := withList(t, iss, a.published(t, c.member), nil)
			if codes(report) != c.problem {
				t.Errorf("problems %s", report)
			}
			v := Text(a.issue(t), b, c.at)
			c.want.check(t, v)
			if _, named := v.Facet(Key).Detail["rule"]; named == (c.problem != "") {
				t.Error("the rule is named where it was not used, or the reverse")
			}
		})
	}
}

// Spec smart-health-cards, 10: Japan's three keys, and a card of each year.
func TestJapaneseKeys(t *testing.T) {
	var entry struct {
		Issuer struct{ Iss string }
		Keys   json.RawMessage
	}
	if err := json.Unmarshal(testkit.Read(t, "shc/vci/japan-entry.json"), &entry); err != nil {
		t.Fatal(err)
	}
	b := loaded(t, entry.Issuer.Iss, `{"keys":`+string(entry.Keys)+`}`)
	const first = "f1vhQP9oOZkityrguynQqB4aVh8u9xcf3wm4AFF4aVw"
	for signed, want := range map[string]Result{
		"2021-11-25T12:00:00Z": Failed, "2021-12-20T16:01:02Z": OK, "2022-11-25T12:00:00Z": OK, "2022-11-26T00:00:00Z": Failed,
	} {
		at, err := time.Parse(time.RFC3339, signed)
		if err != nil {
			t.Fatal(err)
		}
		key, ok := b.Key(entry.Issuer.Iss, first)
		if !ok {
			t.Fatal("Japan's first key is not used")
		}
		x := examine("shc", b, now)
		x.checkCertified(&shc.Card{NotBefore: at}, key.Certified)
		if got := x.verdict.Facet(Key); got.Result != want || got.Detail["rule"] == "" {
			t.Errorf("signed %s: %s (%s)", signed, got.Result, got.Code)
		}
	}
}

// A list made for one issuer says nothing about another with the same key id (L-12).
func TestCardListOfAnotherIssuer(t *testing.T) {
	a := newCardIssuer(t, iss)
	list := fmt.Appendf(nil, `{"kid":%q,"method":"rid","ctr":1,"rids":["vwAjHdarZuc"]}`, a.id)
	b, report := withList(t, "https://other.example", a.published(t, `"crlVersion":1,`), list)
	if len(report) > 0 || b.CardList(iss, a.id) != nil || b.CardList("https://other.example", a.id) == nil {
		t.Errorf("look-up by key id alone; %s", report)
	}
	var none trust.Bundle
	if none.CardList(iss, a.id) != nil {
		t.Error("a list out of nothing")
	}
}
