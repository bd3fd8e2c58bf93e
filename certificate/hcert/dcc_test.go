package hcert

import (
	"bytes"
	"encoding/csv"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"akashi/certificate/qr"
	"akashi/internal/strictjson"
	"akashi/internal/testkit"
	"akashi/signing/pki"
)

// judge takes the steps of reading one after the other and names the first that fails.
func judge(text string, signer *pki.Certificate, at time.Time) (*Code, string) {
	c, err := Parse(text)
	if err != nil {
		return nil, reason(err)
	}
	if !bytes.Equal(c.KeyID, KeyID(signer.Raw)) {
		return c, "key unknown"
	}
	steps := []func() error{
		func() error { return c.CheckSignature(signer.PublicKey) },
		func() error { return c.SignerRules(signer) },
		func() error { return c.CheckTime(at, 0) },
		func() error { return c.Fault },
		func() error {
			if c.DCC != nil {
				return c.DCC.CheckEvent(at)
			}
			return nil
		},
	}
	for _, step := range steps {
		if err := step(); err != nil {
			return c, reason(err)
		}
	}
	return c, ""
}

// What synthetic/hostile-and-gaps.json expects, by the step at which we find it.
var gaps = map[string]string{
	"good-es256": "", "untagged": "", "der-signature": "signature length", "kid-32-bytes": "key unknown", "alg-mismatch": "signature algorithm",
	"alg-es384-p384": "signature algorithm", "alg-none-hmac": "signature algorithm", "trailing-bytes": "cbor bytes_after_the_end",
	"zlib-truncated": "inflate damaged", "zlib-badsum": "inflate damaged", "zlib-bomb-2MiB": "inflate too_large", "cbor-huge-array": "cbor too_large",
	"cwt-duplicate-key": "cbor key_twice", "no-exp": "claims no_expiry", "exp-before-clock": "claims expired", "exp-after-dsc": "", "exp-float": "",
	"empty-hcert": "content no_known_subclaim", "null-groups": "", "test-detected": "content positive", "eku-right": "", "nfd-name": "",
	"prefix-lowercase": "prefix not_hc1", "leading-space": "", "b45-overflow-triplet": "base45 overflow", "b45-dangling": "base45 length", "empty-payload": "inflate not_zlib",
}

func TestDCCGaps(t *testing.T) {
	var file struct {
		Cases []struct {
			ID, QR, Expect string
			Certificate    []byte
			Clock          time.Time `json:"validation_clock"`
		}
	}
	if err := json.Unmarshal(testkit.Read(t, "dcc/synthetic/hostile-and-gaps.json"), &file); err != nil {
		t.Fatal(err)
	}
	for _, c := range file.Cases {
		t.Run(c.ID, func(t *testing.T) {
			var code *Code
			var got string
			signer := must(pki.ParseCertificate(c.Certificate))
			used := allocated(func() { code, got = judge(c.QR, signer, c.Clock) })
			if want, known := gaps[c.ID]; !known || got != want {
				t.Errorf("%q, want %q (%s)", got, want, c.Expect)
			}
			if used > 1<<20 {
				t.Errorf("%d bytes were allocated", used)
			}
			if c.ID == "exp-after-dsc" && !code.Expires.After(signer.NotAfter) {
				t.Error("the expiry is not after the signer's")
			}
		})
	}
	if len(file.Cases) != 27 || len(gaps) != 27 {
		t.Errorf("%d cases ran, %d known, want 27", len(file.Cases), len(gaps))
	}
}

