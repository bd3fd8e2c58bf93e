package verify

import (
	"bytes"
	"compress/flate"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha256"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"math/big"
	"strings"
	"testing"
	"testing/fstest"
	"time"

	"akashi/certificate"
	"akashi/certificate/catalogue"
	"akashi/certificate/shc"
	"akashi/certificate/trust"
	"akashi/certificate/vdsnc"
	"akashi/internal/clock"
	"akashi/passport"
	"akashi/signing"
	"akashi/signing/pki"
)

var (
	now      = time.Date(2026, 11, 20, 12, 0, 0, 0, time.UTC)
	issuedAt = now.Add(-time.Hour)
)

// specimen is an invented person with two doses.
func specimen() certificate.Certificate {
	product := catalogue.Product{ID: "spikevax", CVX: "207", Disease: "RA01.0", ICD11Class: "XM0GQ8", Brand: "SPIKEVAX"}
	c := certificate.Certificate{
		Office: "900001", ID: "ABCDEFGHJKLM", AI: "JPN90000120261120000001", Kind: certificate.Travel, Programme: "covid19",
		IssuedAt: issuedAt, IssuedOn: clock.DateOf(issuedAt),
		Subject: certificate.Subject{
			Name: certificate.Name{Family: "架空", Given: "花子"}, BirthDate: "1980-01-23",
			Passport: &passport.Document{
				MRZName: passport.Name{Primary: "KAKUU", Secondary: "HANAKO"},
				Number:  passport.NewNumber("XS1234567"), Nationality: "JPN", BirthDate: "1980-01-23",
			},
		},
	}
	for i, day := range []clock.Date{"2021-07-07", "2021-08-05"} {
		c.Doses = append(c.Doses, certificate.Dose{
			Number: i + 1, VaccinatedOn: day, Product: product, Lot: fmt.Sprintf("300%d", i), Country: "JPN",
		})
	}
	return c
}

// personal are the values of the specimen that belong into the holder only.
var personal = []string{"架空", "花子", "KAKUU", "HANAKO", "1980-01-23", "XS1234567", "2021-07-07"}

func newKey(t testing.TB) *ecdsa.PrivateKey {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	return key
}

func sign(t testing.TB, key *ecdsa.PrivateKey, input []byte) []byte {
	t.Helper()
	digest := sha256.Sum256(input)
	r, s, err := ecdsa.Sign(rand.Reader, key, digest[:])
	if err != nil {
		t.Fatal(err)
	}
	out := make([]byte, 64)
	r.FillBytes(out[:32])
	s.FillBytes(out[32:])
	return out
}

// cardIssuer signs health cards, and whatever else a test makes up.
type cardIssuer struct {
	iss string
	key *ecdsa.PrivateKey
	id  string
}

func newCardIssuer(t testing.TB, iss string) cardIssuer {
	t.Helper()
	key := newKey(t)
	return cardIssuer{iss, key, signing.Thumbprint(&key.PublicKey)}
}

func (i cardIssuer) registered(t testing.TB) signing.Key {
	t.Helper()
	public, err := x509.MarshalPKIXPublicKey(&i.key.PublicKey)
	if err != nil {
		t.Fatal(err)
	}
	return signing.Key{ID: i.id, Purpose: signing.SHC, Issuer: i.iss, Algorithm: signing.ES256, Public: public, State: signing.Active}
}

// issue makes a card of the specimen as it is issued.
func (i cardIssuer) issue(t testing.TB) string {
	t.Helper()
	input, err := shc.Draft(specimen(), shc.Options{Issuer: i.iss, KeyID: i.id, RevocationID: "vwAjHdarZuc"})
	if err != nil {
		t.Fatal(err)
	}
	jws, err := shc.Seal(input, sign(t, i.key, input))
	if err != nil {
		t.Fatal(err)
	}
	return jws
}

func (i cardIssuer) header() string { return `{"zip":"DEF","alg":"ES256","kid":"` + i.id + `"}` }

// jws signs a header and a payload as they are.
func (i cardIssuer) jws(t testing.TB, header string, payload []byte) string {
	t.Helper()
	input := encode([]byte(header)) + "." + encode(payload)
	return input + "." + encode(sign(t, i.key, []byte(input)))
}

