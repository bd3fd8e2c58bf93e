package pdf

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/sha256"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/asn1"
	"encoding/hex"
	"errors"
	"fmt"
	"math/big"
	"time"
)

// Signatory is who signs a file and when it claims to have been signed.
type Signatory struct {
	Certificate []byte    // DER, of a P-256 key
	At          time.Time // whole seconds count
}

// Unsigned is a file that is complete but for its signature: a PAdES baseline
// signature (ETSI EN 319 142-1, B-B) over the whole file. The same pages,
// signatory and signature value give the same bytes.
type Unsigned struct {
	file        []byte
	room        int // where the hexadecimal digits of the signature go
	certificate *x509.Certificate
	attributes  []byte // signed, as SET OF
}

var (
	// ErrSignatory says that a certificate cannot sign a file: not of a P-256 key,
	// not for signatures, not valid at the time, or too large.
	ErrSignatory = errors.New("pdf: certificate cannot sign files")
	// ErrSignature says that a value is not the signature of the file.
	ErrSignature = errors.New("pdf: not the signature of this file")
)

// signatureRoom is the size of the CMS structure that a file has room for.
const signatureRoom = 2048

// Prepare makes the file of Render with room for a signature. Its Digest is to
// be signed by the key of the certificate, and the value goes to Complete.
func (r *Renderer) Prepare(by Signatory, pages ...Page) (*Unsigned, error) {
	c, err := x509.ParseCertificate(by.Certificate)
	if err != nil {
		return nil, fmt.Errorf("%w: it does not parse", ErrSignatory)
	}
	key, ok := c.PublicKey.(*ecdsa.PublicKey)
	signs := c.KeyUsage == 0 || c.KeyUsage&(x509.KeyUsageDigitalSignature|x509.KeyUsageContentCommitment) != 0
	if !ok || key.Curve != elliptic.P256() || !signs || by.At.Before(c.NotBefore) || by.At.After(c.NotAfter) {
		return nil, ErrSignatory
	}
	file, room, err := r.render(&by, pages)
	if err != nil {
		return nil, err
	}
	u := &Unsigned{file: file, room: room, certificate: c}
	if u.attributes, err = u.signedAttributes(); err != nil {
		return nil, err
	}
	if whole, err := u.cms(make([]byte, 72)); err != nil || len(whole) > signatureRoom {
		return nil, fmt.Errorf("%w: it is too large", ErrSignatory)
	}
	return u, nil
}

// Digest is what is to be signed: the SHA-256 of the signed attributes, which
// hold the digest of the file (RFC 5652, 5.4).
func (u *Unsigned) Digest() [sha256.Size]byte { return sha256.Sum256(u.attributes) }

// Complete returns the signed file. The signature is r then s, 32 bytes each; it
// is checked with the certificate's key first. Errors wrap ErrSignature.
func (u *Unsigned) Complete(signature []byte) ([]byte, error) {
	if len(signature) != 64 {
		return nil, ErrSignature
	}
	r, s := new(big.Int).SetBytes(signature[:32]), new(big.Int).SetBytes(signature[32:])
	value, err := asn1.Marshal(struct{ R, S *big.Int }{r, s})
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrSignature, err)
	}
	digest := u.Digest()
	if !ecdsa.VerifyASN1(u.certificate.PublicKey.(*ecdsa.PublicKey), digest[:], value) {
		return nil, ErrSignature
	}
	whole, err := u.cms(value)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrSignature, err)
	}
	file := bytes.Clone(u.file)
	hex.Encode(file[u.room:], whole)
	return file, nil
}

// Object identifiers of RFC 5652, 5035 and 5758.
var (
	oidData          = asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 7, 1}
	oidSignedData    = asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 7, 2}
	oidContentType   = asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 9, 3}
	oidMessageDigest = asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 9, 4}
	oidSigningCertV2 = asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 9, 16, 2, 47}
	oidSHA256        = asn1.ObjectIdentifier{2, 16, 840, 1, 101, 3, 4, 2, 1}
	oidECDSASHA256   = asn1.ObjectIdentifier{1, 2, 840, 10045, 4, 3, 2}
)

type attribute struct {
	Type   asn1.ObjectIdentifier
	Values []any `asn1:"set"`
}

// essCertIDv2 leaves the algorithm out: SHA-256 is the default (RFC 5035, 4).
type essCertIDv2 struct{ Hash []byte }

