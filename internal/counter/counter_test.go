package counter

import (
	"crypto/sha256"
	"encoding/hex"
	"io/fs"
	"regexp"
	"slices"
	"strings"
	"testing"

	"akashi/certificate"
	"akashi/internal/actor"
	"akashi/internal/application"
	"akashi/internal/issuance"
	"akashi/internal/office"
	"akashi/internal/vaccination"
	"akashi/internal/watch"
)

var used = regexp.MustCompile(`\b(?:t|ja|en|named) "([^"]+)"( [$.(])?|"(?:label|hint|title|prefix)" "([^"]+)"`)

// Every text of the pages is there in both languages, and each is used.
func TestWords(t *testing.T) {
	seen, prefixes := map[string]bool{}, []string{}
	var names []string
	err := fs.WalkDir(files, "pages", func(name string, d fs.DirEntry, err error) error {
		if !d.IsDir() {
			names = append(names, name)
		}
		return err
	})
	if err != nil || len(names) < 6 {
		t.Fatal(names, err)
	}
	for _, name := range names {
		b, err := files.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		for _, m := range used.FindAllStringSubmatch(string(b), -1) {
			switch key := m[1] + m[3]; {
			case (m[2] != "" || m[3] != "") && strings.HasSuffix(key, "."):
				prefixes = append(prefixes, key)
			case words[key][0] == "":
				t.Errorf("error/%s: no words for %q", name, key)
			default:
				seen[key] = true
			}
		}
	}
	for key, w := range words {
		if w[0] == "" || w[1] == "" {
			t.Errorf("error/%s: %q", key, w)
		}
		if !seen[key] && !slices.ContainsFunc(prefixes, func(p string) bool { return strings.HasPrefix(key, p) }) {
			t.Errorf("error/nothing uses %q", key)
		}
	}
}

// Whatever the service can say of an application or a certificate has its words.
func TestWordsOfTheDomain(t *testing.T) {
	need := func(prefix string, values ...string) {
		for _, v := range values {
			if words[prefix+v][0] == "" {
				t.Errorf("error/no words for %q", prefix+v)
			}
		}
	}
	for _, s := range application.States() {
		need("state.", string(s))
	}
	for _, p := range Pages() {
		need("title.", p)
	}
	relationships, proofs, documents := application.Choices()
	need("relationship.", relationships...)
	need("proof.", proofs...)
	need("document.", documents...)
	reissue, revoke := issuance.Reasons()
	need("why.", append(reissue, revoke...)...)
	need("certificate.", string(issuance.Prepared), string(issuance.Issued), string(issuance.Superseded), string(issuance.Revoked), string(issuance.Failed))
	for _, c := range issuance.Changes() {
		need("changed.", string(c))
	}
	need("weight.", string(application.Supply), string(application.Confirm), string(application.Override), string(application.Final))
	need("waits.", string(application.ByApplicant), string(application.ByClerk), string(application.ByApprover))
	need("channel.", string(application.Counter), string(application.Mail), string(application.App))
	need("severity.", string(vaccination.Block), string(vaccination.Warning))
	need("sex.", string(vaccination.SexUnknown), string(vaccination.Male), string(vaccination.Female), string(vaccination.SexNotApplicable), "M", "F", "X")
	for _, code := range vaccination.EvidenceCodes() {
		need("fits.", agreement(code))
	}
	need("certainty.", string(vaccination.Exact), string(vaccination.Loose), string(vaccination.Candidate))
	for _, k := range office.Kinds() {
		need("act.", string(k))
		need("does.", string(k))
	}
	for _, r := range office.Roles() {
		need("role.", string(r))
	}
	need("account-state.", string(office.NewAccount), string(office.ActiveAccount), string(office.SuspendedAccount), string(office.LockedAccount))
	need("rule.", string(office.NumberWhenNeeded), string(office.NumberWithApplication))
	for _, p := range []string{"alert.", "alert-about.", "alert-do."} {
		need(p, watch.Kinds...)
	}
	need("purpose.", string(actor.Certificate), string(actor.Import), string(actor.Verify), string(actor.Operate), string(actor.Audit))
	need("evidence.", vaccination.EvidenceCodes()...)
	for _, k := range certificate.Kinds() {
		for _, prefix := range []string{"kind.", "handover.reading.", "handover.check."} {
			need(prefix, string(k))
		}
		for _, f := range k.Families() {
			need("family.", string(f))
		}
		if certificate.International == k {
			need("programme.", application.Programmes(k)...)
		}
	}
	need("family.", string(certificate.DCC))
	need("compare.", issuance.Fields...)
	need("differs.", issuance.Differences()...)
	need("mark.", string(issuance.Same), string(issuance.Explained), string(issuance.Differs), string(issuance.Alone))
	need("sex.", string(certificate.Male), string(certificate.Female), string(certificate.Other), string(certificate.Unknown))
	for o := vaccination.Unavailable; o <= vaccination.Ambiguous; o++ {
		need("record.", o.String())
	}
}

// htmx is the very file that docs/adr/0029-pages.md names.
func TestHTMX(t *testing.T) {
	b, err := Asset("htmx.min.js")
	if sum := sha256.Sum256(b); err != nil || hex.EncodeToString(sum[:]) != "a0abb04f2f45a1f89d1d4844023245537e5e6014c87b144553e0607b4cc32130" {
		t.Errorf("%x %v", sum, err)
	}
}

// The address of the font tells which file it is, and the styles know it.
func TestNameFont(t *testing.T) {
	b, err := Asset(NameFont)
	if sum := sha256.Sum256(b); err != nil || NameFont != "names-"+hex.EncodeToString(sum[:4])+".ttf" {
		t.Errorf("%x %v", sum, err)
	}
	if css, err := Asset("counter.css"); err != nil || !strings.Contains(string(css), "url(/assets/"+NameFont+")") {
		t.Errorf("ok/styles: %v", err)
	}
}

// Names are printed as written (design.md 4, 10): a name is shown as it was entered, byte for byte; the font for names comes
// with a page that holds rare characters, and with no other.
func TestRareCharacters(t *testing.T) {
	for name, want := range map[string]bool{
		"桜井": false, "髙橋": false, "か\u3099": false, "𠮷野": true, "葛\U000E0100城": true, "﨑本": true, "芦\uFE00": true,
	} {
		b, err := Render("message", Frame{User: "u", Name: name, May: map[string]bool{}}, struct{ Back string }{"/counter"})
		if err != nil || strings.Contains(string(b), rareRoot) != want || !strings.Contains(string(b), plainRoot[:5]) || !strings.Contains(string(b), name) && name != "" {
			t.Errorf("%q: %v %s", name, err, b[:60])
		}
	}
}

// A value is shown as it is and is never markup.
func TestRender(t *testing.T) {
	f := Frame{User: "u", Name: `<b>"桜井"`, May: map[string]bool{}, Said: &Said{JA: "<script>", Kind: "error"}}
	b, err := Render("message", f, struct{ Back string }{"/counter"})
	if err != nil {
		t.Fatal(err)
	}
	for _, raw := range []string{"<b>", "<script>"} {
		if strings.Contains(string(b), raw+`"`) || strings.Count(string(b), "<script>") > 0 {
			t.Errorf("error/%s is markup", raw)
		}
	}
	if !strings.Contains(string(b), "&lt;script&gt;") {
		t.Error("ok/what was said is missing")
	}
	if _, err := Render("nowhere", f, nil); err == nil {
		t.Error("error/a page that does not exist")
	}
}
