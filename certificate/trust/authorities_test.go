package trust

import (
	"bytes"
	"crypto/sha256"
	"crypto/x509"
	"encoding/asn1"
	"encoding/hex"
	"encoding/pem"
	"errors"
	"math/big"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"testing"
	"time"

	"akashi/internal/testkit"
	"akashi/signing/pki"
)

var begin, end = now.AddDate(-2, 0, 0), now.AddDate(10, 0, 0)

func holding(t testing.TB, authorities ...[]byte) *Bundle {
	t.Helper()
	b, report, err := ImportCSCA(filesOf(authorities...), nil, now)
	if err != nil || len(report) > 0 {
		t.Fatal(err, report)
	}
	return b
}

func filesOf(contents ...[]byte) (files []File) {
	for _, c := range contents {
		files = append(files, File{Name: "file", Content: c})
	}
	return files
}

func pinOf(b []byte) string {
	sum := sha256.Sum256(b)
	return hex.EncodeToString(sum[:])
}

// emrtd/README.md: three master lists, good, tampered and signed by a document signer.
func TestMasterListVectors(t *testing.T) {
	const dir = "emrtd/synthetic/"
	held := holding(t, testkit.Read(t, dir+"csca-jpn-test.der"))
	at := time.Date(2026, 11, 22, 0, 0, 0, 0, time.UTC) // after the lists were signed
	for name, c := range map[string]struct {
		held   *Bundle
		pinned bool
		want   error
		code   string
	}{
		"masterlist-test.ml":         {held: held},
		"masterlist-tampered.ml":     {held: held, want: ErrNoProof, code: "signature_wrong"},
		"masterlist-wrong-signer.ml": {held: held, want: ErrNoProof, code: "signer_not_allowed"},
	} {
		t.Run(name, func(t *testing.T) {
			b, report, err := ImportMasterList(MasterList{Content: testkit.Read(t, dir+name)}, c.held, at)
			if !errors.Is(err, c.want) || c.want != nil && (b != nil || report[0].Code != c.code) {
				t.Fatalf("%v %v", err, report)
			}
			if err != nil {
				return
			}
			if want := []State{{"D", 1, 0}, {"JPN", 2, 0}}; !slices.Equal(b.States(), want) || len(report) > 0 {
				t.Errorf("%v, want %v; %v", b.States(), want, report)
			}
		})
	}
	lists, _ := filepath.Glob(filepath.Join(testkit.Shared(t, dir), "*.ml"))
	if len(lists) != 3 {
		t.Errorf("%d lists, want 3", len(lists))
	}
}

