package shc

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/hmac"
	"crypto/sha256"
	"crypto/x509"
	"encoding/asn1"
	"encoding/base64"
	"encoding/json"
	"math/big"
	"strings"
	"testing"
	"time"

	"akashi/certificate"
	"akashi/internal/testkit"
)

var hostileNow = time.Date(2026, 11, 20, 12, 0, 0, 0, time.UTC)

// hostileOutcomes are the steps that refuse the recipes of jws-hostile.json.
// The two iss that only look right fall because nobody trusts them.
var hostileOutcomes = map[string]string{
	"alg-None": "header/alg_not_es256", "alg-nOnE": "header/alg_not_es256", "alg-missing": "header/alg_not_es256",
	"alg-array": "header/alg_not_es256", "hs256-public-key": "shape/signature_length", "rs256": "header/alg_not_es256",
	"ps256": "header/alg_not_es256", "eddsa": "header/alg_not_es256", "sig-r-n": "signature/out_of_range",
	"sig-der": "shape/signature_length", "sig-65": "shape/signature_length", "sig-empty": "shape/empty",
	"kid-number": "header/not_a_thumbprint", "kid-traversal": "header/not_a_thumbprint", "kid-url": "header/not_a_thumbprint",
	"kid-10k": "header/not_a_thumbprint", "kid-other-municipality": "key/unknown", "jku": "header/member_refused",
	"jwk-embedded": "header/member_refused", "x5c-embedded": "header/member_refused", "b64-false": "header/member_refused",
	"zip-missing": "header/zip_not_def", "zip-not-deflate": "inflate/not_deflate", "zip-trailing": "inflate/trailing_bytes",
	"header-array": "header/not_an_object", "header-bom": "header/not_json", "header-std-b64": "shape/not_base64url",
	"four-parts": "shape/not_three_parts", "json-serialization": "shape/not_base64url",
	"iss-trailing-slash": "issuer/trailing_slash", "iss-userinfo": "issuer/not_plain", "iss-metadata-ip": "issuer/not_a_host_name",
	"iss-idn": "issuer/not_a_host_name", "iss-suffix": "key/unknown", "nbf-milliseconds": "time/not_yet_valid",
	"nbf-string": "claims/wrong_type", "nbf-missing": "claims/missing", "vc-type-unknown": "claims/not_a_health_card",
}

// S-064, S-065: every recipe is refused, and at the step that is meant to.
func TestHostileRecipes(t *testing.T) {
	var recipes []struct {
		ID     string          `json:"id"`
		Change json.RawMessage `json:"header_or_payload"`
	}
	if err := json.Unmarshal(testkit.Read(t, "security/own/jws-hostile.json"), &recipes); err != nil {
		t.Fatal(err)
	}
	f, other := newForger(t), newForger(t)
	good := f.issue(t, specimen(certificate.Domestic, 2), Options{"https://issuer.example", f.id, "vwAjHdarZuc"})
	keys := f.trust("https://issuer.example")
	if got, _ := verify(good.JWS, keys, hostileNow); got != "" {
		t.Fatalf("the unchanged card is refused: %s", got)
	}
	fill := strings.NewReplacer("$KID2", other.id, "$KID", f.id, "$A*10000", strings.Repeat("A", 10000))
	for _, r := range recipes {
		t.Run("error/"+r.ID, func(t *testing.T) {
			signer := f
			if r.ID == "kid-other-municipality" {
				signer = other
			}
			jws := hostile(t, signer, good, r.ID, fill.Replace(string(r.Change)))
			if got, _ := verify(jws, keys, hostileNow); got != hostileOutcomes[r.ID] {
				t.Errorf("got %q, want %q", got, hostileOutcomes[r.ID])
			}
		})
	}
	if len(recipes) != 38 {
		t.Errorf("%d recipes, want 38", len(recipes))
	}
}

