package jsonld

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"akashi/internal/testkit"
)

func whoKey(t testing.TB) Key {
	t.Helper()
	k, err := ParseKey(testkit.Read(t, "who/trust/who-dev-list-signing-key.did.json"))
	if err != nil {
		t.Fatal(err)
	}
	return k
}

// who/README: the proofs of all lists hold, whose signatures are DER.
func TestWHO(t *testing.T) {
	key, checked := whoKey(t), 0
	names, err := filepath.Glob(filepath.Join(testkit.Shared(t, "who/trust"), "v2_*.json"))
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range names {
		document, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		s, err := Check(document, key)
		if err != nil || s.Created.Year() != 2026 {
			t.Errorf("ok/%s: %v %v", filepath.Base(name), s.Created, err)
		}
		checked++
		for n, change := range map[string]func(string) string{
			"another controller": func(s string) string {
				return strings.Replace(s, `"controller":"did:web:tng`, `"controller":"did:web:tnG`, 1)
			},
			"another time":      func(s string) string { return strings.Replace(s, `"created":"2026`, `"created":"2027`, 1) },
			"another signature": func(s string) string { return strings.Replace(s, `..ME`, `..MD`, 1) },
			"no proof":          func(s string) string { return strings.Replace(s, `"proof"`, `"prooF"`, 1) },
			"ES384": func(s string) string {
				return strings.Replace(s, "eyJiNjQiOmZhbHNlLCJjcml0IjpbImI2NCJdLCJhbGciOiJFUzI1NiJ9", base64.RawURLEncoding.EncodeToString([]byte(`{"alg":"ES384","b64":false,"crit":["b64"]}`)), 1)
			},
			"b64 not critical": func(s string) string {
				return strings.Replace(s, "eyJiNjQiOmZhbHNlLCJjcml0IjpbImI2NCJdLCJhbGciOiJFUzI1NiJ9", base64.RawURLEncoding.EncodeToString([]byte(`{"alg":"ES256","b64":false}`)), 1)
			},
		} {
			changed := change(string(document))
			if changed == string(document) {
				t.Fatalf("%s: %s changes nothing", filepath.Base(name), n)
			}
			if _, err := Check([]byte(changed), key); !errors.Is(err, ErrProof) {
				t.Errorf("error/%s, %s: %v", filepath.Base(name), n, err)
			}
		}
		stranger, _ := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
		for n, k := range map[string]Key{"another key": {key.ID, &stranger.PublicKey}, "another name": {"did:web:x", key.Public}} {
			if _, err := Check(document, k); !errors.Is(err, ErrProof) {
				t.Errorf("error/%s, %s: %v", filepath.Base(name), n, err)
			}
		}
	}
	if checked != 8 {
		t.Errorf("%d lists, want 8", checked)
	}
}

// signer signs documents as WHO does, r and s in 32 bytes each.
type signer struct{ key *ecdsa.PrivateKey }

func newSigner(t testing.TB) signer {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	return signer{key}
}

func (s signer) sign(t testing.TB, document map[string]any, terms string) []byte {
	t.Helper()
	proof := map[string]any{"type": proofType, "created": "2026-08-22T18:00:34Z", "proofPurpose": "assertionMethod", "verificationMethod": "did:web:a.example"}
	options := maps.Clone(proof)
	options["@context"] = []any{contextDID, contextJWS}
	first, err := canonical(options, library{terms})
	if err != nil {
		t.Fatal(err)
	}
	second, err := canonical(maps.Clone(document), library{terms})
	if err != nil {
		t.Fatal(err)
	}
	header := base64.RawURLEncoding.EncodeToString([]byte(`{"alg":"ES256","b64":false,"crit":["b64"]}`))
	a, b := sha256.Sum256([]byte(first.text)), sha256.Sum256([]byte(second.text))
	digest := sha256.Sum256(bytes.Join([][]byte{[]byte(header + "."), a[:], b[:]}, nil))
	x, y, err := ecdsa.Sign(rand.Reader, s.key, digest[:])
	if err != nil {
		t.Fatal(err)
	}
	signature := make([]byte, 64)
	x.FillBytes(signature[:32])
	y.FillBytes(signature[32:])
	proof["jws"] = header + ".." + base64.RawURLEncoding.EncodeToString(signature)
	document["proof"] = proof
	out, err := json.Marshal(document)
	if err != nil {
		t.Fatal(err)
	}
	return out
}

