package signing

import (
	"bytes"
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/lestrrat-go/jwx/v2/jwk"

	"akashi/internal/testkit"
)

// RFC 7638: against the published example of an EC key, and against jwx for
// keys whose coordinates begin with a zero byte.
func TestThumbprint(t *testing.T) {
	var v struct {
		JWK        map[string]string
		Thumbprint string
	}
	testkit.Example(t, "rfc9449-jkt-ec", &v)
	x, _ := base64.RawURLEncoding.DecodeString(v.JWK["x"])
	y, _ := base64.RawURLEncoding.DecodeString(v.JWK["y"])
	key, err := ecdsa.ParseUncompressedPublicKey(elliptic.P256(), slices.Concat([]byte{4}, x, y))
	if err != nil || Thumbprint(key) != v.Thumbprint {
		t.Errorf("%s, %v", Thumbprint(key), err)
	}
	var rsa struct{ JWK json.RawMessage }
	testkit.Example(t, "rfc7638-3-1-thumbprint", &rsa)
	keys, problems, err := ParseJWKS(slices.Concat([]byte(`{"keys":[`), rsa.JWK, []byte(`]}`)))
	if err != nil || len(keys) != 0 || len(problems) != 1 || problems[0].Code != "wrong_kty" {
		t.Errorf("error/an RSA key: %v, %v, %v", keys, problems, err)
	}
	for _, curve := range []elliptic.Curve{elliptic.P256(), elliptic.P384(), elliptic.P521()} {
		for short := false; !short; {
			key := newKey(t, curve)
			item, err := jwk.FromRaw(&key.PublicKey)
			if err != nil {
				t.Fatal(err)
			}
			want, err := item.Thumbprint(crypto.SHA256)
			if err != nil {
				t.Fatal(err)
			}
			if got := Thumbprint(&key.PublicKey); got != base64.RawURLEncoding.EncodeToString(want) {
				t.Fatalf("%s: %s", curve.Params().Name, got)
			}
			x, _ := coordinates(&key.PublicKey)
			short = x[0] == 'A' && 'A' <= x[1] && x[1] <= 'P' || curve == elliptic.P521()
		}
	}
	for _, bad := range []*ecdsa.PublicKey{nil, {Curve: elliptic.P224()}} {
		if got := Thumbprint(bad); got != "" {
			t.Errorf("error/thumbprint %s of no key", got)
		}
	}
}

