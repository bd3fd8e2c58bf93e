package trust

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha256"
	"crypto/x509"
	"encoding/json"
	"fmt"
	"io/fs"
	"math/big"
	"os"
	"path/filepath"
	"slices"
	"testing"
	"testing/fstest"
	"time"

	"github.com/google/go-cmp/cmp"

	"akashi/internal/testkit"
	"akashi/signing"
	"akashi/signing/pki"
)

var now = time.Date(2026, 6, 1, 0, 0, 0, 0, time.UTC)

func newKey(t testing.TB) *ecdsa.PrivateKey {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	return key
}

func shcKey(t testing.TB, issuer string, key *ecdsa.PrivateKey, state signing.State) signing.Key {
	t.Helper()
	public, err := x509.MarshalPKIXPublicKey(&key.PublicKey)
	if err != nil {
		t.Fatal(err)
	}
	return signing.Key{
		ID: signing.Thumbprint(&key.PublicKey), Purpose: signing.SHC, Issuer: issuer,
		Algorithm: signing.ES256, Public: public, State: state,
	}
}

// state is a country: its authority, one signer and an empty list.
type state struct {
	key             *ecdsa.PrivateKey
	csca, dsc, list []byte
}

func newState(t testing.TB, country string) state {
	t.Helper()
	s := state{key: newKey(t)}
	var err error
	must := func(step string) {
		t.Helper()
		if err != nil {
			t.Fatal(step, err)
		}
	}
	s.csca, err = pki.CreateAuthority(pki.AuthorityTemplate{
		Country: country, CommonName: "CSCA", NotBefore: now.AddDate(-1, 0, 0), NotAfter: now.AddDate(5, 0, 0),
	}, s.key)
	must("authority")
	s.dsc, err = pki.CreateBarcodeSigner(pki.SignerTemplate{
		Country: country, CommonName: "BC", NotBefore: now.AddDate(-1, 0, 0), NotAfter: now.AddDate(5, 0, 0),
		Serial: big.NewInt(7),
	}, &newKey(t).PublicKey, s.csca, s.key)
	must("signer")
	s.list, err = pki.CreateCRL(s.csca, s.key, 1, nil, now.AddDate(0, 0, -1), now.AddDate(0, 0, 30))
	must("list")
	return s
}

func (s state) keys() []signing.Key {
	return []signing.Key{
		{ID: "authority", Purpose: signing.Authority, Certificate: s.csca, State: signing.Active},
		{ID: "signer", Purpose: signing.VDSNC, Certificate: s.dsc, State: signing.Active},
	}
}

