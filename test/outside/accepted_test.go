package outside

import (
	"encoding/json"
	"flag"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"

	"akashi/internal/testkit"
)

var update = flag.Bool("update", false, "write testdata/accepted-wrongly.txt")

// accepted collects the lines of testdata/accepted-wrongly.txt: verifier and vector.
// Why the vector must be refused, its index says.
type accepted struct {
	sync.Mutex
	lines []string
}

func (a *accepted) add(verifier, file string) {
	a.Lock()
	defer a.Unlock()
	a.lines = append(a.lines, verifier+" "+file)
}

// TestAcceptedWrongly lists the vectors that must be refused and that an outside
// verifier accepts: there its yes means nothing.
func TestAcceptedWrongly(t *testing.T) {
	t.Parallel()
	var found accepted
	t.Run("vectors", func(t *testing.T) {
		badCards(t, &found)
		badSeals(t, &found)
	})
	slices.Sort(found.lines)
	got := strings.Join(found.lines, "\n") + "\n"
	golden := filepath.Join("testdata", "accepted-wrongly.txt")
	if *update {
		if err := os.WriteFile(golden, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(golden)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), got); diff != "" {
		t.Errorf("what outsiders accept wrongly has changed (-want +got):\n%s", diff)
	}
}

func badCards(t *testing.T, found *accepted) {
	var all struct {
		Cases []struct {
			Files              []string
			Type, Expect, JWKS string
		}
	}
	if err := json.Unmarshal(testkit.Read(t, "shc/cases.json"), &all); err != nil {
		t.Fatal(err)
	}
	readers := map[string][]SHCVerifier{
		"jws":        SHCVerifiers,
		"qrnumeric":  SHCVerifiers,
		"healthcard": {KillTheClipboard},
	}
	for _, c := range all.Cases {
		// In crl/ the card is good and its revocation list is bad; these programs read no list.
		verifiers := readers[c.Type]
		if c.Expect != "reject" || len(verifiers) == 0 || strings.HasPrefix(c.Files[0], "crl/") {
			continue
		}
		keys := testkit.Read(t, "shc/"+c.JWKS)
		card := strings.TrimSpace(string(testkit.Read(t, "shc/"+c.Files[0])))
		if c.Type == "jws" {
			card = numeric(card)
		}
		for _, verifier := range verifiers {
			t.Run(string(verifier)+"/"+c.Files[0], func(t *testing.T) {
				t.Parallel()
				if v := VerifySHC(t, verifier, card, sampleIssuer, keys); v.OK {
					found.add(string(verifier), "shc/"+c.Files[0])
				}
			})
		}
	}
}

func badSeals(t *testing.T, found *accepted) {
	var cases []struct{ File, Verdict string }
	if err := json.Unmarshal(testkit.Read(t, "vdsnc/synthetic/index.json"), &cases); err != nil {
		t.Fatal(err)
	}
	for _, c := range cases {
		if c.Verdict != "reject" {
			continue
		}
		file := "vdsnc/synthetic/" + c.File
		t.Run("verify-vds-pathcheck.mjs/"+file, func(t *testing.T) {
			t.Parallel()
			if v := VerifyVDS(t, string(testkit.Read(t, file))); v.OK {
				found.add("verify-vds-pathcheck.mjs", file)
			}
		})
	}
}
