package trust

import (
	"errors"
	"math/big"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"akashi/internal/testkit"
	"akashi/signing"
)

// published signs a master list of authorities as a publisher does.
func published(t *testing.T, by *testkit.Country, at time.Time, of ...*testkit.Country) []byte {
	t.Helper()
	var certificates [][]byte
	for _, c := range of {
		certificates = append(certificates, c.Certificate)
	}
	signer, key := by.MasterListSigner()
	return testkit.Message{Type: testkit.MasterListType, Content: testkit.MasterList(t, certificates...), Signer: signer, Key: key, At: at}.Sign(t)
}

// Issue 5, 3: an authority that a newer list of the same source no longer has ends, and is named;
// what the operator gave, or another list has, stays. An older list brings nothing back.
func TestMasterListRenewed(t *testing.T) {
	country := map[string]*testkit.Country{}
	for _, code := range []string{"DE", "FR", "JP", "SE", "IT", "NL"} {
		country[code] = testkit.NewCountry(t, code, begin, end)
	}
	de, fr, jp, se, it := country["DE"], country["FR"], country["JP"], country["SE"], country["IT"]
	day := func(n int) time.Time { return now.AddDate(0, 0, n).UTC() }
	taken := func(content []byte, label string, held *Bundle) *Bundle {
		t.Helper()
		b, report, err := ImportMasterList(MasterList{Content: content, Label: label}, held, now)
		if err != nil || len(report) > 0 {
			t.Fatal(err, report)
		}
		return b
	}
	states := func(b *Bundle) (codes string) {
		for _, s := range b.States() {
			codes += s.Code + " "
		}
		return strings.TrimSpace(codes)
	}
	first := published(t, de, day(-3), fr, jp, se, it)
	held := taken(first, "", holding(t, de.Certificate, fr.Certificate))
	held = taken(published(t, fr, day(-4), it), "", held)
	held, _, err := ImportCRL(filesOf(jp.CRL(1, day(-2), day(30)), se.CRL(1, day(-2), day(30), big.NewInt(7))), held, now)
	if err != nil || states(held) != "D FRA ITA JPN SWE" {
		t.Fatal(err, states(held))
	}
	dir := filepath.Join(t.TempDir(), "trust") // who brought what is kept
	if err := held.Write(dir); err != nil {
		t.Fatal(err)
	}
	held, report, err := Load(os.DirFS(dir))
	if err != nil || len(report) > 0 {
		t.Fatal(err, report)
	}

	newer := taken(published(t, de, day(-1), jp), "", held)
	if got := states(newer); got != "D FRA ITA JPN" { // FR given and DE too, IT on the list of FR
		t.Errorf("ok/states: %s", got)
	}
	var ended []string
	for _, r := range newer.Removed(held) {
		ended = append(ended, r.Kind+" "+r.Name[:2])
	}
	if !slices.Equal(ended, []string{"crl SE", "csca SE"}) || !strings.Contains(newer.Removed(held)[1].Name, "SE sha256:"+pinOf(se.Certificate)) {
		t.Errorf("ok/named: %v", newer.Removed(held))
	}
	if len(newer.CRLs(parse(t, jp.Certificate))) != 1 {
		t.Error("ok/the list of an authority that stays")
	}
	if got := newer.Shrunk(held); len(got) == 0 || !slices.Contains(got, Shrinkage{"csca of the list D", 4, 3}) {
		t.Errorf("ok/of that list much ends at once: %v", got)
	}
	ages := map[string]time.Time{}
	for _, e := range newer.Entries() {
		if e.Kind == KindMasterList {
			ages[e.Name] = e.At
		}
	}
	if len(ages) != 2 || !ages["D"].Equal(day(-1)) || !ages["FRA"].Equal(day(-4)) {
		t.Errorf("ok/ages: %v", ages)
	}

	if b, _, err := ImportMasterList(MasterList{Content: first}, newer, now); !errors.Is(err, ErrOlderList) || b != nil {
		t.Errorf("error/older: %v", err)
	}
	if b, _, err := ImportMasterList(MasterList{Content: first, Digest: pinOf(first)}, newer, now); !errors.Is(err, ErrOlderList) || b != nil {
		t.Errorf("error/older, approved: %v", err)
	}
	again := taken(published(t, de, day(-1), jp), "", newer)
	if got := again.Removed(newer); got != nil || states(again) != states(newer) {
		t.Errorf("ok/the same again: %v", got)
	}
	if got := states(taken(published(t, de, day(0), se), "health", newer)); got != "D FRA ITA JPN SWE" {
		t.Errorf("ok/another list of the same state: %s", got)
	}
	if b, _, err := ImportMasterList(MasterList{Content: published(t, de, day(0))}, newer, now); !errors.Is(err, ErrNothingTaken) || b != nil {
		t.Errorf("error/empty: %v", err)
	}
	if states(held) != "D FRA ITA JPN SWE" {
		t.Error("what was held has changed")
	}
}