// spec eu-dcc, 7 and special-cases.json: oddities of real issuers are read as it says.
func TestDCCSpecialCases(t *testing.T) {
	var cases []struct{ Source, Note, QR string }
	if err := json.Unmarshal(testkit.Read(t, "dcc/special/special-cases.json"), &cases); err != nil {
		t.Fatal(err)
	}
	finds := func(field, code string) func(*Code) bool {
		return func(c *Code) bool {
			for _, f := range c.DCC.Findings {
				if f == (Finding{field, code}) {
					return true
				}
			}
			return false
		}
	}
	checks := []func(*Code) bool{
		func(c *Code) bool { return c.DCC.BirthDate == "1978-01-26" && c.DCC.Vaccination.Date == "2021-03-09" },
		func(c *Code) bool { return c.Issuer == "CH BAG" && c.Algorithm == PS256 },
		finds("t[0].ma", ""), // shown raw; our value sets have no devices
		func(c *Code) bool { return c.Issuer == "CNAM" && strings.HasSuffix(c.DCC.Name.SurnameT, "<") },
		func(c *Code) bool { return c.DCC.Test != nil && len(c.Notes) == 0 },
		func(c *Code) bool { return strings.Contains(c.DCC.Test.Centre, `"`) },
		func(c *Code) bool { return c.DCC.Test.Device == "" },
		func(c *Code) bool { return c.DCC.Vaccination.Dose == 2 && c.DCC.Vaccination.Series == 2 },
		func(c *Code) bool { return c.DCC.BirthDate == "1967-03" },
		func(c *Code) bool { return c.DCC.BirthDate == "1967" },
		func(c *Code) bool { return c.DCC.BirthDate == "" },
		func(c *Code) bool { return reason(c.Fault) == "content multiple_entries" },
		func(c *Code) bool { return c.DCC.Vaccination.Dose == 3 && c.DCC.Vaccination.Series == 2 },
		func(c *Code) bool { return len(c.DCC.Name.Forename) > 120 && c.DCC.BirthDate == "1970" },
		func(c *Code) bool { return c.DCC.ID == "96138d80-ef63-4474-814d-c50d1acc5d55" },
	}
	checks[2] = func(c *Code) bool { return c.DCC.Test.Device != "" }
	for i, one := range cases {
		c, err := Parse(one.QR)
		if err != nil {
			t.Errorf("ok/%s: %v", one.Source, err)
			continue
		}
		if spoilt := i == 11; (c.Fault != nil) != spoilt || !checks[i](c) {
			t.Errorf("ok/%s (%s): fault %v, %+v", one.Source, one.Note, c.Fault, c.DCC)
		}
	}
	if len(cases) != 15 || len(checks) != 15 {
		t.Errorf("%d cases ran, want 15", len(cases))
	}
}

// index.tsv: algorithm, issuer, kind, version and times as the reference decoder found them.
func TestDCCIndex(t *testing.T) {
	r := csv.NewReader(bytes.NewReader(testkit.Read(t, "dcc/index.tsv")))
	r.Comma, r.LazyQuotes = '\t', true
	rows, err := r.ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	read := 0
	for _, row := range rows[1:] {
		var file dccCase
		if err := json.Unmarshal(testkit.Read(t, "dcc/"+row[0]), &file); err != nil {
			t.Fatal(err)
		}
		c, err := Parse(file.Code)
		if (err != nil) != (row[3] == "0") {
			t.Errorf("%s: %v", row[0], err)
		}
		if err != nil {
			continue
		}
		read++
		got := []string{strconv.Itoa(int(c.Algorithm)), c.Issuer, "", "", c.IssuedAt.Format(time.RFC3339), c.Expires.Format(time.RFC3339)}
		if c.DCC != nil {
			got[3] = c.DCC.Version
			got[2] = map[contentKind]string{kindDose: "v", kindTestResult: "t", kindRecovered: "r"}[c.DCC.kind()]
		}
		if reason(c.Fault) == "content multiple_entries" || reason(c.Fault) == "content no_entry" {
			got[2] = row[5]
		}
		if diff := cmp.Diff(row[3:9], got); diff != "" {
			t.Errorf("%s: %s", row[0], diff)
		}
	}
	if len(rows) != 175 || read != 170 {
		t.Errorf("%d rows, %d read, want 175 with the heading and 170", len(rows), read)
	}
}

// ehn-dcc-schema: its own examples of what is valid and what is not.
func TestDCCSchemaExamples(t *testing.T) {
	ran := map[string]int{}
	for _, folder := range []string{"valid", "invalid"} {
		files := must(filepath.Glob(testkit.Shared(t, "dcc/schema/examples/"+folder) + "/*.json"))
		for _, file := range files {
			ran[folder]++
			t.Run(map[string]string{"valid": "ok/", "invalid": "error/"}[folder]+filepath.Base(file), func(t *testing.T) {
				findings := slices.DeleteFunc(lintDCC(fromJSON(t, must(os.ReadFile(file))).(table)), func(f Finding) bool {
					return f.Code == "not_in_value_set" || f.Code == "not_together" // which a schema cannot tell
				})
				if (len(findings) == 0) != (folder == "valid") {
					t.Errorf("%v", findings)
				}
			})
		}
	}
	if ran["valid"] != 13 || ran["invalid"] != 6 {
		t.Errorf("ran %v, want 13 and 6", ran)
	}
}