func parse(t testing.TB, der []byte) *pki.Certificate {
	t.Helper()
	c, err := pki.ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// Spec smart-health-cards, 4: announced and retired keys verify, compromised ones do not.
func TestFromKeys(t *testing.T) {
	const iss = "https://issuer.example"
	ut := newState(t, "UT")
	keys := ut.keys()
	want := map[signing.State]bool{
		signing.Announced: true, signing.Active: true, signing.Retired: true, signing.Compromised: false,
	}
	for s := range want {
		keys = append(keys, shcKey(t, iss, newKey(t), s))
	}
	b, err := FromKeys(keys, [][]byte{ut.list}, now)
	if err != nil {
		t.Fatal(err)
	}
	for _, k := range keys[2:] {
		if _, ok := b.Key(iss, k.ID); ok != want[k.State] {
			t.Errorf("%s key found: %t", k.State, ok)
		}
		if bytes.Contains(b.JWKS(iss), []byte(k.ID)) != want[k.State] {
			t.Errorf("%s key in the key set: not %t", k.State, want[k.State])
		}
	}
	signer := parse(t, ut.dsc)
	authority, err := pki.FindAuthority(signer, b.Authorities(signer))
	if err != nil {
		t.Fatal(err)
	}
	if n := len(b.CRLs(authority)); n != 1 {
		t.Errorf("%d lists", n)
	}
	if len(b.Signers()) != 1 || !b.MadeAt().Equal(now) || !slices.Equal(b.Issuers(), []string{iss}) {
		t.Errorf("signers %d, made %s, issuers %v", len(b.Signers()), b.MadeAt(), b.Issuers())
	}

	keys[0].State, keys[1].State = signing.Compromised, signing.Compromised
	b, err = FromKeys(keys, nil, now)
	if err != nil || len(b.Authorities(signer)) != 0 || len(b.Signers()) != 0 {
		t.Errorf("compromised authority or signer is trusted: %v", err)
	}
	if _, err := FromKeys(ut.keys(), [][]byte{newState(t, "UT").list}, now); err == nil {
		t.Error("list of a stranger taken")
	}
	if _, err := FromKeys([]signing.Key{{ID: "x", Purpose: signing.Authority, State: signing.Active}}, nil, now); err == nil {
		t.Error("authority without certificate taken")
	}
}

func TestTestIdentity(t *testing.T) {
	dir := t.TempDir()
	if err := os.Chmod(dir, 0o700); err != nil {
		t.Fatal(err)
	}
	keys, err := signing.MakeTestIdentity(dir, now)
	if err != nil {
		t.Fatal(err)
	}
	crl, err := os.ReadFile(filepath.Join(dir, signing.CRLFile))
	if err != nil {
		t.Fatal(err)
	}
	b, err := FromKeys(keys, [][]byte{crl}, now)
	if err != nil {
		t.Fatal(err)
	}
	if len(b.issuers) != 1 || len(b.authorities) != 1 || len(b.signers) != 1 || len(b.lists) != 1 {
		t.Errorf("issuers %d, authorities %d, signers %d, lists %d", len(b.issuers), len(b.authorities), len(b.signers), len(b.lists))
	}
	if !IsTest(b.Issuers()[0]) {
		t.Error("not a test issuer")
	}
	dsc := keys[3]
	digest := sha256.Sum256(dsc.Certificate)
	found := b.HealthSigners(digest[:8]) // eu-dcc, 6
	if len(found) != 1 || !found[0].Of("UTO") || !found[0].Of("UT") || !b.HasParticipant("UTO") || !slices.Contains(b.KeyIDs(), dsc.ID) {
		t.Errorf("ok/signer of HC1 codes: %+v", found)
	}
	dsc.State = signing.Compromised
	if b, err := FromKeys(append(slices.Clone(keys[:3]), dsc), [][]byte{crl}, now); err != nil || len(b.HealthSigners(digest[:8])) != 0 {
		t.Error("error/compromised: still listed")
	}
}

// S-066, L-12: one key id under two issuers; each look-up names its issuer.
func TestKey(t *testing.T) {
	shared, own := newKey(t), newKey(t)
	b, err := FromKeys([]signing.Key{
		shcKey(t, "https://a.example", shared, signing.Active),
		shcKey(t, "https://b.example", shared, signing.Active),
		shcKey(t, "https://b.example", own, signing.Active),
	}, nil, now)
	if err != nil {
		t.Fatal(err)
	}
	id, ownID := signing.Thumbprint(&shared.PublicKey), signing.Thumbprint(&own.PublicKey)
	for _, c := range []struct {
		name, iss, kid string
		want           bool
	}{
		{"ok/shared by a", "https://a.example", id, true},
		{"ok/shared by b", "https://b.example", id, true},
		{"ok/own of b", "https://b.example", ownID, true},
		{"error/key of b under a", "https://a.example", ownID, false},
		{"error/issuer in capitals", "https://A.example", id, false},
		{"error/stranger", "https://a.example.invalid", id, false},
		{"error/no issuer", "", id, false},
	} {
		t.Run(c.name, func(t *testing.T) {
			if _, ok := b.Key(c.iss, c.kid); ok != c.want {
				t.Errorf("found: %t", ok)
			}
		})
	}
	if _, ok := new(Bundle).Key("https://a.example", id); ok || new(Bundle).JWKS("https://a.example") != nil {
		t.Error("the zero bundle trusts somebody")
	}
}

func TestWrite(t *testing.T) {
	ut, other := newState(t, "UT"), newState(t, "XO")
	keys := append(append(ut.keys(), other.keys()...),
		shcKey(t, "https://a.example", newKey(t), signing.Active),
		shcKey(t, "https://b.example", newKey(t), signing.Active))
	b, err := FromKeys(keys, [][]byte{other.list, ut.list}, now)
	if err != nil {
		t.Fatal(err)
	}
	slices.Reverse(keys)
	reversed, err := FromKeys(keys, [][]byte{ut.list, other.list}, now)
	if err != nil {
		t.Fatal(err)
	}
	first, second, third := t.TempDir(), t.TempDir(), t.TempDir()
	write := func(b *Bundle, dir string) map[string]string {
		t.Helper()
		for range 2 { // over itself as well
			if err := b.Write(dir); err != nil {
				t.Fatal(err)
			}
		}
		return tree(t, dir)
	}
	files := write(b, first)
	if len(files) != 9 { // manifest, 2 key sets, 2 authorities, 2 signers, 2 lists
		t.Errorf("%d files", len(files))
	}
	if diff := cmp.Diff(files, write(reversed, second)); diff != "" {
		t.Error("another order gives other files:", diff)
	}
	loaded, report, err := Load(os.DirFS(first))
	if err != nil || len(report) > 0 {
		t.Fatal(report, err)
	}
	if diff := cmp.Diff(files, write(loaded, third)); diff != "" {
		t.Error("loaded bundle differs:", diff)
	}
	if err := b.Write(filepath.Join(first, "manifest.json")); err == nil {
		t.Error("wrote below a file")
	}
}

func tree(t *testing.T, dir string) map[string]string {
	t.Helper()
	out := map[string]string{}
	err := fs.WalkDir(os.DirFS(dir), ".", func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		b, err := os.ReadFile(filepath.Join(dir, path))
		out[path] = string(b)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return out
}

func TestLoad(t *testing.T) {
	ut, stranger := newState(t, "UT"), newState(t, "UT")
	good, err := signing.JWKS([]signing.Key{shcKey(t, "https://a.example", newKey(t), signing.Active)}, signing.SHC)
	if err != nil {
		t.Fatal(err)
	}
	private := bytes.Replace(good, []byte(`"kty"`), []byte(`"d":"AAAA","kty"`), 1)
	files := fstest.MapFS{
		"jwks.json":    {Data: good},
		"private.json": {Data: private},
		"bad.json":     {Data: []byte("{}")},
		"ut.der":       {Data: ut.csca},
		"signer.der":   {Data: ut.dsc},
		"ut.crl":       {Data: ut.list},
		"stranger.crl": {Data: stranger.list},
		"cut.der":      {Data: ut.csca[:100]},
		"huge.crl":     {Data: make([]byte, maxFile+1)},
		"folder/x":     {},
	}
	const head = `{"version":1,"made_at":"2026-06-01T00:00:00Z",`
	for _, c := range []struct {
		name, rest, want string // want: the whole report
	}{
		{"ok/all kinds", `"issuers":[{"iss":"https://a.example","jwks":"jwks.json"}],"csca":["ut.der"],"dsc":["signer.der"],"crl":["ut.crl"],"status":[]}`, ""},
		{"ok/one file for two issuers", `"issuers":[{"iss":"https://a.example","jwks":"jwks.json"},{"iss":"https://b.example","jwks":"jwks.json"}]}`, ""},
		{"ok/listed twice", `"csca":["ut.der","ut.der"]}`, ""},
		{"error/missing file", `"csca":["none.der","ut.der"]}`, "none.der: missing"},
		{"error/path out of the directory", `"csca":["../ut.der","ut.der"]}`, "../ut.der: bad_path"},
		{"error/rooted path", `"csca":["/etc/passwd","ut.der"]}`, "/etc/passwd: bad_path"},
		{"error/folder", `"csca":["folder","ut.der"]}`, "folder: unreadable"},
		{"error/cut certificate", `"csca":["cut.der","ut.der"]}`, "cut.der: malformed"},
		{"error/signer as authority", `"csca":["signer.der","ut.der"]}`, "signer.der: not_an_authority"},
		{"error/too large", `"csca":["ut.der"],"crl":["huge.crl"]}`, "huge.crl: too_large"},
		{"error/list of a stranger with the same name", `"csca":["ut.der"],"crl":["stranger.crl","ut.crl"]}`, "stranger.crl: no_authority"},
		{"error/list that is none", `"csca":["ut.der"],"crl":["jwks.json"]}`, "jwks.json: malformed"},
		{"error/private key", `"csca":["ut.der"],"issuers":[{"iss":"https://a.example","jwks":"private.json"}]}`, "private.json: key 0: private"},
		{"error/not a key set", `"csca":["ut.der"],"issuers":[{"iss":"https://a.example","jwks":"bad.json"}]}`, "bad.json: malformed"},
		{"error/issuer twice", `"csca":["ut.der"],"issuers":[{"iss":"https://a.example","jwks":"jwks.json"},{"iss":"https://a.example","jwks":"jwks.json"}]}`, "jwks.json: issuer_twice"},
		{"error/issuer without https", `"csca":["ut.der"],"issuers":[{"iss":"http://a.example","jwks":"jwks.json"}]}`, "jwks.json: not_an_issuer"},
		{"error/status list", `"csca":["ut.der"],"status":[{"key":"k","head":"s.head","marks":"s.marks","covers":["x"]}]}`, "s.head: missing"},
	} {
		t.Run(c.name, func(t *testing.T) {
			files["manifest.json"] = &fstest.MapFile{Data: []byte(head + c.rest)}
			b, report, err := Load(files)
			if err != nil {
				t.Fatal(err)
			}
			if report.String() != c.want {
				t.Errorf("report %q, want %q", report, c.want)
			}
			if c.want != "" && len(b.authorities) != 1 { // the rest is used
				t.Errorf("%d authorities", len(b.authorities))
			}
			if bytes.Contains(b.JWKS("https://a.example"), []byte(`"d"`)) {
				t.Error("private key given out")
			}
		})
	}
	for name, text := range map[string]string{
		"no manifest":      "",
		"not json":         "{",
		"version 2":        `{"version":2}`,
		"no version":       `{}`,
		"unknown member":   head + `"x":1}`,
		"duplicate member": head + `"csca":[],"csca":["ut.der"]}`,
		"wrong type":       head + `"csca":"ut.der"}`,
		"trailing data":    head + `"csca":[]}{}`,
		"too many":         head + `"csca":[` + string(bytes.Repeat([]byte(`"x",`), maxEntries)) + `"x"]}`,
		"too large":        head + `"csca":[]}` + string(bytes.Repeat([]byte(" "), maxManifest)),
	} {
		t.Run("error/manifest/"+name, func(t *testing.T) {
			delete(files, "manifest.json")
			if text != "" {
				files["manifest.json"] = &fstest.MapFile{Data: []byte(text)}
			}
			if _, _, err := Load(files); err == nil {
				t.Error("accepted")
			}
		})
	}
}

// Doc 9303-12: a link certificate has the key and name of the root, and is a candidate as well.
func TestAuthorities(t *testing.T) {
	w := newBuilder(now)
	for _, name := range []string{"jpn-csca-e3-root-p384-explicit.der", "jpn-csca-e5-link-rsapss.der", "aus-csca-16f2.der", "aus-csca-16f5-link.der"} {
		w.authority(name, testkit.Read(t, "vdsnc/trust/"+name))
	}
	w.list("aus", testkit.Read(t, "vdsnc/trust/aus-2021-08-19.crl"))
	b, report := w.finish()
	if len(report) > 0 {
		t.Fatal(report)
	}
	japan := parse(t, testkit.Read(t, "vdsnc/trust/jpn-csca-e3-root-p384-explicit.der"))
	if n := len(b.Authorities(&pki.Certificate{AKI: japan.SKI})); n != 2 {
		t.Errorf("%d candidates by key identifier", n)
	}
	if n := len(b.Authorities(&pki.Certificate{Issuer: japan.Subject})); n != 2 {
		t.Errorf("%d candidates by name", n)
	}
	if n := len(b.Authorities(&pki.Certificate{AKI: []byte{1}, Issuer: japan.Subject})); n != 0 {
		t.Errorf("%d candidates for another key of the same name", n)
	}
	if n := len(b.CRLs(japan)); n != 0 {
		t.Errorf("%d lists of Japan", n)
	}
	if n := len(b.CRLs(parse(t, testkit.Read(t, "vdsnc/trust/aus-csca-16f2.der")))); n != 1 {
		t.Errorf("%d lists of Australia", n)
	}
}

// S-072.
func TestIsTest(t *testing.T) {
	for issuer, want := range map[string]bool{
		signing.TestIssuer:                   true,
		signing.TestState:                    true,
		"https://issuer.akashi.test:8443/a":  true,
		"https://issuer.akashi.test.example": false,
		"https://issuer.example/x.test":      false,
		"https://latest":                     false,
		"JPN":                                false,
		"":                                   false,
	} {
		if IsTest(issuer) != want {
			t.Errorf("%q: not %t", issuer, want)
		}
	}
}

func FuzzLoad(f *testing.F) {
	ut := newState(f, "UT")
	f.Add([]byte(`{"version":1,"made_at":"2026-06-01T00:00:00Z","issuers":[{"iss":"https://a.example","jwks":"a"}],"csca":["a"],"crl":["a"]}`), ut.csca)
	f.Add([]byte(`{"version":1,"issuers":[{"iss":"https://a.example","jwks":"a","crls":["a"]}]}`), []byte(`{"kid":"k","method":"rid","ctr":1,"rids":[]}`))
	f.Add([]byte(`{"version":1,"crl":["a"],"csca":["a","../a"]}`), ut.list)
	f.Add([]byte(`{"version":1,"issuers":[{"iss":"https://a.example","jwks":"a"}]}`), []byte(`{"keys":[{"kty":"EC"}]}`))
	f.Fuzz(func(t *testing.T, manifest, file []byte) {
		b, _, err := Load(fstest.MapFS{"manifest.json": {Data: manifest}, "a": {Data: file}})
		if err == nil && b == nil {
			t.Error("neither bundle nor error")
		}
	})
}

// The files together have a limit as well.
func TestLoadTotal(t *testing.T) {
	m := manifest{Version: 1}
	for i := range maxTotal/maxFile + 1 {
		m.Issuers = append(m.Issuers, manifestIssuer{Issuer: fmt.Sprintf("https://%d.example", i), JWKS: "a"})
	}
	text, err := json.Marshal(m)
	if err != nil {
		t.Fatal(err)
	}
	_, report, err := Load(fstest.MapFS{"manifest.json": {Data: text}, "a": {Data: make([]byte, maxFile)}})
	if err != nil {
		t.Fatal(err)
	}
	for i, p := range report {
		if want := i == maxTotal/maxFile; (p.Code == "too_large") != want {
			t.Errorf("file %d: %s", i, p.Code)
		}
	}
	if len(report) != maxTotal/maxFile+1 {
		t.Errorf("%d files reported", len(report))
	}
}
