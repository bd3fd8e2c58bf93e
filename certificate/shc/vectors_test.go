package shc

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/x509"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"slices"
	"strings"
	"testing"

	"akashi/internal/testkit"
)

// security/README: a payload that inflates to 2 MB is refused before it is held.
func TestBomb(t *testing.T) {
	jws, _, err := FromNumeric(string(testkit.Read(t, "security/bombs/shc-deflate-2MB.txt")))
	if err != nil {
		t.Fatal(err)
	}
	allocations := testing.AllocsPerRun(1, func() { _, err = Parse(jws) })
	if outcomeOf(err) != "inflate/too_large" || allocations > 200 {
		t.Errorf("%v with %g allocations", err, allocations)
	}
}

// S-064: nothing of other algorithms or shapes is a card, valid or not; and of
// the ES256 tests no signature passes that should not.
func TestWycheproofJWS(t *testing.T) {
	var list struct {
		Groups []struct {
			Public struct{ Crv, Alg, X, Y string }
			Tests  []struct {
				ID     int `json:"tcId"`
				JWS    string
				Result string
			}
		} `json:"testGroups"`
	}
	if err := json.Unmarshal(testkit.Read(t, "security/wycheproof/json_web_signature.json"), &list); err != nil {
		t.Fatal(err)
	}
	ran, signatures := 0, 0
	for _, g := range list.Groups {
		x, _ := base64.RawURLEncoding.DecodeString(g.Public.X)
		y, _ := base64.RawURLEncoding.DecodeString(g.Public.Y)
		for _, v := range g.Tests {
			ran++
			if _, err := Parse(v.JWS); err == nil {
				t.Errorf("test %d was parsed", v.ID)
			}
			dot := strings.LastIndexByte(v.JWS, '.')
			if g.Public.Crv != "P-256" || g.Public.Alg != "ES256" || dot < 0 {
				continue
			}
			key, err := ecdsa.ParseUncompressedPublicKey(elliptic.P256(), slices.Concat([]byte{4}, x, y))
			if err != nil {
				continue
			}
			signatures++
			sig, _ := base64.RawURLEncoding.DecodeString(v.JWS[dot+1:])
			if err := checkES256(key, []byte(v.JWS[:dot]), sig); (err == nil) != (v.Result == "valid") {
				t.Errorf("test %d, %s: %v", v.ID, v.Result, err)
			}
		}
	}
	if ran != 268 || signatures != 25 {
		t.Errorf("%d tests and %d signatures ran, want 268 and 25", ran, signatures)
	}
}

// S-064: whatever Wycheproof tries with key sets, and what is encrypted, is no card.
func TestWycheproofKeySets(t *testing.T) {
	ran := map[string]int{}
	for _, file := range []string{"json_web_key", "json_web_crypto"} {
		var list struct {
			Groups []struct {
				Tests []struct {
					ID       int             `json:"tcId"`
					JWS, JWE json.RawMessage // text, or an object in JSON serialization
				}
			} `json:"testGroups"`
		}
		if err := json.Unmarshal(testkit.Read(t, "security/wycheproof/"+file+".json"), &list); err != nil {
			t.Fatal(err)
		}
		for _, g := range list.Groups {
			for _, v := range g.Tests {
				ran[file]++
				if _, err := Parse(strings.Trim(string(v.JWS)+string(v.JWE), `"`)); err == nil {
					t.Errorf("%s: test %d was parsed", file, v.ID)
				}
			}
		}
	}
	if ran["json_web_key"] != 18 || ran["json_web_crypto"] != 56 {
		t.Errorf("ran %v, want 18 and 56", ran)
	}
}

// RFC 7515, A.3: the published ES256 example verifies.
func TestPublishedSignature(t *testing.T) {
	var v struct {
		JWS string
		JWK struct{ X, Y string }
	}
	testkit.Example(t, "rfc7515-a3-es256", &v)
	decode := func(s string) []byte { b, _ := base64.RawURLEncoding.DecodeString(s); return b }
	key, err := ecdsa.ParseUncompressedPublicKey(elliptic.P256(), slices.Concat([]byte{4}, decode(v.JWK.X), decode(v.JWK.Y)))
	if err != nil {
		t.Fatal(err)
	}
	dot := strings.LastIndexByte(v.JWS, '.')
	if err := checkES256(key, []byte(v.JWS[:dot]), decode(v.JWS[dot+1:])); err != nil {
		t.Error(err)
	}
}

// S-065: signatures r then s, against others' vectors.
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
	if err := json.Unmarshal(testkit.Read(t, "security/wycheproof/ecdsa_p256_sha256_p1363.json"), &list); err != nil {
		t.Fatal(err)
	}
	ran := map[string]int{}
	for _, g := range list.Groups {
		der, _ := hex.DecodeString(g.DER)
		key, err := x509.ParsePKIXPublicKey(der)
		if err != nil {
			t.Fatal(err)
		}
		for _, v := range g.Tests {
			msg, _ := hex.DecodeString(v.Msg)
			sig, _ := hex.DecodeString(v.Sig)
			ran[v.Result]++
			err := checkES256(key.(*ecdsa.PublicKey), msg, sig)
			if (err == nil) != (v.Result == "valid") {
				t.Errorf("test %d, %s: %v", v.ID, v.Result, err)
			}
		}
	}
	if ran["valid"]+ran["invalid"] != 175 || ran["valid"] == 0 {
		t.Errorf("ran %v, want 175", ran)
	}
}

// Spec, 7, and shc/README: one bundle by itself and inside a card.
func TestBundleHash(t *testing.T) {
	const want = "JuTJHwXo2Yc"
	if got, err := bundleHash(testkit.Read(t, "shc/bundle/revoked-bundle.json")); got != want || err != nil {
		t.Errorf("bundle: %s, %v", got, err)
	}
	c, err := Parse(sharedText(t, "hl7-examples/example-03-d-jws.txt"))
	if err != nil {
		t.Fatal(err)
	}
	if got, err := c.BundleHash(); got != want || err != nil {
		t.Errorf("card: %s, %v", got, err)
	}
	if got, err := (&Card{Claims: []byte(`{"VC":{}}`)}).BundleHash(); err == nil {
		t.Errorf("error/no bundle: %s", got)
	}
}

// The issuers of the trust list all have the form that step 7 asks for.
func TestIssuersOfTrustList(t *testing.T) {
	var list struct {
		Info []struct {
			Issuer struct{ Iss string } `json:"issuer"`
		} `json:"issuerInfo"`
	}
	if err := json.Unmarshal(testkit.Read(t, "shc/vci/vci_snapshot.json"), &list); err != nil {
		t.Fatal(err)
	}
	for _, i := range list.Info {
		if err := (&Card{Issuer: i.Issuer.Iss}).CheckIssuer(); err != nil {
			t.Errorf("%s: %v", i.Issuer.Iss, err)
		}
	}
	if len(list.Info) != 651 {
		t.Errorf("%d issuers, want 651", len(list.Info))
	}
}
