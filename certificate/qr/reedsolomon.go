package qr

import "sync"

// The field GF(256) of QR codes: polynomial x^8+x^4+x^3+x^2+1, generator 2.
// exponent is doubled so that a sum of two logarithms needs no reduction.
var (
	exponent  [510]uint8
	logarithm [256]uint8
)

func init() {
	x := 1
	for i := range 255 {
		exponent[i], exponent[i+255] = uint8(x), uint8(x)
		logarithm[x] = uint8(i)
		if x <<= 1; x > 255 {
			x ^= 0x11D
		}
	}
}

func multiply(a, b uint8) uint8 {
	if a == 0 || b == 0 {
		return 0
	}
	return exponent[int(logarithm[a])+int(logarithm[b])]
}

// inverse of a, which is not 0.
func inverse(a uint8) uint8 { return exponent[255-int(logarithm[a])] }

// remainder is a polynomial of degree below 32: the first byte of the first
// word belongs to the highest power.
type remainder [4]uint64

func (r *remainder) byte(i int) uint8 { return uint8(r[i>>3] >> (56 - 8*(i&7))) }

// multiples holds f times the generator polynomial for each f, leading term left out.
type multiples [256]remainder

const maxCorrection = 30

var generators [maxCorrection + 1]struct {
	once  sync.Once
	table *multiples
}

// generator returns the multiples of the generator polynomial of a degree.
func generator(degree int) *multiples {
	g := &generators[degree]
	g.once.Do(func() {
		poly := make([]uint8, degree+1) // highest power first
		poly[0] = 1
		for i := range degree {
			for j := i + 1; j > 0; j-- {
				poly[j] ^= multiply(poly[j-1], exponent[i])
			}
		}
		g.table = new(multiples)
		for f := range g.table {
			for i, c := range poly[1:] {
				g.table[f][i>>3] |= uint64(multiply(uint8(f), c)) << (56 - 8*(i&7))
			}
		}
	})
	return g.table
}

// divide returns the remainder of data by the generator: the correction codewords.
func (t *multiples) divide(data []byte) remainder {
	var a, b, c, d uint64
	for _, v := range data {
		m := &t[v^uint8(a>>56)]
		a = a<<8 | b>>56
		b = b<<8 | c>>56
		c = c<<8 | d>>56
		d <<= 8
		a, b, c, d = a^m[0], b^m[1], c^m[2], d^m[3]
	}
	return remainder{a, b, c, d}
}

// repair corrects up to limit wrong codewords of a block (data, then correction
// codewords) in place and returns how many there were; false: too many.
func repair(block []byte, correction, limit int) (int, bool) {
	syndrome, clean := syndromes(block, correction)
	if clean {
		return 0, true
	}
	locator, n := errorLocator(syndrome[:correction])
	if n > limit {
		return 0, false
	}
	// omega = syndrome * locator mod x^correction
	var omega [maxCorrection]uint8
	for i := range correction {
		for j := 0; j <= min(i, n); j++ {
			omega[i] ^= multiply(locator[j], syndrome[i-j])
		}
	}
	found := 0
	for i := range block {
		power := len(block) - 1 - i
		x := exponent[(255-power)%255] // inverse of the error's position
		if evaluate(locator[:n+1], x) != 0 {
			continue
		}
		slope := uint8(0) // formal derivative: the odd terms
		for j := 1; j <= n; j += 2 {
			slope ^= multiply(locator[j], raise(x, j-1))
		}
		if slope == 0 {
			return 0, false
		}
		value := multiply(evaluate(omega[:correction], x), inverse(slope))
		block[i] ^= multiply(value, exponent[power])
		found++
	}
	if found != n {
		return 0, false
	}
	_, clean = syndromes(block, correction)
	return found, clean
}

// syndromes evaluates the block at the roots of the generator.
func syndromes(block []byte, correction int) (s [maxCorrection]uint8, clean bool) {
	clean = true
	for i := range correction {
		v := uint8(0)
		for _, c := range block {
			v = multiply(v, exponent[i]) ^ c
		}
		s[i] = v
		clean = clean && v == 0
	}
	return s, clean
}

// errorLocator is the Berlekamp-Massey algorithm: the shortest recurrence of the
// syndromes, lowest power first, and its length.
func errorLocator(syndrome []uint8) (locator [maxCorrection + 1]uint8, n int) {
	var before [maxCorrection + 1]uint8
	locator[0], before[0] = 1, 1
	gap, last := 1, uint8(1)
	for i := range syndrome {
		difference := syndrome[i]
		for j := 1; j <= n; j++ {
			difference ^= multiply(locator[j], syndrome[i-j])
		}
		if difference == 0 {
			gap++
			continue
		}
		previous := locator
		scale := multiply(difference, inverse(last))
		for j := gap; j <= maxCorrection; j++ {
			locator[j] ^= multiply(scale, before[j-gap])
		}
		if 2*n > i {
			gap++
			continue
		}
		n = i + 1 - n
		before, last, gap = previous, difference, 1
	}
	return locator, n
}

// evaluate a polynomial, lowest power first.
func evaluate(poly []uint8, x uint8) uint8 {
	v := uint8(0)
	for i := len(poly) - 1; i >= 0; i-- {
		v = multiply(v, x) ^ poly[i]
	}
	return v
}

func raise(x uint8, n int) uint8 { return exponent[int(logarithm[x])*n%255] }
