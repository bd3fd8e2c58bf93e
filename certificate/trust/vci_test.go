package trust

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/rand"
	"crypto/sha512"
	"encoding/pem"
	"errors"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"akashi/internal/testkit"
)

type vciFiles struct{ snapshot, signature, certificate []byte }

func readVCI(t *testing.T) vciFiles {
	t.Helper()
	read := func(kind string) []byte { return testkit.Read(t, "shc/vci/vci_snapshot."+kind) }
	return vciFiles{read("json"), read("sig"), read("crt")}
}

// Spec smart-health-cards, 9 and 12: the whole trust list, and again after it was
// written as a trust directory.
func TestImportVCI(t *testing.T) {
	files := readVCI(t)
	b, report, err := ImportVCI(files.snapshot, files.signature, files.certificate)
	if err != nil {
		t.Fatal(err)
	}
	for _, p := range report { // Yukon's six keys and two more
		if !strings.HasSuffix(p.Code, ": chain_names_another_issuer") {
			t.Errorf("%s: %s", p.Source, p.Code)
		}
	}
	if len(report) != 8 {
		t.Errorf("%d problems, want 8", len(report))
	}
	checkVCI(t, b)
	dir := t.TempDir()
	if err := b.Write(dir); err != nil {
		t.Fatal(err)
	}
	again, report, err := Load(os.DirFS(dir))
	if err != nil || len(report) > 0 {
		t.Fatal(report, err)
	}
	checkVCI(t, again)
}

func checkVCI(t *testing.T, b *Bundle) {
	t.Helper()
	keys, chains, lists, entries, holders := 0, 0, 0, 0, map[string]int{}
	for _, i := range b.issuers {
		keys += len(i.keys)
		for kid, k := range i.keys {
			holders[kid]++
			if len(k.Chain) > 0 {
				chains++
			}
			if (k.ListVersion > 0) != (i.lists[kid] != nil) {
				t.Errorf("key %s: list and version do not agree", kid)
			}
		}
		for _, l := range i.lists {
			lists++
			entries = max(entries, l.Len())
		}
	}
	shared := 0
	for _, n := range holders {
		if n > 1 {
			shared++
		}
	}
	if len(b.issuers) != 651 || keys != 961 || shared != 46 || chains != 3 || lists != 6 || entries != 771 {
		t.Errorf("%d issuers, %d keys, %d shared, %d chains, %d lists, %d entries in the longest",
			len(b.issuers), keys, shared, chains, lists, entries)
	}
	if want := time.Date(2026, 8, 22, 4, 43, 50, 0, time.UTC); !b.MadeAt().Equal(want) {
		t.Errorf("made at %s", b.MadeAt())
	}
	if l := b.CardList("https://www.hss.gov.nt.ca/covax", "8C-9TNgyGuOqc-3FXyNRq6m5U9S1wyhCS1TvpgjzkoU"); l == nil || l.Counter != 1 {
		t.Error("list with its counter as text was not taken")
	}
}

// One flipped byte of any of the three files fails.
func TestImportVCIErrors(t *testing.T) {
	files := readVCI(t)
	flip := func(b []byte, at int) []byte {
		b = bytes.Clone(b)
		b[at] ^= 1
		return b
	}
	block, _ := pem.Decode(files.certificate)
	other := newState(t, "UT")
	for name, c := range map[string]struct {
		files     vciFiles
		notSigned bool
	}{
		"error/first byte":          {vciFiles{flip(files.snapshot, 0), files.signature, files.certificate}, true},
		"error/middle byte":         {vciFiles{flip(files.snapshot, len(files.snapshot)/2), files.signature, files.certificate}, true},
		"error/last byte":           {vciFiles{flip(files.snapshot, len(files.snapshot)-1), files.signature, files.certificate}, true},
		"error/line break more":     {vciFiles{append(bytes.Clone(files.snapshot), '\n'), files.signature, files.certificate}, true},
		"error/signature":           {vciFiles{files.snapshot, flip(files.signature, 20), files.certificate}, true},
		"error/no signature":        {vciFiles{files.snapshot, nil, files.certificate}, true},
		"error/another certificate": {vciFiles{files.snapshot, files.signature, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: other.dsc})}, true},
		"error/certificate in DER":  {vciFiles{files.snapshot, files.signature, block.Bytes}, false},
		"error/two certificates":    {vciFiles{files.snapshot, files.signature, append(bytes.Clone(files.certificate), files.certificate...)}, false},
		"error/too large":           {vciFiles{make([]byte, maxFile+1), files.signature, files.certificate}, false},
	} {
		t.Run(name, func(t *testing.T) {
			b, _, err := ImportVCI(c.files.snapshot, c.files.signature, c.files.certificate)
			if err == nil || b != nil || errors.Is(err, ErrNotSigned) != c.notSigned {
				t.Errorf("got %v", err)
			}
		})
	}
}

// L-20: reports repeat the name of an issuer for each of its keys and lists.
func TestSnapshotWork(t *testing.T) {
	ut := newState(t, "UT")
	take := func(content string) (*Bundle, Report, error) {
		digest := sha512.Sum512([]byte(content))
		signature, err := ecdsa.SignASN1(rand.Reader, ut.key, digest[:])
		if err != nil {
			t.Fatal(err)
		}
		return ImportVCI([]byte(content), signature, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: ut.csca}))
	}
	snapshot := func(iss, lists string) string {
		return `{"time":"` + now.Format(time.RFC3339) + `","issuerInfo":[{"issuer":{"iss":"https://a.example"},"keys":[]},{"issuer":{"iss":"` + iss + `"},"keys":[],"crls":[` + lists + `0]}]}`
	}
	if b, report, err := take(snapshot("https://"+strings.Repeat("b", maxName), "0,")); err != nil || !slices.Equal(report, Report{{"issuer 1", "name_too_long"}}) || !slices.Equal(b.Issuers(), []string{"https://a.example"}) {
		t.Errorf("error/a long name: %v", err)
	}
	if b, _, err := take(snapshot("https://b.example", strings.Repeat("0,", maxEntries))); err == nil || b != nil {
		t.Error("error/lists")
	}
	if _, _, err := take(snapshot("https://b.example", strings.Repeat("0,", MaxCardList))); !errors.Is(err, errTooLarge) {
		t.Errorf("error/values: %v", err)
	}
}
