package trust

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha256"
	"crypto/x509"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"encoding/pem"
	"errors"
	"fmt"
	"maps"
	"os"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"akashi/internal/testkit"
	"akashi/signing/pki"
)

// document is a shared list with its digest.
func document(t testing.TB, name string) DIDDocument {
	t.Helper()
	b := testkit.Read(t, "who/trust/"+name)
	digest := sha256.Sum256(b)
	return DIDDocument{Content: b, Digest: hex.EncodeToString(digest[:])}
}

// problemsOf counts the problems of a report by code.
func problemsOf(r Report) map[string]int {
	count := map[string]int{}
	for _, p := range r {
		count[p.Code]++
	}
	return count
}

func signersOf(b *Bundle) (ids []string) {
	for id, list := range b.health {
		for range list {
			ids = append(ids, base64.StdEncoding.EncodeToString([]byte(id)))
		}
	}
	slices.Sort(ids)
	return ids
}

// who/README: each list is imported, with warnings for what is known to be wrong with it.
func TestImportGDHCN(t *testing.T) {
	for name, want := range map[string]struct {
		signers  int
		problems map[string]int
		made     string
	}{
		"v2_trustlist_PH4H_CHL_DSC.did.json":     {5, map[string]int{"no_authority": 5}, "2026-08-22T18:00:21Z"},
		"v2_trustlist_PH4H_CHL.did.json":         {5, map[string]int{}, "2026-08-22T18:00:11Z"},
		"v2_trustlist_DCC_XXU_DSC.did.json":      {4, map[string]int{"no_authority": 6, "key_not_supported": 2}, "2026-08-22T18:00:21Z"},
		"v2_trustlist_DCC_XXU_SCA.did.json":      {0, map[string]int{}, "2026-08-22T18:00:20Z"},
		"v2_trustlist_IPS-PILGRIMAGE.did.json":   {1, map[string]int{"other_usage": 2}, "2026-08-22T18:00:07Z"},
		"v2_trustlist-ref.did.json":              {0, map[string]int{"reference": 9}, "2026-08-22T18:00:34Z"},
		"v2_trustlist-ref_PH4H_CHL.did.json":     {0, map[string]int{"reference": 2}, "2026-08-22T18:00:34Z"},
		"v2_trustlist-ref_PH4H_CHL_DSC.did.json": {0, map[string]int{"reference": 1}, "2026-08-22T18:00:36Z"},
		"dev-v1-xcl.json":                        {3, map[string]int{"no_authority": 3}, "0001-01-01T00:00:00Z"},
	} {
		t.Run("ok/"+name, func(t *testing.T) {
			b, report, err := ImportGDHCN(document(t, name))
			if err != nil {
				t.Fatal(err)
			}
			want.problems[TakenByDigest] = 1
			if diff := cmp.Diff(want.problems, problemsOf(report)); diff != "" {
				t.Errorf("%s\n%v", diff, report)
			}
			if got := signersOf(b); len(got) != want.signers || b.MadeAt().Format(time.RFC3339) != want.made {
				t.Errorf("signers %v, made %v", got, b.MadeAt())
			}
			if len(b.authorities) != 0 {
				t.Error("an authority of a health list is one for bar codes now")
			}
		})
	}
	t.Run("ok/signers and authorities in two lists", func(t *testing.T) {
		_, report, err := ImportGDHCN(document(t, "v2_trustlist_DCC_XXU_DSC.did.json"), document(t, "v2_trustlist_DCC_XXU_SCA.did.json"))
		if err != nil || problemsOf(report)["no_authority"] >= 6 {
			t.Errorf("%v, %v", report, err)
		}
	})
	t.Run("error/authorities of another participant", func(t *testing.T) {
		text := bytes.ReplaceAll(document(t, "v2_trustlist_PH4H_CHL.did.json").Content, []byte(`"participant":{"code":"#CHL"},"keyusage":{"code":"#CSCA"}`), []byte(`"participant":{"code":"#ARG"},"keyusage":{"code":"#CSCA"}`))
		digest := sha256.Sum256(text)
		_, report, err := ImportGDHCN(DIDDocument{Content: text, Digest: hex.EncodeToString(digest[:])})
		if err != nil || problemsOf(report)["no_authority"] != 5 {
			t.Errorf("%v, %v", report, err)
		}
	})
	t.Run("ok/a known key", func(t *testing.T) {
		b, _, _ := ImportGDHCN(document(t, "dev-v1-xcl.json"))
		list := b.HealthSigners([]byte("QK\x89s\x09\xa3\xa0\x93"))
		if len(list) != 1 || list[0].Participant != "XCL" || !list[0].Of("XCL") || list[0].Of("XL") || !b.HasParticipant("XCL") || b.HasParticipant("CHL") {
			t.Errorf("%+v", list)
		}
		if b.HealthSigners(nil) != nil || b.HealthSigners([]byte("unknown!")) != nil {
			t.Error("a signer without key id")
		}
	})
	good := document(t, "dev-v1-xcl.json")
	for name, d := range map[string]DIDDocument{
		"not pinned": {Content: good.Content}, "another": {Content: append(bytes.Clone(good.Content), ' '), Digest: good.Digest},
	} {
		if _, _, err := ImportGDHCN(d); !errors.Is(err, ErrNotPinned) {
			t.Errorf("error/%s: %v", name, err)
		}
	}
	for name, text := range map[string]string{"no JSON": "x", "a member twice": `{"id":"a","id":"b"}`, "no entries": `{"id":"a"}`, "an array": `[]`} {
		digest := sha256.Sum256([]byte(text))
		if _, _, err := ImportGDHCN(DIDDocument{Content: []byte(text), Digest: hex.EncodeToString(digest[:])}); err == nil {
			t.Errorf("error/%s: imported", name)
		}
	}
}