// Spec mrz-and-emrtd, 10: what a list says of itself proves nothing.
func TestMasterListProof(t *testing.T) {
	publisher, stranger := testkit.NewCountry(t, "DE", begin, end), testkit.NewCountry(t, "JP", begin, end)
	signer, key := publisher.MasterListSigner()
	held := holding(t, publisher.Certificate)
	good := testkit.Message{Type: testkit.MasterListType, Content: testkit.MasterList(t, stranger.Certificate), Signer: signer, Key: key, Enclosed: [][]byte{publisher.Certificate}, At: now}
	ofPurpose := func(change func(*x509.Certificate)) testkit.Message {
		m := good
		m.Signer, m.Key = publisher.Signer(func(c *x509.Certificate) {
			c.UnknownExtKeyUsage = []asn1.ObjectIdentifier{testkit.MasterListPurpose}
			change(c)
		})
		return m
	}
	serial := big.NewInt(77)
	revoked := ofPurpose(func(c *x509.Certificate) { c.SerialNumber = serial })
	withList, _, err := ImportCRL(filesOf(publisher.CRL(1, now.AddDate(0, 0, -1), now.AddDate(0, 1, 0), serial)), held, now)
	if err != nil {
		t.Fatal(err)
	}
	for name, c := range map[string]struct {
		message testkit.Message
		held    *Bundle
		code    string
	}{
		"ok/proven":                          {good, held, ""},
		"error/nobody held":                  {good, nil, "no_authority"},
		"error/its authority inside only":    {good, holding(t, stranger.Certificate), "no_authority"},
		"error/rogue authority, same name":   {good, holding(t, testkit.NewCountry(t, "DE", begin, end).Certificate), "no_authority"},
		"error/ended before it signed":       {ofPurpose(func(c *x509.Certificate) { c.NotAfter = now.AddDate(0, 0, -1) }), held, "signer_not_in_force"},
		"error/another purpose":              {ofPurpose(func(c *x509.Certificate) { c.UnknownExtKeyUsage = []asn1.ObjectIdentifier{pki.PurposeBarcodeSigner} }), held, "signer_not_allowed"},
		"error/no purpose":                   {ofPurpose(func(c *x509.Certificate) { c.UnknownExtKeyUsage = nil }), held, "signer_not_allowed"},
		"error/another country":              {ofPurpose(func(c *x509.Certificate) { c.Subject.Country = []string{"FR"} }), held, "country_differs"},
		"error/revoked":                      {revoked, withList, "signer_revoked"},
		"ok/not on the list":                 {good, withList, ""},
		"error/another signed it than named": {testkit.Message{Type: good.Type, Content: good.Content, Signer: signer, Key: revoked.Key, At: now}, held, "signature_wrong"},
	} {
		t.Run(name, func(t *testing.T) {
			content := c.message.Sign(t)
			b, report, err := ImportMasterList(MasterList{Content: content}, c.held, now)
			if c.code == "" {
				if err != nil || len(report) > 0 || b.States()[len(b.States())-1].Code != "JPN" || !b.MadeAt().Equal(now) {
					t.Errorf("%v %v", err, report)
				}
				return
			}
			if !errors.Is(err, ErrNoProof) || b != nil || len(report) != 1 || report[0].Code != c.code {
				t.Errorf("%v %v, want %s", err, report, c.code)
			}
			// By its digest it is taken, and the report says what was wrong.
			b, report, err = ImportMasterList(MasterList{Content: content, Digest: pinOf(content)}, c.held, now)
			if err != nil || len(b.Authorities(parse(t, stranger.Certificate))) == 0 || !slices.Contains(report, Problem{"proof", c.code}) {
				t.Errorf("pinned: %v %v", err, report)
			}
		})
	}
	t.Run("error/another digest", func(t *testing.T) {
		if _, _, err := ImportMasterList(MasterList{Content: good.Sign(t), Digest: pinOf([]byte("another"))}, held, now); !errors.Is(err, ErrNotPinned) {
			t.Error(err)
		}
	})
}

// Half-broken, empty and future lists: what was good is kept, what is not is counted.
func TestMasterListForm(t *testing.T) {
	publisher := testkit.NewCountry(t, "DE", begin, end)
	signer, key := publisher.MasterListSigner()
	held := holding(t, publisher.Certificate)
	take := func(t *testing.T, content []byte, at time.Time, kind asn1.ObjectIdentifier) (*Bundle, Report, error) {
		t.Helper()
		m := testkit.Message{Type: kind, Content: content, Signer: signer, Key: key, At: at}
		return ImportMasterList(MasterList{Content: m.Sign(t)}, held, now)
	}
	jp := testkit.NewCountry(t, "JP", begin, end).Certificate
	flipped := bytes.Clone(jp)
	flipped[len(flipped)-1] ^= 1
	nowhere := testkit.NewCountry(t, "QQ", begin, end).Certificate
	b, report, err := take(t, testkit.MasterList(t, jp, []byte{0x30, 0x81, 1, 2}, signer, nowhere, flipped, jp), now, testkit.MasterListType)
	want := Report{{"certificate 1", "malformed"}, {"certificate 2", "not_an_authority"}, {"certificate 3", "no_country"}, {"certificate 4", "signature_wrong"}}
	if err != nil || !slices.Equal(report, want) || len(b.States()) != 2 {
		t.Errorf("ok/half-broken: %v %v", err, report)
	}
	many := slices.Repeat([][]byte{{0x30, 0}}, maxEntries+1)
	for name, c := range map[string]struct {
		content []byte
		at      time.Time
		kind    asn1.ObjectIdentifier
		nothing bool
	}{
		"no certificate":        {testkit.MasterList(t), now, testkit.MasterListType, true},
		"none that is one":      {testkit.MasterList(t, []byte{0x30, 0}), now, testkit.MasterListType, true},
		"too many":              {testkit.MasterList(t, many...), now, testkit.MasterListType, false},
		"no list":               {[]byte("text"), now, testkit.MasterListType, false},
		"cut":                   {testkit.MasterList(t, jp[:40]), now, testkit.MasterListType, false},
		"in the future":         {testkit.MasterList(t, jp), now.Add(2 * time.Hour), testkit.MasterListType, false},
		"a security object":     {testkit.MasterList(t, jp), now, testkit.SecurityObjectType, false},
		"trailing in the list":  {append(testkit.MasterList(t, jp), 0), now, testkit.MasterListType, false},
		"signed before signing": {testkit.MasterList(t, jp), begin.AddDate(0, 0, -1), testkit.MasterListType, false},
	} {
		t.Run("error/"+name, func(t *testing.T) {
			if b, _, err := take(t, c.content, c.at, c.kind); err == nil || b != nil || errors.Is(err, ErrNothingTaken) != c.nothing {
				t.Error(err)
			}
		})
	}
	if len(held.States()) != 1 {
		t.Error("what was held has changed")
	}
}

