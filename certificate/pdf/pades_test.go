package pdf_test

import (
	"bytes"
	"context"
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/hex"
	"encoding/pem"
	"errors"
	"math/big"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"akashi/certificate"
	"akashi/certificate/pdf"
	"akashi/signing"
)

// office is an invented office that signs its paper: an authority and a
// certificate from it.
type office struct {
	authority, certificate []byte // DER
	key                    *ecdsa.PrivateKey
}

var signedAt = time.Date(2026, 11, 20, 3, 5, 0, 0, time.UTC)

func newOffice(t testing.TB, change func(c *x509.Certificate), curve elliptic.Curve) office {
	t.Helper()
	authorityKey, err1 := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	key, err2 := ecdsa.GenerateKey(curve, rand.Reader)
	if err := errors.Join(err1, err2); err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{Country: []string{"UT"}, CommonName: "Invented paper authority"},
		NotBefore: signedAt.AddDate(-20, 0, 0), NotAfter: signedAt.AddDate(20, 0, 0), // other programs have their own clock
		IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageCertSign,
	}
	authority, err := x509.CreateCertificate(rand.Reader, template, template, authorityKey.Public(), authorityKey)
	if err != nil {
		t.Fatal(err)
	}
	leaf := *template
	leaf.IsCA, leaf.KeyUsage, leaf.SerialNumber = false, x509.KeyUsageDigitalSignature|x509.KeyUsageContentCommitment, big.NewInt(0x7F3A)
	leaf.Subject = pkix.Name{Country: []string{"UT"}, Organization: []string{"架空県証市"}, CommonName: "Akashi City, Paper"}
	leaf.ExtKeyUsage = []x509.ExtKeyUsage{x509.ExtKeyUsageEmailProtection}
	if change != nil {
		change(&leaf)
	}
	certificate, err := x509.CreateCertificate(rand.Reader, &leaf, template, key.Public(), authorityKey)
	if err != nil {
		t.Fatal(err)
	}
	return office{authority, certificate, key}
}

func (o office) signatory() pdf.Signatory {
	return pdf.Signatory{Certificate: o.certificate, At: signedAt}
}

// sign returns r then s.
func (o office) sign(t testing.TB, digest [32]byte) []byte {
	t.Helper()
	r, s, err := ecdsa.Sign(rand.Reader, o.key, digest[:])
	if err != nil {
		t.Fatal(err)
	}
	return append(r.FillBytes(make([]byte, 32)), s.FillBytes(make([]byte, 32))...)
}

func (o office) render(t testing.TB, r *pdf.Renderer, pages ...pdf.Page) []byte {
	t.Helper()
	u, err := r.Prepare(o.signatory(), pages...)
	if err != nil {
		t.Fatal(err)
	}
	file, err := u.Complete(o.sign(t, u.Digest()))
	if err != nil {
		t.Fatal(err)
	}
	return file
}

// database makes an NSS database that trusts the authority.
func (o office) database(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	path := filepath.Join(dir, "authority.der")
	if err := os.WriteFile(path, o.authority, 0o600); err != nil {
		t.Fatal(err)
	}
	run(t, "certutil", "-N", "-d", dir, "--empty-password")
	run(t, "certutil", "-A", "-d", dir, "-n", "authority", "-t", "CT,C,C", "-i", path)
	return dir
}

// pdfsig says valid, trusted and the whole document; one changed byte anywhere
// outside of the signature is found.
func TestSignature(t *testing.T) {
	o := newOffice(t, nil, elliptic.P256())
	nss := o.database(t)
	for kind, r := range kinds(t) {
		for name, pages := range map[string][]pdf.Page{"one page": {page(longest())}, "three pages": {page(travel(3)), page(domestic(1)), page(domestic(5))}} {
			t.Run("ok/"+name+"/"+kind, func(t *testing.T) {
				file := o.render(t, r, pages...)
				path := write(t, file)
				said := run(t, "pdfsig", "-nssdir", nss, path)
				for _, want := range []string{
					"Signature is Valid", "Certificate is Trusted", "Total document signed", "Signature Type: ETSI.CAdES.detached",
					"Akashi City, Paper", "SHA-256", "Nov 20 2026",
				} {
					if !strings.Contains(said, want) {
						t.Errorf("pdfsig does not say %q:\n%s", want, said)
					}
				}
				for _, fault := range pdf.Archive(file) {
					t.Error(fault)
				}
				if err := r.Verify(file, pages...); err != nil {
					t.Error(err)
				}
				checkSyntax(t, path)
			})
		}
	}
	file := o.render(t, kinds(t)["stream"], page(travel(2)))
	for name, at := range map[string]int{"first page": 3000, "name": bytes.Index(file, []byte("endstream")) - 20, "ID": bytes.LastIndex(file, []byte("/ID[<")) + 6, "end": len(file) - 1} {
		t.Run("error/"+name, func(t *testing.T) {
			changed := slices.Clone(file)
			changed[at] ^= 1
			if said := run(t, "pdfsig", "-nssdir", nss, write(t, changed)); strings.Contains(said, "Signature is Valid") {
				t.Error(said)
			}
		})
	}
	t.Run("error/nobody trusts the authority", func(t *testing.T) {
		other := newOffice(t, nil, elliptic.P256()).database(t)
		if said := run(t, "pdfsig", "-nssdir", other, write(t, file)); strings.Contains(said, "Certificate is Trusted") {
			t.Error(said)
		}
	})
}

