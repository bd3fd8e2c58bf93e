package pki

import (
	"bytes"
	"crypto"
	"encoding/asn1"
	"fmt"
	"math/big"
	"time"

	"golang.org/x/crypto/cryptobyte"
	der "golang.org/x/crypto/cryptobyte/asn1"
)

// MaxSignedData is the longest message that is read, in bytes: a master list of all states has 2 MB.
const MaxSignedData = 8 << 20

// maxEnclosed bounds the certificates that a message carries for its own proof.
const maxEnclosed = 32

var (
	oidSignedData    = asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 7, 2}
	oidContentType   = asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 9, 3}
	oidMessageDigest = asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 9, 4}
	oidSigningTime   = asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 9, 5}
)

// SignedData is a CMS message (RFC 5652, 5) with its content inside, one signer and signed
// attributes, as Doc 9303 signs the security object of a chip and master lists.
type SignedData struct {
	ContentType  asn1.ObjectIdentifier
	Content      []byte
	Certificates []*Certificate // those inside that can be read
	SigningTime  time.Time      // as the signer says; zero if it does not

	signer signerInfo
}

// signerInfo is the one proof of a message.
type signerInfo struct {
	issuer     Name     // with serial, or
	serial     *big.Int //
	keyID      []byte   // subject key identifier
	digest     crypto.Hash
	digestErr  error  // when it is not known here
	attributes []byte // DER of the SET OF, which is what was signed
	content    asn1.ObjectIdentifier
	sum        []byte // messageDigest
	signature  signature
}

// ParseSignedData reads a message of at most MaxSignedData bytes with nothing after it. Its
// outer layers may be in BER with indefinite lengths; certificates and attributes are
// taken as they stand. Certificates that cannot be read are left out. Errors are
// ErrTooLarge or ErrMalformed.
func ParseSignedData(b []byte) (*SignedData, error) {
	if len(b) > MaxSignedData {
		return nil, fmt.Errorf("pki: message: %w", ErrTooLarge)
	}
	in := cryptobyte.String(bytes.Clone(b))
	var kind asn1.ObjectIdentifier
	_, outer, ok := readBER(&in, der.SEQUENCE)
	if !ok || !in.Empty() || !outer.ReadASN1ObjectIdentifier(&kind) || !kind.Equal(oidSignedData) {
		return nil, malformed("message")
	}
	_, explicit, ok := readBER(&outer, tagOf(0))
	_, body, inside := readBER(&explicit, der.SEQUENCE)
	if !ok || !inside || !outer.Empty() || !explicit.Empty() {
		return nil, malformed("signed data")
	}
	d := &SignedData{}
	if err := d.read(body); err != nil {
		return nil, err
	}
	return d, nil
}

func tagOf(n uint8) der.Tag { return der.Tag(n).Constructed().ContextSpecific() }

func (d *SignedData) read(in cryptobyte.String) error {
	var version int
	if !in.ReadASN1Integer(&version) || version < 1 || version > 5 {
		return malformed("version of signed data")
	}
	if _, _, ok := readBER(&in, der.SET); !ok { // digest algorithms, which the signer repeats
		return malformed("digest algorithms")
	}
	if err := d.readContent(&in); err != nil {
		return err
	}
	if in.PeekASN1Tag(tagOf(0)) {
		if err := d.readCertificates(&in); err != nil {
			return err
		}
	}
	if in.PeekASN1Tag(tagOf(1)) {
		if _, _, ok := readBER(&in, tagOf(1)); !ok { // revocation lists: who trusts has its own
			return malformed("revocation lists of signed data")
		}
	}
	_, signers, ok := readBER(&in, der.SET)
	if !ok || !in.Empty() {
		return malformed("signers")
	}
	_, one, ok := readBER(&signers, der.SEQUENCE)
	if !ok || !signers.Empty() {
		return malformed("one signer")
	}
	return d.readSigner(one)
}

func (d *SignedData) readContent(in *cryptobyte.String) error {
	_, info, ok := readBER(in, der.SEQUENCE)
	if !ok || !info.ReadASN1ObjectIdentifier(&d.ContentType) {
		return malformed("content type")
	}
	_, explicit, ok := readBER(&info, tagOf(0))
	if !ok || !info.Empty() {
		return malformed("content")
	}
	if d.Content, ok = readOctets(&explicit); !ok || !explicit.Empty() {
		return malformed("content")
	}
	return nil
}

func (d *SignedData) readCertificates(in *cryptobyte.String) error {
	_, list, ok := readBER(in, tagOf(0))
	if !ok {
		return malformed("certificates")
	}
	for count := 0; !list.Empty(); count++ {
		if count == maxEnclosed {
			return fmt.Errorf("pki: number of certificates: %w", ErrTooLarge)
		}
		tag := der.Tag(list[0]) // other kinds than SEQUENCE are no certificates of X.509
		element, _, ok := readBER(&list, tag)
		if !ok {
			return malformed("certificates")
		}
		if c, err := ParseCertificate(element); err == nil {
			d.Certificates = append(d.Certificates, c)
		}
	}
	return nil
}

