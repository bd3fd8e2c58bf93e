package verify

import (
	"encoding/json"
	"path"
	"strings"
	"testing"
	"testing/fstest"
	"time"

	"akashi/certificate/shc"
	"akashi/certificate/trust"
	"akashi/internal/testkit"
)

const sampleIssuer = "https://spec.smarthealth.cards/examples/issuer"

// sampleTrust is a published sample key set, with crlVersion as it is or without.
func sampleTrust(t *testing.T, iss, jwks string, lists bool) *trust.Bundle {
	t.Helper()
	text := string(testkit.Read(t, "shc/"+jwks))
	if !lists {
		text = strings.ReplaceAll(text, `"crlVersion"`, `"noVersion"`)
	}
	return loaded(t, iss, text)
}

// refused are the facets that refuse the cards of cases.json.
var refused = map[string]expect{
	"test-example-00-d-jws-no_jws_header_alg.txt":                      {NotValid, Signature, Failed, AlgorithmNotAllowed},
	"test-example-00-d-jws-no_jws_header_zip.txt":                      {NotValid, Signature, Failed, AlgorithmNotAllowed},
	"test-example-00-d-jws-no_deflate.txt":                             {NotValid, Signature, Failed, AlgorithmNotAllowed},
	"test-example-00-d-jws-invalid-signature.txt":                      {NotValid, Signature, Failed, SignatureWrong},
	"test-example-00-d-jws-der-signature.txt":                          {NotValid, Signature, Failed, SignatureForm},
	"test-example-00-d-jws-der-signature-s-neg.txt":                    {NotValid, Signature, Failed, SignatureForm},
	"test-example-00-d-jws-der-signature-rs-neg.txt":                   {NotValid, Signature, Failed, SignatureForm},
	"test-example-00-d-jws-issuer-kid-mismatch.txt":                    {NotValid, Key, Failed, KeyNotOfIssuer},
	"test-example-00-d-jws-jws_too_long.txt":                           {Unreadable, Readable, Failed, CardClaims},
	"test-example-00-e-file-invalid_deflate.smart-health-card":         {Unreadable, Readable, Failed, CardInflate},
	"test-example-00-e-file-invalid_issuer_url.smart-health-card":      {Undecided, Issuer, Unknown, IssuerUnknown},
	"test-example-00-e-file-invalid_issuer_url_http.smart-health-card": {NotValid, Issuer, Failed, IssuerForm},
	"test-example-00-e-file-no_deflate.smart-health-card":              {NotValid, Signature, Failed, AlgorithmNotAllowed},
	"test-example-00-f-qr-code-numeric-value-0-index-out-of-range.txt": {Unreadable, Readable, Failed, CardDigits},
	"test-example-00-f-qr-code-numeric-value-0-number-too-big.txt":     {Unreadable, Readable, Failed, CardDigits},
	"test-example-00-f-qr-code-numeric-value-0-wrong_qr_header.txt":    {Unreadable, Readable, Failed, CardScheme},
	// The card is good; its revocation list, which cannot be had here, is not.
	"jws-crl-duplicate-rid.txt":     {Undecided, Revocation, Unknown, ListMissing},
	"jws-crl-non-base64url-rid.txt": {Undecided, Revocation, Unknown, ListMissing},
	"jws-crl-too-long-rid.txt":      {Undecided, Revocation, Unknown, ListMissing},
}

type cardCase struct {
	Files              []string
	Type, Expect, JWKS string
	Also               []struct {
		VerifyTime int64 `json:"verify_time"`
	}
}

func (c cardCase) verdicts(t *testing.T, b *trust.Bundle, at time.Time) []Verdict {
	t.Helper()
	if c.Type == "qrnumeric" {
		var texts []string
		for _, f := range c.Files {
			texts = append(texts, string(testkit.Read(t, "shc/"+f)))
		}
		return []Verdict{Texts(texts, b, at)}
	}
	return File(path.Base(c.Files[0]), testkit.Read(t, "shc/"+c.Files[0]), b, at)
}

