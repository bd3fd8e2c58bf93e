package testkit

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/rand"
	_ "crypto/sha1"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/asn1"
	"maps"
	"math/big"
	"slices"
	"testing"
	"time"
)

// What Doc 9303 signs, and for what.
var (
	SecurityObjectType = asn1.ObjectIdentifier{2, 23, 136, 1, 1, 1}
	MasterListType     = asn1.ObjectIdentifier{2, 23, 136, 1, 1, 2}
	MasterListPurpose  = asn1.ObjectIdentifier{2, 23, 136, 1, 1, 3}
)

// Country is the signing authority (CSCA) of an invented state; it lives as long as its test.
type Country struct {
	Certificate []byte
	root        *x509.Certificate
	key         *ecdsa.PrivateKey
	t           testing.TB
}

// NewCountry makes an authority for a country of two letters.
func NewCountry(t testing.TB, code string, from, to time.Time) *Country {
	t.Helper()
	c := &Country{t: t, key: newKey(t)}
	c.Certificate, c.root = c.certify(&x509.Certificate{
		SerialNumber: serial(t), Subject: pkix.Name{Country: []string{code}, CommonName: "CSCA"}, NotBefore: from, NotAfter: to,
		IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageCertSign | x509.KeyUsageCRLSign, SubjectKeyId: []byte(code + " authority"),
	}, nil, c.key)
	return c
}

// Signer certifies a document signer, changed as the test wants it.
func (c *Country) Signer(change func(*x509.Certificate)) (der []byte, key *ecdsa.PrivateKey) {
	c.t.Helper()
	template := &x509.Certificate{
		SerialNumber: serial(c.t), Subject: pkix.Name{Country: c.root.Subject.Country, CommonName: "signer"},
		NotBefore: c.root.NotBefore, NotAfter: c.root.NotAfter, KeyUsage: x509.KeyUsageDigitalSignature, SubjectKeyId: []byte("signer"),
	}
	if change != nil {
		change(template)
	}
	key = newKey(c.t)
	der, _ = c.certify(template, c.root, key)
	return der, key
}

// MasterListSigner certifies a signer of master lists.
func (c *Country) MasterListSigner() (der []byte, key *ecdsa.PrivateKey) {
	c.t.Helper()
	return c.Signer(func(x *x509.Certificate) { x.UnknownExtKeyUsage = []asn1.ObjectIdentifier{MasterListPurpose} })
}

func (c *Country) certify(template, parent *x509.Certificate, key *ecdsa.PrivateKey) ([]byte, *x509.Certificate) {
	c.t.Helper()
	if parent == nil {
		parent = template
	}
	der, err := x509.CreateCertificate(rand.Reader, template, parent, key.Public(), c.key)
	if err != nil {
		c.t.Fatal(err)
	}
	made, err := x509.ParseCertificate(der)
	if err != nil {
		c.t.Fatal(err)
	}
	return der, made
}

// CRL makes a revocation list of the authority.
func (c *Country) CRL(number int64, at, next time.Time, revoked ...*big.Int) []byte {
	c.t.Helper()
	list := &x509.RevocationList{Number: big.NewInt(number), ThisUpdate: at, NextUpdate: next}
	for _, s := range revoked {
		list.RevokedCertificateEntries = append(list.RevokedCertificateEntries, x509.RevocationListEntry{SerialNumber: s, RevocationTime: at})
	}
	der, err := x509.CreateRevocationList(rand.Reader, list, c.root, c.key)
	if err != nil {
		c.t.Fatal(err)
	}
	return der
}

// Message is a CMS message to be made: signed by Key, with its certificate and others inside.
type Message struct {
	Type     asn1.ObjectIdentifier
	Content  []byte
	Signer   []byte // certificate, DER
	Key      *ecdsa.PrivateKey
	Enclosed [][]byte
	At       time.Time
}

type attribute struct {
	ID     asn1.ObjectIdentifier
	Values []any `asn1:"set"`
}

var sha256Identifier = pkix.AlgorithmIdentifier{Algorithm: asn1.ObjectIdentifier{2, 16, 840, 1, 101, 3, 4, 2, 1}}