func newKey(t testing.TB, curve elliptic.Curve) *ecdsa.PrivateKey {
	t.Helper()
	key, err := ecdsa.GenerateKey(curve, rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	return key
}

func registered(t testing.TB, key *ecdsa.PrivateKey, purpose Purpose, state State) Key {
	t.Helper()
	der, err := x509.MarshalPKIXPublicKey(&key.PublicKey)
	if err != nil {
		t.Fatal(err)
	}
	return Key{
		ID: Thumbprint(&key.PublicKey), Purpose: purpose, Issuer: TestIssuer, Algorithm: ES256, Public: der, State: state,
		UsageFrom: noon.AddDate(0, -1, 0), UsageTo: noon.AddDate(0, 1, 0), Test: true, Handle: "a.pem",
	}
}

var noon = time.Date(2026, 11, 20, 12, 0, 0, 0, time.UTC)

// S-066: what is published can be read back, holds no private member, and
// leaves out what was compromised and what is for another purpose.
func TestJWKS(t *testing.T) {
	var keys []Key
	for _, state := range []State{Announced, Active, Retired, Compromised} {
		keys = append(keys, registered(t, newKey(t, elliptic.P256()), SHC, state))
	}
	keys = append(keys, registered(t, newKey(t, elliptic.P256()), VDSNC, Active))
	text, err := JWKS(keys, SHC)
	if err != nil {
		t.Fatal(err)
	}
	back, problems, err := ParseJWKS(text)
	if err != nil || len(problems) > 0 || len(back) != 3 {
		t.Fatalf("%d keys, %v, %v", len(back), problems, err)
	}
	for _, k := range back {
		if k.ID == keys[3].ID || k.ID == keys[4].ID {
			t.Errorf("key %s must not be published", k.ID)
		}
	}
	var set struct{ Keys []map[string]any }
	if err := json.Unmarshal(text, &set); err != nil {
		t.Fatal(err)
	}
	for _, members := range set.Keys {
		if len(members) != 7 || members["d"] != nil || members["use"] != "sig" || members["alg"] != "ES256" {
			t.Errorf("members %v", members)
		}
	}
	reversed := []Key{keys[4], keys[3], keys[2], keys[1], keys[0]}
	if again, err := JWKS(reversed, SHC); err != nil || !bytes.Equal(again, text) {
		t.Errorf("order of the keys shows in the set: %v", err)
	}
	if empty, err := JWKS(nil, SHC); err != nil || string(empty) != `{"keys":[]}` {
		t.Errorf("empty set %s, %v", empty, err)
	}
	wrong := keys[0]
	wrong.ID = keys[1].ID
	if _, err := JWKS([]Key{wrong}, SHC); err == nil {
		t.Error("error/a key under another key's id was published")
	}
}

// The bar code signer of the TEST identity is published with its certificate.
func TestJWKSWithCertificate(t *testing.T) {
	keys, err := MakeTestIdentity(t.TempDir()+"/keys", noon)
	if err != nil {
		t.Fatal(err)
	}
	text, err := JWKS(keys, VDSNC)
	if err != nil {
		t.Fatal(err)
	}
	back, problems, err := ParseJWKS(text)
	if err != nil || len(problems) > 0 || len(back) != 1 || !bytes.Equal(back[0].Chain[0], keys[2].Certificate) {
		t.Errorf("%+v, %v, %v", back, problems, err)
	}
	for _, purpose := range []Purpose{SHC, VDSNC, Authority} {
		if text, err := JWKS(keys, purpose); err != nil || bytes.Contains(text, []byte(`"d":`)) {
			t.Errorf("%s: %s, %v", purpose, text, err)
		}
	}
}

// testdata/shc, type jwkset: which keys of a set can be used, and why not.
func TestKeySets(t *testing.T) {
	var list struct {
		Cases []struct {
			Files        []string
			Type, Expect string
		}
	}
	if err := json.Unmarshal(testkit.Read(t, "shc/cases.json"), &list); err != nil {
		t.Fatal(err)
	}
	want := map[string]string{ // codes of the refused keys
		"keys/wrong_kid_key.json":          "not_the_thumbprint",
		"keys/wrong_curve_key.json":        "wrong_alg",
		"keys/wrong_alg_key.json":          "wrong_alg",
		"keys/private_key.json":            "private",
		"keys/invalid_DNS_SAN.public.json": "", // usable by itself; as a chain it names nobody, below
		"keys/cert_mismatch.public.json":   "chain_for_another_key",
	}
	ran := 0
	for _, v := range list.Cases {
		if v.Type != "jwkset" {
			continue
		}
		ran++
		t.Run(v.Expect+"/"+v.Files[0], func(t *testing.T) {
			keys, problems, err := ParseJWKS(testkit.Read(t, "shc/"+v.Files[0]))
			if err != nil {
				t.Fatal(err)
			}
			switch code := want[v.Files[0]]; {
			case v.Expect == "accept" && (len(problems) > 0 || len(keys) == 0):
				t.Errorf("%d keys, problems %v", len(keys), problems)
			case code != "" && (len(keys) > 0 || len(problems) != 1 || problems[0].Code != code):
				t.Errorf("%d keys, problems %v, want %s", len(keys), problems, code)
			}
			for _, k := range keys {
				if iss := "https://smarthealth.cards/examples/issuer"; len(k.Chain) > 0 && k.NamesIssuer(iss) != (v.Expect == "accept") {
					t.Errorf("names its issuer: %t", k.NamesIssuer(iss))
				}
			}
		})
	}
	if ran != 10 {
		t.Errorf("%d key sets ran, want 10", ran)
	}
}

// The sample issuer's private set: private and encryption keys are refused, the
// public set beside it is good, its SAN names the issuer.
func TestSampleIssuer(t *testing.T) {
	keys, problems, err := ParseJWKS(testkit.Read(t, "shc/keys/sample-issuer.jwks.private.json"))
	if err != nil || len(keys) != 0 || len(problems) != 3 {
		t.Errorf("private set: %d keys, %v, %v", len(keys), problems, err)
	}
	keys, problems, err = ParseJWKS(testkit.Read(t, "shc/keys/sample-issuer.jwks.json"))
	if err != nil || len(keys) != 2 || len(problems) != 0 || keys[0].ListVersion != 1 {
		t.Fatalf("public set: %+v, %v, %v", keys, problems, err)
	}
	if iss := "https://spec.smarthealth.cards/examples/issuer"; !keys[1].NamesIssuer(iss) || keys[1].NamesIssuer(iss+"/x") || keys[0].NamesIssuer(iss) {
		t.Error("issuer in the certificate was misread")
	}
}

// testdata/shc, vci: 651 issuers, 961 keys, every kid the thumbprint.
func TestTrustList(t *testing.T) {
	var list struct {
		Info []struct{ Keys json.RawMessage } `json:"issuerInfo"`
	}
	if err := json.Unmarshal(testkit.Read(t, "shc/vci/vci_snapshot.json"), &list); err != nil {
		t.Fatal(err)
	}
	total, lists := 0, 0
	for _, i := range list.Info {
		keys, problems, err := ParseJWKS([]byte(`{"keys":` + string(i.Keys) + `}`))
		if err != nil || len(problems) > 0 {
			t.Errorf("%v, %v", problems, err)
		}
		total += len(keys)
		for _, k := range keys {
			if k.ListVersion > 0 {
				lists++
			}
		}
	}
	if len(list.Info) != 651 || total != 961 || lists != 6 {
		t.Errorf("%d issuers, %d keys, %d with a list; want 651, 961, 6", len(list.Info), total, lists)
	}
}

func TestParseJWKSRefuses(t *testing.T) {
	key := newKey(t, elliptic.P256())
	x, y := coordinates(&key.PublicKey)
	good := `{"kty":"EC","use":"sig","alg":"ES256","crv":"P-256","kid":"` + Thumbprint(&key.PublicKey) + `","x":"` + x + `","y":"` + y + `"}`
	change := func(old, new string) string { return strings.Replace(good, old, new, 1) }
	for name, v := range map[string]struct{ key, code string }{
		"ok/good":               {good, ""},
		"ok/more members":       {change(`{`, `{"date":"2021","keySize":256,`), ""},
		"ok/key_ops":            {change(`{`, `{"key_ops":["verify"],`), ""},
		"ok/list version":       {change(`{`, `{"crlVersion":"7",`), ""},
		"error/not an object":   {`["a"]`, "not_an_object"},
		"error/null":            {`null`, "not_an_object"},
		"error/key_ops":         {change(`{`, `{"key_ops":["sign","verify"],`), "wrong_key_ops"}, // Wycheproof JWS 356
		"error/private":         {change(`{`, `{"d":null,`), "private"},
		"error/symmetric":       {`{"kty":"oct","k":"AAAA"}`, "private"},
		"error/use":             {change(`"sig"`, `"enc"`), "wrong_use"},
		"error/no use":          {change(`"use":"sig",`, ``), "wrong_use"},
		"error/no alg":          {change(`"alg":"ES256",`, ``), "wrong_alg"},
		"error/other case":      {change(`"alg"`, `"Alg"`), "wrong_alg"},
		"error/curve":           {change(`P-256`, `secp256k1`), "wrong_crv"},
		"error/short x":         {change(x, x[:42]), "not_a_point"}, // unused bits are set, or off the curve
		"error/long x":          {change(x, x+"AA"), "not_a_point"},
		"error/no x":            {change(`"x":"`+x+`",`, ``), "not_a_point"},
		"error/line break":      {change(x, x[:9]+`\n`+x[9:]), "not_a_point"},
		"error/off curve":       {change(y, x), "not_a_point"},
		"error/padding":         {change(x, x[:42]+"="), "not_a_point"},
		"error/list version":    {change(`{`, `{"crlVersion":0,`), "wrong_crl_version"},
		"error/chain text":      {change(`{`, `{"x5c":"a",`), "bad_chain"},
		"error/chain not a DER": {change(`{`, `{"x5c":["AAAA"],`), "bad_chain"},
	} {
		t.Run(name, func(t *testing.T) {
			keys, problems, err := ParseJWKS([]byte(`{"keys":[` + v.key + `,` + good + `]}`))
			if err != nil {
				t.Fatal(err)
			}
			if v.code == "" && (len(keys) != 2 || len(problems) > 0) {
				t.Errorf("problems %v", problems)
			}
			if v.code != "" && (len(keys) != 1 || len(problems) != 1 || problems[0] != Problem{0, v.code}) {
				t.Errorf("%d keys, problems %v, want %s", len(keys), problems, v.code)
			}
		})
	}
	for name, text := range map[string]string{
		"error/empty": "", "error/list": "[]", "error/no keys": "{}", "error/keys null": `{"keys":null}`,
		"error/keys object": `{"keys":{}}`, "error/keys twice": `{"keys":[],"keys":[]}`,
		"error/key twice": `{"keys":[{"kid":"a","kid":"b"}]}`, "error/large": strings.Repeat(" ", maxKeySet+1),
		"error/many": `{"keys":[1` + strings.Repeat(",1", maxKeys) + `]}`,
	} {
		t.Run(name, func(t *testing.T) {
			if _, _, err := ParseJWKS([]byte(text)); err == nil {
				t.Error("accepted")
			}
		})
	}
}

func FuzzParseJWKS(f *testing.F) {
	f.Add([]byte(`{"keys":[{"kty":"EC","use":"sig","alg":"ES256","crv":"P-256","kid":"a","x":"b","y":"c","x5c":["AAAA"]}]}`))
	f.Fuzz(func(t *testing.T, b []byte) {
		keys, _, err := ParseJWKS(b)
		if err != nil {
			return
		}
		for _, k := range keys {
			if Thumbprint(k.Public) == "" || len(k.ID) != 43 {
				t.Error("key is not usable")
			}
		}
	})
}
