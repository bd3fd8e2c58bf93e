package verify

import (
	"bytes"
	"crypto/elliptic"
	"crypto/hmac"
	"crypto/sha256"
	"crypto/x509"
	"encoding/asn1"
	"encoding/json"
	"errors"
	"math/big"
	"net/http"
	"runtime"
	"strings"
	"testing"

	"akashi/certificate/shc"
	"akashi/internal/testkit"
	"akashi/signing"
)

// hostileFacets are the facets that refuse the recipes of jws-hostile.json. Two
// issuers that only look right are strangers.
var hostileFacets = map[string]expect{
	"sig-r-n":                {NotValid, Signature, Failed, SignatureWrong},
	"sig-der":                {NotValid, Signature, Failed, SignatureForm},
	"sig-65":                 {NotValid, Signature, Failed, SignatureForm},
	"hs256-public-key":       {NotValid, Signature, Failed, SignatureForm},
	"sig-empty":              {Unreadable, Readable, Failed, CardShape},
	"kid-other-municipality": {NotValid, Key, Failed, KeyNotOfIssuer},
	"kid-number":             {NotValid, Signature, Failed, KeyNotNamed},
	"kid-traversal":          {NotValid, Signature, Failed, KeyNotNamed},
	"kid-url":                {NotValid, Signature, Failed, KeyNotNamed},
	"kid-10k":                {NotValid, Signature, Failed, KeyNotNamed},
	"jku":                    {NotValid, Signature, Failed, KeyEnclosed},
	"jwk-embedded":           {NotValid, Signature, Failed, KeyEnclosed},
	"x5c-embedded":           {NotValid, Signature, Failed, KeyEnclosed},
	"b64-false":              {NotValid, Signature, Failed, ConditionNotKnown},
	"zip-missing":            {NotValid, Signature, Failed, CompressionNotAllowed},
	"header-array":           {NotValid, Signature, Failed, HeaderMalformed},
	"header-bom":             {NotValid, Signature, Failed, HeaderMalformed},
	"zip-not-deflate":        {Unreadable, Readable, Failed, CardInflate},
	"zip-trailing":           {Unreadable, Readable, Failed, CardInflate},
	"header-std-b64":         {Unreadable, Readable, Failed, NotRecognised},
	"four-parts":             {Unreadable, Readable, Failed, CardShape},
	"json-serialization":     {Unreadable, Readable, Failed, NotRecognised},
	"iss-trailing-slash":     {NotValid, Issuer, Failed, IssuerForm},
	"iss-userinfo":           {NotValid, Issuer, Failed, IssuerForm},
	"iss-metadata-ip":        {NotValid, Issuer, Failed, IssuerForm},
	"iss-idn":                {NotValid, Issuer, Failed, IssuerForm},
	"iss-suffix":             {Undecided, Issuer, Unknown, IssuerUnknown},
	"nbf-milliseconds":       {NotValid, Validity, Failed, NotYetValid},
	"nbf-string":             {Unreadable, Readable, Failed, CardClaims},
	"nbf-missing":            {Unreadable, Readable, Failed, CardClaims},
	"vc-type-unknown":        {Unreadable, Readable, Failed, CardClaims},
}

// S-064, S-065, S-066: every recipe is refused, where it should be, and asks nobody.
func TestHostileRecipes(t *testing.T) {
	transport := http.DefaultTransport
	defer func() { http.DefaultTransport = transport }()
	http.DefaultTransport = refuseAll{t}
	var recipes []struct {
		ID     string
		Change json.RawMessage `json:"header_or_payload"`
	}
	if err := json.Unmarshal(testkit.Read(t, "security/own/jws-hostile.json"), &recipes); err != nil {
		t.Fatal(err)
	}
	a, other := newCardIssuer(t, iss), newCardIssuer(t, "https://other.example")
	b := bundle(t, []signing.Key{a.registered(t), other.registered(t)})
	fill := strings.NewReplacer("$KID2", other.id, "$KID", a.id, "$A*10000", strings.Repeat("A", 10000), `"$NOW*1000"`, big.NewInt(now.UnixMilli()).String())
	for _, r := range recipes {
		t.Run("error/"+r.ID, func(t *testing.T) {
			want, listed := hostileFacets[r.ID]
			if !listed {
				want = expect{NotValid, Signature, Failed, AlgorithmNotAllowed}
			}
			signer := a
			if r.ID == "kid-other-municipality" {
				signer.key = other.key
			}
			want.check(t, Text(hostile(t, signer, r.ID, fill.Replace(string(r.Change))), b, now))
		})
	}
	if len(recipes) != 38 {
		t.Errorf("%d recipes ran, want 38", len(recipes))
	}
}

type refuseAll struct{ t *testing.T }

func (r refuseAll) RoundTrip(q *http.Request) (*http.Response, error) {
	r.t.Errorf("asked for %s", q.URL)
	return nil, errors.New("no network")
}

