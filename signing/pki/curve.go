package pki

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"encoding/asn1"
	"math/big"
	"sync"

	"github.com/ProtonMail/go-crypto/brainpool"
	"golang.org/x/crypto/cryptobyte"
	der "golang.org/x/crypto/cryptobyte/asn1"
)

var oidPrimeField = asn1.ObjectIdentifier{1, 2, 840, 10045, 1, 1}

// knownCurve is a curve that is computed with.
type knownCurve struct {
	elliptic.Curve
	id   asn1.ObjectIdentifier
	a, b *big.Int
}

// curves are all of them; a curve outside this list is not supported. The ones of
// brainpool (RFC 5639) are for verifying only: their arithmetic takes time that
// depends on its input.
var curves = sync.OnceValue(func() []*knownCurve {
	out := []*knownCurve{
		{Curve: elliptic.P224(), id: asn1.ObjectIdentifier{1, 3, 132, 0, 33}},
		{Curve: elliptic.P256(), id: asn1.ObjectIdentifier{1, 2, 840, 10045, 3, 1, 7}},
		{Curve: elliptic.P384(), id: asn1.ObjectIdentifier{1, 3, 132, 0, 34}},
		{Curve: elliptic.P521(), id: asn1.ObjectIdentifier{1, 3, 132, 0, 35}},
	}
	for _, c := range out {
		c.a, c.b = new(big.Int).Sub(c.Params().P, big.NewInt(3)), c.Params().B
	}
	return append(out,
		newIsomorphic("brainpoolP224r1", asn1.ObjectIdentifier{1, 3, 36, 3, 3, 2, 8, 1, 1, 5},
			"D7C134AA264366862A18302575D1D787B09F075797DA89F57EC8C0FF",
			"68A5E62CA9CE6C1C299803A6C1530B514E182AD8B0042A59CAD29F43",
			"2580F63CCFE44138870713B1A92369E33E2135D266DBB372386C400B",
			"D7C134AA264366862A18302575D0FB98D116BC4B6DDEBCA3A5A7939F",
			"0D9029AD2C7E5CF4340823B2A87DC68C9E4CE3174C1E6EFDEE12C07D58AA56F772C0726F24C6B89E4ECDAC24354B9E99CAA3F6D3761402CD",
			"6AB1E344CE25FF3896424E7FFE14762ECB49F8928AC0C76029B4D5800374E9F5143E568CD23F3F4D7C0D4B1E41C8CC0D1C6ABD5F1A46DB4C"),
		newIsomorphic("brainpoolP320r1", asn1.ObjectIdentifier{1, 3, 36, 3, 3, 2, 8, 1, 1, 9},
			"D35E472036BC4FB7E13C785ED201E065F98FCFA6F6F40DEF4F92B9EC7893EC28FCD412B1F1B32E27",
			"3EE30B568FBAB0F883CCEBD46D3F3BB8A2A73513F5EB79DA66190EB085FFA9F492F375A97D860EB4",
			"520883949DFDBC42D3AD198640688A6FE13F41349554B49ACC31DCCD884539816F5EB4AC8FB1F1A6",
			"D35E472036BC4FB7E13C785ED201E065F98FCFA5B68F12A32D482EC7EE8658E98691555B44C59311",
			"43BD7E9AFB53D8B85289BCC48EE5BFE6F20137D10A087EB6E7871E2A10A599C710AF8D0D39E2061114FDD05545EC1CC8AB4093247F77275E0743FFED117182EAA9C77877AAAC6AC7D35245D1692E8EE1",
			"925BE9FB01AFC6FB4D3E7D4990010F813408AB106C4F09CB7EE07868CC136FFF3357F624A21BED5263BA3A7A27483EBF6671DBEF7ABB30EBEE084E58A0B077AD42A5A0989D1EE71B1B9BC0455FB0D2C3"),
		&knownCurve{brainpool.P256r1(), asn1.ObjectIdentifier{1, 3, 36, 3, 3, 2, 8, 1, 1, 7},
			hexadecimal("7D5A0975FC2C3057EEF67530417AFFE7FB8055C126DC5C6CE94A4B44F330B5D9"),
			hexadecimal("26DC5C6CE94A4B44F330B5D9BBD77CBF958416295CF7E1CE6BCCDC18FF8C07B6")},
		&knownCurve{brainpool.P384r1(), asn1.ObjectIdentifier{1, 3, 36, 3, 3, 2, 8, 1, 1, 11},
			hexadecimal("7BC382C63D8C150C3C72080ACE05AFA0C2BEA28E4FB22787139165EFBA91F90F8AA5814A503AD4EB04A8C7DD22CE2826"),
			hexadecimal("04A8C7DD22CE28268B39B55416F0447C2FB77DE107DCD2A62E880EA53EEB62D57CB4390295DBC9943AB78696FA504C11")},
		&knownCurve{brainpool.P512r1(), asn1.ObjectIdentifier{1, 3, 36, 3, 3, 2, 8, 1, 1, 13},
			hexadecimal("7830A3318B603B89E2327145AC234CC594CBDD8D3DF91610A83441CAEA9863BC2DED5D5AA8253AA10A2EF1C98B9AC8B57F1117A72BF2C7B9E7C1AC4D77FC94CA"),
			hexadecimal("3DF91610A83441CAEA9863BC2DED5D5AA8253AA10A2EF1C98B9AC8B57F1117A72BF2C7B9E7C1AC4D77FC94CADC083E67984050B75EBAE5DD2809BD638016F723")},
	)
})