// Entries that are refused, each alone, beside a good one that is kept.
func TestGDHCNEntries(t *testing.T) {
	var list struct {
		ID      string           `json:"id"`
		Methods []map[string]any `json:"verificationMethod"`
	}
	for want, change := range map[string]func(entry, key map[string]any){
		"key_differs":    func(_, key map[string]any) { key["x"] = "AAAA" },
		"no_certificate": func(_, key map[string]any) { delete(key, "x5c") },
		"no_key_id":      func(entry, _ map[string]any) { entry["id"] = "did:web:x" },
		"malformed":      func(_, key map[string]any) { key["x5c"] = []any{"AAAA"} },
		"other_usage":    func(entry, _ map[string]any) { entry["keyusage"] = map[string]any{"code": "#UP"} },
	} {
		list.Methods = nil
		if err := json.Unmarshal(testkit.Read(t, "who/trust/v2_trustlist_PH4H_CHL_DSC.did.json"), &list); err != nil {
			t.Fatal(err)
		}
		change(list.Methods[0], list.Methods[0]["publicKeyJwk"].(map[string]any))
		text, _ := json.Marshal(list)
		digest := sha256.Sum256(text)
		b, report, err := ImportGDHCN(DIDDocument{Content: text, Digest: hex.EncodeToString(digest[:])})
		if err != nil || problemsOf(report)[want] != 1 || len(signersOf(b)) != 4 {
			t.Errorf("error/%s: %v, %v", want, report, err)
		}
	}
}

func listKey(t testing.TB) (*ecdsa.PrivateKey, []byte) {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	der, err := x509.MarshalPKIXPublicKey(&key.PublicKey)
	if err != nil {
		t.Fatal(err)
	}
	return key, pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: der})
}

// signedList puts a signature line before a body.
func signedList(t testing.TB, key *ecdsa.PrivateKey, body string, der bool) []byte {
	t.Helper()
	digest := sha256.Sum256([]byte(body))
	r, s, err := ecdsa.Sign(rand.Reader, key, digest[:])
	if err != nil {
		t.Fatal(err)
	}
	signature := make([]byte, 64)
	r.FillBytes(signature[:32])
	s.FillBytes(signature[32:])
	if der {
		if signature, err = ecdsa.SignASN1(rand.Reader, key, digest[:]); err != nil {
			t.Fatal(err)
		}
	}
	return []byte(base64.StdEncoding.EncodeToString(signature) + "\n" + body)
}

// sampleCertificate is that of a Member State's sample.
func sampleCertificate(t testing.TB, name string) []byte {
	t.Helper()
	var c struct {
		Context struct{ Certificate []byte } `json:"TESTCTX"`
	}
	if err := json.Unmarshal(testkit.Read(t, "dcc/cases/"+name+".json"), &c); err != nil {
		t.Fatal(err)
	}
	return c.Context.Certificate
}

