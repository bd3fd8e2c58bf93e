package shc

import (
	"bytes"
	"crypto/ecdsa"
	"encoding/json"
	"errors"
	"path"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"akashi/certificate/qr"
	"akashi/internal/testkit"
	"akashi/signing"
)

// vector is a case of testdata/shc/cases.json.
type vector struct {
	Files  []string `json:"files"`
	Type   string   `json:"type"`
	Expect string   `json:"expect"`
	JWKS   string   `json:"jwks"`
	CRL    string   `json:"crl"`
	Result string   `json:"result"`
	Also   []struct {
		VerifyTime int64  `json:"verify_time"`
		Expect     string `json:"expect"`
	} `json:"also"`
}

func (v vector) name() string { return path.Base(v.Files[0]) }

func vectors(t *testing.T) (cases []vector, at time.Time) {
	t.Helper()
	var list struct {
		VerifyTime int64    `json:"verify_time"`
		Cases      []vector `json:"cases"`
	}
	if err := json.Unmarshal(testkit.Read(t, "shc/cases.json"), &list); err != nil {
		t.Fatal(err)
	}
	return list.Cases, time.Unix(list.VerifyTime, 0)
}

func sharedText(t *testing.T, name string) string { return string(testkit.Read(t, "shc/"+name)) }

// trust is a trust list: keys by issuer and key id.
type trust map[string]map[string]*ecdsa.PublicKey

const sampleIssuer = "https://spec.smarthealth.cards/examples/issuer"

func sampleTrust(t *testing.T, jwks, issuer string) trust {
	t.Helper()
	keys, _, err := signing.ParseJWKS(testkit.Read(t, "shc/"+jwks))
	if err != nil || len(keys) == 0 {
		t.Fatalf("%s: %d keys, %v", jwks, len(keys), err)
	}
	out := trust{issuer: {}}
	for _, k := range keys {
		out[issuer][k.ID] = k.Public
	}
	return out
}

// verify takes steps 3 to 10 and 12; the outcome is "" or "step/code".
func verify(jws string, keys trust, at time.Time) (outcome string, c *Card) {
	c, err := Parse(jws)
	if err != nil {
		return outcomeOf(err), nil
	}
	for _, step := range []func() error{
		c.CheckIssuer,
		func() error {
			key, ok := keys[c.Issuer][c.Header.KeyID]
			if !ok {
				return fail("key", "unknown", "")
			}
			return c.CheckSignature(key)
		},
		func() error { return c.CheckTime(at, 0) },
	} {
		if err := step(); err != nil {
			return outcomeOf(err), c
		}
	}
	for _, f := range c.Content() {
		if f.Severity == Fatal {
			return "content/" + f.Code, c
		}
	}
	return "", c
}

func outcomeOf(err error) string {
	var e *Error
	if !errors.As(err, &e) {
		return "untyped: " + err.Error()
	}
	return string(e.Step) + "/" + e.Code
}

// outcomes are the steps at which the rejected cards, texts and files of
// cases.json fall (spec, 8). A card of a kind "accept" or "warn" has none.
var outcomes = map[string]string{
	"test-example-00-d-jws-no_jws_header_alg.txt":                      "header/alg_not_es256",
	"test-example-00-d-jws-no_jws_header_zip.txt":                      "header/zip_not_def",
	"test-example-00-d-jws-invalid-signature.txt":                      "signature/does_not_verify",
	"test-example-00-d-jws-der-signature.txt":                          "shape/signature_length",
	"test-example-00-d-jws-der-signature-s-neg.txt":                    "shape/signature_length",
	"test-example-00-d-jws-der-signature-rs-neg.txt":                   "shape/signature_length",
	"test-example-00-d-jws-no_deflate.txt":                             "header/zip_not_def",
	"test-example-00-d-jws-issuer-kid-mismatch.txt":                    "key/unknown",
	"test-example-00-d-jws-jws_too_long.txt":                           "claims/missing",
	"test-example-00-e-file-invalid_deflate.smart-health-card":         "inflate/not_deflate",
	"test-example-00-e-file-invalid_issuer_url.smart-health-card":      "key/unknown",
	"test-example-00-e-file-invalid_issuer_url_http.smart-health-card": "issuer/not_https",
	"test-example-00-e-file-no_deflate.smart-health-card":              "header/zip_not_def",
	"test-example-00-f-qr-code-numeric-value-0-index-out-of-range.txt": "digits/chunk_index",
	"test-example-00-f-qr-code-numeric-value-0-number-too-big.txt":     "digits/pair_above_77",
	"test-example-00-f-qr-code-numeric-value-0-wrong_qr_header.txt":    "scheme/not_shc",
	"test-example-00-b-jws-payload-expanded-expired.json":              "time/expired",
	"test-example-00-b-jws-payload-expanded-missing-coding.json":       "content/no_code",
	"test-example-00-b-jws-payload-expanded-missing-shc-vc-type.json":  "claims/not_a_health_card",
	"test-example-00-b-jws-payload-expanded-nbf_milliseconds.json":     "time/not_yet_valid",
	"test-example-00-b-jws-payload-expanded-nbf_not_yet_valid.json":    "time/not_yet_valid",
	"test-example-00-b-jws-payload-expanded-pre-expired.json":          "time/expires_before_issue",
	"test-example-00-g-qr-code-0-corrupted.png":                        "symbol/damaged",
	"test-example-00-g-qr-code-0-too_many_qr_segment.png":              "digits/odd_count", // text after the digits
}