// hostile makes the JWS of a recipe from a good card.
func hostile(t *testing.T, f forger, good *Card, id, change string) string {
	t.Helper()
	payload, err := deflate(good.Claims)
	if err != nil {
		t.Fatal(err)
	}
	signedPart, _, _ := strings.Cut(good.JWS[strings.IndexByte(good.JWS, '.')+1:], ".")
	input := good.JWS[:strings.LastIndexByte(good.JWS, '.')]
	encode := base64.RawURLEncoding.EncodeToString
	n := elliptic.P256().Params().N
	switch id {
	case "sig-r-n":
		return input + "." + encode(append(n.Bytes(), n.Bytes()...))
	case "sig-der":
		sig := f.sign(t, input)
		der, err := asn1.Marshal(struct{ R, S *big.Int }{new(big.Int).SetBytes(sig[:32]), new(big.Int).SetBytes(sig[32:])})
		if err != nil {
			t.Fatal(err)
		}
		return input + "." + encode(der)
	case "sig-65":
		return input + "." + encode(append(f.sign(t, input), 0))
	case "sig-empty":
		return input + "."
	case "hs256-public-key":
		der, err := x509.MarshalPKIXPublicKey(&f.key.PublicKey)
		if err != nil {
			t.Fatal(err)
		}
		mac := hmac.New(sha256.New, der)
		head := encode([]byte(change)) + "." + signedPart
		mac.Write([]byte(head))
		return head + "." + encode(mac.Sum(nil))
	case "zip-not-deflate":
		return f.jws(t, change, good.Claims)
	case "zip-trailing":
		return f.jws(t, change, append(payload, 0))
	case "header-array", "header-bom", "json-serialization", "four-parts", "header-std-b64":
		var raw string
		if err := json.Unmarshal([]byte(change), &raw); err != nil {
			t.Fatal(err)
		}
		switch id {
		case "header-std-b64":
			return "+/" + good.JWS
		case "header-array", "header-bom":
			return f.jws(t, raw, payload)
		}
		return raw
	}
	if strings.HasPrefix(id, "iss-") || strings.HasPrefix(id, "nbf-") || strings.HasPrefix(id, "vc-") {
		return f.card(t, f.header(), changeClaims(t, good.Claims, id, change))
	}
	return f.jws(t, change, payload)
}

func changeClaims(t *testing.T, claims []byte, id, change string) []byte {
	t.Helper()
	var tree, changes map[string]any
	if err := json.Unmarshal(claims, &tree); err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal([]byte(change), &changes); err != nil {
		t.Fatal(err)
	}
	if vc, ok := changes["vc"].(map[string]any); ok {
		tree["vc"].(map[string]any)["type"] = vc["type"]
		delete(changes, "vc")
	}
	for name, v := range changes {
		tree[name] = v
	}
	switch id {
	case "nbf-milliseconds":
		tree["nbf"] = hostileNow.UnixMilli()
	case "nbf-missing":
		delete(tree, "nbf")
	}
	out, err := json.Marshal(tree)
	if err != nil {
		t.Fatal(err)
	}
	return out
}