// L-20: the work on a hostile list is bounded by its size.
func TestMasterListWork(t *testing.T) {
	publisher := testkit.NewCountry(t, "DE", begin, end)
	signer, key := publisher.MasterListSigner()
	held := holding(t, publisher.Certificate)
	content := testkit.MasterList(t, slices.Repeat([][]byte{{0x30, 0}}, 1<<20)...)
	file := testkit.Message{Type: testkit.MasterListType, Content: content, Signer: signer, Key: key, At: now}.Sign(t)
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	_, report, err := ImportMasterList(MasterList{Content: file}, held, now)
	runtime.ReadMemStats(&after)
	if err == nil || len(report) > maxEntries {
		t.Errorf("%d problems, %v", len(report), err)
	}
	if got, limit := after.TotalAlloc-before.TotalAlloc, uint64(3*len(file)+4<<20); got > limit {
		t.Errorf("%d bytes allocated for %d", got, len(file))
	}
	if _, _, err := ImportMasterList(MasterList{Content: make([]byte, maxFile+1)}, held, now); !errors.Is(err, errTooLarge) {
		t.Error(err)
	}
}

func TestImportCSCA(t *testing.T) {
	jp := testkit.NewCountry(t, "JP", begin, end)
	signer, _ := jp.Signer(nil)
	flipped := bytes.Clone(jp.Certificate)
	flipped[len(flipped)-1] ^= 1
	asPEM := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: jp.Certificate})
	for name, c := range map[string]struct {
		file []byte
		code string
	}{
		"ok/DER":                      {jp.Certificate, ""},
		"ok/PEM":                      {asPEM, ""},
		"ok/link certificate":         {testkit.Read(t, "emrtd/csca-jpn/e5-link-2019key-by-2015.der"), ""},
		"ok/RSA":                      {testkit.Read(t, "emrtd/csca-jpn/92-2015-rsa4096.der"), ""},
		"error/signer":                {signer, "not_an_authority"},
		"error/flipped":               {flipped, "signature_wrong"},
		"error/country":               {testkit.NewCountry(t, "QQ", begin, end).Certificate, "no_country"},
		"error/cut":                   {jp.Certificate[:100], "malformed"},
		"error/two PEM":               {append(bytes.Clone(asPEM), asPEM...), "malformed"},
		"error/PEM of something else": {pem.EncodeToMemory(&pem.Block{Type: "X509 CRL", Bytes: jp.Certificate}), "malformed"},
		"error/too large":             {make([]byte, pki.MaxCertificate+1), "too_large"},
	} {
		t.Run(name, func(t *testing.T) {
			b, report, err := ImportCSCA([]File{{"a.der", c.file}}, nil, now)
			if c.code == "" {
				if err != nil || len(report) > 0 || !slices.Equal(b.States(), []State{{"JPN", 1, 0}}) || !b.MadeAt().Equal(now) {
					t.Errorf("%v %v", err, report)
				}
			} else if !errors.Is(err, ErrNothingTaken) || b != nil || !slices.Equal(report, Report{{"a.der", c.code}}) {
				t.Errorf("%v %v", err, report)
			}
			if b, _, err := ImportCSCA([]File{{"b.der", testkit.NewCountry(t, "FR", begin, end).Certificate}, {"a.der", c.file}}, nil, now); err != nil || b == nil {
				t.Errorf("beside a good one: %v", err)
			}
		})
	}
}

