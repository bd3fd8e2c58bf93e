package pki

import (
	"bytes"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/asn1"
	"errors"
	"math/big"
	"testing"

	"golang.org/x/crypto/cryptobyte"

	"akashi/internal/testkit"
)

// CVE-2020-0601: a parameter that differs from the known curve's makes another curve.
func TestExplicitParametersMustAllBeEqual(t *testing.T) {
	root := testkit.Read(t, "vdsnc/trust/jpn-csca-e3-root-p384-explicit.der")
	p := elliptic.P384().Params()
	a := new(big.Int).Sub(p.P, big.NewInt(3))
	last := func(n *big.Int) int { // index of its last byte in the certificate
		i := bytes.Index(root, n.Bytes())
		if i < 0 {
			t.Fatal("parameter not found")
		}
		return i + len(n.Bytes()) - 1
	}
	places := map[string]int{
		"p": last(p.P), "a": last(a), "b": last(p.B), "Gx": last(p.Gx), "Gy": last(p.Gy), "n": last(p.N), "h": last(p.N) + 3,
	}
	for name, at := range places {
		t.Run("error/"+name, func(t *testing.T) {
			changed := bytes.Clone(root)
			changed[at] ^= 2
			c, err := ParseCertificate(changed)
			if err != nil {
				t.Fatal(err)
			}
			if c.PublicKey != nil {
				t.Error("the key was taken")
			}
			if err := c.CheckSignature(c); !errors.Is(err, ErrUnsupported) {
				t.Errorf("got %v", err)
			}
		})
	}
	t.Run("error/cofactor left out", func(t *testing.T) {
		g := append(append([]byte{4}, p.Gx.Bytes()...), p.Gy.Bytes()...)
		known := knownAs(t, "P-384")
		if d := (domain{p: p.P, a: a, b: p.B, n: p.N, h: big.NewInt(1), g: g}); !d.equal(known) {
			t.Fatal("P-384 is not equal to itself")
		}
		if d := (domain{p: p.P, a: a, b: p.B, n: p.N, h: new(big.Int), g: g}); d.equal(known) {
			t.Error("equal without cofactor")
		}
	})
	t.Run("error/point not on the curve", func(t *testing.T) {
		changed := bytes.Clone(root)
		at := bytes.Index(root, []byte{3, 98, 0, 4}) // BIT STRING of an uncompressed point
		if at < 0 {
			t.Fatal("point not found")
		}
		changed[at+20] ^= 1
		if _, err := ParseCertificate(changed); !errors.Is(err, ErrMalformed) {
			t.Errorf("got %v", err)
		}
	})
}

func TestParseCertificateErrors(t *testing.T) {
	root := testkit.Read(t, "vdsnc/trust/jpn-csca-e3-root-p384-explicit.der")
	version2 := bytes.Replace(root, []byte{0xa0, 3, 2, 1, 2}, []byte{0xa0, 3, 2, 1, 1}, 1)
	inside := bytes.Clone(root)
	oid := bytes.LastIndex(root, []byte{6, 8, 0x2a, 0x86, 0x48, 0xce, 0x3d, 4, 3, 3})
	inside[oid+9] = 4 // SHA-512 outside, SHA-384 inside
	cases := map[string]struct {
		der  []byte
		want error
	}{
		"error/empty":                        {nil, ErrMalformed},
		"error/too large":                    {make([]byte, MaxCertificate+1), ErrTooLarge},
		"error/something after it":           {append(bytes.Clone(root), 0), ErrMalformed},
		"error/cut":                          {root[:len(root)-1], ErrMalformed},
		"error/algorithm inside and outside": {inside, ErrMalformed},
		"error/extensions in version 2":      {version2, ErrMalformed},
		"error/a revocation list":            {testkit.Read(t, "vdsnc/trust/aus-2021-08-19.crl"), ErrMalformed},
		"error/extension twice":              {withExtensions(t, oidSubjectAlt, oidSubjectAlt), ErrMalformed},
		"error/too many extensions":          {withExtensions(t, many(maxParts)...), ErrMalformed},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			if _, err := ParseCertificate(c.der); !errors.Is(err, c.want) {
				t.Errorf("got %v, want %v", err, c.want)
			}
		})
	}
	t.Run("ok/unknown critical extension is listed", func(t *testing.T) {
		c, err := ParseCertificate(withExtensions(t, oidSubjectAlt))
		if err != nil || len(c.UnknownCritical) != 1 || !c.UnknownCritical[0].Equal(oidSubjectAlt) {
			t.Errorf("%v, %v", c, err)
		}
	})
	t.Run("error/any cut", func(t *testing.T) {
		for i := range root {
			if _, err := ParseCertificate(root[:i]); !errors.Is(err, ErrMalformed) {
				t.Fatalf("%d bytes: %v", i, err)
			}
		}
	})
}