// Spec, 8, steps 3 to 6: shapes that no vector has.
func TestParseRefuses(t *testing.T) {
	f := newForger(t)
	good := f.issue(t, specimen(certificate.Domestic, 1), options(f))
	payload, _ := deflate(good.Claims)
	change := func(old, new string) string {
		return f.card(t, f.header(), bytes.Replace(good.Claims, []byte(old), []byte(new), 1))
	}
	cases := map[string]struct{ jws, want string }{
		"error/empty":                {"", "shape/not_three_parts"},
		"error/too long":             {strings.Repeat("A", maxJWS+1), "shape/too_long"},
		"error/padding":              {good.JWS + "==", "shape/not_base64url"},
		"error/line break":           {good.JWS[:50] + "\n" + good.JWS[50:], "shape/not_base64url"},
		"error/loose last bits":      {good.JWS[:len(good.JWS)-1] + looser(good.JWS[len(good.JWS)-1]), "shape/not_base64url"},
		"error/header twice alg":     {f.jws(t, `{"zip":"DEF","alg":"ES256","alg":"none","kid":"`+f.id+`"}`, payload), "header/not_json"},
		"error/header other case":    {f.jws(t, `{"Zip":"DEF","alg":"ES256","kid":"`+f.id+`"}`, payload), "header/zip_not_def"},
		"error/header null":          {f.jws(t, `null`, payload), "header/not_an_object"},
		"error/header crit":          {f.jws(t, `{"zip":"DEF","alg":"ES256","kid":"`+f.id+`","crit":["x"]}`, payload), "header/member_refused"},
		"error/header deep":          {f.jws(t, strings.Repeat("[", 99)+strings.Repeat("]", 99), payload), "header/not_json"},
		"error/zlib":                 {f.jws(t, f.header(), append([]byte{0x78, 0x9c}, payload...)), "inflate/not_deflate"},
		"error/cut":                  {f.jws(t, f.header(), payload[:len(payload)-5]), "inflate/not_deflate"},
		"error/ratio":                {f.card(t, f.header(), bytes.Repeat([]byte(" "), 60_000)), "inflate/too_large"},
		"error/claims twice":         {change(`"iss":`, `"iss":"https://a.example","iss":`), "claims/duplicate_member"},
		"error/claims nested twice":  {change(`"status":`, `"status":"x","status":`), "claims/duplicate_member"},
		"error/claims other case":    {change(`"iss":`, `"Iss":`), "claims/missing"},
		"error/claims not UTF-8":     {change(`架空`, "\xff"), "claims/not_json"},
		"error/claims list":          {f.card(t, f.header(), []byte(`[]`)), "claims/not_an_object"},
		"error/claims trailing":      {f.card(t, f.header(), append(good.Claims[:len(good.Claims):len(good.Claims)], "{}"...)), "claims/not_json"},
		"error/nbf null":             {change(`"nbf":1`, `"nbf":null,"x":1`), "claims/wrong_type"},
		"error/nbf huge":             {change(`"nbf":1`, `"nbf":1e99,"x":1`), "claims/out_of_range"},
		"error/exp negative":         {change(`"nbf":`, `"exp":-62135596800,"nbf":`), "claims/out_of_range"}, // Go's zero time
		"error/exp text":             {change(`"nbf":`, `"exp":"1","nbf":`), "claims/wrong_type"},
		"error/rid long":             {change(`vwAjHdarZuc`, strings.Repeat("a", 25)), "claims/not_a_revocation_id"},
		"error/rid alphabet":         {change(`vwAjHdarZuc`, "a.1"), "claims/not_a_revocation_id"},
		"error/type text":            {change(`["`+TypeHealthCard+`","`+TypeImmunization+`","`+TypeCOVID19+`"]`, `"`+TypeHealthCard+`"`), "claims/wrong_type"},
		"error/bundle list":          {change(`"fhirBundle":{`, `"fhirBundle":[],"x":{`), "claims/wrong_type"},
		"error/bundle kind":          {change(`"resourceType":"Bundle"`, `"resourceType":"Patient"`), "claims/not_a_bundle"},
		"error/entry null":           {change(`"entry":[`, `"entry":[null,`), "claims/wrong_type"},
		"error/status number":        {change(`"completed"`, `1`), "claims/wrong_type"},
		"error/given text":           {change(`"given":["花子"]`, `"given":"花子"`), "claims/wrong_type"},
		"error/content status":       {change(`"completed"`, `"entered-in-error"`), "content/status_not_completed"},
		"error/content subpotent":    {change(`"status"`, `"isSubpotent":true,"status"`), "content/subpotent"},
		"error/content reference":    {change(`"reference":"resource:0"`, `"reference":"resource:1"`), "content/broken_reference"},
		"error/content no patient":   {change(`"resourceType":"Patient"`, `"resourceType":"Person"`), "content/no_patient"},
		"error/content two patients": {change(`{"fullUrl":"resource:0"`, `{"resource":{"resourceType":"Patient"}},{"fullUrl":"resource:0"`), "content/several_patients"},
		"error/content no doses":     {change(`"entry":[{`, `"entry":[],"x":[{`), "content/no_patient"},
		"ok/fraction":                {change(`"nbf":1795136523`, `"nbf":1795136523.349618`), ""},
		"ok/exponent":                {change(`"nbf":1795136523`, `"nbf":1.795136523e9`), ""},
		"ok/unknown type":            {change(TypeCOVID19, `https://example.invalid/x`), ""},
		"ok/usual name":              {change(`"family"`, `"use":"usual","family"`), ""},
		"ok/header order":            {f.jws(t, `{ "kid": "`+f.id+`", "alg": "ES256", "zip": "DEF", "typ": "JWT" }`, payload), ""},
		"ok/white space":             {" " + good.JWS + "\n", ""},
	}
	for name, v := range cases {
		t.Run(name, func(t *testing.T) {
			if got, _ := verify(v.jws, f.trust("https://issuer.akashi.test"), hostileNow.AddDate(1, 0, 0)); got != v.want {
				t.Errorf("got %q, want %q", got, v.want)
			}
		})
	}
}

