package chip_test

import (
	"crypto/x509"
	"path/filepath"
	"testing"
	"time"

	"akashi/certificate/trust"
	"akashi/internal/testkit"
	"akashi/passport/chip"
)

const zone = "P<JPNGAIMU<<SAKURA<<<<<<<<<<<<<<<<<<<<<<<<<<TZ12345676JPN9002203F3402199<<<<<<<<<<<<<<<8"

var (
	at         = time.Date(2026, 6, 1, 0, 0, 0, 0, time.UTC)
	begin, end = at.AddDate(-2, 0, 0), at.AddDate(10, 0, 0)
)

// trusting holds these authorities, and lists of them.
func trusting(t testing.TB, when time.Time, authorities [][]byte, lists ...[]byte) *trust.Bundle {
	t.Helper()
	var b *trust.Bundle
	for _, c := range authorities {
		var err error
		if b, _, err = trust.ImportCSCA([]trust.File{{Name: "csca", Content: c}}, b, when); err != nil {
			t.Fatal(err)
		}
	}
	if b == nil {
		b = &trust.Bundle{}
	}
	for _, l := range lists {
		var err error
		if b, _, err = trust.ImportCRL([]trust.File{{Name: "crl", Content: l}}, b, when); err != nil {
			t.Fatal(err)
		}
	}
	return b
}

// issued is an invented document: the input for it, and its state.
type issued struct {
	*testkit.Country
	chip.Input
}

// issue makes a document with the zone, signed by a signer of the country, changed as the test wants it.
func issue(t testing.TB, country, characters string, change func(*x509.Certificate)) issued {
	t.Helper()
	return issueUnder(t, testkit.NewCountry(t, country, begin, end), characters, change)
}

func issueUnder(t testing.TB, c *testkit.Country, characters string, change func(*x509.Certificate)) issued {
	t.Helper()
	signer, key := c.Signer(change)
	dg1, dg2 := testkit.DG1(t, characters), []byte("not a face")
	message := testkit.Message{
		Type: testkit.SecurityObjectType, Content: testkit.SecurityObject(t, map[int][]byte{1: dg1, 2: dg2}), Signer: signer, Key: key, At: begin,
	}
	return issued{c, chip.Input{SOD: testkit.SOD(t, message.Sign(t)), DG1: dg1}}
}

type expect struct {
	outcome chip.Outcome
	facet   string
	code    string
}

func (e expect) check(t *testing.T, v chip.Verdict) {
	t.Helper()
	if v.Outcome != e.outcome || v.Facet(e.facet).Code != e.code {
		t.Errorf("%s, %s: %+v; want %+v", v.Outcome, e.facet, v.Facet(e.facet), e)
		for _, f := range v.Facets {
			t.Logf("%-10s %-14s %s %v", f.Name, f.Result, f.Code, f.Detail)
		}
	}
}

func files(t testing.TB, pattern string) []string {
	t.Helper()
	found, err := filepath.Glob(filepath.Join(testkit.Shared(t, "emrtd"), pattern))
	if err != nil {
		t.Fatal(err)
	}
	for i, f := range found {
		rel, err := filepath.Rel(testkit.Shared(t, "emrtd"), f)
		if err != nil {
			t.Fatal(err)
		}
		found[i] = "emrtd/" + filepath.ToSlash(rel)
	}
	return found
}