func checkOutcome(t *testing.T, v vector, got string) {
	t.Helper()
	want := outcomes[v.name()]
	if (v.Expect == "reject") != (want != "") {
		t.Fatalf("cases.json says %s, this table says %q", v.Expect, want)
	}
	if got != want {
		t.Errorf("%s: got %q, want %q", v.Expect, got, want)
	}
}

// Spec, 12: all cases of cases.json but the key sets, which akashi/signing runs,
// and their number. In crl/ the lists are bad, for akashi/certificate/trust to
// find, and the cards are good.
func TestCards(t *testing.T) {
	cases, at := vectors(t)
	ran := map[string]int{}
	for _, v := range cases {
		ran[v.Type]++
		run := map[string]func(*testing.T, vector, time.Time){
			"jws": runJWS, "qrnumeric": runNumeric, "healthcard": runFile, "jwspayload": runPayload, "fhirbundle": runBundle,
			"fhirresource": runBundle, "fhirhealthcard": runParameters, "qr": runSymbol, "shlink": runLink,
		}[v.Type]
		if run != nil {
			t.Run(v.Expect+"/"+v.name(), func(t *testing.T) { run(t, v, at) })
		}
	}
	want := map[string]int{"jws": 17, "qrnumeric": 6, "healthcard": 7, "jwspayload": 13, "fhirbundle": 12, "fhirresource": 8,
		"fhirhealthcard": 3, "qr": 5, "shlink": 3, "jwkset": 10}
	if diff := cmp.Diff(want, ran); diff != "" {
		t.Errorf("cases that ran, by type: %s", diff)
	}
}

func runJWS(t *testing.T, v vector, at time.Time) {
	jws := sharedText(t, v.Files[0])
	if strings.HasPrefix(v.Files[0], "crl/") { // read the card only
		c, err := Parse(jws)
		if err != nil {
			t.Fatal(err)
		}
		if got, _ := verify(jws, sampleTrust(t, v.JWKS, c.Issuer), at); got != "" {
			t.Errorf("outcome %q", got)
		}
		return
	}
	keys := sampleTrust(t, v.JWKS, sampleIssuer)
	got, c := verify(jws, keys, at)
	checkOutcome(t, v, got)
	if c != nil && (v.Expect == "warn") != slices.Contains(c.Notes, NoteWhiteSpace) {
		t.Errorf("%s with notes %v", v.Expect, c.Notes)
	}
	for _, a := range v.Also {
		if a.VerifyTime == 0 {
			continue // with other revocation lists: akashi/certificate/verify
		}
		if got, _ := verify(jws, keys, time.Unix(a.VerifyTime, 0)); got != "time/expired" {
			t.Errorf("at %d: %q", a.VerifyTime, got)
		}
	}
	for _, other := range v.Files[1:] { // other stages of the same card
		switch {
		case strings.Contains(other, "numeric-value"):
			if j, _, err := FromNumeric(sharedText(t, other)); err != nil || j != jws {
				t.Errorf("%s is another card: %v", other, err)
			}
			if n, err := Numeric(jws); err != nil || n != sharedText(t, other) {
				t.Errorf("Numeric differs from %s: %v", other, err)
			}
		case strings.HasSuffix(other, FileExtension):
			if list, _, err := ParseFile(testkit.Read(t, "shc/"+other)); err != nil || !slices.Equal(list, []string{jws}) {
				t.Errorf("%s is another card: %v", other, err)
			}
		case strings.HasSuffix(other, "payload-minified.json"):
			if sharedText(t, other) != string(c.Claims) {
				t.Errorf("claims differ from %s", other)
			}
		}
	}
	if strings.Contains(v.Files[0], "Scenario") { // spec, 12: no finding at all
		if f := append(LintClaims(c.Claims), c.lintNotes()...); strings.Contains(v.Files[0], "Scenario1") && len(f) > 0 || fatal(f) {
			t.Errorf("clean card has findings %v", f)
		}
	}
}

