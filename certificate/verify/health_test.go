package verify

import (
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"encoding/pem"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/fstest"
	"time"

	"akashi/certificate"
	"akashi/certificate/hcert"
	"akashi/certificate/trust"
	"akashi/internal/testkit"
	"akashi/signing/pki"
)

// listed is a signer as a trust list has it.
type listed struct {
	kid              []byte
	participant, dom string
	der              []byte
}

// listOf makes a bundle with such signers.
func listOf(t testing.TB, list ...listed) *trust.Bundle {
	t.Helper()
	type entry struct {
		KeyID       []byte `json:"kid"`
		Participant string `json:"participant"`
		Domain      string `json:"domain,omitempty"`
		Certificate string `json:"certificate"`
	}
	files, entries := fstest.MapFS{}, []entry{}
	for i, l := range list {
		name := fmt.Sprintf("health/%d.der", i)
		files[name] = &fstest.MapFile{Data: l.der}
		entries = append(entries, entry{l.kid, l.participant, l.dom, name})
	}
	manifest, err := json.Marshal(map[string]any{"version": 1, "made_at": now, "health": entries})
	if err != nil {
		t.Fatal(err)
	}
	files["manifest.json"] = &fstest.MapFile{Data: manifest}
	b, report, err := trust.Load(files)
	if err != nil || len(report) > 0 && !strings.Contains(report.String(), "key_not_supported") {
		t.Fatalf("%v, %v", report, err)
	}
	return b
}

func signerOf(t testing.TB, der []byte) listed {
	t.Helper()
	c, err := pki.ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}
	return listed{hcert.KeyID(der), c.Subject.Country(), "", der}
}

// shown is the first facet that keeps a verdict from being valid; empty when none does.
func shown(v Verdict) string {
	for _, want := range []Result{Failed, Unknown} {
		for _, f := range v.Facets {
			if f.Result == want && f.Name != Freshness {
				return f.Name + " " + f.Code
			}
		}
	}
	return ""
}

// dccVerdicts are the samples that are not valid at their own time, and why.
var dccVerdicts = map[string]string{
	"ES/401":                   "content recovery_over",
	"FR/test_pcr_ok":           "validity not_yet_valid",
	"LU/INCERT_R_DCC_Recovery": "validity not_yet_valid",
	"NL/018-NL-test":           "content test_positive",
	"NL/030-NL-test":           "content test_positive",
	"NL/031-NL-test":           "content test_without_result",
	"NL/042-NL-test":           "content test_positive",
	"NL/054-NL-test":           "content test_without_result",
	"NL/055-NL-test":           "content test_positive",
	"NL/066-NL-test":           "content test_positive",
	"NL/222-NL-test+wrong_key": "key signer_not_allowed",
	"NL/223-NL-test+wrong_key": "key signer_not_allowed",
	"NL/234-NL-test+wrong_key": "key signer_not_allowed",
	"NL/246-NL-test+wrong_key": "key signer_not_allowed",
	"NL/247-NL-test+wrong_key": "key signer_not_allowed",
	"NL/258-NL-test+wrong_key": "key signer_not_allowed",
	"NL/270-NL-test+wrong_key": "key signer_not_allowed",
	"NL/271-NL-test+wrong_key": "key signer_not_allowed",
	"NL/282-NL-test+wrong_key": "key signer_not_allowed",
	"PL/1.3.0/10":              "validity signer_not_yet_valid",
	"PL/1.3.0/6":               "key key_not_listed",
	"SK/3":                     "content several_events",
	"common/B1":                "readable health_encoding",
	"common/CBO1":              "content content_wrong",
	"common/CO16":              "validity signer_not_yet_valid",
	"common/CO22":              "signature not_checked",
	"common/CO5":               "signature signature_form",
	"common/CO6":               "key signer_not_allowed",
	"common/CO8":               "key signer_not_allowed",
	"common/DGC1":              "content no_dose",
	"common/H1":                "readable not_recognised",
	"common/H3":                "readable not_recognised",
	"common/Z1":                "readable health_inflate",
}

// spec eu-dcc: a verdict on every sample of the Member States and every common case.
func TestHealthDCCCases(t *testing.T) {
	root := testkit.Shared(t, "dcc/cases")
	ran, valid := 0, 0
	err := filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		ran++
		name := strings.TrimSuffix(filepath.ToSlash(strings.TrimPrefix(path, root+string(filepath.Separator))), ".json")
		b, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		var c struct {
			Code    string `json:"PREFIX"`
			Context struct {
				Certificate string
				Clock       string `json:"VALIDATIONCLOCK"`
			} `json:"TESTCTX"`
		}
		if err := json.Unmarshal(b, &c); err != nil {
			return err
		}
		at, der := clockOf(t, c.Context.Clock), derOf(t, c.Context.Certificate)
		v := Text(c.Code, listOf(t, signerOf(t, der)), at)
		checkForm(t, v)
		if v.Outcome == Valid {
			valid++
		}
		if got := shown(v); got != dccVerdicts[name] || (got == "") != (v.Outcome == Valid) {
			t.Errorf("%q: %q, // %s", name, got, v.Outcome)
		}
		return nil
	})
	if err != nil || ran != 174 || valid != ran-len(dccVerdicts) {
		t.Errorf("%d ran, want 174; %d valid, %d not; %v", ran, valid, len(dccVerdicts), err)
	}
}

