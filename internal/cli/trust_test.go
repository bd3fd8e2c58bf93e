package cli_test

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha256"
	"crypto/x509"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"encoding/pem"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"akashi/internal/cli"
	"akashi/internal/testkit"
)

// Issue 5, 3: a list of WHO becomes a trust directory by its digest only; a yellow card is
// verified with it, from text and from a picture.
func TestTrustImport(t *testing.T) {
	list := testkit.Shared(t, "who/trust/dev-v1-xcl.json")
	digest := sha256.Sum256(testkit.Read(t, "who/trust/dev-v1-xcl.json"))
	out := filepath.Join(t.TempDir(), "trust")
	pin := "--pin=sha256:" + hex.EncodeToString(digest[:])
	if status, said, errs := run(t, "", "trust", "import", "gdhcn", list, pin, "--out", out); status != 0 || !strings.Contains(said, "signers of HC1 codes of XCL: 3") || !strings.Contains(said, "no_authority") || !strings.Contains(said, "taken_by_digest") {
		t.Fatalf("ok/import: %d %s %s", status, said, errs)
	}
	if status, said, _ := run(t, "", "trust", "show", out); status != 0 || !strings.Contains(said, "XCL: 3") || !strings.Contains(said, "made at: not stated") {
		t.Errorf("ok/show: %d %s", status, said)
	}
	var cases []struct{ ID, QR string }
	if err := json.Unmarshal(testkit.Read(t, "who/hcert/gdhcn-validator.json"), &cases); err != nil {
		t.Fatal(err)
	}
	for _, c := range cases {
		if c.ID != "DVCTest3QR" {
			continue
		}
		status, said, _ := run(t, c.QR+"\n", "verify", "--trust", out, "--at", "2024-10-01T00:00:00Z", "-")
		if status != 1 || !strings.Contains(said, "The signature is right") || !strings.Contains(said, "not in the catalogue") {
			t.Errorf("ok/authentic, product of an older draft: %d %s", status, said)
		}
	}
	empty, publisher := signedList(t, `{"certificates": [{"certificateType": "CSCA"}]}`)
	if status, _, errs := run(t, "", "trust", "import", "dcc", empty, publisher, "--made-at", "2099-01-01T00:00:00Z", "--out", out+"2"); status != 1 || !strings.Contains(errs, "in the future") {
		t.Errorf("error/a time to come: %d %s", status, errs)
	}
	proven, signer := testkit.Shared(t, "who/trust/v2_trustlist_PH4H_CHL.did.json"), testkit.Shared(t, "who/trust/who-dev-list-signing-key.did.json")
	if status, said, errs := run(t, "", "trust", "import", "gdhcn", proven, "--key", signer, "--out", out+"3"); status != 0 || !strings.Contains(said, "taken_by_proof") || !strings.Contains(said, "CHL: 5") {
		t.Errorf("ok/by its proof: %d %s %s", status, said, errs)
	}
	for name, c := range map[string]struct {
		status int
		args   []string
	}{
		"nothing to use":      {1, []string{"dcc", empty, publisher, "--out", out + "2"}},
		"another digest":      {1, []string{"gdhcn", list, "--pin", "sha256:" + strings.Repeat("0", 64), "--out", out + "2"}},
		"no proof":            {1, []string{"gdhcn", list, "--key", signer, "--out", out + "2"}},
		"another key":         {1, []string{"gdhcn", proven, "--key", publisher, "--out", out + "2"}},
		"a key that is none":  {cli.UsageStatus, []string{"gdhcn", proven, "--key", list, "--out", out + "2"}},
		"no digest":           {cli.UsageStatus, []string{"gdhcn", list, "--out", out + "2"}},
		"no directory":        {cli.UsageStatus, []string{"gdhcn", list, pin}},
		"no list":             {cli.UsageStatus, []string{"gdhcn", "--out", out + "2"}},
		"no kind":             {cli.UsageStatus, nil},
		"a bundle of nothing": {1, []string{"bundle", list + ".no", "--out", out + "2"}},
		"a list without line": {1, []string{"dcc", list, list, "--out", out + "2"}},
		"a time that is none": {cli.UsageStatus, []string{"dcc", list, list, "--made-at", "now", "--out", out + "2"}},
		"a file that is not":  {1, []string{"vci", list, list, list + ".no", "--out", out + "2"}},
	} {
		if status, _, errs := run(t, "", append([]string{"trust", "import"}, c.args...)...); status != c.status || errs == "" {
			t.Errorf("error/%s: %d %s", name, status, errs)
		}
		if _, err := os.Stat(out + "2"); err == nil {
			t.Errorf("error/%s: something was written", name)
		}
	}
}

// signedList writes a national list with its signature line, and the publisher's key.
func signedList(t *testing.T, body string) (list, publisher string) {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	digest := sha256.Sum256([]byte(body))
	signature, err := ecdsa.SignASN1(rand.Reader, key, digest[:])
	if err != nil {
		t.Fatal(err)
	}
	der, err := x509.MarshalPKIXPublicKey(&key.PublicKey)
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	list, publisher = filepath.Join(dir, "list"), filepath.Join(dir, "key.pem")
	err = errors.Join(os.WriteFile(list, []byte(base64.StdEncoding.EncodeToString(signature)+"\n"+body), 0o600),
		os.WriteFile(publisher, pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: der}), 0o600))
	if err != nil {
		t.Fatal(err)
	}
	return list, publisher
}

