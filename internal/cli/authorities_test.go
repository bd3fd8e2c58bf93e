package cli_test

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"math/big"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"akashi/internal/cli"
	"akashi/internal/testkit"
)

// Issue 5, 3: authorities from files, from a master list that one of them proves, and their
// revocation lists; each step makes a new directory of what the last one holds.
func TestTrustImportAuthorities(t *testing.T) {
	now := time.Now()
	begin, end := now.AddDate(-1, 0, 0), now.AddDate(9, 0, 0)
	publisher, japan := testkit.NewCountry(t, "DE", begin, end), testkit.NewCountry(t, "JP", begin, end)
	signer, key := publisher.MasterListSigner()
	list := testkit.Message{Type: testkit.MasterListType, Content: testkit.MasterList(t, japan.Certificate, []byte{0x30, 0}), Signer: signer, Key: key, At: now}.Sign(t)
	tampered := append([]byte{}, list...)
	tampered[len(tampered)-1] ^= 1
	dir := t.TempDir()
	path := func(name string) string { return filepath.Join(dir, name) }
	for name, content := range map[string][]byte{
		"de.der": publisher.Certificate, "list.ml": list, "tampered.ml": tampered, "text": []byte("text"),
		"1.crl": japan.CRL(1, now.AddDate(0, 0, -2), now.AddDate(0, 1, 0)), "2.crl": japan.CRL(2, now.AddDate(0, 0, -1), now.AddDate(0, 1, 0), big.NewInt(1)),
	} {
		if err := os.WriteFile(path(name), content, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	digest := sha256.Sum256(tampered)
	pin := hex.EncodeToString(digest[:])
	ok := func(wants []string, args ...string) {
		t.Helper()
		status, out, errs := run(t, "", append([]string{"trust", "import"}, args...)...)
		if status != 0 {
			t.Fatalf("%v: %d %s%s", args, status, out, errs)
		}
		for _, want := range wants {
			if !strings.Contains(out, want) {
				t.Errorf("%v: no %q in\n%s", args, want, out)
			}
		}
	}
	ok([]string{"country authorities of D: 1, revocation lists: 0"}, "csca", path("de.der"), "--out", path("a"))
	ok([]string{"authorities of JPN: 1", "certificate 1: malformed"}, "masterlist", path("list.ml"), "--trust", path("a"), "--out", path("b"))
	ok([]string{"authorities of D: 1", "authorities of JPN: 1, revocation lists: 1"}, "crl", path("2.crl"), "--trust", path("b"), "--out", path("c"))
	ok([]string{"authorities of JPN: 1", "proof: signature_wrong"}, "masterlist", path("tampered.ml"), "--pin", "sha256:"+pin, "--out", path("d"))
	for name, c := range map[string]struct {
		status int
		says   string
		args   []string
	}{
		"a list without its authority":  {1, "no_authority", []string{"masterlist", path("list.ml")}},
		"a list that was changed":       {1, "signature_wrong", []string{"masterlist", path("tampered.ml"), "--trust", path("a")}},
		"another digest":                {1, "digest", []string{"masterlist", path("list.ml"), "--pin", "sha256:" + pin, "--trust", path("a")}},
		"no list":                       {1, "malformed", []string{"masterlist", path("text"), "--trust", path("a")}},
		"two lists":                     {cli.UsageStatus, "takes", []string{"masterlist", path("list.ml"), path("list.ml")}},
		"an older revocation list":      {1, "older", []string{"crl", path("1.crl"), "--trust", path("c")}},
		"the same revocation list":      {1, "held_already", []string{"crl", path("2.crl"), "--trust", path("c")}},
		"a stranger's revocation list":  {1, "no_authority", []string{"crl", path("2.crl"), "--trust", path("a")}},
		"a revocation list for nobody":  {1, "no_authority", []string{"crl", path("2.crl")}},
		"an authority that is none":     {1, "malformed", []string{"csca", path("text")}},
		"a file that is not there":      {1, "no such file", []string{"csca", path("none")}},
		"no file":                       {cli.UsageStatus, "takes", []string{"crl"}},
		"a directory that is not there": {cli.UsageStatus, "trust directory", []string{"csca", path("de.der"), "--trust", path("none")}},
	} {
		status, out, errs := run(t, "", append(append([]string{"trust", "import"}, c.args...), "--out", path("no"))...)
		if status != c.status || !strings.Contains(out+errs, c.says) {
			t.Errorf("error/%s: %d %s%s", name, status, out, errs)
		}
		if _, err := os.Stat(path("no")); !errors.Is(err, os.ErrNotExist) {
			t.Errorf("error/%s: something was written", name)
		}
	}
	crls, err := filepath.Glob(path("c/crl/*.crl"))
	if err != nil || len(crls) != 1 {
		t.Fatal(crls, err)
	}
	if err := os.Remove(crls[0]); err != nil {
		t.Fatal(err)
	}
	if status, _, _ := run(t, "", "trust", "import", "csca", path("de.der"), "--trust", path("c"), "--out", path("no")); status != 1 {
		t.Errorf("error/a directory with a part missing was taken for whole: %d", status)
	}
}

// Issue 5, 3: a newer master list ends the authorities that it no longer has and names them; where
// that is a fifth of them or more, also in a new directory, its digest has to be approved.
func TestTrustMasterListRenewed(t *testing.T) {
	now := time.Now()
	begin, end := now.AddDate(-1, 0, 0), now.AddDate(9, 0, 0)
	publisher := testkit.NewCountry(t, "DE", begin, end)
	var authorities [][]byte
	for _, code := range []string{"SE", "FR", "IT", "JP", "NL", "DK"} {
		authorities = append(authorities, testkit.NewCountry(t, code, begin, end).Certificate)
	}
	dir := t.TempDir()
	path := func(name string) string { return filepath.Join(dir, name) }
	signer, key := publisher.MasterListSigner()
	write(t, path("de.der"), publisher.Certificate)
	for i, list := range [][][]byte{authorities, authorities[1:], authorities[3:]} {
		m := testkit.Message{Type: testkit.MasterListType, Content: testkit.MasterList(t, list...), Signer: signer, Key: key, At: now.AddDate(0, 0, i-3)}
		write(t, path(fmt.Sprint(i, ".ml")), m.Sign(t))
	}
	take := func(list, from, to string, more ...string) (int, string) {
		t.Helper()
		status, said, errs := run(t, "", append([]string{"trust", "import", "masterlist", path(list), "--trust", path(from), "--out", path(to)}, more...)...)
		return status, said + errs
	}
	if status, _, errs := run(t, "", "trust", "import", "csca", path("de.der"), "--out", path("anchors")); status != 0 {
		t.Fatal(errs)
	}
	if status, said := take("0.ml", "anchors", "states"); status != 0 || strings.Contains(said, "no longer") {
		t.Fatal(said)
	}
	if status, said := take("1.ml", "states", "states"); status != 0 || !strings.Contains(said, "no longer listed: csca SE sha256:") || strings.Contains(said, "authorities of SWE") {
		t.Errorf("ok/one of six ends: %d %s", status, said)
	}
	for _, out := range []string{"states", "elsewhere"} {
		if status, said := take("2.ml", "states", out); status != 1 || !strings.Contains(said, "csca of the list D: 2 of 5 removed") || !strings.Contains(said, "csca FR") {
			t.Errorf("error/many end, to %s: %d %s", out, status, said)
		}
	}
	if status, said, _ := run(t, "", "trust", "show", path("states")); status != 0 || !strings.Contains(said, "authorities of FRA: 1") || !strings.Contains(said, "master_list D: ") {
		t.Errorf("ok/kept: %s", said)
	}
	if status, said := take("2.ml", "states", "states", "--shrink", digestOf(t, path("2.ml"))); status != 0 || strings.Contains(said, "authorities of FRA") {
		t.Errorf("ok/approved: %d %s", status, said)
	}
	if status, said := take("1.ml", "states", "states"); status != 1 || !strings.Contains(said, "newer list of this source is held") {
		t.Errorf("error/older: %d %s", status, said)
	}
}