// Sign makes the message: SHA-256, ECDSA.
func (m Message) Sign(t testing.TB) []byte {
	t.Helper()
	certificate, err := x509.ParseCertificate(m.Signer)
	if err != nil {
		t.Fatal(err)
	}
	sum := crypto.SHA256.New()
	sum.Write(m.Content)
	attributes := Marshal(t, []attribute{
		{asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 9, 3}, []any{m.Type}},
		{asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 9, 4}, []any{sum.Sum(nil)}},
		{asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 9, 5}, []any{m.At.UTC()}},
	}, "set")
	digest := crypto.SHA256.New()
	digest.Write(attributes)
	signature, err := m.Key.Sign(rand.Reader, digest.Sum(nil), crypto.SHA256)
	if err != nil {
		t.Fatal(err)
	}
	inside := asn1.RawValue{FullBytes: attributes}
	inside.FullBytes[0] = 0xa0
	enclosed := append(slices.Clone(m.Signer), slices.Concat(m.Enclosed...)...)
	body := Marshal(t, struct {
		Version  int
		Digests  []pkix.AlgorithmIdentifier `asn1:"set"`
		Content  any
		Enclosed asn1.RawValue
		Signers  []any `asn1:"set"`
	}{
		3, []pkix.AlgorithmIdentifier{sha256Identifier},
		struct {
			Type    asn1.ObjectIdentifier
			Content []byte `asn1:"explicit,tag:0"`
		}{m.Type, m.Content},
		asn1.RawValue{Class: asn1.ClassContextSpecific, Tag: 0, IsCompound: true, Bytes: enclosed},
		[]any{struct {
			Version int
			Name    struct {
				Issuer asn1.RawValue
				Serial *big.Int
			}
			Digest     pkix.AlgorithmIdentifier
			Attributes asn1.RawValue
			Algorithm  pkix.AlgorithmIdentifier
			Signature  []byte
		}{
			1, struct {
				Issuer asn1.RawValue
				Serial *big.Int
			}{asn1.RawValue{FullBytes: certificate.RawIssuer}, certificate.SerialNumber},
			sha256Identifier, inside,
			pkix.AlgorithmIdentifier{Algorithm: asn1.ObjectIdentifier{1, 2, 840, 10045, 4, 3, 2}}, signature,
		}},
	}, "")
	return Marshal(t, struct {
		Type asn1.ObjectIdentifier
		Body asn1.RawValue
	}{
		asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 7, 2},
		asn1.RawValue{Class: asn1.ClassContextSpecific, Tag: 0, IsCompound: true, Bytes: body},
	}, "")
}

// MasterList is the content of a master list.
func MasterList(t testing.TB, certificates ...[]byte) []byte {
	t.Helper()
	return Marshal(t, struct {
		Version int
		List    asn1.RawValue
	}{0, asn1.RawValue{Tag: asn1.TagSet, IsCompound: true, Bytes: slices.Concat(certificates...)}}, "")
}

type groupHash struct {
	Number int
	Hash   []byte
}

// SecurityObject is the content of EF.SOD over data groups, by number: their SHA-256.
func SecurityObject(t testing.TB, groups map[int][]byte) []byte {
	t.Helper()
	var list []groupHash
	for _, n := range slices.Sorted(maps.Keys(groups)) {
		h := crypto.SHA256.New()
		h.Write(groups[n])
		list = append(list, groupHash{n, h.Sum(nil)})
	}
	return Marshal(t, struct {
		Version int
		Hash    pkix.AlgorithmIdentifier
		Groups  []groupHash
	}{0, sha256Identifier, list}, "")
}

// DG1 wraps the characters of a machine readable zone as the file of a chip.
func DG1(t testing.TB, zone string) []byte {
	t.Helper()
	return Wrap(t, 1, append([]byte{0x5f, 0x1f, byte(len(zone))}, zone...))
}

// SOD wraps a message as EF.SOD.
func SOD(t testing.TB, message []byte) []byte { return Wrap(t, 23, message) }

// Wrap puts bytes into an element of class application.
func Wrap(t testing.TB, tag int, b []byte) []byte {
	t.Helper()
	return Marshal(t, asn1.RawValue{Class: asn1.ClassApplication, Tag: tag, IsCompound: true, Bytes: b}, "")
}

// Marshal writes DER.
func Marshal(t testing.TB, v any, params string) []byte {
	t.Helper()
	b, err := asn1.MarshalWithParams(v, params)
	if err != nil {
		t.Fatal(err)
	}
	return b
}
