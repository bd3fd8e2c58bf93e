package outside

import (
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/fstest"
	"time"

	"github.com/google/go-cmp/cmp"

	"akashi/certificate/trust"
	"akashi/certificate/verify"
	"akashi/internal/testkit"
)

var update = flag.Bool("update", false, "write the table of docs/verifiers.md")

// A program that judges others' vectors, by its package and version.
var programs = map[SHCVerifier]string{
	KillTheClipboard: "kill-the-clipboard", PathCheckSHC: "@pathcheck/shc-sdk", pathCheckVDS: "@pathcheck/vds-sdk",
}

const pathCheckVDS SHCVerifier = "verify-vds-pathcheck.mjs"

// tally collects the verdicts of outsiders, and the wrong ones as rows of the table.
type tally struct {
	sync.Mutex
	asked map[string]int
	rows  []string
}

// verdict notes what a program says of a vector that is good or not, for a reason.
func (a *tally) verdict(program, file string, good, accepted bool, why string) {
	a.Lock()
	defer a.Unlock()
	a.asked[program]++
	if good != accepted {
		said := map[bool]string{true: "accepts", false: "refuses"}[accepted]
		a.rows = append(a.rows, fmt.Sprintf("| %s | %s | `%s` | %s |", program, said, file, strings.ReplaceAll(why, "|", "/")))
	}
}

// TestWrongVerdicts keeps the table of docs/verifiers.md: the vectors that an outside
// program gets wrong, each of which akashi/certificate/verify gets right.
func TestWrongVerdicts(t *testing.T) {
	t.Parallel()
	found := &tally{asked: map[string]int{}}
	t.Run("vectors", func(t *testing.T) {
		otherCards(t, found)
		syntheticSeals(t, found)
		realSeals(t, found)
		pictures(t, found)
		otherHealth(t, found)
	})
	// Who left out a reader has no full table to compare.
	for program, n := range map[string]int{
		"kill-the-clipboard": 25, "@pathcheck/shc-sdk": 18, "@pathcheck/vds-sdk": 43, "zxing-wasm": 6, "zbarimg": 6,
		"@pathcheck/dcc-sdk": 47, "dcc-utils": 47,
	} {
		if found.asked[program] == 0 {
			testkit.Missing(t, program)
		}
		if found.asked[program] != n {
			t.Errorf("%s was asked %d times, want %d", program, found.asked[program], n)
		}
	}
	slices.Sort(found.rows)
	checkVersions(t)
	compareTable(t, strings.Join(found.rows, "\n")+"\n")
}

// checkVersions compares the versions that docs/verifiers.md names with those installed.
func checkVersions(t *testing.T) {
	t.Helper()
	var manifest struct{ Dependencies map[string]string }
	if err := json.Unmarshal(read(t, "package.json"), &manifest); err != nil {
		t.Fatal(err)
	}
	text := string(read(t, filepath.Join(testkit.Root(t), "docs", "verifiers.md")))
	for _, name := range []string{"kill-the-clipboard", "@pathcheck/shc-sdk", "@pathcheck/vds-sdk", "@pathcheck/dcc-sdk", "dcc-utils", "zxing-wasm"} {
		if row := fmt.Sprintf("| `%s` (npm) | %s |", name, manifest.Dependencies[name]); !strings.Contains(text, row) {
			t.Errorf("docs/verifiers.md lacks %q", row)
		}
	}
}

const tableHead = "| program | says | vector | why that is wrong |\n|---|---|---|---|\n"