// Spec smart-health-cards, 12: the cards, digits and files of others, with the sample
// issuer's keys. Its key set promises revocation lists: so a good card is
// undecided, and valid when the promise is taken away.
func TestCardVectors(t *testing.T) {
	var list struct {
		VerifyTime int64 `json:"verify_time"`
		Cases      []cardCase
	}
	if err := json.Unmarshal(testkit.Read(t, "shc/cases.json"), &list); err != nil {
		t.Fatal(err)
	}
	at := time.Unix(list.VerifyTime, 0)
	ran := map[string]int{}
	for _, c := range list.Cases {
		if c.Type != "jws" && c.Type != "qrnumeric" && c.Type != "healthcard" {
			continue
		}
		name := path.Base(c.Files[0])
		ran[c.Type+" "+c.Expect]++
		t.Run(c.Expect+"/"+name, func(t *testing.T) {
			iss := sampleIssuer
			if strings.HasPrefix(c.Files[0], "crl/") {
				card, err := shc.Parse(string(testkit.Read(t, "shc/"+c.Files[0])))
				if err != nil {
					t.Fatal(err)
				}
				iss = card.Issuer
			}
			with, without := sampleTrust(t, iss, c.JWKS, true), sampleTrust(t, iss, c.JWKS, false)
			want, isRefused := refused[name]
			if isRefused != (c.Expect == "reject") {
				t.Fatalf("cases.json says %s", c.Expect)
			}
			for _, v := range c.verdicts(t, with, at) {
				if isRefused {
					want.check(t, v)
				} else if v.Outcome != Valid { // one file has a card of the key without list
					expect{Undecided, Revocation, Unknown, ListMissing}.check(t, v)
				}
			}
			for _, v := range c.verdicts(t, without, at) {
				if !isRefused {
					expect{outcome: Valid}.check(t, v)
				}
			}
			for _, a := range c.Also {
				if a.VerifyTime > 0 {
					v := c.verdicts(t, without, time.Unix(a.VerifyTime, 0))[0]
					expect{NotValid, Validity, Failed, Expired}.check(t, v)
				}
			}
		})
	}
	want := map[string]int{
		"jws accept": 4, "jws warn": 1, "jws reject": 12, "qrnumeric accept": 2, "qrnumeric warn": 1, "qrnumeric reject": 3,
		"healthcard accept": 1, "healthcard warn": 2, "healthcard reject": 4,
	}
	for kind, n := range want {
		if ran[kind] != n {
			t.Errorf("%d cases of %s ran, want %d", ran[kind], kind, n)
		}
	}
}

func anchors(t *testing.T, csca, crl []string) *trust.Bundle {
	t.Helper()
	files := fstest.MapFS{}
	for _, name := range append(append([]string{}, csca...), crl...) {
		files[name] = &fstest.MapFile{Data: testkit.Read(t, "vdsnc/"+name)}
	}
	manifest, err := json.Marshal(map[string]any{"version": 1, "made_at": now, "csca": csca, "crl": crl})
	if err != nil {
		t.Fatal(err)
	}
	files["manifest.json"] = &fstest.MapFile{Data: manifest}
	b, report, err := trust.Load(files)
	if err != nil || len(report) > 0 {
		t.Fatal(report, err)
	}
	return b
}

// barcodes are the facets that refuse the bar codes of index.json, and the
// choices of this project where it says "policy" or "either".
var barcodes = map[string]expect{
	"syn-10-valid-number-form":   {outcome: Valid},
	"syn-20-name-changed":        {NotValid, Signature, Failed, SignatureWrong},
	"syn-22-seq-as-string":       {NotValid, Content, Failed, ContentRules},
	"syn-23-extra-member":        {NotValid, Signature, Failed, SignatureWrong},
	"syn-24-der-signature":       {NotValid, Signature, Failed, SignatureForm},
	"syn-26-short-signature":     {NotValid, Signature, Failed, SignatureForm},
	"syn-27-alg-none":            {NotValid, Signature, Failed, AlgorithmNotAllowed},
	"syn-28-alg-key-mismatch":    {NotValid, Signature, Failed, AlgorithmNotAllowed},
	"syn-30-not-canonical-bytes": {NotValid, Signature, Failed, SignatureWrong},
	"syn-33-duplicate-member":    {Unreadable, Readable, Failed, BarcodeMalformed},
	"syn-40-no-eku":              {NotValid, Key, Failed, SignerNotAllowed},
	"syn-42-doctype-nt-only":     {NotValid, Key, Failed, SignerNotAllowed},
	"syn-43-keyusage-wrong":      {NotValid, Key, Failed, SignerNotAllowed},
	"syn-46-expired":             {NotValid, Validity, Failed, SignerExpired},
	"syn-47-not-yet-valid":       {NotValid, Validity, Failed, SignerNotYetValid},
	"syn-48-revoked":             {NotValid, Revocation, Failed, SignerRevoked},
	"syn-49-unknown-csca":        {Undecided, Issuer, Unknown, IssuerUnknown},
	"syn-51-country-mismatch":    {NotValid, Key, Failed, CountryDiffers},
	"syn-52-issuer-mismatch":     {NotValid, Key, Failed, CountryDiffers},
	"syn-60-name-40":             {NotValid, Content, Failed, ContentRules},
	"syn-62-no-dob-no-i":         {NotValid, Content, Failed, ContentRules},
	"syn-63-impossible-dob":      {NotValid, Content, Failed, ContentRules},
	"syn-65-uvci-13":             {NotValid, Content, Failed, ContentRules},
	"syn-67-empty-ve":            {NotValid, Content, Failed, ContentRules},
	"syn-69-seq-0":               {NotValid, Content, Failed, ContentRules},
	"syn-71-no-lot":              {NotValid, Content, Failed, ContentRules},
	"syn-73-ctr-alpha2":          {NotValid, Content, Failed, ContentRules},
	"syn-75-version-2":           {Unreadable, Readable, Failed, VersionNotSupported},
	"syn-76-unknown-type":        {Unreadable, Readable, Failed, VersionNotSupported},
	"syn-78-sex-o":               {NotValid, Content, Failed, ContentRules},
	"syn-79-i-12":                {NotValid, Content, Failed, ContentRules},
	"syn-80-null-sex":            {NotValid, Content, Failed, ContentRules},
	"syn-82-partial-dob-year":    {outcome: Valid},
	"syn-83-partial-dob-xx":      {outcome: Valid},
	"syn-90-array-wrapper":       {outcome: Valid},
	"syn-91-truncated":           {Unreadable, Readable, Failed, BarcodeMalformed},
}