func TestParseCRLErrors(t *testing.T) {
	list := testkit.Read(t, "vdsnc/synthetic/jpn.crl")
	cases := map[string]struct {
		der  []byte
		want error
	}{
		"error/too large":          {make([]byte, MaxCRL+1), ErrTooLarge},
		"error/something after it": {append(bytes.Clone(list), 0), ErrMalformed},
		"error/longer serial":      {longerSerial(list), ErrMalformed},
		"error/a certificate":      {testkit.Read(t, "vdsnc/synthetic/csca-jpn-test.der"), ErrMalformed},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			if _, err := ParseCRL(c.der); !errors.Is(err, c.want) {
				t.Errorf("got %v, want %v", err, c.want)
			}
		})
	}
	t.Run("error/any cut", func(t *testing.T) {
		for i := range list {
			if _, err := ParseCRL(list[:i]); !errors.Is(err, ErrMalformed) {
				t.Fatalf("%d bytes: %v", i, err)
			}
		}
	})
}

// longerSerial turns the entry 010C into 0001, the same number as 01 in other bytes.
func longerSerial(list []byte) []byte {
	return bytes.Replace(list, []byte{2, 2, 1, 0x0c}, []byte{2, 2, 0, 1}, 1)
}

// RFC 5280, 5.2 and 5.3: a list with a critical extension that is not understood,
// such as an indirect or partial one, must not decide anything.
func TestCriticalExtensionsOfLists(t *testing.T) {
	authority := newAuthority(t, elliptic.P256())
	issuer, err := x509.ParseCertificate(authority.der)
	if err != nil {
		t.Fatal(err)
	}
	extension := []pkix.Extension{{Id: asn1.ObjectIdentifier{2, 5, 29, 28}, Critical: true, Value: []byte{0x30, 0}}}
	entry := x509.RevocationListEntry{SerialNumber: big.NewInt(2), RevocationTime: begin}
	list := x509.RevocationList{Number: big.NewInt(1), ThisUpdate: begin, NextUpdate: end}
	cases := map[string]func(*x509.RevocationListEntry, *x509.RevocationList){
		"error/of the list":  func(_ *x509.RevocationListEntry, l *x509.RevocationList) { l.ExtraExtensions = extension },
		"error/of one entry": func(e *x509.RevocationListEntry, _ *x509.RevocationList) { e.ExtraExtensions = extension },
	}
	for name, change := range cases {
		t.Run(name, func(t *testing.T) {
			one, template := entry, list
			change(&one, &template)
			template.RevokedCertificateEntries = []x509.RevocationListEntry{one}
			b, err := x509.CreateRevocationList(rand.Reader, &template, issuer, authority.key)
			if err != nil {
				t.Fatal(err)
			}
			l, err := ParseCRL(b)
			if err != nil {
				t.Fatal(err)
			}
			if err := authority.cert.CheckCRL(l); !errors.Is(err, ErrUnsupported) {
				t.Errorf("got %v", err)
			}
		})
	}
}