// changed issues the specimen with changed claims.
func (i cardIssuer) changed(t testing.TB, change func(claims, vc map[string]any)) string {
	t.Helper()
	card, err := shc.Parse(i.issue(t))
	if err != nil {
		t.Fatal(err)
	}
	var claims map[string]any
	if err := json.Unmarshal(card.Claims, &claims); err != nil {
		t.Fatal(err)
	}
	change(claims, claims["vc"].(map[string]any))
	text, err := json.Marshal(claims)
	if err != nil {
		t.Fatal(err)
	}
	return i.jws(t, i.header(), deflate(t, text))
}

// entry returns a resource of the specimen's bundle: the patient is 0.
func entry(vc map[string]any, n int) map[string]any {
	bundle := vc["credentialSubject"].(map[string]any)["fhirBundle"].(map[string]any)
	return bundle["entry"].([]any)[n].(map[string]any)["resource"].(map[string]any)
}

func encode(b []byte) string { return base64.RawURLEncoding.EncodeToString(b) }

func deflate(t testing.TB, b []byte) []byte {
	t.Helper()
	var out bytes.Buffer
	w, err := flate.NewWriter(&out, flate.BestCompression)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := w.Write(b); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

// flip changes one bit of the text before the last full stop (part 1) or after it
// (part 2), where the letter stays in the alphabet.
func flip(jws string, part int) string {
	at := bytes.LastIndexByte([]byte(jws), '.') - 40
	if part == 2 {
		at += 80
	}
	b := []byte(jws)
	if b[at] == 'A' {
		b[at] = 'B'
	} else {
		b[at] = 'A'
	}
	return string(b)
}

// country issues bar codes.
type country struct {
	state         string // Doc 9303-3 code
	authorityKey  *ecdsa.PrivateKey
	authority     []byte
	signerKey     *ecdsa.PrivateKey
	signer        []byte
	signerSerial  *big.Int
	authorityName string
}

func newCountry(t testing.TB, state, code string, change func(*pki.SignerTemplate)) country {
	t.Helper()
	c := country{state: state, authorityKey: newKey(t), signerSerial: big.NewInt(0x010c), authorityName: "CSCA"}
	var err error
	c.authority, err = pki.CreateAuthority(pki.AuthorityTemplate{
		Country: code, CommonName: c.authorityName, NotBefore: now.AddDate(-3, 0, 0), NotAfter: now.AddDate(9, 0, 0),
	}, c.authorityKey)
	if err != nil {
		t.Fatal(err)
	}
	return c.withSigner(t, code, change)
}

// withSigner certifies a new signer.
func (c country) withSigner(t testing.TB, code string, change func(*pki.SignerTemplate)) country {
	t.Helper()
	template := pki.SignerTemplate{
		Country: code, CommonName: "BC", Serial: c.signerSerial, DocumentTypes: []string{"NV"},
		NotBefore: now.AddDate(-1, 0, 0), NotAfter: now.AddDate(5, 0, 0),
	}
	if change != nil {
		change(&template)
	}
	c.signerKey = newKey(t)
	var err error
	if c.signer, err = pki.CreateBarcodeSigner(template, &c.signerKey.PublicKey, c.authority, c.authorityKey); err != nil {
		t.Fatal(err)
	}
	return c
}

func (c country) registered() []signing.Key {
	return []signing.Key{
		{ID: "authority", Purpose: signing.Authority, Issuer: c.state, Certificate: c.authority, State: signing.Active},
		{ID: "signer", Purpose: signing.VDSNC, Issuer: c.state, Certificate: c.signer, State: signing.Active},
	}
}

func (c country) list(t testing.TB, from, to time.Time, revoked ...*big.Int) []byte {
	t.Helper()
	list, err := pki.CreateCRL(c.authority, c.authorityKey, 1, revoked, from, to)
	if err != nil {
		t.Fatal(err)
	}
	return list
}

// current is a list in force that names some serials.
func (c country) current(t testing.TB, revoked ...*big.Int) []byte {
	t.Helper()
	return c.list(t, now.AddDate(0, 0, -1), now.AddDate(0, 0, 30), revoked...)
}

func (c country) issue(t testing.TB) string {
	t.Helper()
	data, err := vdsnc.Draft(specimen(), c.state)
	if err != nil {
		t.Fatal(err)
	}
	return c.seal(t, data)
}

func (c country) seal(t testing.TB, data []byte) string {
	t.Helper()
	text, err := vdsnc.Seal(data, sign(t, c.signerKey, data), c.signer)
	if err != nil {
		t.Fatal(err)
	}
	return text
}

func bundle(t testing.TB, keys []signing.Key, crls ...[]byte) *trust.Bundle {
	t.Helper()
	b, err := trust.FromKeys(keys, crls, now.Add(-time.Hour))
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// expect compares a verdict with what one change must cause: the named facet
// and no other facet fails.
type expect struct {
	outcome Outcome
	facet   string
	result  Result
	code    string
}

func (e expect) check(t testing.TB, v Verdict) {
	t.Helper()
	if v.Outcome != e.outcome {
		t.Errorf("outcome %s, want %s: %v", v.Outcome, e.outcome, v.Facets)
	}
	if e.facet != "" {
		if f := v.Facet(e.facet); f.Result != e.result || f.Code != e.code {
			t.Errorf("%s is %s (%s), want %s (%s)", e.facet, f.Result, f.Code, e.result, e.code)
		}
	}
	for _, f := range v.Facets {
		if f.Result == Failed && f.Name != e.facet {
			t.Errorf("%s failed as well: %s", f.Name, f.Code)
		}
	}
	checkForm(t, v)
}

var exitCodes = map[Outcome]int{Valid: 0, NotValid: 1, Unreadable: 2, Undecided: 3}

// checkForm checks what every verdict has to keep to.
func checkForm(t testing.TB, v Verdict) {
	t.Helper()
	text, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	for _, fault := range validate(t, text) {
		t.Error("JSON schema:", fault)
	}
	for i, f := range v.Facets {
		if f.Name != facetNames[i] {
			t.Errorf("facet %d is %s", i, f.Name)
		}
		for _, language := range Languages {
			if text := f.Sentence(language); text == "" || f.Next(language) == "" || strings.Contains(text, "?") {
				t.Errorf("%s: code %q has no sentence in %s: %s", f.Name, f.Code, language, text)
			}
		}
	}
	for _, n := range v.Notes {
		if Note(n).Sentence("fr") == "" {
			t.Errorf("note %q has no sentence", n)
		}
	}
	if v.ExitCode() != exitCodes[v.Outcome] {
		t.Errorf("exit code %d", v.ExitCode())
	}
	v.Holder = nil
	text, err = json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	for _, p := range personal {
		if bytes.Contains(text, []byte(p)) {
			t.Errorf("personal value outside the holder: %s", text)
		}
	}
}

func decode(t testing.TB, text string) []byte {
	t.Helper()
	b, err := base64.RawURLEncoding.DecodeString(text)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// malleable replaces s by n-s, which verifies as well.
func malleable(jws string) string {
	at := strings.LastIndexByte(jws, '.') + 1
	signature, err := base64.RawURLEncoding.DecodeString(jws[at:])
	if err != nil {
		panic(err)
	}
	s := new(big.Int).SetBytes(signature[32:])
	s.Sub(elliptic.P256().Params().N, s).FillBytes(signature[32:])
	return jws[:at] + encode(signature)
}

// loaded is a bundle with one issuer and its key set, and nothing else.
func loaded(t testing.TB, iss, jwks string) *trust.Bundle {
	t.Helper()
	b, _ := withList(t, iss, jwks, nil)
	return b
}

// withList is the same with a revocation list; nil for none.
func withList(t testing.TB, iss, jwks string, list []byte) (*trust.Bundle, trust.Report) {
	t.Helper()
	files := fstest.MapFS{"jwks.json": {Data: []byte(jwks)}}
	crls := ""
	if list != nil {
		files["list.json"], crls = &fstest.MapFile{Data: list}, `,"crls":["list.json"]`
	}
	files["manifest.json"] = &fstest.MapFile{Data: []byte(
		`{"version":1,"made_at":"2026-11-20T00:00:00Z","issuers":[{"iss":"` + iss + `","jwks":"jwks.json"` + crls + `}]}`)}
	b, report, err := trust.Load(files)
	if err != nil {
		t.Fatal(err)
	}
	return b, report
}