// spec eu-dcc, 12 and issue 5, 3: signature line and JSON; a directory keeps what was imported.
func TestImportDCC(t *testing.T) {
	key, public := listKey(t)
	_, other := listKey(t)
	at, der := sampleCertificate(t, "AT/1"), sampleCertificate(t, "DE/1")
	entry := func(kind, country, kid string, der []byte) string {
		return fmt.Sprintf(`{"certificateType":%q,"country":%q,"kid":%q,"rawData":%q,"thumbprint":"x"}`, kind, country, kid, base64.StdEncoding.EncodeToString(der))
	}
	body := `{"certificates":[` + strings.Join([]string{
		entry("DSC", "AT", "AQIDBAUGBwg=", at), entry("DSC", "DE", "AQIDBAUGBwg=", der), entry("DSC", "AT", "AQIDBAUGBwg=", at),
		entry("CSCA", "AT", "AQIDBAUGBwk=", at), entry("DSC", "FR", "AQIDBAUGBwg=", []byte("x")), entry("DSC", "AT", "*", at), entry("DSC", "AT", "", at),
	}, ",") + `]}`
	made := time.Date(2026, 11, 22, 4, 0, 0, 0, time.UTC)
	for _, asDER := range []bool{false, true} {
		b, report, err := ImportDCC(signedList(t, key, body, asDER), public, made)
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(map[string]int{"malformed": 1, "no_key_id": 2}, problemsOf(report)); diff != "" {
			t.Error(diff)
		}
		list := b.HealthSigners([]byte{1, 2, 3, 4, 5, 6, 7, 8})
		if len(list) != 2 || !b.HasParticipant("DEU") || !b.HasParticipant("AT") || !b.HasParticipant("AUT") || b.HasParticipant("FR") || !b.MadeAt().Equal(made) {
			t.Errorf("ok/two of one key id: %d, %v", len(list), b.MadeAt())
		}
	}
	b, _, _ := ImportDCC(signedList(t, key, body, false), public, made)
	dir := t.TempDir()
	if err := b.Write(dir); err != nil {
		t.Fatal(err)
	}
	again, report, err := Load(os.DirFS(dir))
	if err != nil || len(report) > 0 || !maps.EqualFunc(b.health, again.health, func(x, y []HealthSigner) bool { return len(x) == len(y) }) {
		t.Errorf("ok/directory: %v, %v", report, err)
	}
	for name, c := range map[string]struct{ file, key []byte }{
		"another key": {signedList(t, key, body, false), other}, "changed": {append(signedList(t, key, body, false), `,`...), public},
		"no line": {[]byte(body), public}, "no base64": {[]byte("*\n" + body), public}, "no key": {signedList(t, key, body, false), nil},
		"a member twice": {signedList(t, key, `{"certificates":[],"certificates":[]}`, false), public}, "empty": {signedList(t, key, `{"certificates":[]}`, false), public},
	} {
		if _, _, err := ImportDCC(c.file, c.key, made); err == nil {
			t.Errorf("error/%s: imported", name)
		}
	}
	bare := newBuilder(made)
	bare.healthSigner("x", HealthSigner{KeyID: []byte("12345678"), Participant: "AT", Key: &key.PublicKey})
	if withKey, report := bare.finish(); len(report) > 0 || withKey.Write(t.TempDir()) == nil {
		t.Errorf("error/a key without certificate was written: %v", report)
	}
	if c, err := pki.ParseCertificate(at); err != nil || c.PublicKey == nil {
		t.Error(err)
	}
}

// L-20: the work on a hostile list is bounded, whatever it repeats or how often.
func TestGDHCNWork(t *testing.T) {
	fill := func(before, with, after string) []byte {
		return []byte(before + strings.Repeat(with, (maxFile-len(before)-len(after))/len(with)) + after)
	}
	entries := `","verificationMethod":[` + strings.Repeat("0,", maxEntries-1) + "0]}"
	for name, content := range map[string][]byte{
		"values":           fill(`{"id":"a","verificationMethod":[`, "0,", "0]}"),
		"empty objects":    fill(`{"id":"a","verificationMethod":[`, "{},", "0]}"),
		"a long chain":     fill(`{"id":"a","verificationMethod":[{"id":"a#AAAA","publicKeyJwk":{"x5c":[`, `"",`, `""]}}]}`),
		"depth":            fill("", "[", ""),
		"a long name":      fill(`{"id":"`, "a", entries),
		"the longest name": []byte(`{"id":"` + strings.Repeat("a", maxName) + entries),
		"a file too long":  make([]byte, maxFile+1),
	} {
		t.Run(name, func(t *testing.T) {
			d := DIDDocument{Content: content, Digest: pinOf(content)}
			var before, after runtime.MemStats
			runtime.ReadMemStats(&before)
			_, report, err := ImportGDHCN(d)
			runtime.ReadMemStats(&after)
			if name == "the longest name" && (err != nil || len(report) != maxEntries+1) || name != "the longest name" && err == nil {
				t.Errorf("%v, %d problems", err, len(report))
			}
			if got, limit := after.TotalAlloc-before.TotalAlloc, uint64(4*len(content)+32<<20); got > limit {
				t.Errorf("%d bytes allocated for %d", got, len(content))
			}
		})
	}
}

// The snapshot of issuers repeats their names as well.
func TestListWork(t *testing.T) {
	long := []byte(`{"kid":"a","method":"rid","ctr":1,"rids":[` + strings.Repeat(`"",`, MaxCardList+maxMembers) + `""]}`)
	if _, err := ParseCardList(long); err == nil || err.Error() != "too_large" {
		t.Errorf("error/entries of a revocation list: %v", err)
	}
	if _, _, err := ImportDCC(fmt.Appendf(nil, "AAAA\n[%s0]", strings.Repeat("0,", maxValues)), nil, now); !errors.Is(err, errTooLarge) {
		t.Errorf("error/values of a national list: %v", err)
	}
}

func FuzzImportGDHCN(f *testing.F) {
	f.Add(testkit.Read(f, "who/trust/v2_trustlist-ref_PH4H_CHL.did.json"))
	f.Add([]byte(`{"id":"a","verificationMethod":[{"id":"a#AAAA","publicKeyJwk":{"x5c":["AAAA"]}},1]}`))
	f.Fuzz(func(t *testing.T, b []byte) {
		digest := sha256.Sum256(b)
		_, _, _ = ImportGDHCN(DIDDocument{Content: b, Digest: hex.EncodeToString(digest[:])})
	})
}