type signingCertificateV2 struct{ Certs []essCertIDv2 }

// signedAttributes are those that a PAdES baseline signature must have. The time
// is not among them: it stands in the signature dictionary.
func (u *Unsigned) signedAttributes() ([]byte, error) {
	content := sha256.New()
	content.Write(u.file[:u.room-1])
	content.Write(u.file[u.room+2*signatureRoom+1:])
	certificate := sha256.Sum256(u.certificate.Raw)
	return asn1.MarshalWithParams([]attribute{
		{oidContentType, []any{oidData}},
		{oidMessageDigest, []any{content.Sum(nil)}},
		{oidSigningCertV2, []any{signingCertificateV2{[]essCertIDv2{{certificate[:]}}}}},
	}, "set")
}

type signedData struct {
	Version      int
	Digests      []pkix.AlgorithmIdentifier `asn1:"set"`
	Content      struct{ Type asn1.ObjectIdentifier }
	Certificates asn1.RawValue
	Signers      []signerInfo `asn1:"set"`
}

type signerInfo struct {
	Version int
	Signer  struct {
		Issuer asn1.RawValue
		Serial *big.Int
	}
	Digest     pkix.AlgorithmIdentifier
	Attributes asn1.RawValue
	Algorithm  pkix.AlgorithmIdentifier
	Value      []byte
}

// cms puts the detached signature together (RFC 5652, 5).
func (u *Unsigned) cms(value []byte) ([]byte, error) {
	sha := pkix.AlgorithmIdentifier{Algorithm: oidSHA256}
	attributes := bytes.Clone(u.attributes)
	attributes[0] = 0xA0 // [0] IMPLICIT instead of SET OF
	signer := signerInfo{
		Version: 1, Digest: sha, Attributes: asn1.RawValue{FullBytes: attributes},
		Algorithm: pkix.AlgorithmIdentifier{Algorithm: oidECDSASHA256}, Value: value,
	}
	signer.Signer.Issuer.FullBytes, signer.Signer.Serial = u.certificate.RawIssuer, u.certificate.SerialNumber
	data := signedData{
		Version: 1, Digests: []pkix.AlgorithmIdentifier{sha},
		Certificates: asn1.RawValue{Class: asn1.ClassContextSpecific, Tag: 0, IsCompound: true, Bytes: u.certificate.Raw},
		Signers:      []signerInfo{signer},
	}
	data.Content.Type = oidData
	return asn1.Marshal(struct {
		Type    asn1.ObjectIdentifier
		Content signedData `asn1:"explicit,tag:0"`
	}{oidSignedData, data})
}

// Objects of a signature, in order of their numbers.
const (
	widget     = iota // its field, invisible, on the first page
	appearance        // an empty drawing, which PDF/A-1 and some readers want
	dictionary
	signatureObjects
)

// byteRange is written again, at the same length, when the size of the file is known.
const byteRange = "/ByteRange[0 %010d %010d %010d]"

// signature writes the objects of the signature from number first on and
// returns where its digits go.
func (d *file) signature(first, page int, by *Signatory) (room int) {
	d.w.object(first+widget, fmt.Appendf(nil, "<</Type/Annot/Subtype/Widget/FT/Sig/T(signature)/TU%s/F 132/Rect[0 0 0 0]/P %d 0 R/V %d 0 R/AP<</N %d 0 R>>>>",
		textString("電子署名 / Electronic signature"), page, first+dictionary, first+appearance))
	d.w.stream(first+appearance, "/Type/XObject/Subtype/Form/BBox[0 0 0 0]/Resources<<>>", nil)
	d.w.plain(first+dictionary, fmt.Appendf(nil, "<</Type/Sig/Filter/Adobe.PPKLite/SubFilter/ETSI.CAdES.detached/M(D:%s)"+byteRange+"/Contents<%0*d>>>",
		pdfDate(by.At), 0, 0, 0, 2*signatureRoom, 0))
	return len(d.w.out) - len(">>>\nendobj\n") - 2*signatureRoom
}

// closeRange writes what the signature covers: all but its own digits with their
// angle brackets.
func closeRange(file []byte, room int) {
	before, after := room-1, room+2*signatureRoom+1
	line := fmt.Appendf(nil, byteRange, before, after, len(file)-after)
	copy(file[before-len("/Contents")-len(line):], line)
}