// looser sets a bit that base64url leaves unused in the last character.
func looser(c byte) string {
	const letters = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
	return letters[strings.IndexByte(letters, c)|1:][:1]
}

func TestFraction(t *testing.T) {
	f := newForger(t)
	card := f.issue(t, specimen(certificate.Domestic, 1), options(f))
	c, err := Parse(f.card(t, f.header(), bytes.Replace(card.Claims, []byte(`"nbf":1795136523`), []byte(`"nbf":1640395310.435824`), 1)))
	if err != nil || c.NotBefore.Format(time.RFC3339Nano) != "2021-12-25T01:21:50.435824Z" {
		t.Errorf("nbf %v, %v", c, err)
	}
}

// One flipped bit anywhere in header, payload or signature spoils the card.
func TestFlippedBits(t *testing.T) {
	f := newForger(t)
	o := options(f)
	good := f.issue(t, specimen(certificate.Travel, 3), o)
	for i := 0; i < len(good.JWS); i += 3 {
		jws := []byte(good.JWS)
		jws[i] ^= 1
		if got, _ := verify(string(jws), f.trust(o.Issuer), hostileNow); got == "" {
			t.Fatalf("accepted with character %d changed", i)
		}
	}
	other := newForger(t)
	if err := good.CheckSignature(&other.key.PublicKey); outcomeOf(err) != "signature/does_not_verify" {
		t.Errorf("under another key: %v", err)
	}
	for _, key := range []*ecdsa.PublicKey{nil, {Curve: elliptic.P384()}} {
		if err := good.CheckSignature(key); outcomeOf(err) != "signature/key_not_p256" {
			t.Errorf("under an unfit key: %v", err)
		}
	}
}