func compareTable(t *testing.T, rows string) {
	t.Helper()
	path := filepath.Join(testkit.Root(t), "docs", "verifiers.md")
	before, rest, ok := strings.Cut(string(read(t, path)), tableHead)
	if !ok {
		t.Fatal("docs/verifiers.md has no table")
	}
	want, after, _ := strings.Cut(rest, "\n\n")
	if *update {
		if err := os.WriteFile(path, []byte(before+tableHead+rows+"\n"+after), 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	if diff := cmp.Diff(want+"\n", rows); diff != "" {
		t.Errorf("what outsiders get wrong has changed (-docs/verifiers.md +now):\n%s", diff)
	}
}

// ours checks that this project gets a vector right. Whether it was revoked cannot be
// known where the vectors have no list; the outsiders do not ask.
func ours(t *testing.T, file string, b *trust.Bundle, at time.Time, good bool) {
	t.Helper()
	for _, v := range verify.File(filepath.Base(file), testkit.Read(t, file), b, at) {
		accepted := v.Outcome == verify.Valid ||
			v.Outcome == verify.Undecided && v.Facet(verify.Issuer).Result == verify.OK && v.Facet(verify.Revocation).Code == verify.ListMissing
		if accepted != good {
			t.Errorf("%s: akashi says %s, %v", file, v.Outcome, v.Facets)
		}
	}
}

// bundle loads a trust directory of vectors.
func bundle(t *testing.T, manifest map[string]any, files ...string) *trust.Bundle {
	t.Helper()
	manifest["version"] = 1
	text, err := json.Marshal(manifest)
	if err != nil {
		t.Fatal(err)
	}
	fsys := fstest.MapFS{"manifest.json": {Data: text}}
	for _, f := range files {
		fsys[f] = &fstest.MapFile{Data: testkit.Read(t, f)}
	}
	b, report, err := trust.Load(fsys)
	if err != nil || len(report) > 0 {
		t.Fatal(report, err)
	}
	return b
}

func sampleBundle(t *testing.T) *trust.Bundle {
	const keys, list = "shc/keys/sample-issuer.jwks.json", "shc/keys/crl-of-sample-issuer.json"
	return bundle(t, map[string]any{"issuers": []any{map[string]any{"iss": sampleIssuer, "jwks": keys, "crls": []string{list}}}}, keys, list)
}

type cardCase struct {
	Files                   []string
	Type, Expect, Why, JWKS string
}

func cardCases(t *testing.T) (cases []cardCase, at time.Time) {
	t.Helper()
	var all struct {
		VerifyTime int64 `json:"verify_time"`
		Cases      []cardCase
	}
	if err := json.Unmarshal(testkit.Read(t, "shc/cases.json"), &all); err != nil {
		t.Fatal(err)
	}
	return all.Cases, time.Unix(all.VerifyTime, 0)
}

// otherCards asks about single cards. Left out are those whose revocation list is the
// thing that is bad (crl/), for these programs read none; codes in parts, which they do
// not join; and a card that is good no more by the machine's clock, which they go by.
func otherCards(t *testing.T, found *tally) {
	cases, at := cardCases(t)
	b := sampleBundle(t)
	readers := map[string][]SHCVerifier{"jws": SHCVerifiers, "qrnumeric": SHCVerifiers, "healthcard": {KillTheClipboard}}
	for _, c := range cases {
		file := "shc/" + c.Files[0]
		parts := c.Type == "qrnumeric" && len(c.Files) > 1
		if len(readers[c.Type]) == 0 || strings.HasPrefix(c.Files[0], "crl/") || parts || strings.Contains(file, "example-03") {
			continue
		}
		good := c.Expect != "reject"
		ours(t, file, b, at, good)
		keys := testkit.Read(t, "shc/"+c.JWKS)
		card := strings.TrimSpace(string(testkit.Read(t, file)))
		if c.Type == "jws" {
			card = numeric(card)
		}
		for _, verifier := range readers[c.Type] {
			t.Run(string(verifier)+"/"+file, func(t *testing.T) {
				t.Parallel()
				v := VerifySHC(t, verifier, card, sampleIssuer, keys)
				found.verdict(programs[verifier], file, good, v.OK, c.Why)
			})
		}
	}
}

func syntheticSeals(t *testing.T, found *tally) {
	var cases []struct{ File, Verdict, Why string }
	if err := json.Unmarshal(testkit.Read(t, "vdsnc/synthetic/index.json"), &cases); err != nil {
		t.Fatal(err)
	}
	const csca, crl = "vdsnc/synthetic/csca-jpn-test.der", "vdsnc/synthetic/jpn.crl"
	b := bundle(t, map[string]any{"csca": []string{csca}, "crl": []string{crl}}, csca, crl)
	at := time.Date(2026, 6, 1, 0, 0, 0, 0, time.UTC)
	for _, c := range cases {
		if c.Verdict == "accept" || c.Verdict == "reject" { // others are for each to choose
			askSeal(t, found, b, "vdsnc/synthetic/"+c.File, at, c.Verdict == "accept", c.Why)
		}
	}
}

func realSeals(t *testing.T, found *tally) {
	var cases []struct {
		File, Signature, Chain, Schema string
		CheckTime                      time.Time `json:"check_time"`
	}
	if err := json.Unmarshal(testkit.Read(t, "vdsnc/real/index.json"), &cases); err != nil {
		t.Fatal(err)
	}
	files := []string{"vdsnc/trust/jpn-csca-e3-root-p384-explicit.der", "vdsnc/trust/aus-csca-16f2.der"}
	b := bundle(t, map[string]any{"csca": files}, files...)
	for _, c := range cases {
		good := c.Signature == "valid" && c.Chain == "trusted" && c.Schema != "bad"
		why := fmt.Sprintf("real; signature %s, chain %s, schema %s", c.Signature, c.Chain, c.Schema)
		askSeal(t, found, b, "vdsnc/real/"+c.File, c.CheckTime, good, why)
	}
}

func askSeal(t *testing.T, found *tally, b *trust.Bundle, file string, at time.Time, good bool, why string) {
	t.Helper()
	ours(t, file, b, at, good)
	t.Run(string(pathCheckVDS)+"/"+file, func(t *testing.T) {
		t.Parallel()
		found.verdict(programs[pathCheckVDS], file, good, VerifyVDS(t, string(testkit.Read(t, file))).OK, why)
	})
}

// pictures asks readers of codes whether they find the text of a card; reading one
// that cannot be read would be wrong too.
func pictures(t *testing.T, found *tally) {
	cases, at := cardCases(t)
	b := sampleBundle(t)
	files := map[string]bool{}
	for _, c := range cases {
		for _, f := range c.Files {
			ext := filepath.Ext(f)
			if ext == ".png" || ext == ".jpg" {
				files["shc/"+f] = !strings.Contains(f, "corrupted")
			}
		}
	}
	delete(files, "shc/qr/test-example-00-g-qr-code-0-too_many_qr_segment.png") // reads, and is wrong in itself
	for file, good := range files {
		ours(t, file, b, at, good)
		t.Run("zxing-wasm/"+file, func(t *testing.T) {
			t.Parallel()
			found.verdict("zxing-wasm", file, good, len(ReadCodes(t, testkit.Shared(t, file))) == 1, "picture of one code")
		})
		t.Run("zbarimg/"+file, func(t *testing.T) {
			t.Parallel()
			found.verdict("zbarimg", file, good, len(zbar(t, testkit.Shared(t, file))) == 1, "picture of one code")
		})
	}
}

// zbar returns the texts that zbarimg reads in a picture.
func zbar(t *testing.T, picture string) []string {
	t.Helper()
	cmd := exec.Command(testkit.Tool(t, "zbarimg"), "--quiet", "--raw", "-Sdisable", "-Sqrcode.enable", picture)
	out, err := cmd.Output()
	if code := cmd.ProcessState.ExitCode(); err != nil && code != 4 { // 4: nothing found
		t.Fatalf("zbarimg: %v", err)
	}
	if len(out) == 0 {
		return nil
	}
	return strings.Split(strings.TrimSuffix(string(out), "\n"), "\n")
}
