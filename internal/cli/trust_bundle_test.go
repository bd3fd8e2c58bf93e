package cli_test

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"akashi/internal/cli"
	"akashi/internal/testkit"
)

// write is a file in a directory that may have to be made.
func write(t *testing.T, path string, content []byte) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, content, 0o600); err != nil {
		t.Fatal(err)
	}
}

func read(t *testing.T, path string) []byte {
	t.Helper()
	content, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return content
}

// runIn runs a command with a data directory that stays.
func runIn(t *testing.T, data string, args ...string) (status int, out, errs string) {
	t.Helper()
	var o, e bytes.Buffer
	status = cli.Run(t.Context(), args, strings.NewReader(""), &o, &e, adapters("AKASHI_DATA="+data))
	return status, o.String(), e.String()
}

// digestOf is how an operator names the bytes of a file.
func digestOf(t *testing.T, path string) string {
	t.Helper()
	digest := sha256.Sum256(read(t, path))
	return "sha256:" + hex.EncodeToString(digest[:])
}

// yellowCard is a code of the WHO's validator, and its verdict's status with the list of XCL.
func yellowCard(t *testing.T) string {
	t.Helper()
	var cases []struct{ ID, QR string }
	if err := json.Unmarshal(testkit.Read(t, "who/hcert/gdhcn-validator.json"), &cases); err != nil {
		t.Fatal(err)
	}
	for _, c := range cases {
		if c.ID == "DVCTest3QR" {
			return c.QR
		}
	}
	t.Fatal("no such code")
	return ""
}

