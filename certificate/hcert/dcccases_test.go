package hcert

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"encoding/pem"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"akashi/internal/strictjson"
	"akashi/internal/testkit"
	"akashi/signing/pki"
)

// dccCase is a file of testdata/dcc/cases.
type dccCase struct {
	Code    string          `json:"PREFIX"`
	Content json.RawMessage `json:"JSON"`
	Context struct {
		Schema      string
		Certificate string
		Clock       string `json:"VALIDATIONCLOCK"`
	} `json:"TESTCTX"`
	Expected map[string]bool `json:"EXPECTEDRESULTS"`

	fault error
}

// spoilt are the samples that are well formed and prove nothing all the same.
var spoilt = map[string]string{
	"SK/3":        "content multiple_entries",
	"common/CBO1": "content not_a_map",
	"common/DGC1": "content no_entry",
}

// excused are expectations that testdata/dcc/README.md calls wrong, or that speak of
// something else than we check. Each must fail as it says, or it is no excuse.
var excused = map[string]string{
	"ES/401 VERIFY":            "a P-384 key under ES256",
	"FR/test_pcr_ok VALIDJSON": "the JSON beside it differs from what was signed",
	"PL/1.3.0/1 VALIDJSON":     "the JSON beside it differs from what was signed",
	"PL/1.3.0/5 VALIDJSON":     "the JSON beside it differs from what was signed",
}

// informative expectations go by schemas of before 1.3.3, with value sets of before 2.12.0.
const informative = "SCHEMAVALIDATION"

// notChecked are about pictures and about making the very same bytes, or about a form of
// the file that is not signed.
var notChecked = map[string]bool{"PICTUREDECODE": true, "ENCODE": true, "RESULTS": true, "VALIDOBJECT": true, "EXPTECTEDEXPIRED": true}

// spec eu-dcc: every sample of the Member States and every common case yields what its
// README says.
func TestDCCCases(t *testing.T) {
	root := testkit.Shared(t, "dcc/cases")
	files, checks, used := 0, map[string]int{}, map[string]bool{}
	schema := map[bool]int{}
	err := filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		files++
		name := strings.TrimSuffix(filepath.ToSlash(must(filepath.Rel(root, path))), ".json")
		t.Run(name, func(t *testing.T) {
			var c dccCase
			if err := json.Unmarshal(must(os.ReadFile(path)), &c); err != nil {
				t.Fatal(err)
			}
			got := c.steps(t)
			if c.fault != nil && reason(c.fault) != spoilt[name] || c.fault == nil && spoilt[name] != "" {
				t.Errorf("content: %v", c.fault)
			}
			for step, want := range c.Expected {
				step = strings.TrimPrefix(step, "EXPECTED")
				if notChecked[step] {
					continue
				}
				if step == informative {
					schema[got[step] == nil == want]++
					continue
				}
				checks[step]++
				if err, ran := got[step], (got[step] == nil) == want; ran {
					continue
				} else if key := name + " " + step; excused[key] != "" && want {
					used[key] = true
				} else {
					t.Errorf("%s: %v, want %v", step, err, want)
				}
			}
		})
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if files != 174 || len(used) != len(excused) {
		t.Errorf("%d files, want 174; excuses used: %v", files, used)
	}
	if schema[true] != 119 || schema[false] != 21 { // the rest goes by older value sets and date forms
		t.Errorf("our schema agrees with %d and not with %d", schema[true], schema[false])
	}
	for step, n := range map[string]int{
		"VERIFY": 161, "DECODE": 158, "UNPREFIX": 151, "B45DECODE": 150, "VALIDJSON": 148, "COMPRESSION": 137, "EXPIRATIONCHECK": 118, "KEYUSAGE": 87,
	} {
		if checks[step] != n {
			t.Errorf("%s was checked %d times, want %d", step, checks[step], n)
		}
	}
}

// steps takes the steps of the upstream suite; nil is a step that passes.
func (c *dccCase) steps(t *testing.T) map[string]error {
	t.Helper()
	got := map[string]error{}
	order := []struct {
		name string
		step Step
	}{{"UNPREFIX", StepPrefix}, {"B45DECODE", StepBase45}, {"COMPRESSION", StepInflate}}
	code, err := Parse(c.Code)
	if err != nil {
		failed := false
		for _, o := range order {
			if failed = failed || strings.HasPrefix(reason(err), string(o.step)+" "); failed {
				got[o.name] = err
			}
		}
		for _, later := range []string{"DECODE", "VALIDJSON", "VERIFY", "EXPIRATIONCHECK", "KEYUSAGE", informative} {
			got[later] = err
		}
		return got
	}
	signer, certificate := c.signer(t)
	if code.DCC == nil {
		got["DECODE"] = code.Fault
	}
	c.fault = code.Fault
	if !bytes.Equal(code.KeyID, KeyID(certificate)) {
		got["VERIFY"] = errors.New("another key id")
	} else if err := code.CheckSignature(signer.PublicKey); err != nil {
		got["VERIFY"] = err
	}
	if err := code.CheckTime(c.clock(t), 0); err != nil {
		got["EXPIRATIONCHECK"] = err
	}
	if err := code.SignerRules(signer); err != nil {
		got["KEYUSAGE"] = err
	}
	if paths := c.differences(t, code); len(paths) > 0 {
		got["VALIDJSON"] = errors.New(strings.Join(paths, ", "))
	}
	got[informative] = againstSchema(code)
	return got
}

// againstSchema leaves out what only our value sets and an issuer mind.
func againstSchema(code *Code) error {
	if code.DCC == nil {
		return errors.New("no content")
	}
	for _, f := range code.DCC.Findings {
		if !slices.Contains([]string{"inactive_code", "not_together", "unknown_member"}, f.Code) {
			return errors.New(f.String())
		}
	}
	return nil
}

func (c *dccCase) signer(t *testing.T) (*pki.Certificate, []byte) {
	t.Helper()
	text := c.Context.Certificate
	var der []byte
	if block, _ := pem.Decode([]byte(text)); block != nil {
		der = block.Bytes
	} else {
		der = must(base64.StdEncoding.DecodeString(text))
	}
	signer, err := pki.ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}
	return signer, der
}

func (c *dccCase) clock(t *testing.T) time.Time {
	t.Helper()
	for _, form := range []string{time.RFC3339, "2006-01-02T15:04:05Z0700", "2006-01-02T15:04:05", "2006-01-02"} {
		if at, err := time.Parse(form, c.Context.Clock); err == nil {
			return at
		}
	}
	t.Fatalf("clock %q", c.Context.Clock)
	return time.Time{}
}

// differences are the paths at which the signed content is not the JSON of the file.
func (c *dccCase) differences(t *testing.T, code *Code) []string {
	t.Helper()
	health, _ := code.token[claimHealth].(table)
	var want any
	if err := json.Unmarshal(c.Content, &want); err != nil && len(c.Content) > 0 {
		t.Fatal(err)
	}
	return strictjson.Differences(floats(tree(health[int64(1)])), want, "")
}

// floats writes the numbers of a tree as JSON reads them.
func floats(v any) any {
	switch v := v.(type) {
	case map[string]any:
		for k := range v {
			v[k] = floats(v[k])
		}
	case []any:
		for i := range v {
			v[i] = floats(v[i])
		}
	case int64:
		return float64(v)
	}
	return v
}