func (c *Card) lintNotes() (out []Finding) {
	for _, n := range c.Notes {
		out = append(out, Finding{Warning, n, ""})
	}
	return out
}

func fatal(list []Finding) bool {
	return slices.ContainsFunc(list, func(f Finding) bool { return f.Severity == Fatal })
}

func runNumeric(t *testing.T, v vector, at time.Time) {
	var texts []string
	for _, f := range v.Files {
		texts = append(texts, sharedText(t, f))
	}
	slices.Reverse(texts) // chunks come in any order
	jws, notes, err := FromNumeric(texts...)
	if err != nil {
		checkOutcome(t, v, outcomeOf(err))
		return
	}
	got, _ := verify(jws, sampleTrust(t, v.JWKS, sampleIssuer), at)
	checkOutcome(t, v, got)
	if (v.Expect == "warn") != slices.Contains(notes, NoteWhiteSpace) {
		t.Errorf("%s with notes %v", v.Expect, notes)
	}
	if v.Result != "" && jws != sharedText(t, v.Result) {
		t.Error("chunks do not join to the card")
	}
}

func runFile(t *testing.T, v vector, at time.Time) {
	list, notes, err := ParseFile(testkit.Read(t, "shc/"+v.Files[0]))
	if err != nil {
		t.Fatal(err)
	}
	for _, jws := range list {
		got, _ := verify(jws, sampleTrust(t, v.JWKS, sampleIssuer), at)
		checkOutcome(t, v, got)
	}
	switch v.name() {
	case "test-example-00-e-file-multi-jws.smart-health-card":
		if len(list) != 2 {
			t.Errorf("%d cards", len(list))
		}
	case "test-example-00-e-file.wrong-extension": // for whoever knows the name
		if path.Ext(v.name()) == FileExtension {
			t.Error("extension is right")
		}
	default:
		if (v.Expect == "warn") != slices.Contains(notes, NoteWhiteSpace) {
			t.Errorf("%s with notes %v", v.Expect, notes)
		}
	}
}

func runParameters(t *testing.T, v vector, at time.Time) {
	list, _, err := ParseParameters(testkit.Read(t, "shc/"+v.Files[0]))
	if err != nil || len(list) != map[bool]int{true: 1, false: 2}[v.name() == "test-example-00-fhirhealthcard.json"] {
		t.Fatalf("%d cards, %v", len(list), err)
	}
	for _, jws := range list {
		got, _ := verify(jws, sampleTrust(t, v.JWKS, sampleIssuer), at)
		checkOutcome(t, v, got)
	}
}

// symbols are the notes on the pictures of cases.json.
var symbols = map[string][]string{
	"test-example-00-g-qr-code-0-bad_qr_version.png":    {NoteSymbolVersion},
	"test-example-00-g-qr-code-0-single_qr_segment.png": {NoteSymbolVersion, NoteSymbolSegments},
}

func runSymbol(t *testing.T, v vector, at time.Time) {
	reading, err := qr.ReadImage(bytes.NewReader(testkit.Read(t, "shc/"+v.Files[0])))
	if err != nil {
		checkOutcome(t, v, "symbol/damaged")
		return
	}
	if got := SymbolNotes(reading); v.Expect != "reject" && !slices.Equal(got, symbols[v.name()]) {
		t.Errorf("notes %v", got)
	}
	jws, _, err := FromNumeric(reading.Text)
	if err != nil {
		checkOutcome(t, v, outcomeOf(err))
		return
	}
	got, _ := verify(jws, sampleTrust(t, v.JWKS, sampleIssuer), at)
	checkOutcome(t, v, got)
}

// runLink: a SMART Health Link is another thing than a card. It has to be fetched,
// which this package does not do, and is refused as no card.
func runLink(t *testing.T, v vector, _ time.Time) {
	if _, _, err := FromNumeric(sharedText(t, v.Files[0])); outcomeOf(err) != "scheme/not_shc" {
		t.Error(err)
	}
}