// Spec who-icvp-gdhcn, 7: a list that shrinks sharply, or is another one altogether.
func TestShrunk(t *testing.T) {
	five, _, err := ImportGDHCN(document(t, "v2_trustlist_PH4H_CHL.did.json"))
	if err != nil {
		t.Fatal(err)
	}
	three, _, err := ImportGDHCN(document(t, "dev-v1-xcl.json"))
	if err != nil {
		t.Fatal(err)
	}
	var certificates [][]byte
	for _, code := range []string{"DE", "FR", "JP", "SE", "IT", "NL"} {
		certificates = append(certificates, testkit.NewCountry(t, code, begin, end).Certificate)
	}
	six := holding(t, certificates...)
	for name, c := range map[string]struct {
		new, old *Bundle
		want     []Shrinkage
	}{
		"ok/the same":            {five, five, nil},
		"ok/from nothing":        {five, &Bundle{}, nil},
		"ok/one of six":          {holding(t, certificates[1:]...), six, nil},
		"ok/more":                {six, holding(t, certificates[1:]...), nil},
		"error/one of five":      {holding(t, certificates[2:]...), holding(t, certificates[1:]...), []Shrinkage{{KindAuthority, 5, 1}}},
		"error/another list":     {five, three, []Shrinkage{{KindSigners, 3, 3}}},
		"error/everything":       {&Bundle{}, five, []Shrinkage{{KindSigners, 5, 5}}},
		"error/a fifth replaced": {holding(t, append(certificates[2:], testkit.NewCountry(t, "DK", begin, end).Certificate, testkit.NewCountry(t, "NO", begin, end).Certificate)...), six, []Shrinkage{{KindAuthority, 6, 2}}},
	} {
		t.Run(name, func(t *testing.T) {
			if got := c.new.Shrunk(c.old); !slices.Equal(got, c.want) {
				t.Errorf("%v, want %v", got, c.want)
			}
			if got := len(c.new.Removed(c.old)); (got == 0) != (len(c.want) == 0) && name != "ok/one of six" {
				t.Errorf("%d removed", got)
			}
		})
	}
}

// Issue 5, 3: a key that a newer list leaves out is named, and one of an issuer that has ended not besides.
func TestRemovedKeys(t *testing.T) {
	bundle := func(issuers map[string][]string) *Bundle {
		b := &Bundle{issuers: map[string]issuer{}}
		for iss, kids := range issuers {
			of := issuer{keys: map[string]signing.PublicJWK{}, lists: map[string]*CardList{kids[0]: {}}}
			for _, kid := range kids {
				of.keys[kid] = signing.PublicJWK{}
			}
			b.issuers[iss] = of
		}
		return b
	}
	old := bundle(map[string][]string{"https://a.example": {"1", "2"}, "https://b.example": {"3", "4"}})
	got := bundle(map[string][]string{"https://a.example": {"2"}}).Removed(old)
	want := []Removal{{KindCardList, "https://a.example 1"}, {KindIssuer, "https://b.example"}, {KindIssuerKey, "https://a.example 1"}}
	if !slices.Equal(got, want) {
		t.Errorf("%v, want %v", got, want)
	}
}
