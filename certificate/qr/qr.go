// Package qr draws and reads QR Code symbols, model 2 (ISO/IEC 18004): versions
// 1 to 40, all four levels, numeric, alphanumeric and byte segments.
//
// Encode takes the smallest version that holds the segments and the mask with
// the lowest penalty; the same input always gives the same symbol. Read reads
// such a matrix back, repairs what Reed-Solomon can repair, and says how much
// that was. ReadImage does the same for a picture of one symbol, ReadImages for one of
// several, such as a printed page.
//
// Text is bytes: byte segments carry it as it is, which readers take as UTF-8.
// Errors never contain any of it.
package qr

import "errors"

var (
	// ErrTooLong says that no version up to the largest allowed holds the segments.
	ErrTooLong = errors.New("qr: text too long")
	// ErrInput says that a segment, level or version cannot be written: a character
	// outside the mode, or a value out of range.
	ErrInput = errors.New("qr: input out of range")
	// ErrDamaged says that a matrix is no symbol, or has more errors than can be repaired.
	ErrDamaged = errors.New("qr: symbol damaged")
	// ErrContent says that the symbol is sound but its bits are no text in the
	// modes known here (kanji, FNC1, structured append and foreign ECI are not).
	ErrContent = errors.New("qr: content not supported")
)

// Level is the share of a symbol spent on error correction.
type Level int

// The levels repair about 7, 15, 25 and 30 % of the codewords.
const (
	L Level = iota
	M
	Q
	H
)

func (l Level) String() string {
	if l < L || l > H {
		return "?"
	}
	return "LMQH"[l : l+1]
}

// MaxVersion is the largest version, 177 modules a side.
const MaxVersion = 40

const (
	maxSize   = 17 + 4*MaxVersion
	maxStride = (maxSize + 63) / 64
)

// Matrix is one symbol without its quiet zone. It never changes.
type Matrix struct {
	Version int   // 1 to 40
	Level   Level // as encoded
	Mask    int   // 0 to 7

	size, stride int
	rows         []uint64 // stride words a row; module x is bit x%64 of word x/64, 1 is black; bits past size are 0
}

// newMatrix returns a white matrix.
func newMatrix(version int) *Matrix {
	size := sizeOf(version)
	stride := (size + 63) / 64
	return &Matrix{Version: version, size: size, stride: stride, rows: make([]uint64, size*stride)}
}

// Size returns the modules per side, without quiet zone.
func (m *Matrix) Size() int { return m.size }

// Black tells whether the module in column x of row y is black. Outside the
// symbol all is white.
func (m *Matrix) Black(x, y int) bool {
	if x < 0 || y < 0 || x >= m.size || y >= m.size {
		return false
	}
	return m.rows[y*m.stride+x>>6]>>(x&63)&1 == 1
}

// Row returns the modules of a row of the symbol in words, not to be changed:
// module x is bit x%64 of word x/64, 1 is black, and bits past the size are 0.
func (m *Matrix) Row(y int) []uint64 { return m.rows[y*m.stride : (y+1)*m.stride : (y+1)*m.stride] }

// Flip returns a copy with one module inverted; outside the symbol it is an equal copy.
func (m *Matrix) Flip(x, y int) *Matrix {
	c := *m
	c.rows = append([]uint64(nil), m.rows...)
	if x >= 0 && y >= 0 && x < m.size && y < m.size {
		c.rows[y*m.stride+x>>6] ^= 1 << (x & 63)
	}
	return &c
}

// set paints a module black.
func (m *Matrix) set(x, y int) { m.rows[y*m.stride+x>>6] |= 1 << (x & 63) }