func (d *SignedData) readSigner(in cryptobyte.String) error {
	s := &d.signer
	var version int
	if !in.ReadASN1Integer(&version) || !s.readIdentifier(&in) {
		return malformed("identifier of the signer")
	}
	var digest, algorithm cryptobyte.String
	if !in.ReadASN1Element(&digest, der.SEQUENCE) {
		return malformed("digest algorithm of the signer")
	}
	var known bool
	if s.digest, known = HashOf(digest); !known {
		s.digestErr = unsupported("digest algorithm of the message")
	}
	_, attributes, ok := readBER(&in, tagOf(0))
	if !ok {
		return malformed("signed attributes")
	}
	if err := d.readAttributes(attributes); err != nil {
		return err
	}
	if !in.ReadASN1Element(&algorithm, der.SEQUENCE) {
		return malformed("signature algorithm of the signer")
	}
	s.signature.algorithm = algorithm
	if s.signature.value, ok = readOctets(&in); !ok {
		return malformed("signature of the signer")
	}
	if in.PeekASN1Tag(tagOf(1)) {
		if _, _, ok := readBER(&in, tagOf(1)); !ok {
			return malformed("unsigned attributes")
		}
	}
	if !in.Empty() {
		return malformed("signer")
	}
	return nil
}

func (s *signerInfo) readIdentifier(in *cryptobyte.String) bool {
	var pair, id cryptobyte.String
	if keyID := der.Tag(0).ContextSpecific(); in.PeekASN1Tag(keyID) {
		ok := in.ReadASN1(&id, keyID)
		s.keyID = id
		return ok && len(id) > 0
	}
	s.serial = new(big.Int)
	_, pair, ok := readBER(in, der.SEQUENCE)
	if !ok {
		return false
	}
	s.issuer, ok = readName(&pair)
	return ok && pair.ReadASN1Integer(s.serial) && pair.Empty()
}

// readAttributes reads what was signed: content type and digest once each (RFC 5652,
// 5.3), a time at most once, others as they are.
func (d *SignedData) readAttributes(in cryptobyte.String) error {
	var set cryptobyte.Builder
	set.AddASN1(der.SET, func(b *cryptobyte.Builder) { b.AddBytes(in) })
	s := &d.signer
	var err error
	if s.attributes, err = set.Bytes(); err != nil {
		return malformed("signed attributes")
	}
	seen := map[string]bool{}
	for !in.Empty() {
		var one, values cryptobyte.String
		var id asn1.ObjectIdentifier
		if !in.ReadASN1(&one, der.SEQUENCE) || !one.ReadASN1ObjectIdentifier(&id) || !one.ReadASN1(&values, der.SET) || !one.Empty() {
			return malformed("signed attribute")
		}
		if seen[id.String()] || len(seen) == maxParts {
			return malformed("signed attributes: one twice, or too many")
		}
		seen[id.String()] = true
		ok := true
		switch {
		case id.Equal(oidContentType):
			ok = values.ReadASN1ObjectIdentifier(&s.content) && values.Empty()
		case id.Equal(oidMessageDigest):
			var sum cryptobyte.String
			ok = values.ReadASN1(&sum, der.OCTET_STRING) && values.Empty()
			s.sum = sum
		case id.Equal(oidSigningTime):
			ok = readTime(&values, &d.SigningTime) && values.Empty()
		}
		if !ok {
			return malformed("signed attribute " + id.String())
		}
	}
	if s.content == nil || s.sum == nil {
		return malformed("signed attributes: content type and digest")
	}
	return nil
}

// Signer returns the certificate inside that the signer's identifier names; nil if there is
// none, or more than one.
func (d *SignedData) Signer() *Certificate {
	var found *Certificate
	for _, c := range d.Certificates {
		switch {
		case !d.signer.names(c), found != nil && bytes.Equal(found.Raw, c.Raw):
		case found != nil:
			return nil
		default:
			found = c
		}
	}
	return found
}

func (s *signerInfo) names(c *Certificate) bool {
	if s.keyID != nil {
		return bytes.Equal(s.keyID, c.SKI)
	}
	return s.serial.Cmp(c.Serial) == 0 && s.issuer.Equal(c.Issuer)
}

// Check tells whether the signer signed this content, with the algorithm that the message
// names: that of its certificate may be another. Who the signer is, is not looked at.
// The error is ErrSignature, ErrUnsupported or ErrMalformed.
func (d *SignedData) Check(signer *Certificate) error {
	s := d.signer
	if s.digestErr != nil {
		return s.digestErr
	}
	a, err := s.algorithm()
	if err != nil {
		return err
	}
	h := s.digest.New()
	h.Write(d.Content)
	if !s.content.Equal(d.ContentType) || !bytes.Equal(h.Sum(nil), s.sum) {
		return fmt.Errorf("pki: digest of the message: %w", ErrSignature)
	}
	return signer.verify(s.attributes, a, s.signature.value)
}

// algorithm is that of the signature. Where only the kind of key is named, the digest's
// hash is meant (RFC 3370, 3.2).
func (s *signerInfo) algorithm() (algorithm, error) {
	in := cryptobyte.String(s.signature.algorithm)
	var sequence cryptobyte.String
	var id asn1.ObjectIdentifier
	if in.ReadASN1(&sequence, der.SEQUENCE) && sequence.ReadASN1ObjectIdentifier(&id) && id.Equal(oidRSA) && isNullOrAbsent(sequence) {
		return algorithm{scheme: schemePKCS1, hash: s.digest}, nil
	}
	return readAlgorithm(s.signature.algorithm)
}

// Weak tells whether the proof rests on SHA-1.
func (d *SignedData) Weak() bool {
	a, err := d.signer.algorithm()
	return d.signer.digest == crypto.SHA1 || err == nil && a.hash == crypto.SHA1
}