var byteRange = regexp.MustCompile(`/ByteRange\[0 (\d{10}) (\d{10}) (\d{10})\]/Contents<([0-9A-Fa-f]+)>`)

// The CMS stands alone: OpenSSL verifies it over the bytes that the range names.
func TestSignatureOpenSSL(t *testing.T) {
	o := newOffice(t, nil, elliptic.P256())
	file := o.render(t, renderer(t), page(longest()))
	m := byteRange.FindSubmatch(file)
	if m == nil {
		t.Fatal("no signature dictionary")
	}
	var n [3]int
	for i := range n {
		n[i], _ = strconv.Atoi(string(m[i+1]))
	}
	if n[1]-n[0] != len(m[4])+2 || n[1]+n[2] != len(file) || len(m[4]) != 4096 {
		t.Errorf("range %v of %d bytes, %d digits", n, len(file), len(m[4]))
	}
	cms, err := hex.DecodeString(string(m[4]))
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	path := func(name string, content []byte) string {
		p := filepath.Join(dir, name)
		if err := os.WriteFile(p, content, 0o600); err != nil {
			t.Fatal(err)
		}
		return p
	}
	ca := path("ca.der", o.authority)
	run(t, "openssl", "x509", "-inform", "der", "-in", ca, "-out", ca+".pem")
	content := path("content", slices.Concat(file[:n[0]], file[n[1]:]))
	signature := path("cms", cms)
	run(t, "openssl", "cms", "-verify", "-binary", "-inform", "der", "-in", signature, "-content", content, "-CAfile", ca+".pem", "-purpose", "any", "-cades", "-out", filepath.Join(dir, "out"))
	said := run(t, "openssl", "cms", "-cmsout", "-print", "-noout", "-inform", "der", "-in", signature)
	for _, want := range []string{"id-smime-aa-signingCertificateV2", "messageDigest", "contentType", "ecdsa-with-SHA256"} {
		if !strings.Contains(said, want) {
			t.Errorf("CMS lacks %s", want)
		}
	}
	if strings.Contains(said, "signingTime") {
		t.Error("PAdES has the time in the dictionary only (EN 319 142-1, 6.3)")
	}
}

// The signed variant is archival too: PDFBox validates it.
func TestSignaturePreflight(t *testing.T) {
	o := newOffice(t, nil, elliptic.P256())
	path := write(t, as1b(o.render(t, kinds(t)["table"], page(travel(3)), page(domestic(1)))))
	if said := preflight(t, path); said != path+": valid\n" {
		t.Error(said)
	}
}

// What Archive asks of a signature's field.
func TestSignatureArchive(t *testing.T) {
	file := newOffice(t, nil, elliptic.P256()).render(t, kinds(t)["table"], page(travel(1)))
	for _, change := range [][2]string{{"/F 132", "/F 130"}, {"/Subtype/Widget", "/Subtype/Popup0"}, {"/AP<<", "/AQ<<"}, {"/AcroForm", "/AcroForn"}, {"/FT/Sig", "/FT/Btn"}} {
		broken := bytes.Replace(file, []byte(change[0]), []byte(change[1]), 1)
		if bytes.Equal(broken, file) || pdf.Archive(broken) == nil {
			t.Errorf("%s instead of %s is not found", change[1], change[0])
		}
	}
}

// The same copy, signatory and signature value give the same bytes; the digest
// depends on every one of page, copy, certificate; the time stands in the file.
func TestSignatureSameBytes(t *testing.T) {
	o, r := newOffice(t, nil, elliptic.P256()), renderer(t)
	p := page(travel(2))
	prepare := func(by pdf.Signatory, p pdf.Page) *pdf.Unsigned {
		t.Helper()
		u, err := r.Prepare(by, p)
		if err != nil {
			t.Fatal(err)
		}
		return u
	}
	first, again := prepare(o.signatory(), p), prepare(o.signatory(), p)
	value := o.sign(t, first.Digest())
	a, err1 := first.Complete(value)
	b, err2 := again.Complete(value)
	if err1 != nil || err2 != nil || !bytes.Equal(a, b) {
		t.Errorf("bytes differ: %v, %v", err1, err2)
	}
	later, copied, changed := o.signatory(), p, page(travel(3))
	later.At = later.At.Add(time.Second)
	copied.Copy++
	for name, u := range map[string]*pdf.Unsigned{
		"time": prepare(later, p), "copy": prepare(o.signatory(), copied), "page": prepare(o.signatory(), changed),
		"certificate": prepare(newOffice(t, nil, elliptic.P256()).signatory(), p),
	} {
		if u.Digest() == first.Digest() {
			t.Errorf("another %s has the same digest", name)
		}
		if _, err := u.Complete(value); !errors.Is(err, pdf.ErrSignature) {
			t.Errorf("signature of another %s: %v", name, err)
		}
	}
	for name, v := range map[string][]byte{"empty": nil, "short": value[:63], "zero": make([]byte, 64), "DER": func() []byte {
		d := first.Digest()
		der, _ := o.key.Sign(rand.Reader, d[:], crypto.SHA256)
		return der
	}()} {
		if _, err := first.Complete(v); !errors.Is(err, pdf.ErrSignature) {
			t.Errorf("%s value: %v", name, err)
		}
	}
}