func list(environment string, entries ...any) map[string]any {
	return map[string]any{
		"@context": []any{contextDID, contextJWS, contextTNG + environment + ".jsonld"}, "id": "did:web:l.example", "controller": "did:web:l.example", "verificationMethod": entries,
	}
}

func entry(id string) map[string]any {
	return map[string]any{
		"id": id, "type": "JsonWebKey2020", "controller": "did:web:l.example", "publicKeyJwk": map[string]any{"kty": "EC", "x5c": []any{"AAAA"}},
		"domain": map[string]any{"code": "#ICVP"}, "participant": map[string]any{"code": "#XXA"}, "keyusage": map[string]any{"code": "#DSC"},
	}
}

// The lists of other environments, whose terms have stood at two places.
func TestEnvironments(t *testing.T) {
	s := newSigner(t)
	for _, environment := range []string{"", "-UAT", "-DEV"} {
		for _, terms := range termsTNG {
			document := s.sign(t, list(environment, entry("did:web:l.example#a")), terms)
			said, err := Check(document, Key{Public: &s.key.PublicKey})
			if err != nil || said.About("did:web:l.example#a") != 6 || said.About("did:web:l.example") != 2 {
				t.Errorf("ok/%q %s: %v, %v", environment, terms, said, err)
			}
		}
	}
}

// What a stranger may add to a signed list without touching what was signed is refused, or
// shows in the number of statements (L-19: what is signed is what is read).
func TestUnsignedAdditions(t *testing.T) {
	s, id := newSigner(t), "did:web:l.example#a"
	signed := s.sign(t, list("-DEV", entry(id)), termsTNG[0])
	for name, change := range map[string]func(document, entry map[string]any){
		"a member that no context knows": func(_, e map[string]any) { e["evil"] = "x" },
		"a key without the type that defines it": func(d, e map[string]any) {
			d["verificationMethod"] = append(d["verificationMethod"].([]any), map[string]any{"id": id, "publicKeyJwk": map[string]any{"x5c": []any{"BBBB"}}})
		},
		"a context of its own":       func(d, _ map[string]any) { d["@context"] = append(d["@context"].([]any), map[string]any{"evil": nil}) },
		"a context within":           func(_, e map[string]any) { e["@context"] = map[string]any{"evil": nil} },
		"a keyword":                  func(_, e map[string]any) { e["@index"] = "x" },
		"a context of somebody else": func(d, _ map[string]any) { d["@context"] = []any{"https://evil.example/context"} },
		"a second graph":             func(d, _ map[string]any) { d["@graph"] = []any{} },
	} {
		var d map[string]any
		if err := json.Unmarshal(signed, &d); err != nil {
			t.Fatal(err)
		}
		change(d, d["verificationMethod"].([]any)[0].(map[string]any))
		text, _ := json.Marshal(d)
		if _, err := Check(text, Key{Public: &s.key.PublicKey}); err == nil {
			t.Errorf("error/%s: taken", name)
		}
	}
	for _, id := range []string{"relative#b", "did:x> <did:y> <did:z> .\n<did:w#b", "did:x y#b"} {
		var d map[string]any
		if err := json.Unmarshal(signed, &d); err != nil {
			t.Fatal(err)
		}
		d["verificationMethod"] = append(d["verificationMethod"].([]any), entry(id))
		text, _ := json.Marshal(d)
		if said, err := Check(text, Key{Public: &s.key.PublicKey}); err == nil && said.About(id) != 0 {
			t.Errorf("error/a name that is none, %q: %d statements", id, said.About(id))
		}
	}
}