// fromJSON reads JSON into a tree.
func fromJSON(t *testing.T, b []byte) any {
	t.Helper()
	v, err := strictjson.Parse(b, 16)
	if err != nil {
		t.Fatal(err)
	}
	var convert func(v any) any
	convert = func(v any) any {
		switch v := v.(type) {
		case map[string]any:
			out := table{}
			for k, one := range v {
				if n, err := strconv.ParseInt(k, 10, 64); err == nil {
					out[n] = convert(one) // claims are numbers, which JSON names cannot be
				} else {
					out[k] = convert(one)
				}
			}
			return out
		case []any:
			for i := range v {
				v[i] = convert(v[i])
			}
			return v
		case json.Number:
			if n, err := v.Int64(); err == nil {
				return n
			}
			f, _ := v.Float64()
			return f
		}
		return v
	}
	return convert(v)
}

// uvci-luhn.json, and that nothing is refused for a wrong check character.
func TestUVCI(t *testing.T) {
	var file struct {
		Vectors []struct{ Input, Check string }
		Failing []string `json:"in_the_wild_failing"`
	}
	if err := json.Unmarshal(testkit.Read(t, "dcc/uvci-luhn.json"), &file); err != nil {
		t.Fatal(err)
	}
	for _, v := range file.Vectors {
		check, ok := UVCICheck(v.Input)
		if !ok || string(check) != v.Check || !UVCIHolds(v.Input+"#"+v.Check) || UVCIHolds(v.Input+"#"+v.Check+v.Check) {
			t.Errorf("ok/%s: %c, want %s", v.Input, check, v.Check)
		}
	}
	for _, id := range append(file.Failing, "URN:UVCI:01:NL:187/37512422923", "A_B#C", "") {
		if UVCIHolds(id) {
			t.Errorf("error/%s holds", id)
		}
	}
	if len(file.Vectors) != 5 || len(file.Failing) != 3 {
		t.Errorf("%d and %d cases, want 5 and 3", len(file.Vectors), len(file.Failing))
	}
}

// qr-png: pictures hold the text beside them, as our own reader reads them.
func TestDCCPictures(t *testing.T) {
	var list []struct{ PNG, Text string }
	if err := json.Unmarshal(testkit.Read(t, "dcc/qr-png/expected.json"), &list); err != nil {
		t.Fatal(err)
	}
	files := must(filepath.Glob(testkit.Shared(t, "dcc/qr-png") + "/*.png"))
	for _, one := range list {
		t.Run("ok/"+one.PNG, func(t *testing.T) {
			readings, unread, err := qr.ReadImages(bytes.NewReader(testkit.Read(t, "dcc/qr-png/"+one.PNG)))
			if err != nil || unread != 0 || len(readings) != 1 || readings[0].Text != one.Text {
				t.Fatalf("%d codes, %d unread, %v", len(readings), unread, err)
			}
			if c, err := Parse(readings[0].Text); err != nil || c.Fault != nil && !strings.HasPrefix(one.PNG, "none") {
				t.Errorf("%+v, %v", c, err)
			}
		})
	}
	if len(list) != 11 || len(files) != len(list) {
		t.Errorf("%d pictures, %d files, want 11", len(list), len(files))
	}
}

// who/ddcc: EU payloads that break value sets are read all the same.
func TestDCCOfOthers(t *testing.T) {
	for name, want := range map[string][]string{
		"vs": {"nam.fnt form", "nam.gnt form"},
		"tr": {"nam.fnt form", "nam.gnt form", "t[0].tg not_in_value_set", "t[0].tt not_in_value_set"},
	} {
		token := fromJSON(t, testkit.Read(t, "who/ddcc/eudcc-dcc-valid-"+name+".json")).(table)
		d, err := readDCC(token[claimHealth].(table)[int64(1)])
		if err != nil {
			t.Fatal(err)
		}
		var got []string
		for _, f := range d.Findings {
			got = append(got, f.String())
		}
		if diff := cmp.Diff(fmt.Sprint(want), fmt.Sprint(got)); diff != "" {
			t.Errorf("%s: %s", name, diff)
		}
	}
}
