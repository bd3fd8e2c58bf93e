package pki

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rsa"
	"encoding/asn1"
	"math/big"

	"golang.org/x/crypto/cryptobyte"
	der "golang.org/x/crypto/cryptobyte/asn1"
)

var (
	oidECPublicKey = asn1.ObjectIdentifier{1, 2, 840, 10045, 2, 1}
	oidPrimeField  = asn1.ObjectIdentifier{1, 2, 840, 10045, 1, 1}
	oidRSA         = asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 1, 1}
	oidRSAPSS      = asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 1, 10}
)

// curves are the ones computed with; a curve outside this list is not supported.
var curves = []struct {
	id    asn1.ObjectIdentifier
	curve elliptic.Curve
}{
	{asn1.ObjectIdentifier{1, 3, 132, 0, 33}, elliptic.P224()},
	{asn1.ObjectIdentifier{1, 2, 840, 10045, 3, 1, 7}, elliptic.P256()},
	{asn1.ObjectIdentifier{1, 3, 132, 0, 34}, elliptic.P384()},
	{asn1.ObjectIdentifier{1, 3, 132, 0, 35}, elliptic.P521()},
}

// RSA keys outside these sizes are not supported: too weak, or a way to burn time.
const minRSABits, maxRSABits = 2048, 8192

// readKey reads a SubjectPublicKeyInfo. A key of an unknown kind gives notKnown, a damaged one err.
func readKey(in cryptobyte.String) (key crypto.PublicKey, notKnown, err error) {
	var algorithm, params cryptobyte.String
	var id asn1.ObjectIdentifier
	var bits asn1.BitString
	if !in.ReadASN1(&algorithm, der.SEQUENCE) || !algorithm.ReadASN1ObjectIdentifier(&id) ||
		!in.ReadASN1BitString(&bits) || bits.BitLength%8 != 0 || !in.Empty() {
		return nil, nil, malformed("public key")
	}
	params = algorithm
	switch {
	case id.Equal(oidECPublicKey):
		return readECKey(params, bits.Bytes)
	case id.Equal(oidRSA), id.Equal(oidRSAPSS):
		return readRSAKey(bits.Bytes)
	}
	return nil, unsupported("public key " + id.String()), nil
}

func readRSAKey(b cryptobyte.String) (key crypto.PublicKey, notKnown, err error) {
	var sequence cryptobyte.String
	modulus, exponent := new(big.Int), new(big.Int)
	if !b.ReadASN1(&sequence, der.SEQUENCE) || !b.Empty() ||
		!sequence.ReadASN1Integer(modulus) || !sequence.ReadASN1Integer(exponent) || !sequence.Empty() ||
		modulus.Sign() <= 0 || modulus.Bit(0) == 0 || exponent.Cmp(big.NewInt(1)) <= 0 {
		return nil, nil, malformed("RSA key")
	}
	if n := modulus.BitLen(); n < minRSABits || n > maxRSABits || exponent.BitLen() > 31 {
		return nil, unsupported("size of the RSA key"), nil
	}
	return &rsa.PublicKey{N: modulus, E: int(exponent.Int64())}, nil, nil
}

func readECKey(params cryptobyte.String, point []byte) (key crypto.PublicKey, notKnown, err error) {
	curve, err := readCurve(params)
	if err != nil {
		return nil, nil, err
	}
	if curve == nil {
		return nil, unsupported("elliptic curve"), nil
	}
	if len(point) > 0 && point[0] != 4 {
		return nil, unsupported("compressed point"), nil
	}
	public, err := ecdsa.ParseUncompressedPublicKey(curve, point)
	if err != nil {
		return nil, nil, malformed("point of the public key")
	}
	return public, nil, nil
}

// readCurve returns the built-in curve that the parameters name or spell out; nil for any other.
func readCurve(params cryptobyte.String) (elliptic.Curve, error) {
	if params.PeekASN1Tag(der.OBJECT_IDENTIFIER) {
		var id asn1.ObjectIdentifier
		if !params.ReadASN1ObjectIdentifier(&id) || !params.Empty() {
			return nil, malformed("elliptic curve")
		}
		for _, known := range curves {
			if known.id.Equal(id) {
				return known.curve, nil
			}
		}
		return nil, nil
	}
	d, ok := readDomain(params)
	if !ok {
		return nil, malformed("parameters of the elliptic curve")
	}
	for _, known := range curves {
		if d.equal(known.curve.Params()) {
			return known.curve, nil
		}
	}
	return nil, nil
}

// domain is the domain parameters of a prime field curve, as a certificate spells them out.
type domain struct {
	p, a, b, n, h *big.Int
	g             []byte // uncompressed, as Doc 9303-12 demands
}

// readDomain reads ECParameters (X9.62, RFC 3279 2.3.5). Curves over other fields
// come back empty, and so equal to none that is known.
func readDomain(in cryptobyte.String) (d domain, ok bool) {
	var parameters, field, curve, a, b, g cryptobyte.String
	var kind asn1.ObjectIdentifier
	var version int
	d.p, d.n, d.h = new(big.Int), new(big.Int), new(big.Int)
	if !in.ReadASN1(&parameters, der.SEQUENCE) || !in.Empty() ||
		!parameters.ReadASN1Integer(&version) || version < 1 || version > 3 ||
		!parameters.ReadASN1(&field, der.SEQUENCE) || !field.ReadASN1ObjectIdentifier(&kind) {
		return d, false
	}
	if !kind.Equal(oidPrimeField) {
		return domain{}, true
	}
	if !field.ReadASN1Integer(d.p) || !field.Empty() ||
		!parameters.ReadASN1(&curve, der.SEQUENCE) ||
		!curve.ReadASN1(&a, der.OCTET_STRING) || !curve.ReadASN1(&b, der.OCTET_STRING) ||
		!curve.SkipOptionalASN1(der.BIT_STRING) || !curve.Empty() || // the seed proves nothing here
		!parameters.ReadASN1(&g, der.OCTET_STRING) || !parameters.ReadASN1Integer(d.n) {
		return d, false
	}
	if parameters.PeekASN1Tag(der.INTEGER) && !parameters.ReadASN1Integer(d.h) {
		return d, false
	}
	d.a, d.b, d.g = new(big.Int).SetBytes(a), new(big.Int).SetBytes(b), g
	return d, true
}

// equal compares all six parameters; one left out is one that differs.
func (d domain) equal(known *elliptic.CurveParams) bool {
	if d.p == nil {
		return false
	}
	size := (known.BitSize + 7) / 8
	g := make([]byte, 1+2*size)
	g[0] = 4
	known.Gx.FillBytes(g[1 : 1+size])
	known.Gy.FillBytes(g[1+size:])
	a := new(big.Int).Sub(known.P, big.NewInt(3))
	return d.p.Cmp(known.P) == 0 && d.a.Cmp(a) == 0 && d.b.Cmp(known.B) == 0 &&
		string(d.g) == string(g) && d.n.Cmp(known.N) == 0 && d.h.Cmp(big.NewInt(1)) == 0
}