func hexadecimal(s string) *big.Int {
	n, ok := new(big.Int).SetString(s, 16)
	if !ok {
		panic("pki: constant of a curve")
	}
	return n
}

// size returns the length of a coordinate in bytes.
func (c *knownCurve) size() int { return (c.Params().BitSize + 7) / 8 }

// point reads an uncompressed point; nil for one that is not on the curve. The
// standard library reads its own curves only.
func (c *knownCurve) point(b []byte) *ecdsa.PublicKey {
	if len(b) != 1+2*c.size() || b[0] != 4 {
		return nil
	}
	if public, err := ecdsa.ParseUncompressedPublicKey(c.Curve, b); err == nil {
		return public
	}
	x, y := new(big.Int).SetBytes(b[1:1+c.size()]), new(big.Int).SetBytes(b[1+c.size():])
	if p := c.Params().P; x.Cmp(p) >= 0 || y.Cmp(p) >= 0 || !c.contains(x, y) {
		return nil
	}
	return &ecdsa.PublicKey{Curve: c.Curve, X: x, Y: y} //nolint:staticcheck // the only way for a curve of others
}

// contains tells whether y² = x³ + ax + b.
func (c *knownCurve) contains(x, y *big.Int) bool {
	p := c.Params().P
	left := new(big.Int).Mul(y, y)
	right := new(big.Int).Mul(x, x)
	right.Add(right, c.a).Mul(right, x).Add(right, c.b)
	return left.Mod(left, p).Cmp(right.Mod(right, p)) == 0
}

// readCurve returns the known curve that the parameters name or spell out; nil for any other.
func readCurve(params cryptobyte.String) (*knownCurve, error) {
	if params.PeekASN1Tag(der.OBJECT_IDENTIFIER) {
		var id asn1.ObjectIdentifier
		if !params.ReadASN1ObjectIdentifier(&id) || !params.Empty() {
			return nil, malformed("elliptic curve")
		}
		for _, known := range curves() {
			if known.id.Equal(id) {
				return known, nil
			}
		}
		return nil, nil
	}
	d, ok := readDomain(params)
	if !ok {
		return nil, malformed("parameters of the elliptic curve")
	}
	for _, known := range curves() {
		if d.equal(known) {
			return known, nil
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
func (d domain) equal(known *knownCurve) bool {
	if d.p == nil {
		return false
	}
	k, size := known.Params(), known.size()
	g := make([]byte, 1+2*size)
	g[0] = 4
	k.Gx.FillBytes(g[1 : 1+size])
	k.Gy.FillBytes(g[1+size:])
	return d.p.Cmp(k.P) == 0 && d.a.Cmp(known.a) == 0 && d.b.Cmp(known.b) == 0 &&
		string(d.g) == string(g) && d.n.Cmp(k.N) == 0 && d.h.Cmp(big.NewInt(1)) == 0
}