func TestSignatory(t *testing.T) {
	r := renderer(t)
	small := func(change func(c *x509.Certificate)) pdf.Signatory {
		return newOffice(t, change, elliptic.P256()).signatory()
	}
	for name, by := range map[string]pdf.Signatory{
		"error/empty":            {At: signedAt},
		"error/P-384":            newOffice(t, nil, elliptic.P384()).signatory(),
		"error/for ciphers":      small(func(c *x509.Certificate) { c.KeyUsage = x509.KeyUsageKeyAgreement }),
		"error/expired":          small(func(c *x509.Certificate) { c.NotAfter = signedAt.Add(-time.Second) }),
		"error/not yet valid":    small(func(c *x509.Certificate) { c.NotBefore = signedAt.Add(time.Second) }),
		"error/larger than room": small(func(c *x509.Certificate) { c.DNSNames = slices.Repeat([]string{strings.Repeat("a", 60)}, 30) }),
	} {
		t.Run(name, func(t *testing.T) {
			if _, err := r.Prepare(by, page(travel(1))); !errors.Is(err, pdf.ErrSignatory) {
				t.Errorf("error %v", err)
			}
		})
	}
}

// counter stands for issuance: it makes papers from what is stored.
type counter struct {
	renderer *pdf.Renderer
	stored   map[string]certificate.Certificate
}

func (c counter) Unsigned(_ context.Context, office string, copies []signing.PaperCopy, by signing.Key, at time.Time) (signing.Unsigned, error) {
	var pages []pdf.Page
	for _, copied := range copies {
		p := page(c.stored[office+"/"+copied.CertificateID])
		p.Copy = copied.Number
		pages = append(pages, p)
	}
	return c.renderer.Prepare(pdf.Signatory{Certificate: by.Certificate, At: at}, pages...)
}

// The signer of paper, from a key file to a file that others trust; signed
// again, the copy has the same bytes.
func TestSignedByPaperKey(t *testing.T) {
	o := newOffice(t, nil, elliptic.P256())
	dir := t.TempDir()
	der, err1 := x509.MarshalPKCS8PrivateKey(o.key)
	public, err2 := x509.MarshalPKIXPublicKey(o.key.Public())
	if err := errors.Join(err1, err2, os.Chmod(dir, 0o700),
		os.WriteFile(filepath.Join(dir, "paper.pem"), pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der}), 0o600)); err != nil {
		t.Fatal(err)
	}
	key := signing.Key{
		ID: signing.Thumbprint(&o.key.PublicKey), Purpose: signing.Paper, Issuer: "900001", Algorithm: signing.ES256, Public: public, Certificate: o.certificate,
		State: signing.Active, UsageFrom: signedAt, UsageTo: signedAt.AddDate(1, 0, 0), Handle: "paper.pem",
	}
	files, err := signing.OpenFiles(dir, []signing.Key{key})
	if err != nil {
		t.Fatal(err)
	}
	c := longest()
	desk := counter{renderer(t), map[string]certificate.Certificate{"900001/" + c.ID: c}}
	signer := signing.NewPaperSigner(files, desk, func(context.Context, string) (signing.Key, error) { return key, nil }, func() time.Time { return signedAt })
	copies := []signing.PaperCopy{{CertificateID: c.ID, Number: 2}}
	first, err1 := signer.Sign(t.Context(), "900001", copies, key.ID)
	again, err2 := signer.Sign(t.Context(), "900001", copies, key.ID)
	if err1 != nil || err2 != nil || !bytes.Equal(first.File, again.File) {
		t.Fatalf("signed again, the bytes differ: %v, %v", err1, err2)
	}
	u, err := desk.Unsigned(t.Context(), "900001", copies, key, first.At)
	if err != nil {
		t.Fatal(err)
	}
	if reprint, err := u.Complete(first.Value); err != nil || !bytes.Equal(reprint, first.File) {
		t.Errorf("reprint without the key differs: %v", err)
	}
	said := run(t, "pdfsig", "-nssdir", o.database(t), write(t, first.File))
	if !strings.Contains(said, "Signature is Valid") || !strings.Contains(said, "Certificate is Trusted") {
		t.Error(said)
	}
}