// akashi verify on HC1 codes, with the signer on the list: as text and as a picture.
func TestVerifyHealth(t *testing.T) {
	var c struct {
		Code    string `json:"PREFIX"`
		Context struct {
			Certificate []byte
			Clock       string `json:"VALIDATIONCLOCK"`
		} `json:"TESTCTX"`
	}
	if err := json.Unmarshal(testkit.Read(t, "dcc/cases/DK/8.json"), &c); err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	digest := sha256.Sum256(c.Context.Certificate)
	manifest, err := json.Marshal(map[string]any{"version": 1, "health": []any{map[string]any{"kid": base64.StdEncoding.EncodeToString(digest[:8]), "participant": "DK", "certificate": "dk.der"}}})
	if err != nil {
		t.Fatal(err)
	}
	for name, content := range map[string][]byte{"manifest.json": manifest, "dk.der": c.Context.Certificate} {
		if err := os.WriteFile(filepath.Join(dir, name), content, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	picture := testkit.Shared(t, "dcc/qr-png/DK-8.png")
	for name, args := range map[string][]string{"text": {"-"}, "picture": {picture}} {
		if status, out, errs := run(t, c.Code, append([]string{"verify", "--trust", dir, "--at", c.Context.Clock}, args...)...); status != 0 || !strings.Contains(out, "VALID") {
			t.Errorf("ok/%s: %d %s%s", name, status, out, errs)
		}
		if status, _, _ := run(t, c.Code, append([]string{"verify", "--trust", dir, "--at", "2036-01-01T00:00:00Z"}, args...)...); status != 1 {
			t.Errorf("error/%s, years later: %d", name, status)
		}
	}
}

// Issue 5, 2: the rules of a destination, with what the failed one demands.
func TestVerifyRules(t *testing.T) {
	dir := t.TempDir()
	for _, name := range []string{"DE/RR-DE-0002", "EU/RR-EU-0000"} {
		if err := os.WriteFile(filepath.Join(dir, filepath.Base(name)+".json"), testkit.Read(t, "dcc/certlogic/rules/"+name+"/rule.json"), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	var c struct {
		Code string `json:"PREFIX"`
	}
	if err := json.Unmarshal(testkit.Read(t, "dcc/cases/AT/2.json"), &c); err != nil {
		t.Fatal(err)
	}
	for at, want := range map[string]string{"2021-08-01T00:00:00Z": "passed", "2021-12-31T00:00:00Z": "failed"} {
		_, out, errs := run(t, c.Code, "verify", "--rules", dir, "--to", "DE", "--at", at, "-")
		if !strings.Contains(out, "rule RR-DE-0002  "+want) || !strings.Contains(out, "must be no older than 6") || strings.Contains(out, "RR-EU-0000") {
			t.Errorf("ok/%s: %s%s", at, out, errs)
		}
	}
	if status, out, _ := run(t, c.Code, "verify", "--json", "--rules", dir, "--to", "DE", "--at", "2021-12-31T00:00:00Z", "-"); status != 1 || !strings.Contains(out, `"rules":[{"identifier":"RR-DE-0002","country":"DE","result":"failed"`) {
		t.Errorf("ok/JSON: %d %s", status, out)
	}
	for logic, want := range map[string]int{"true": 3, "false": 1, `"neither"`: 3} { // undecided by itself: nobody is trusted here
		own := t.TempDir()
		rule := `{"Identifier":"GR-XX-1","Type":"Acceptance","Country":"XX","Version":"1.0.0","Engine":"CERTLOGIC","CertificateType":"General","ValidTo":"2030-01-01T00:00:00Z","Logic":` + logic + `}`
		if err := os.WriteFile(filepath.Join(own, "a.json"), []byte(rule), 0o600); err != nil {
			t.Fatal(err)
		}
		if status, out, _ := run(t, c.Code, "verify", "--rules", own, "--to", "XX", "--at", "2021-08-01T00:00:00Z", "-"); status != want {
			t.Errorf("rule %s: %d, want %d\n%s", logic, status, want, out)
		}
	}
	broken := t.TempDir()
	if err := os.WriteFile(filepath.Join(broken, "a.json"), []byte(`{}`), 0o600); err != nil {
		t.Fatal(err)
	}
	for name, args := range map[string][]string{
		"no country": {"--rules", dir}, "no rules": {"--to", "DE"}, "a rule that is none": {"--rules", broken, "--to", "DE"}, "an empty directory": {"--rules", t.TempDir(), "--to", "DE"},
	} {
		if status, _, errs := run(t, c.Code, append([]string{"verify", "-"}, args...)...); status != cli.UsageStatus || errs == "" {
			t.Errorf("error/%s: %d %s", name, status, errs)
		}
	}
}