// Spec, 6 and 8, step 2: chunks and digits beyond the vectors.
func TestFromNumericRefuses(t *testing.T) {
	for name, v := range map[string]struct {
		texts []string
		want  string
	}{
		"error/nothing":          {nil, "digits/chunk_count"},
		"error/no digits":        {[]string{"shc:/"}, "digits/empty"},
		"error/odd":              {[]string{"shc:/123"}, "digits/odd_count"},
		"error/letter":           {[]string{"shc:/1a"}, "digits/not_a_digit"},
		"error/full width digit": {[]string{"shc:/１0"}, "digits/not_a_digit"},
		"error/upper case":       {[]string{"SHC:/1234"}, "scheme/not_shc"},
		"error/other scheme":     {[]string{"shlink:/1234"}, "scheme/not_shc"},
		"error/two slashes":      {[]string{"shc:/1/12"}, "digits/chunk_header"},
		"error/chunk zero":       {[]string{"shc:/0/1/12"}, "digits/chunk_index"},
		"error/chunk plus":       {[]string{"shc:/+1/1/12"}, "digits/chunk_index"},
		"error/chunk huge":       {[]string{"shc:/1/99999999999999999999/12"}, "digits/chunk_index"},
		"error/chunk missing":    {[]string{"shc:/1/2/12"}, "digits/chunk_count"},
		"error/chunk twice":      {[]string{"shc:/1/2/12", "shc:/1/2/12"}, "digits/chunk_twice"},
		"error/two whole cards":  {[]string{"shc:/12", "shc:/12"}, "digits/chunk_count"},
		"error/too long":         {[]string{"shc:/" + strings.Repeat("12", maxJWS+1)}, "digits/too_long"},
	} {
		t.Run(name, func(t *testing.T) {
			if _, _, err := FromNumeric(v.texts...); outcomeOf(err) != v.want {
				t.Errorf("got %v, want %s", err, v.want)
			}
		})
	}
	jws, notes, err := FromNumeric("shc:/1/1/0012")
	if jws != "-9" || len(notes) != 1 || notes[0] != NoteChunkHeader || err != nil {
		t.Errorf("ok/1 of 1: %q %v %v", jws, notes, err)
	}
}

func TestParseFileRefuses(t *testing.T) {
	for name, v := range map[string]struct{ text, want string }{
		"error/empty":       {"", "scheme/not_json"},
		"error/list":        {`["a"]`, "scheme/not_an_object"},
		"error/null":        {`null`, "scheme/no_cards"},
		"error/none":        {`{"verifiableCredential":[]}`, "scheme/no_cards"},
		"error/text":        {`{"verifiableCredential":"a.b.c"}`, "scheme/no_cards"},
		"error/number":      {`{"verifiableCredential":["a",1]}`, "scheme/not_text"},
		"error/other case":  {`{"VerifiableCredential":["a"]}`, "scheme/no_cards"},
		"error/twice":       {`{"verifiableCredential":["a"],"verifiableCredential":["b"]}`, "scheme/not_json"},
		"error/many":        {`{"verifiableCredential":["a"` + strings.Repeat(`,"a"`, maxCards) + `]}`, "scheme/too_many"},
		"error/large":       {strings.Repeat(" ", maxFile+1), "scheme/too_long"},
		"error/second file": {`{"verifiableCredential":["a"]}{}`, "scheme/not_json"},
	} {
		t.Run(name, func(t *testing.T) {
			if _, _, err := ParseFile([]byte(v.text)); outcomeOf(err) != v.want {
				t.Errorf("got %v, want %s", err, v.want)
			}
		})
	}
	for name, v := range map[string]struct{ text, want string }{
		"error/parameters/a card file":   {`{"verifiableCredential":["a.b.c"]}`, "scheme/not_parameters"},
		"error/parameters/another thing": {`{"resourceType":"Bundle"}`, "scheme/not_parameters"},
		"error/parameters/none":          {`{"resourceType":"Parameters","parameter":[{"name":"resourceLink"}]}`, "scheme/no_cards"},
		"error/parameters/no list":       {`{"resourceType":"Parameters","parameter":{}}`, "scheme/no_cards"},
		"error/parameters/no value":      {`{"resourceType":"Parameters","parameter":[{"name":"verifiableCredential"}]}`, "scheme/not_text"},
	} {
		t.Run(name, func(t *testing.T) {
			if _, _, err := ParseParameters([]byte(v.text)); outcomeOf(err) != v.want {
				t.Errorf("got %v, want %s", err, v.want)
			}
		})
	}
	if got := string(File("a.b.c")); got != `{"verifiableCredential":["a.b.c"]}` {
		t.Errorf("file %s", got)
	}
}
