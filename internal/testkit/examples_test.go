package testkit

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// Every published example is run, by its own name or with all base45 rows by
// TestBase45Examples. One cannot be computed here: an RSA thumbprint, for no RSA key is
// ever one of ours or of a card; signing refuses the key instead.
func TestExamples(t *testing.T) {
	in := map[string]string{
		"rfc7515-a3-es256": "certificate/shc/vectors_test.go", "rfc7638-3-1-thumbprint": "signing/jwks_test.go", "rfc9449-jkt-ec": "signing/jwks_test.go",
		"rfc6979-a25-p256-sha256-sample": "signing/paper_test.go", "rfc6962-empty-root": "internal/merkle/merkle_test.go", "doc9303-checkdigit-date": "passport/mrz_test.go",
	}
	var rows []struct {
		ID     string
		Base45 *string
	}
	if err := json.Unmarshal(Read(t, "security/rfc/examples.json"), &rows); err != nil {
		t.Fatal(err)
	}
	named, base45 := 0, 0
	for _, row := range rows {
		if row.Base45 != nil {
			base45++
			continue
		}
		named++
		text, err := os.ReadFile(filepath.Join(Root(t), in[row.ID]))
		if err != nil || !strings.Contains(string(text), `testkit.Example(t, "`+row.ID+`"`) {
			t.Errorf("%s runs nowhere", row.ID)
		}
	}
	if named != len(in) || base45 != 8 {
		t.Errorf("%d named and %d base45 rows, want %d and 8", named, base45, len(in))
	}
}
