package pki

import (
	"bytes"
	"crypto"
	"crypto/sha256"
	"crypto/x509"
	"encoding/asn1"
	"fmt"
	"math/big"
	"slices"
	"time"

	"golang.org/x/crypto/cryptobyte"
	der "golang.org/x/crypto/cryptobyte/asn1"
)

// Certificate is an X.509 certificate, version 1 to 3, as far as Doc 9303 uses it.
type Certificate struct {
	Raw, RawTBS []byte // the whole certificate; the part that is signed
	Version     int    // 1, 2 or 3
	Serial      *big.Int
	Issuer      Name
	Subject     Name
	NotBefore   time.Time
	NotAfter    time.Time
	PublicKey   crypto.PublicKey // *ecdsa.PublicKey or *rsa.PublicKey; nil when not supported

	SKI, AKI            []byte // key identifiers of subject and authority; nil if absent
	IsCA                bool
	HasKeyUsage         bool
	KeyUsage            x509.KeyUsage
	KeyUsageCritical    bool
	ExtKeyUsage         []asn1.ObjectIdentifier
	ExtKeyUsageCritical bool
	HasDocumentTypes    bool
	DocumentTypes       []string                // Doc 9303 document type list, such as "NV"
	PrivateKeyUsage     Period                  // zero times where absent
	Localities          []string                // of the alternative names: Doc 9303-3 code of the state, such as "D"
	UnknownCritical     []asn1.ObjectIdentifier // critical extensions that are not among these

	keyErr error
	signed signature
}

// Period is a span of time; a zero time is an open end.
type Period struct{ From, To time.Time }

// Includes tells whether t lies in the period, its ends included.
func (p Period) Includes(t time.Time) bool {
	return !(t.Before(p.From) || !p.To.IsZero() && t.After(p.To))
}

// Valid tells whether t lies in the validity of the certificate.
func (c *Certificate) Valid(t time.Time) bool { return Period{c.NotBefore, c.NotAfter}.Includes(t) }

// HasPurpose tells whether the extended key usage names the purpose.
func (c *Certificate) HasPurpose(purpose asn1.ObjectIdentifier) bool {
	return slices.ContainsFunc(c.ExtKeyUsage, purpose.Equal)
}

// ParseCertificate reads one DER certificate of at most MaxCertificate bytes with
// nothing after it. Errors are ErrTooLarge or ErrMalformed; a key or signature
// algorithm that is not supported shows only when it is used.
func ParseCertificate(b []byte) (*Certificate, error) {
	if len(b) > MaxCertificate {
		return nil, fmt.Errorf("pki: certificate: %w", ErrTooLarge)
	}
	c := &Certificate{Raw: bytes.Clone(b)}
	tbs, err := readSigned(c.Raw, &c.RawTBS, &c.signed)
	if err != nil {
		return nil, fmt.Errorf("certificate: %w", err)
	}
	if err := c.readTBS(tbs); err != nil {
		return nil, fmt.Errorf("certificate: %w", err)
	}
	return c, nil
}

// readSigned opens SIGNED{…} (X.509, 6.2.1): the part to be signed, algorithm, signature.
func readSigned(b []byte, raw *[]byte, s *signature) (tbs cryptobyte.String, err error) {
	in := cryptobyte.String(b)
	var outer, element, algorithm cryptobyte.String
	var bits asn1.BitString
	if !in.ReadASN1(&outer, der.SEQUENCE) || !in.Empty() {
		return nil, malformed("outer sequence")
	}
	if !outer.ReadASN1Element(&element, der.SEQUENCE) ||
		!outer.ReadASN1Element(&algorithm, der.SEQUENCE) ||
		!outer.ReadASN1BitString(&bits) || bits.BitLength%8 != 0 || !outer.Empty() {
		return nil, malformed("signature")
	}
	*raw = element
	*s = signature{algorithm: algorithm, value: bits.Bytes}
	if !element.ReadASN1(&tbs, der.SEQUENCE) {
		return nil, malformed("signed part")
	}
	return tbs, nil
}

func (c *Certificate) readTBS(tbs cryptobyte.String) error {
	var algorithm, key cryptobyte.String
	var ok bool
	c.Serial = new(big.Int)
	if c.Version, ok = readVersion(&tbs); !ok {
		return malformed("version")
	}
	if !tbs.ReadASN1Integer(c.Serial) {
		return malformed("serial number")
	}
	if !tbs.ReadASN1Element(&algorithm, der.SEQUENCE) || !bytes.Equal(algorithm, c.signed.algorithm) {
		return malformed("signature algorithm inside and outside") // RFC 5280, 4.1.1.2
	}
	if c.Issuer, ok = readName(&tbs); !ok {
		return malformed("issuer")
	}
	if c.NotBefore, c.NotAfter, ok = readValidity(&tbs); !ok {
		return malformed("validity")
	}
	if c.Subject, ok = readName(&tbs); !ok {
		return malformed("subject")
	}
	if !tbs.ReadASN1(&key, der.SEQUENCE) {
		return malformed("public key")
	}
	var err error
	if c.PublicKey, c.keyErr, err = readKey(key); err != nil {
		return err
	}
	return c.readExtensions(tbs)
}

func readVersion(tbs *cryptobyte.String) (version int, ok bool) {
	var field cryptobyte.String
	var present bool
	if !tbs.ReadOptionalASN1(&field, &present, der.Tag(0).Constructed().ContextSpecific()) {
		return 0, false
	}
	if !present {
		return 1, true
	}
	if !field.ReadASN1Integer(&version) || !field.Empty() || version < 0 || version > 2 {
		return 0, false
	}
	return version + 1, true
}

func readValidity(tbs *cryptobyte.String) (from, to time.Time, ok bool) {
	var validity cryptobyte.String
	ok = tbs.ReadASN1(&validity, der.SEQUENCE) && readTime(&validity, &from) && readTime(&validity, &to) && validity.Empty()
	return from, to, ok
}

func readTime(in *cryptobyte.String, t *time.Time) bool {
	if in.PeekASN1Tag(der.UTCTime) {
		return in.ReadASN1UTCTime(t)
	}
	return in.ReadASN1GeneralizedTime(t)
}

// HealthKeyIDSize is the length of a HealthKeyID, in bytes.
const HealthKeyIDSize = 8

// HealthKeyID is by what HC1 codes name their signer: the first 8 bytes of the SHA-256 of its
// certificate in DER (spec eu-dcc, 6).
func HealthKeyID(der []byte) []byte {
	digest := sha256.Sum256(der)
	return digest[:HealthKeyIDSize]
}