// A list verifies under a held authority, and is never older than the held one (issue 5, 3).
func TestImportCRL(t *testing.T) {
	jp, other := testkit.NewCountry(t, "JP", begin, end), testkit.NewCountry(t, "JP", begin, end)
	held := holding(t, jp.Certificate)
	at := func(days int) time.Time { return now.AddDate(0, 0, days) }
	list := func(number int64, day int) []byte { return jp.CRL(number, at(day), at(day+30), big.NewInt(number)) }
	second := list(2, -2)
	held, report, err := ImportCRL(filesOf(second), held, now)
	if err != nil || len(report) > 0 || !slices.Equal(held.States(), []State{{"JPN", 1, 1}}) {
		t.Fatal(err, report)
	}
	flipped := list(3, -1)
	flipped[len(flipped)-1] ^= 1
	for name, c := range map[string]struct {
		file []byte
		code string
	}{
		"ok/newer":                 {list(3, -1), ""},
		"ok/PEM":                   {pem.EncodeToMemory(&pem.Block{Type: "X509 CRL", Bytes: list(3, -1)}), ""},
		"error/older":              {list(1, -3), "older"},
		"error/older number":       {list(1, -1), "older"},
		"error/older day":          {list(3, -3), "older"},
		"error/the same":           {second, "held_already"},
		"error/stranger":           {other.CRL(9, at(-1), at(30)), "no_authority"},
		"error/signature":          {flipped, "no_authority"},
		"error/in the future":      {list(3, 1), "in_the_future"},
		"error/certificate":        {jp.Certificate, "malformed"},
		"error/PEM of certificate": {pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: list(3, -1)}), "malformed"},
	} {
		t.Run(name, func(t *testing.T) {
			b, report, err := ImportCRL([]File{{"a.crl", c.file}}, held, now)
			if c.code == "" {
				if err != nil || len(report) > 0 {
					t.Fatal(err, report)
				}
				lists := b.CRLs(parse(t, jp.Certificate))
				if len(lists) != 1 || !lists[0].Lists(big.NewInt(3)) {
					t.Errorf("%d lists, not the newer one alone", len(lists))
				}
				return
			}
			if !errors.Is(err, ErrNothingTaken) || b != nil || !slices.Equal(report, Report{{"a.crl", c.code}}) {
				t.Errorf("%v %v", err, report)
			}
		})
	}
	t.Run("ok/ended, which the report says", func(t *testing.T) {
		b, report, err := ImportCRL(filesOf(jp.CRL(3, at(-1), now.Add(-time.Hour))), held, now)
		if err != nil || b == nil || !slices.Equal(report, Report{{"file", "not_current"}}) {
			t.Error(err, report)
		}
	})
}

// What was taken is in the directory, and nothing that was held is lost.
func TestAuthoritiesInDirectory(t *testing.T) {
	jp := testkit.NewCountry(t, "JP", begin, end)
	held, err := FromKeys(newState(t, "UT").keys(), nil, now.AddDate(0, 0, -3))
	if err != nil {
		t.Fatal(err)
	}
	b, _, err := ImportCSCA(filesOf(jp.Certificate), held, now)
	if err == nil {
		b, _, err = ImportCRL(filesOf(jp.CRL(1, now.AddDate(0, 0, -1), now.AddDate(0, 1, 0))), b, now)
	}
	if err != nil {
		t.Fatal(err)
	}
	dir := filepath.Join(t.TempDir(), "trust")
	if err := b.Write(dir); err != nil {
		t.Fatal(err)
	}
	read, report, err := Load(os.DirFS(dir))
	if err != nil || len(report) > 0 || !slices.Equal(read.States(), []State{{"JPN", 1, 1}, {"UTO", 1, 0}}) || len(read.Signers()) != 1 {
		t.Errorf("%v %v %v", read.States(), report, err)
	}
	if !read.MadeAt().Equal(held.MadeAt()) {
		t.Errorf("made at %s: not as old as its oldest part", read.MadeAt())
	}
	if !slices.Equal(held.States(), []State{{"UTO", 1, 0}}) {
		t.Error("what was held has changed")
	}
}

func FuzzImportMasterList(f *testing.F) {
	f.Add(testkit.Read(f, "emrtd/synthetic/masterlist-test.ml"))
	f.Add(testkit.Read(f, "emrtd/synthetic/masterlist-tampered.ml"))
	held := holding(f, testkit.Read(f, "emrtd/synthetic/csca-jpn-test.der"))
	f.Fuzz(func(t *testing.T, b []byte) {
		for _, digest := range []string{"", pinOf(b)} {
			got, _, err := ImportMasterList(MasterList{Content: b, Digest: digest}, held, now)
			if (got == nil) != (err != nil) {
				t.Error("a bundle, or why not")
			}
		}
	})
}
