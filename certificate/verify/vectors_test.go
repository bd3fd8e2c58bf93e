package verify

import (
	"encoding/json"
	"path"
	"slices"
	"strings"
	"testing"
	"testing/fstest"
	"time"

	"github.com/google/go-cmp/cmp"

	"akashi/certificate/shc"
	"akashi/certificate/trust"
	"akashi/internal/testkit"
)

const sampleIssuer = "https://spec.smarthealth.cards/examples/issuer"

// sampleTrust is a published sample key set with a list, or none. Problems are
// those of the list.
func sampleTrust(t *testing.T, iss, jwks string, list []byte) (b *trust.Bundle, problems trust.Report) {
	t.Helper()
	return withList(t, iss, string(testkit.Read(t, "shc/"+jwks)), list)
}

// refused are the facets that refuse the cards of cases.json.
var refused = map[string]expect{
	"test-example-00-d-jws-no_jws_header_alg.txt":                      {NotValid, Signature, Failed, AlgorithmNotAllowed},
	"test-example-00-d-jws-no_jws_header_zip.txt":                      {NotValid, Signature, Failed, CompressionNotAllowed},
	"test-example-00-d-jws-no_deflate.txt":                             {NotValid, Signature, Failed, CompressionNotAllowed},
	"test-example-00-d-jws-invalid-signature.txt":                      {NotValid, Signature, Failed, SignatureWrong},
	"test-example-00-d-jws-der-signature.txt":                          {NotValid, Signature, Failed, SignatureForm},
	"test-example-00-d-jws-der-signature-s-neg.txt":                    {NotValid, Signature, Failed, SignatureForm},
	"test-example-00-d-jws-der-signature-rs-neg.txt":                   {NotValid, Signature, Failed, SignatureForm},
	"test-example-00-d-jws-issuer-kid-mismatch.txt":                    {NotValid, Key, Failed, KeyNotOfIssuer},
	"test-example-00-d-jws-jws_too_long.txt":                           {Unreadable, Readable, Failed, CardClaims},
	"test-example-00-e-file-invalid_deflate.smart-health-card":         {Unreadable, Readable, Failed, CardInflate},
	"test-example-00-e-file-invalid_issuer_url.smart-health-card":      {Undecided, Issuer, Unknown, IssuerUnknown},
	"test-example-00-e-file-invalid_issuer_url_http.smart-health-card": {NotValid, Issuer, Failed, IssuerForm},
	"test-example-00-e-file-no_deflate.smart-health-card":              {NotValid, Signature, Failed, CompressionNotAllowed},
	"test-example-00-f-qr-code-numeric-value-0-index-out-of-range.txt": {Unreadable, Readable, Failed, CardDigits},
	"test-example-00-f-qr-code-numeric-value-0-number-too-big.txt":     {Unreadable, Readable, Failed, CardDigits},
	"test-example-00-f-qr-code-numeric-value-0-wrong_qr_header.txt":    {Unreadable, Readable, Failed, CardScheme},
	"test-example-00-g-qr-code-0-corrupted.png":                        {Unreadable, Readable, Failed, ImageUnreadable},
	"test-example-00-g-qr-code-0-too_many_qr_segment.png":              {Unreadable, Readable, Failed, CardDigits},
	// Links have to be fetched: another kind of thing, out of scope. The third is an answer to one.
	"shlink-link.txt":             {Unreadable, Readable, Failed, FamilyNotSupported},
	"shlink-link-with-viewer.txt": {Unreadable, Readable, Failed, FamilyNotSupported},
	"shlink-manifest.txt":         {Unreadable, Readable, Failed, NotRecognised},
	// The card is good; its revocation list is not, so that nothing is known.
	"jws-crl-duplicate-rid.txt":     {Undecided, Revocation, Unknown, ListMissing},
	"jws-crl-non-base64url-rid.txt": {Undecided, Revocation, Unknown, ListMissing},
	"jws-crl-too-long-rid.txt":      {Undecided, Revocation, Unknown, ListMissing},
}

// badLists are what is wrong with the lists of crl/.
var badLists = map[string]string{
	"jws-crl-duplicate-rid.txt":     "entry_twice",
	"jws-crl-non-base64url-rid.txt": "not_base64url",
	"jws-crl-too-long-rid.txt":      "wrong_length",
}

