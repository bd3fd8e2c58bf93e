package pki

import (
	"crypto/elliptic"
	"encoding/asn1"
	"math/big"
)

// isomorphic is a curve of brainpool that the library for them lacks. It is computed on
// its twist (RFC 5639, 2.2), where a = -3 as the standard library wants it: a point (x, y)
// is there (x·z², y·z³). Only for verifying, as time depends on the input.
type isomorphic struct {
	params, twist *elliptic.CurveParams
	z2, z3        *big.Int // of r1 to t1
	back2, back3  *big.Int // and back
}

// newIsomorphic makes a curve of its constants: p, a, b and n of r1, the generators of r1
// and t1, each x then y, which give z² and z³.
func newIsomorphic(name string, id asn1.ObjectIdentifier, p, a, b, n, generator, twisted string) *knownCurve {
	half := len(p)
	params := &elliptic.CurveParams{
		Name: name, BitSize: half * 4, P: hexadecimal(p), N: hexadecimal(n), B: hexadecimal(b),
		Gx: hexadecimal(generator[:half]), Gy: hexadecimal(generator[half:]),
	}
	twist := *params
	twist.Name, twist.Gx, twist.Gy = name+" (twist)", hexadecimal(twisted[:half]), hexadecimal(twisted[half:])
	c := &isomorphic{params: params, twist: &twist}
	quotient := func(x, y *big.Int) *big.Int { return c.times(x, new(big.Int).ModInverse(y, params.P)) }
	c.z2, c.z3 = quotient(twist.Gx, params.Gx), quotient(twist.Gy, params.Gy)
	c.back2, c.back3 = quotient(params.Gx, twist.Gx), quotient(params.Gy, twist.Gy)
	twist.B = c.times(params.B, c.times(c.z3, c.z3))
	return &knownCurve{Curve: c, id: id, a: hexadecimal(a), b: params.B}
}

func (c *isomorphic) times(x, y *big.Int) *big.Int {
	n := new(big.Int).Mul(x, y)
	return n.Mod(n, c.params.P)
}

func (c *isomorphic) there(x, y *big.Int) (*big.Int, *big.Int) {
	return c.times(x, c.z2), c.times(y, c.z3)
}
func (c *isomorphic) back(x, y *big.Int) (*big.Int, *big.Int) {
	return c.times(x, c.back2), c.times(y, c.back3)
}

// Params returns the parameters of the curve itself. Their own methods, which take
// a = -3 for granted, are never used.
func (c *isomorphic) Params() *elliptic.CurveParams { return c.params }

//nolint:staticcheck // SA1019: a curve that the standard library does not have
func (c *isomorphic) IsOnCurve(x, y *big.Int) bool { return c.twist.IsOnCurve(c.there(x, y)) }

//nolint:staticcheck // SA1019
func (c *isomorphic) Add(x1, y1, x2, y2 *big.Int) (x, y *big.Int) {
	x1, y1 = c.there(x1, y1)
	x2, y2 = c.there(x2, y2)
	return c.back(c.twist.Add(x1, y1, x2, y2))
}

//nolint:staticcheck // SA1019
func (c *isomorphic) Double(x, y *big.Int) (*big.Int, *big.Int) {
	return c.back(c.twist.Double(c.there(x, y)))
}

//nolint:staticcheck // SA1019
func (c *isomorphic) ScalarMult(x, y *big.Int, k []byte) (*big.Int, *big.Int) {
	x, y = c.there(x, y)
	return c.back(c.twist.ScalarMult(x, y, k))
}

//nolint:staticcheck // SA1019
func (c *isomorphic) ScalarBaseMult(k []byte) (*big.Int, *big.Int) {
	return c.back(c.twist.ScalarBaseMult(k))
}