// Issue 5, 3 and spec who-icvp-gdhcn, 11, point 8: a verifier's bundle is signed, its version
// only grows, its key is pinned; akashi verify and akashi trust import bundle take nothing else.
func TestTrustBundle(t *testing.T) {
	at := t.TempDir()
	v1, v2 := testkit.Shared(t, "who/trust/dev-v1-xcl.json"), testkit.Shared(t, "who/trust/v2_trustlist_PH4H_CHL.did.json")
	signer := testkit.Shared(t, "who/trust/who-dev-list-signing-key.did.json")
	xcl, chl, bundle := filepath.Join(at, "xcl"), filepath.Join(at, "chl"), filepath.Join(at, "bundle")
	must := func(args ...string) string {
		t.Helper()
		status, out, errs := run(t, "", args...)
		if status != 0 {
			t.Fatalf("%v: %d %s%s", args, status, out, errs)
		}
		return out + errs
	}
	curator := filepath.Join(at, "curator")
	export := func(args ...string) string {
		t.Helper()
		status, out, errs := runIn(t, curator, append([]string{"trust", "export"}, args...)...)
		if status != 0 {
			t.Fatalf("%v: %d %s%s", args, status, out, errs)
		}
		return out
	}
	must("trust", "import", "gdhcn", v1, "--pin", digestOf(t, v1), "--out", xcl)
	must("trust", "import", "gdhcn", v2, "--key", signer, "--out", chl)
	said := export("--from", xcl, "--from", chl, "--out", bundle)
	key := said[strings.LastIndex(said, "signed with ")+len("signed with "):]
	key = strings.TrimSpace(key)
	if show := must("trust", "show", bundle); !strings.Contains(show, "signed: version ") || !strings.Contains(show, "of XCL: 3") || !strings.Contains(show, "of CHL: 5") || !strings.Contains(show, "hc1_signers CHL: ") || !strings.Contains(show, " days old") || !strings.Contains(show, "age not stated") {
		t.Errorf("ok/show: %s", show)
	}
	if show := must("trust", "show", xcl); !strings.Contains(show, "not signed") {
		t.Errorf("ok/not signed: %s", show)
	}
	code := yellowCard(t)
	verify := func(trust string, more ...string) (int, string) {
		status, out, errs := run(t, code+"\n", append([]string{"verify", "--trust", trust, "--at", "2024-10-01T00:00:00Z", "-"}, more...)...)
		return status, out + errs
	}
	if status, out := verify(bundle, "--trust-key", key); status != 1 || !strings.Contains(out, "The signature is right") {
		t.Errorf("ok/verify: %d %s", status, out)
	}
	if status, out := verify(bundle, "--trust-key", strings.Replace(key, "/trust-bundle", "/evil", 1)); status != cli.UsageStatus || !strings.Contains(out, "another key") {
		t.Errorf("error/another key: %d %s", status, out)
	}

	first := filepath.Join(at, "first") // as a verifier got it once
	if err := os.CopyFS(first, os.DirFS(bundle)); err != nil {
		t.Fatal(err)
	}
	zip := filepath.Join(at, "bundle.zip")
	export("--from", xcl, "--from", chl, "--out", zip)
	if status, out := verify(zip); status != 1 || !strings.Contains(out, "The signature is right") || !strings.Contains(out, "pinned at its first use") && !strings.Contains(out, "is right") {
		t.Errorf("ok/one file: %d %s", status, out)
	}
	export("--from", xcl, "--from", chl, "--out", bundle) // a newer version
	if status, _ := verify(bundle + ".previous"); status != 1 {
		t.Errorf("ok/the one before is kept: %d", status)
	}

	own := filepath.Join(at, "verifier", "trust")
	if err := os.MkdirAll(filepath.Dir(own), 0o700); err != nil {
		t.Fatal(err)
	}
	must("trust", "import", "bundle", bundle, "--key", key, "--out", own)
	if status, _ := verify(own); status != 1 {
		t.Errorf("ok/imported: %d", status)
	}
	refused := func(name, want string, args ...string) {
		t.Helper()
		if status, out, errs := run(t, "", args...); status == 0 || !strings.Contains(out+errs, want) {
			t.Errorf("error/%s: %d %s%s", name, status, out, errs)
		}
		if status, out := verify(own); status != 1 || !strings.Contains(out, "The signature is right") {
			t.Errorf("error/%s: the good set is gone: %d %s", name, status, out)
		}
	}
	refused("an older version", "older than one seen", "trust", "import", "bundle", first, "--out", own)
	refused("not signed", "not signed", "trust", "import", "bundle", xcl, "--out", own)
	changed := filepath.Join(at, "changed")
	if err := os.CopyFS(changed, os.DirFS(bundle)); err != nil {
		t.Fatal(err)
	}
	write(t, filepath.Join(changed, "xcl", "health", "evil.der"), []byte("x"))
	refused("a file that nobody signed", "not what was signed", "trust", "import", "bundle", changed, "--out", own)
	if err := os.Remove(filepath.Join(changed, "xcl", "health", "evil.der")); err != nil {
		t.Fatal(err)
	}
	write(t, filepath.Join(changed, "xcl", "manifest.json"), append(read(t, filepath.Join(changed, "xcl", "manifest.json")), '\n'))
	refused("a changed file", "not what was signed", "trust", "import", "bundle", changed, "--out", own)
	half := filepath.Join(at, "half.zip")
	content := read(t, zip)
	write(t, half, content[:len(content)/2])
	refused("half a download", "neither a directory nor a zip", "trust", "import", "bundle", half, "--out", own)
	write(t, half, nil)
	refused("an empty download", "neither a directory nor a zip", "trust", "import", "bundle", half, "--out", own)

	// What lies where the verifier reads is put back, unsigned, or signed by another.
	replaced := func(name, want string, files string) {
		t.Helper()
		kept := own + ".kept"
		if err := os.Rename(own, kept); err != nil {
			t.Fatal(err)
		}
		if err := os.CopyFS(own, os.DirFS(files)); err != nil {
			t.Fatal(err)
		}
		if status, out := verify(own); status != cli.UsageStatus || !strings.Contains(out, want) {
			t.Errorf("error/%s in place of it: %d %s", name, status, out)
		}
		if err := os.RemoveAll(own); err != nil {
			t.Fatal(err)
		}
		if err := os.Rename(kept, own); err != nil {
			t.Fatal(err)
		}
	}
	replaced("the older version", "older than one seen", first)
	replaced("one that is not signed", "is not signed, but was", xcl)
	stranger := filepath.Join(at, "stranger")
	if status, _, errs := runIn(t, filepath.Join(at, "elsewhere"), "trust", "export", "--from", xcl, "--from", chl, "--out", stranger); status != 0 {
		t.Fatalf("another curator: %s", errs)
	}
	replaced("one of another key", "another key", stranger)
	refused("another key", "another key", "trust", "import", "bundle", stranger, "--out", own)

	export("--from", xcl, "--out", bundle)
	refused("fewer signers", "shrinks sharply (hc1_signers: 5 of 8 removed)", "trust", "import", "bundle", bundle, "--out", own)
	_, _, errs := run(t, "", "trust", "import", "bundle", bundle, "--out", own)
	must("trust", "import", "bundle", bundle, "--out", own, "--shrink", strings.TrimSpace(errs[strings.LastIndex(errs, "--shrink ")+len("--shrink "):]))
	if show := must("trust", "show", own); strings.Contains(show, "CHL") {
		t.Errorf("ok/approved: %s", show)
	}
}