func TestBarcodeVectors(t *testing.T) {
	var list []struct{ File, Verdict string }
	if err := json.Unmarshal(testkit.Read(t, "vdsnc/synthetic/index.json"), &list); err != nil {
		t.Fatal(err)
	}
	at := time.Date(2026, 6, 1, 0, 0, 0, 0, time.UTC)
	b := anchors(t, []string{"synthetic/csca-jpn-test.der"}, []string{"synthetic/jpn.crl"})
	bare := anchors(t, []string{"synthetic/csca-jpn-test.der"}, nil)
	ran := map[string]int{}
	for _, c := range list {
		ran[c.Verdict]++
		t.Run(c.Verdict+"/"+c.File, func(t *testing.T) {
			want, listed := barcodes[strings.TrimSuffix(c.File, ".json")]
			if c.Verdict == "accept" {
				want, listed = expect{Valid, Revocation, OK, NotRevoked}, true
			}
			if !listed || c.Verdict == "reject" && want.outcome == Valid {
				t.Fatalf("index.json says %s, this table %q", c.Verdict, want.outcome)
			}
			text := testkit.Read(t, "vdsnc/synthetic/"+c.File)
			want.check(t, File(c.File, text, b, at)[0])
			if want.outcome == Valid {
				expect{Undecided, Revocation, Unknown, ListMissing}.check(t, File(c.File, text, bare, at)[0])
			}
		})
	}
	for verdict, n := range map[string]int{"accept": 6, "reject": 32, "policy": 3, "either": 1} {
		if ran[verdict] != n {
			t.Errorf("%d cases of %s ran, want %d", ran[verdict], verdict, n)
		}
	}
}

// Real bar codes, each at its own time. Japan's authority has a key with explicit
// curve parameters, its link certificate an RSASSA-PSS signature.
func TestRealBarcodes(t *testing.T) {
	var list []struct {
		File      string
		Anchors   []string
		CheckTime time.Time `json:"check_time"`
		Name      string
		Doses     int
	}
	if err := json.Unmarshal(testkit.Read(t, "vdsnc/real/index.json"), &list); err != nil {
		t.Fatal(err)
	}
	want := map[string]expect{
		"jpn-three-doses.json":            {Undecided, Revocation, Unknown, ListMissing},
		"aus-two-doses.json":              {Valid, Revocation, OK, NotRevoked},
		"aus-two-doses-name-changed.json": {NotValid, Signature, Failed, SignatureWrong},
		"uto-tr-example-two-doses.json":   {Undecided, Issuer, Unknown, IssuerUnknown},
		"uto-one-dose-seq-string.json":    {NotValid, Content, Failed, ContentRules},
	}
	b := anchors(t, []string{"trust/jpn-csca-e3-root-p384-explicit.der", "trust/jpn-csca-e5-link-rsapss.der", "trust/aus-csca-16f2.der", "trust/aus-csca-16f5-link.der"},
		[]string{"trust/aus-2021-08-19.crl"})
	for _, c := range list {
		t.Run(c.File, func(t *testing.T) {
			v := File(c.File, testkit.Read(t, "vdsnc/real/"+c.File), b, c.CheckTime)[0]
			want[c.File].check(t, v)
			if c.Name != "" && v.Holder != nil && (v.Holder.Names[0] != c.Name || len(v.Holder.Doses) != c.Doses) {
				t.Error("holder differs from index.json")
			}
			if len(c.Anchors) > 0 && v.Facet(Issuer).Result != OK {
				t.Errorf("issuer %s", v.Facet(Issuer).Code)
			}
		})
	}
	if len(list) != len(want) {
		t.Errorf("%d cases ran, want %d", len(list), len(want))
	}
	t.Run("stale list", func(t *testing.T) { // next update 2021-11-17
		at := time.Date(2022, 1, 1, 0, 0, 0, 0, time.UTC)
		v := File("aus.json", testkit.Read(t, "vdsnc/real/aus-two-doses.json"), b, at)[0]
		expect{Undecided, Revocation, Unknown, ListNotCurrent}.check(t, v)
	})
}