// findings are the remarks that the issuer's lint must make; cases.json says
// that there is one, this table says which.
var findings = map[string]string{
	"test-example-00-b-jws-payload-expanded-missing-coding.json":        "no_code",
	"test-example-00-b-jws-payload-expanded-missing-covid-vc-type.json": "type_missing",
	"test-example-00-b-jws-payload-expanded-missing-imm-vc-type.json":   "type_missing",
	"test-example-00-b-jws-payload-expanded-missing-shc-vc-type.json":   "not_a_health_card",
	"test-example-00-b-jws-payload-expanded-nbf_milliseconds.json":      "out_of_range",
	"test-example-00-b-jws-payload-expanded-pre-expired.json":           "expires_before_issue",
	"test-example-00-b-jws-payload-expanded-trailing_chars.json":        "white_space",
	"test-example-00-b-jws-payload-expanded-unknown-vc-types.json":      "type_unknown",
	"test-example-covid-lab-jwspayload-missing-lab-vc-type.json":        "type_missing",
	"domestic-as-issued.payload.json":                                   "name_use",
	"domestic-profile-clean.payload.json":                               "",
	"test-example-00-a-fhirBundle-bad_meta_extra_key.json":              "meta",
	"test-example-00-a-fhirBundle-bad_meta_wrong_security.json":         "identity_assurance",
	"test-example-00-a-fhirBundle-empty-values.json":                    "empty_value",
	"test-example-00-a-fhirBundle-profile-usa.json":                     "not_one_patient",
	"test-example-00-a-fhirBundle-status-not-completed.json":            "status_not_completed",
	"test-example-00-a-fhirBundle-trailing_chars.json":                  "white_space",
	"test-example-00-a-non-dm-properties.json":                          "display",
	"test-example-00-a-short-refs.json":                                 "full_url",
	"cvx_immunization.json":                                             "",
	"icd11_immunization.json":                                           "unexpected_member",
	"gtin_immunization.json":                                            "code_system",
	"snomed_gtin_immunization.json":                                     "code_system",
	"date-invariant-with-time.test.json":                                "time_of_day",
	"immunization-code-slicing.test.json":                               "code_system",
	"name-invariant-family-only.test.json":                              "name_form",
	"name-invariant-xor.test.json":                                      "name_form",
	"shall-be-resource-uri.test.json":                                   "full_url",
	"should-be-omitted-privacy.test.json":                               "privacy",
	"should-be-omitted.test.json":                                       "resource_id",
	"should-be-under-30-chars.test.json":                                "too_long",
}

func checkFindings(t *testing.T, v vector, got []Finding) {
	t.Helper()
	want, listed := findings[v.name()]
	if !listed {
		return
	}
	if want == "" {
		if len(got) > 0 {
			t.Errorf("clean, but %v", got)
		}
		return
	}
	if !slices.ContainsFunc(got, func(f Finding) bool { return f.Code == want }) {
		t.Errorf("no %s among %v", want, got)
	}
	if v.Expect == "reject" && !fatal(got) {
		t.Errorf("nothing fatal among %v", got)
	}
}

func runBundle(t *testing.T, v vector, _ time.Time) {
	if _, listed := findings[v.name()]; !listed {
		t.Fatal("no expectation for this case")
	}
	b := []byte(strings.TrimSuffix(sharedText(t, v.Files[0]), "\n")) // of the text file
	l := &linter{}
	tree := l.parse(b)
	if tree["resourceType"] == "Bundle" {
		checkFindings(t, v, LintBundle(b))
		return
	}
	l.general(tree, "")
	l.resource(tree, "")
	checkFindings(t, v, l.sorted())
}

// runPayload signs the claims with a key that the issuer is taken to have, so
// that reading is tried to the end, and lints them as an issuer would.
func runPayload(t *testing.T, v vector, at time.Time) {
	b := []byte(strings.TrimSuffix(sharedText(t, v.Files[0]), "\n"))
	f := newForger(t)
	var claims struct {
		Issuer string `json:"iss"`
	}
	if err := json.Unmarshal(b, &claims); err != nil {
		t.Fatal(err)
	}
	got, c := verify(f.card(t, f.header(), b), f.trust(claims.Issuer), at)
	checkOutcome(t, v, got)
	checkFindings(t, v, LintClaims(b))
	if strings.Contains(v.name(), "trailing_chars") != (c != nil && slices.Contains(c.Notes, NoteWhiteSpace)) {
		t.Error("white space and notes do not agree")
	}
}