// A list that is imported anew takes the place of the one before, which is kept; not an older
// one, and not one that shrinks without its digest being approved (spec who-icvp-gdhcn, 7).
func TestTrustRenew(t *testing.T) {
	at := t.TempDir()
	out := filepath.Join(at, "trust")
	list := func(name string) string { return testkit.Shared(t, "who/trust/"+name) }
	signer, chl, dsc, dcc := list("who-dev-list-signing-key.did.json"), list("v2_trustlist_PH4H_CHL.did.json"), list("v2_trustlist_PH4H_CHL_DSC.did.json"), list("v2_trustlist_DCC_XXU_DSC.did.json")
	try := func(file string, more ...string) (int, string) {
		status, said, errs := run(t, "", append([]string{"trust", "import", "gdhcn", file, "--key", signer, "--out", out}, more...)...)
		return status, said + errs
	}
	if status, said := try(chl); status != 0 {
		t.Fatal(said)
	}
	if status, said := try(dsc); status != 0 {
		t.Errorf("ok/ten seconds newer: %d %s", status, said)
	}
	if _, err := os.Stat(out + ".previous/manifest.json"); err != nil {
		t.Errorf("ok/the one before: %v", err)
	}
	if status, said := try(chl); status != 1 || !strings.Contains(said, "older than the one in use") {
		t.Errorf("error/older: %d %s", status, said)
	}
	if status, said := try(dcc); status != 1 || !strings.Contains(said, "shrinks sharply (hc1_signers: 5 of 5 removed)") || !strings.Contains(said, "--shrink "+digestOf(t, dcc)) {
		t.Errorf("error/shorter: %d %s", status, said)
	}
	if status, said := try(dcc, "--shrink", digestOf(t, chl)); status != 1 {
		t.Errorf("error/another digest: %d %s", status, said)
	}
	if status, said := try(dcc, "--shrink", digestOf(t, dcc)); status != 0 {
		t.Errorf("ok/approved: %d %s", status, said)
	}
	write(t, filepath.Join(at, "other", "x"), nil)
	if status, _, errs := run(t, "", "trust", "import", "gdhcn", chl, "--key", signer, "--out", filepath.Join(at, "other")); status != cli.UsageStatus || !strings.Contains(errs, "neither a new directory") {
		t.Errorf("error/a directory of something else: %d %s", status, errs)
	}
}

// Issue 5, 2: the sentences in one language, and what to do next.
func TestVerifyLanguage(t *testing.T) {
	at := t.TempDir()
	v1, trust := testkit.Shared(t, "who/trust/dev-v1-xcl.json"), filepath.Join(at, "xcl")
	if status, _, errs := run(t, "", "trust", "import", "gdhcn", v1, "--pin", digestOf(t, v1), "--out", trust); status != 0 {
		t.Fatal(errs)
	}
	code := yellowCard(t)
	for language, want := range map[string][]string{
		"fr": {"NON VALABLE", "La signature est correcte", "→ Examinez vous-même le contenu et décidez selon vos règles.", "Comparez le nom"},
		"en": {"NOT VALID", "The signature is right", "→ Look at the content yourself"}, "ja": {"無効", "電子署名は正しく", "→ 内容を人の目で"},
	} {
		_, out, errs := run(t, code+"\n", "verify", "--trust", trust, "--at", "2024-10-01T00:00:00Z", "--lang", language, "-")
		for _, text := range want {
			if !strings.Contains(out, text) {
				t.Errorf("ok/%s: no %q in %s%s", language, text, out, errs)
			}
		}
		if language == "fr" && strings.Contains(out, "signature is right") {
			t.Errorf("ok/fr: English in %s", out)
		}
	}
	if status, _, _ := run(t, code+"\n", "verify", "--trust", trust, "--lang", "de", "-"); status != cli.UsageStatus {
		t.Errorf("error/de: %d", status)
	}
}
