package pki

import (
	"crypto"
	"crypto/rsa"
	"encoding/asn1"
	"math/big"

	"golang.org/x/crypto/cryptobyte"
	der "golang.org/x/crypto/cryptobyte/asn1"
)

var (
	oidECPublicKey = asn1.ObjectIdentifier{1, 2, 840, 10045, 2, 1}
	oidRSA         = asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 1, 1}
	oidRSAPSS      = asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 1, 10}
)

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
	public := curve.point(point)
	if public == nil {
		return nil, nil, malformed("point of the public key")
	}
	return public, nil, nil
}