// The algorithm has to fit the key: a good ECDSA signature under another name is none.
func TestSignatureAlgorithmMustFitTheKey(t *testing.T) {
	authority := newAuthority(t, elliptic.P256())
	identifier := func(id ...int) []byte {
		b, err := asn1.Marshal(pkix.AlgorithmIdentifier{Algorithm: id, Parameters: asn1.NullRawValue})
		if err != nil {
			t.Fatal(err)
		}
		return b
	}
	cases := map[string]struct {
		algorithm []byte
		want      error
	}{
		"ok/NULL parameters":    {identifier(1, 2, 840, 10045, 4, 3, 2), nil}, // as Japan writes them
		"error/another hash":    {identifier(1, 2, 840, 10045, 4, 3, 3), ErrSignature},
		"error/RSA":             {identifier(1, 2, 840, 113549, 1, 1, 11), ErrSignature},
		"error/SHA-1":           {identifier(1, 2, 840, 10045, 4, 1), ErrUnsupported},
		"error/PSS by defaults": {[]byte{0x30, 13, 6, 9, 0x2a, 0x86, 0x48, 0x86, 0xf7, 13, 1, 1, 10, 0x30, 0}, ErrUnsupported},
		"error/PSS without any": {identifier(1, 2, 840, 113549, 1, 1, 10), ErrMalformed},
		"error/parameters":      {[]byte{0x30, 13, 6, 8, 0x2a, 0x86, 0x48, 0xce, 0x3d, 4, 3, 2, 2, 1, 0}, ErrMalformed},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			signed := *authority.cert
			signed.signed.algorithm = c.algorithm
			if err := authority.cert.CheckSignature(&signed); !errors.Is(err, c.want) {
				t.Errorf("got %v, want %v", err, c.want)
			}
		})
	}
}

// Authorities that must not count as one.
func TestFindAuthorityErrors(t *testing.T) {
	authority := newAuthority(t, elliptic.P256())
	b, err := CreateBarcodeSigner(signerTemplate(), &newKey(t, elliptic.P256()).PublicKey, authority.der, authority.key)
	if err != nil {
		t.Fatal(err)
	}
	signed, err := ParseCertificate(b)
	if err != nil {
		t.Fatal(err)
	}
	cases := map[string]struct {
		change func(c *Certificate)
		want   error
	}{
		"error/not a CA":           {func(c *Certificate) { c.IsCA = false }, ErrUntrusted},
		"error/may not sign":       {func(c *Certificate) { c.KeyUsage = x509.KeyUsageCRLSign }, ErrUntrusted},
		"error/key identifier":     {func(c *Certificate) { c.SKI = []byte{1} }, ErrUntrusted},
		"error/no key identifier":  {func(c *Certificate) { c.SKI = nil }, ErrUntrusted},
		"error/another name":       {func(c *Certificate) { c.Subject = signed.Subject }, ErrUntrusted},
		"error/another key":        {func(c *Certificate) { c.PublicKey = signed.PublicKey }, ErrUntrusted},
		"error/key not understood": {func(c *Certificate) { c.PublicKey, c.keyErr = nil, unsupported("key") }, ErrUnsupported},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			changed := *authority.cert
			c.change(&changed)
			if _, err := FindAuthority(signed, []*Certificate{&changed}); !errors.Is(err, c.want) {
				t.Errorf("got %v, want %v", err, c.want)
			}
			if _, err := FindAuthority(signed, []*Certificate{&changed, authority.cert}); err != nil {
				t.Errorf("the next candidate was not tried: %v", err)
			}
		})
	}
	t.Run("ok/without key identifier the names decide", func(t *testing.T) {
		nameless := *signed
		nameless.AKI = nil
		if _, err := FindAuthority(&nameless, []*Certificate{authority.cert}); err != nil {
			t.Error(err)
		}
	})
}