func clockOf(t *testing.T, text string) time.Time {
	t.Helper()
	for _, form := range []string{time.RFC3339, "2006-01-02T15:04:05Z0700", "2006-01-02T15:04:05"} {
		if at, err := time.Parse(form, text); err == nil {
			return at
		}
	}
	t.Fatalf("clock %q", text)
	return time.Time{}
}

func derOf(t *testing.T, text string) []byte {
	t.Helper()
	if block, _ := pem.Decode([]byte(text)); block != nil {
		return block.Bytes
	}
	der, err := base64.StdEncoding.DecodeString(text)
	if err != nil {
		t.Fatal(err)
	}
	return der
}

// healthCase is a generated vector with its signer and time.
type healthCase struct {
	ID, QR, Expect string
	Certificate    []byte
	Clock          time.Time `json:"validation_clock"`
}

func healthCases(t *testing.T, name string) []healthCase {
	t.Helper()
	var file struct{ Cases []healthCase }
	if err := json.Unmarshal(testkit.Read(t, name), &file); err != nil {
		t.Fatal(err)
	}
	return file.Cases
}

// S-040, S-064: the generated vectors, by what keeps each from being valid.
func TestHealthVectors(t *testing.T) {
	want := map[string]string{
		"good-es256": "", "untagged": "", "der-signature": "signature signature_form", "kid-32-bytes": "key key_not_listed", "alg-mismatch": "signature algorithm_not_allowed",
		"alg-es384-p384": "signature algorithm_not_allowed", "alg-none-hmac": "signature algorithm_not_allowed", "trailing-bytes": "readable health_structure",
		"zlib-truncated": "readable health_inflate", "zlib-badsum": "readable health_inflate", "zlib-bomb-2MiB": "readable health_inflate", "cbor-huge-array": "readable health_structure",
		"cwt-duplicate-key": "readable health_structure", "no-exp": "validity expiry_missing", "exp-before-clock": "validity expired", "exp-after-dsc": "", "exp-float": "",
		"empty-hcert": "content content_unknown", "null-groups": "", "test-detected": "content test_positive", "eku-right": "", "nfd-name": "",
		"prefix-lowercase": "readable not_recognised", "leading-space": "", "b45-overflow-triplet": "readable health_encoding", "b45-dangling": "readable health_encoding", "empty-payload": "readable health_inflate",

		"icvp-gen3": "", "icvp-gen2": "", "icvp-too-recent": "content too_recent", "icvp-unlisted-product": "content product_not_in_catalogue",
		"icvp-no-issuer-no-clinician": "content content_incomplete", "vhl-string": "content link_only", "vhl-map": "content link_only", "vhl-array-u": "content link_only",
	}
	cases := append(healthCases(t, "dcc/synthetic/hostile-and-gaps.json"), healthCases(t, "who/hcert/synthetic-icvp-vhl.json")...)
	for _, c := range cases {
		t.Run(c.ID, func(t *testing.T) {
			v := Text(c.QR, listOf(t, signerOf(t, c.Certificate)), c.Clock)
			checkForm(t, v)
			expected, known := want[c.ID]
			if got := shown(v); !known || got != expected || (got == "") != (v.Outcome == Valid) {
				t.Errorf("%q and %s, want %q (%s)", got, v.Outcome, expected, c.Expect)
			}
			if strings.HasPrefix(c.ID, "icvp") && (v.Facet(Signature).Result != OK || v.Facet(Key).Result != OK) {
				t.Error("authentic, whatever it proves")
			}
		})
	}
	if len(cases) != 35 || len(want) != 35 {
		t.Errorf("%d cases ran, %d known, want 35", len(cases), len(want))
	}
}