// L-20: work is limited before it is done. Eight nodes that all point at each other would take 8! orders.
func TestPoison(t *testing.T) {
	poison := func(nodes int) map[string]any {
		var all []any
		for i := range nodes {
			var others []any
			for j := range nodes {
				others = append(others, fmt.Sprintf("_:n%d", j))
			}
			all = append(all, map[string]any{"id": fmt.Sprintf("_:n%d", i), "authentication": others})
		}
		return list("-DEV", all...)
	}
	for nodes, refused := range map[int]bool{2: false, 4: false, 5: true, 8: true, 12: true, 40: true} {
		if _, err := canonical(poison(nodes), library{termsTNG[0]}); errors.Is(err, ErrLimit) != refused || !refused && err != nil {
			t.Errorf("%d nodes: %v", nodes, err)
		}
	}
	var different, long, twice, values []any
	for i := range maxBlank + 1 {
		different = append(different, map[string]any{"alsoKnownAs": fmt.Sprintf("did:x:%d", i)})
	}
	for i := range maxEntries + 1 {
		long = append(long, fmt.Sprintf("did:x:%d", i))
	}
	for range maxTwice + 1 {
		twice = append(twice, map[string]any{"id": "did:x:y"})
	}
	for range maxEntries {
		values = append(values, map[string]any{"alsoKnownAs": long[:maxList], "authentication": long[:maxList]})
	}
	for name, c := range map[string]struct {
		entries []any
		refused bool
	}{
		"nodes without a name":     {different, true},
		"fewer of them":            {different[1:], false},
		"a long list":              {long, true},
		"a list as long as may be": {long[1:], false},
		"a long list within":       {[]any{map[string]any{"alsoKnownAs": long[:maxList+1]}}, true},
		"objects of one name":      {twice, true},
		"values":                   {values, true},
		"a long name":              {[]any{map[string]any{"id": "did:x:" + strings.Repeat("y", maxName)}}, true},
	} {
		if _, err := canonical(list("-DEV", c.entries...), library{termsTNG[0]}); errors.Is(err, ErrLimit) != c.refused || !c.refused && err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
	if _, err := Check([]byte(`{"verificationMethod":[`+strings.Repeat("0,", maxValues)+`0]}`), whoKey(t)); !errors.Is(err, ErrLimit) {
		t.Errorf("values, told before they are read: %v", err)
	}
	deep := strings.Repeat(`{"controller":`, maxNesting) + `"did:x:y"` + strings.Repeat(`}`, maxNesting)
	if _, err := Check([]byte(`{"id":"did:x:y","verificationMethod":`+deep+`,"proof":{}}`), whoKey(t)); err == nil {
		t.Error("deep nesting")
	}
}

func TestParseKey(t *testing.T) {
	good := string(testkit.Read(t, "who/trust/who-dev-list-signing-key.did.json"))
	for name, text := range map[string]string{
		"empty": "", "no JSON": "{", "no key": `{"verificationMethod":[]}`, "not on the curve": strings.Replace(good, "mB9T", "mB9U", 1),
		"short": strings.Replace(good, "mB9T6oJ5", "", 1), "twice": strings.Replace(good, `"x"`, `"x":"","x"`, 1),
	} {
		if _, err := ParseKey([]byte(text)); err == nil {
			t.Errorf("error/%s: read", name)
		}
	}
}

func FuzzCheck(f *testing.F) {
	key := whoKey(f)
	f.Add(testkit.Read(f, "who/trust/v2_trustlist_PH4H_CHL.did.json"))
	f.Add(testkit.Read(f, "who/trust/v2_trustlist-ref.did.json"))
	f.Fuzz(func(t *testing.T, document []byte) {
		_, _ = Check(document, key)
	})
}