type cardCase struct {
	Files                   []string
	Type, Expect, JWKS, CRL string
	Also                    []struct {
		VerifyTime int64    `json:"verify_time"`
		Entries    []string `json:"crl_rids"`
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

// Spec smart-health-cards, 12: the cards, digits, files, answers and pictures of
// others, with the sample issuer's keys and its revocation list. Without the list
// a good card is undecided.
func TestCardVectors(t *testing.T) {
	var list struct {
		VerifyTime int64 `json:"verify_time"`
		Cases      []cardCase
	}
	if err := json.Unmarshal(testkit.Read(t, "shc/cases.json"), &list); err != nil {
		t.Fatal(err)
	}
	at := time.Unix(list.VerifyTime, 0)
	want := map[string]int{
		"jws accept": 4, "jws warn": 1, "jws reject": 12, "qrnumeric accept": 2, "qrnumeric warn": 1, "qrnumeric reject": 3,
		"healthcard accept": 1, "healthcard warn": 2, "healthcard reject": 4, "fhirhealthcard accept": 3,
		"qr accept": 1, "qr warn": 2, "qr reject": 2, "shlink accept": 3,
	}
	ran := map[string]int{}
	for _, c := range list.Cases {
		if want[c.Type+" "+c.Expect] == 0 { // parts of cards, and key sets
			continue
		}
		ran[c.Type+" "+c.Expect]++
		t.Run(c.Expect+"/"+path.Base(c.Files[0]), func(t *testing.T) { c.run(t, at) })
	}
	if diff := cmp.Diff(want, ran); diff != "" {
		t.Errorf("cases that ran: %s", diff)
	}
}

func (c cardCase) run(t *testing.T, at time.Time) {
	name := path.Base(c.Files[0])
	keys, crl := c.JWKS, testkit.Read(t, "shc/keys/crl-of-sample-issuer.json")
	if c.Type == "shlink" {
		keys = "keys/sample-issuer.jwks.json"
	}
	iss, problem := sampleIssuer, badLists[name]
	if problem != "" {
		card, err := shc.Parse(string(testkit.Read(t, "shc/"+c.Files[0])))
		if err != nil {
			t.Fatal(err)
		}
		iss, crl = card.Issuer, testkit.Read(t, "shc/"+c.CRL)
	}
	b, report := sampleTrust(t, iss, keys, crl)
	if got := codes(report); got != problem {
		t.Errorf("problems of the list %q, want %q", got, problem)
	}
	want, isRefused := refused[name]
	if isRefused != (c.Expect == "reject" || c.Type == "shlink") {
		t.Fatalf("cases.json says %s", c.Expect)
	}
	for _, v := range c.verdicts(t, b, at) {
		if isRefused {
			want.check(t, v)
		} else {
			expect{outcome: Valid}.check(t, v)
		}
		if _, noted := symbolNotes[name]; c.Type == "qr" && !slices.Equal(v.Notes, symbolNotes[name]) && (noted || !isRefused) {
			t.Errorf("notes %v", v.Notes)
		}
	}
	if isRefused {
		return
	}
	bare, _ := sampleTrust(t, iss, keys, nil)
	for _, v := range c.verdicts(t, bare, at) {
		if v.Facet(Revocation).Code != NoList { // some files have a card of the key without list
			expect{Undecided, Revocation, Unknown, ListMissing}.check(t, v)
		}
	}
	for _, a := range c.Also {
		if a.VerifyTime > 0 {
			expect{NotValid, Validity, Failed, Expired}.check(t, c.verdicts(t, b, time.Unix(a.VerifyTime, 0))[0])
			continue
		}
		other, report := sampleTrust(t, iss, keys, relisted(t, crl, a.Entries))
		if len(report) > 0 {
			t.Fatal(report)
		}
		expect{NotValid, Revocation, Failed, CardRevoked}.check(t, c.verdicts(t, other, at)[0])
	}
}

var symbolNotes = map[string][]string{
	"test-example-00-g-qr-code-0-bad_qr_version.png":    {shc.NoteSymbolVersion},
	"test-example-00-g-qr-code-0-single_qr_segment.png": {shc.NoteSymbolVersion, shc.NoteSymbolSegments},
}

func codes(r trust.Report) string {
	var out []string
	for _, p := range r {
		out = append(out, p.Code)
	}
	return strings.Join(out, " ")
}

// relisted is a list with other entries.
func relisted(t *testing.T, list []byte, entries []string) []byte {
	t.Helper()
	var m map[string]any
	if err := json.Unmarshal(list, &m); err != nil {
		t.Fatal(err)
	}
	m["rids"] = entries
	out, err := json.Marshal(m)
	if err != nil {
		t.Fatal(err)
	}
	return out
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
				want, listed = expect{Valid, Revocation, OK, SignerNotRevoked}, true
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
		"aus-two-doses.json":              {Valid, Revocation, OK, SignerNotRevoked},
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