// X.520: string type, case and blanks do not make another name; order and content do.
func TestNameEqual(t *testing.T) {
	name := func(values ...any) Name {
		var sequence []pkix.RelativeDistinguishedNameSET
		kinds := []asn1.ObjectIdentifier{{2, 5, 4, 6}, {2, 5, 4, 3}}
		for i, v := range values {
			sequence = append(sequence, pkix.RelativeDistinguishedNameSET{{Type: kinds[i%2], Value: v}})
		}
		b, err := asn1.Marshal(sequence)
		if err != nil {
			t.Fatal(err)
		}
		in := cryptobyte.String(b)
		n, ok := readName(&in)
		if !ok {
			t.Fatal("name not read")
		}
		return n
	}
	text := func(tag int, s string) asn1.RawValue { return asn1.RawValue{Tag: tag, Bytes: []byte(s)} }
	base := name(text(19, "JP"), text(19, "The Agency"))
	cases := map[string]struct {
		other Name
		want  bool
	}{
		"ok/string type":         {name(text(19, "JP"), text(12, "The Agency")), true},
		"ok/BMPString":           {name(text(19, "JP"), text(30, "\x00T\x00h\x00e\x00 \x00A\x00g\x00e\x00n\x00c\x00y")), true},
		"ok/case":                {name(text(19, "jp"), text(19, "THE agency")), true},
		"ok/blanks":              {name(text(19, "JP"), text(19, " The  Agency ")), true},
		"error/not a string":     {name(text(19, "JP"), asn1.RawValue{Tag: 4, Bytes: []byte("The Agency")}), false},
		"error/content":          {name(text(19, "JP"), text(19, "The Agencies")), false},
		"error/no blank":         {name(text(19, "JP"), text(19, "TheAgency")), false},
		"error/one part less":    {name(text(19, "JP")), false},
		"error/one part more":    {name(text(19, "JP"), text(19, "The Agency"), text(19, "JP")), false},
		"error/other attributes": {name(text(19, "The Agency"), text(19, "JP")), false},
	}
	for label, c := range cases {
		t.Run(label, func(t *testing.T) {
			if got := base.Equal(c.other); got != c.want {
				t.Errorf("equal: %v", got)
			}
		})
	}
	broken := func(b byte) Name { return name(text(19, "JP"), text(12, string([]byte{b}))) }
	if broken(0xfe).Equal(broken(0xff)) || !broken(0xff).Equal(broken(0xff)) {
		t.Error("damaged strings are not compared byte by byte")
	}
	if got := name(text(12, "J\u202eP\n")).String(); got != "C=J\uFFFDP\uFFFD" {
		t.Errorf("printed as %q", got)
	}
	if two := name(text(19, "JP"), text(19, "x"), text(19, "AU")); two.Country() != "" {
		t.Errorf("two countries read as %q", two.Country())
	}
}

func FuzzParseCertificate(f *testing.F) {
	f.Add(testkit.Read(f, "vdsnc/trust/jpn-csca-e3-root-p384-explicit.der"))
	f.Add(testkit.Read(f, "vdsnc/trust/jpn-csca-e5-link-rsapss.der"))
	f.Add(japaneseSigner(f).Raw)
	f.Fuzz(func(t *testing.T, b []byte) {
		c, err := ParseCertificate(b)
		if err != nil {
			return
		}
		_, _, _ = c.CheckSignature(c), c.Subject.String(), c.Subject.Country()
		if (c.PublicKey == nil) != (c.keyErr != nil) {
			t.Error("a key, or the reason why not")
		}
	})
}

func FuzzParseCRL(f *testing.F) {
	f.Add(testkit.Read(f, "vdsnc/trust/aus-2021-08-19.crl"))
	f.Add(testkit.Read(f, "vdsnc/synthetic/jpn.crl"))
	authority := load(f, "vdsnc/synthetic/csca-jpn-test.der")
	f.Fuzz(func(t *testing.T, b []byte) {
		l, err := ParseCRL(b)
		if err != nil {
			return
		}
		_, _ = l.Lists(big.NewInt(0x010c)), authority.CheckCRL(l)
	})
}

var oidSubjectAlt = asn1.ObjectIdentifier{2, 5, 29, 17}

func many(n int) (ids []asn1.ObjectIdentifier) {
	for i := range n {
		ids = append(ids, asn1.ObjectIdentifier{1, 2, 3, i})
	}
	return ids
}

// withExtensions makes a self-signed certificate with critical extensions that hold NULL.
func withExtensions(t *testing.T, ids ...asn1.ObjectIdentifier) []byte {
	t.Helper()
	template := &x509.Certificate{SerialNumber: big.NewInt(1), NotBefore: begin, NotAfter: end, KeyUsage: x509.KeyUsageCertSign}
	for _, id := range ids {
		template.ExtraExtensions = append(template.ExtraExtensions, pkix.Extension{Id: id, Critical: true, Value: []byte{5, 0}})
	}
	key := newKey(t, elliptic.P256())
	b, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		t.Fatal(err)
	}
	return b
}