// who-icvp-gdhcn, 4 and 6: what is told of a yellow card, and of one that came too early.
func TestYellowCard(t *testing.T) {
	for _, c := range healthCases(t, "who/hcert/synthetic-icvp-vhl.json") {
		v := Text(c.QR, listOf(t, signerOf(t, c.Certificate)), c.Clock)
		switch c.ID {
		case "icvp-gen3":
			want := Dose{Date: "2026-04-20", System: hcert.SystemICVP, Code: "YellowFeverProductd8a09f80301dc05e124f99ffe7711fc0", Product: "STAMARIL", Lot: "SYN-LOT-1", Country: "XXX",
				Centre: "Dr A. Example", Disease: "1D47", ValidFrom: "2026-04-30", ValidUntil: "life of person vaccinated"}
			if v.Family != certificate.ICVP || v.Holder.Doses[0] != want || v.Holder.DocumentNumber != "L898902C3" || v.Holder.Sex != "F" || v.Holder.Nationality != "UTO" {
				t.Errorf("ok/told: %#v", v.Holder.Doses)
			}
			if late := Text(c.QR, listOf(t, signerOf(t, c.Certificate)), time.Date(2027, 2, 1, 0, 0, 0, 0, time.UTC)); shown(late) != "validity code_to_renew" {
				t.Errorf("ok/renewal: %s", shown(late))
			}
			l := signerOf(t, c.Certificate)
			l.participant = "CHL"
			if stranger := Text(c.QR, listOf(t, l), c.Clock); shown(stranger) != "key country_differs" {
				t.Errorf("error/a signer of another participant: %s", shown(stranger))
			}
			if nobody := Text(c.QR, nil, c.Clock); nobody.Outcome != Undecided || nobody.Facet(Issuer).Code != IssuerUnknown {
				t.Errorf("ok/no list: %s", nobody.Outcome)
			}
		case "icvp-too-recent":
			if v.Facet(Content).Detail["valid_from"] != "2026-06-07" {
				t.Errorf("ok/the day on which it counts: %v", v.Facet(Content))
			}
		}
	}
}

// who/README: what the WHO's own validator is tried with, with the list that goes with it.
func TestHealthWHO(t *testing.T) {
	var cases []struct{ ID, QR string }
	if err := json.Unmarshal(testkit.Read(t, "who/hcert/gdhcn-validator.json"), &cases); err != nil {
		t.Fatal(err)
	}
	text := testkit.Read(t, "who/trust/dev-v1-xcl.json")
	digest := sha256.Sum256(text)
	b, _, err := trust.ImportGDHCN(trust.DIDDocument{Content: text, Digest: hex.EncodeToString(digest[:])})
	if err != nil {
		t.Fatal(err)
	}
	at := time.Date(2024, 10, 1, 0, 0, 0, 0, time.UTC)
	want := map[string]string{
		"DVCTestQR": "signature signature_wrong icvp", "DVCTest3QR": "content product_not_in_catalogue icvp", "WHOQR1Contents": "content draft_format ddcc", "WHOQR2Contents": "content draft_format ddcc",
		"WHOSingaporePCRContents": "content draft_format ddcc", "EUItalyAcceptanceQRContents": "validity expired dcc",
	}
	for _, c := range cases {
		v := Text(c.QR, b, at)
		checkForm(t, v)
		if got := shown(v) + " " + string(v.Family); got != want[c.ID] {
			t.Errorf("%s: %q, want %q", c.ID, got, want[c.ID])
		}
		if c.ID == "DVCTest3QR" && (v.Facet(Signature).Result != OK || v.Facet(Key).Result != OK || v.Facet(Issuer).Detail["participant"] != "XCL") {
			t.Errorf("ok/authentic: %+v", v.Facets)
		}
	}
	if len(cases) != 6 {
		t.Errorf("%d cases ran, want 6", len(cases))
	}
	v := Text(string(testkit.Read(t, "who/divoc/divoc-sample-1.txt")), nil, at)
	checkForm(t, v)
	if v.Outcome != Undecided || v.Family != certificate.DIVOC || v.Facet(Signature).Code != KeysWithdrawn || v.Holder.Names[0] != "Third March User One" {
		t.Errorf("ok/DIVOC: %+v", v)
	}
}

// dcc/special and dcc/qr-png: read whatever an issuer wrote, from text and from pictures.
func TestHealthFiles(t *testing.T) {
	var cases []struct{ QR string }
	if err := json.Unmarshal(testkit.Read(t, "dcc/special/special-cases.json"), &cases); err != nil {
		t.Fatal(err)
	}
	text := ""
	for _, c := range cases {
		text += c.QR + "\r\n\n"
	}
	verdicts := File("codes.txt", []byte(text), nil, now)
	for i, v := range verdicts {
		checkForm(t, v)
		if v.Facet(Readable).Result != OK || v.Family != certificate.DCC || v.Outcome == Valid {
			t.Errorf("%d: %s", i, shown(v))
		}
	}
	if len(cases) != 15 || len(verdicts) != 15 {
		t.Errorf("%d verdicts on %d codes, want 15", len(verdicts), len(cases))
	}
	if many := File("codes.txt", []byte(strings.Repeat("HC1:\n", maxLines+1)), nil, now); len(many) != 1 || many[0].Facet(Readable).Code != TooLong {
		t.Errorf("error/many lines: %d", len(many))
	}
	pictures, err := filepath.Glob(testkit.Shared(t, "dcc/qr-png") + "/*.png")
	if err != nil || len(pictures) != 11 {
		t.Fatalf("%d pictures, %v", len(pictures), err)
	}
	for _, name := range pictures {
		content, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		list := File(name, content, nil, now)
		if len(list) != 1 || list[0].Family != certificate.DCC || list[0].Holder == nil {
			t.Errorf("%s: %+v", filepath.Base(name), list)
		}
	}
}