// hostile makes the JWS of a recipe.
func hostile(t *testing.T, a cardIssuer, id, change string) string {
	t.Helper()
	good := a.issue(t)
	parts := strings.Split(good, ".")
	input := parts[0] + "." + parts[1]
	payload := decode(t, parts[1])
	n := elliptic.P256().Params().N.Bytes()
	switch id {
	case "sig-r-n":
		return input + "." + encode(append(n, n...))
	case "sig-der":
		raw := sign(t, a.key, []byte(input))
		der, err := asn1.Marshal(struct{ R, S *big.Int }{new(big.Int).SetBytes(raw[:32]), new(big.Int).SetBytes(raw[32:])})
		if err != nil {
			t.Fatal(err)
		}
		return input + "." + encode(der)
	case "sig-65":
		return input + "." + encode(append(sign(t, a.key, []byte(input)), 0))
	case "sig-empty":
		return input + "."
	case "hs256-public-key":
		der, err := x509.MarshalPKIXPublicKey(&a.key.PublicKey)
		if err != nil {
			t.Fatal(err)
		}
		mac := hmac.New(sha256.New, der)
		mac.Write([]byte(encode([]byte(change)) + "." + parts[1]))
		return encode([]byte(change)) + "." + parts[1] + "." + encode(mac.Sum(nil))
	case "zip-not-deflate":
		return a.jws(t, change, []byte(`{"iss":"https://issuer.example"}`))
	case "zip-trailing":
		return a.jws(t, change, append(payload, 0))
	case "header-std-b64":
		return "+/" + good
	}
	var raw string
	if json.Unmarshal([]byte(change), &raw) == nil {
		if strings.HasPrefix(id, "header-") {
			return a.jws(t, raw, payload)
		}
		return raw
	}
	if strings.HasPrefix(id, "iss-") || strings.HasPrefix(id, "nbf-") || strings.HasPrefix(id, "vc-") {
		return a.changed(t, func(claims, vc map[string]any) { overwrite(t, claims, vc, id, change) })
	}
	return a.jws(t, change, payload)
}

func overwrite(t *testing.T, claims, vc map[string]any, id, change string) {
	t.Helper()
	var changes map[string]any
	if err := json.Unmarshal([]byte(change), &changes); err != nil {
		t.Fatal(err)
	}
	if id == "nbf-missing" {
		delete(claims, "nbf")
	}
	for name, value := range changes {
		if name == "vc" {
			vc["type"] = value.(map[string]any)["type"]
			continue
		}
		claims[name] = value
	}
}

// S-040, design 4.11: what would swell is refused before it has. The measure is
// the memory taken, at a fraction of what lies in the bomb.
func TestBombs(t *testing.T) {
	a := newCardIssuer(t, iss)
	b := bundle(t, []signing.Key{a.registered(t)})
	digits := strings.TrimSpace(string(testkit.Read(t, "security/bombs/shc-deflate-2MB.txt")))
	jws, _, err := shc.FromNumeric(digits)
	if err != nil {
		t.Fatal(err)
	}
	own := a.jws(t, a.header(), deflate(t, make([]byte, 40<<20)))
	wide := a.jws(t, a.header(), deflate(t, bytes.Repeat([]byte("0123456789"), 10_000)))
	for _, c := range []struct {
		name, code string
		limit      uint64 // bytes
		run        func() Verdict
	}{
		{"digits", TooLong, 64 << 10, func() Verdict { return Text(digits, b, now) }},
		{"card of 2 MB", CardInflate, 1 << 20, func() Verdict { return Text(jws, b, now) }},
		{"card of 40 MB", CardInflate, 1 << 20, func() Verdict { return Text(own, b, now) }},
		{"ratio above 100", CardInflate, 1 << 20, func() Verdict { return Text(wide, b, now) }},
		{"digital green certificate", HealthInflate, 256 << 10, func() Verdict {
			return Text(string(testkit.Read(t, "security/bombs/hc1-fits-one-qr.txt")), b, now)
		}},
		{"zlib of 64 MB", TooLong, 1 << 20, func() Verdict {
			return File("a.bin", testkit.Read(t, "security/bombs/zlib-64MiB.bin"), b, now)[0]
		}},
		{"deep object", BarcodeMalformed, 1 << 20, func() Verdict { return Text(strings.Repeat(`{"a":`, 800), b, now) }},
		{"deep list", BarcodeMalformed, 1 << 20, func() Verdict { return Text(strings.Repeat(`[`, 4000), b, now) }},
		{"deep file", CardScheme, 64 << 20, func() Verdict {
			return File("a.smart-health-card", bytes.Repeat([]byte(`[`), maxFile), b, now)[0]
		}},
		{"many cards", CardScheme, 64 << 20, func() Verdict {
			return File("a", []byte(`{"verifiableCredential":[`+strings.Repeat(`"a",`, 200_000)+`"a"]}`), b, now)[0]
		}},
	} {
		t.Run("error/"+c.name, func(t *testing.T) {
			var before, after runtime.MemStats
			runtime.ReadMemStats(&before)
			v := c.run()
			runtime.ReadMemStats(&after)
			expect{Unreadable, Readable, Failed, c.code}.check(t, v)
			if taken := after.TotalAlloc - before.TotalAlloc; taken > c.limit {
				t.Errorf("%d bytes taken, limit %d", taken, c.limit)
			} else {
				t.Logf("%d bytes taken", taken)
			}
		})
	}
}
