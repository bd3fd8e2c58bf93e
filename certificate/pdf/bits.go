package pdf

import (
	"encoding/binary"
	"math/bits"

	"akashi/certificate/qr"
)

// enlarged deflates an image of one bit per pixel in which every module is one
// byte wide (8 pixels) and eight rows high. Each row of modules is written once,
// as literals, and repeated by matches of its own length: one Huffman block
// (RFC 1951, 3.2.7) with five codes. A general compressor takes ten times as
// long and finds no more.
//
// The result is the symbol with its quiet zone, appended to out.
func enlarged(out []byte, s *qr.Matrix) []byte {
	side := s.Size() + 2*quietZone
	b := bitWriter{out: append(out, 0x78, 0x01)}

	// A match is 3 to 258 long; further literals, which repeat the white margin,
	// keep the last one from being shorter.
	repeat, extra := (modulePixels-1)*side, 0
	for r := repeat % maxMatch; r == 1 || r == 2; r = (repeat - extra) % maxMatch {
		extra++
	}
	matches, rest := (repeat-extra)/maxMatch, (repeat-extra)%maxMatch
	restCode, restBits, restValue := lengthCode(rest)
	distCode, distBits, distValue := distanceCode(side)
	b.header(restCode, distCode)

	s1, s2 := uint64(1), uint64(0) // Adler-32 (RFC 1950, 8.2)
	var row [(177+2*quietZone)/8 + 1]byte
	past := 2 * (-side & 7) // code bits of the black modules beyond the edge
	for y := range side {
		moduleRow(row[:], s, y-quietZone)
		white, weighted := 0, 0
		for x := 0; x < side; x += 8 {
			l := &literals[row[x/8]]
			code, bits := l.code, int(l.bits)
			if x+8 > side {
				bits -= past
				code &= 1<<bits - 1
			}
			b.write(code, bits)
			white += int(l.white)
			weighted += int(l.white)*(side-x) - int(l.places)
		}
		for range modulePixels {
			s2 += uint64(side)*s1 + 255*uint64(weighted)
			s1 += 255 * uint64(white)
			s1, s2 = s1%65521, s2%65521
		}
		for range extra {
			b.write(0, 1)
		}
		for range matches {
			b.write(0b011, 3)
			b.write(0, 1)
			b.write(distValue, distBits)
		}
		if rest > 0 {
			b.write(0b1111, 4)
			b.write(restValue, restBits)
			b.write(0, 1)
			b.write(distValue, distBits)
		}
	}
	b.write(0b0111, 4) // end of block
	return binary.BigEndian.AppendUint32(b.flush(), uint32(s2<<16|s1))
}

// moduleRow packs row y of a symbol with its quiet zone, the first module in the
// highest bit, 1 for white. What lies beyond the edge is 0.
func moduleRow(row []byte, s *qr.Matrix, y int) {
	size := s.Size()
	side := size + 2*quietZone
	for i := range row {
		row[i] = 0xFF
	}
	row[side/8] = ^(byte(0xFF) >> (side & 7))
	if y < 0 || y >= size {
		return
	}
	carry := uint64(0)
	for i, word := range s.Row(y) {
		black := word<<quietZone | carry
		carry = word >> (64 - quietZone)
		for k := 8 * i; k < min(8*i+8, len(row)); k++ {
			row[k] ^= bits.Reverse8(byte(black))
			black >>= 8
		}
	}
	if k := 8 * len(s.Row(y)); k < len(row) {
		row[k] ^= bits.Reverse8(byte(carry))
	}
}

// literals has the codes of eight modules, the first in the highest bit, 1 for
// white: FF is "0" and 00 is "10".
var literals = func() (t [256]struct {
	code          uint32
	bits          uint8
	white, places uint8 // number of white modules, and sum of their places
}) {
	for octet := range t {
		l := &t[octet]
		for i := range uint8(8) {
			if octet&(0x80>>i) != 0 {
				l.bits++
				l.white++
				l.places += i
			} else {
				l.code |= 1 << l.bits
				l.bits += 2
			}
		}
	}
	return t
}()

const maxMatch = 258

// header writes the code lengths: FF 1 bit, 00 2 bits, length 258 3 bits, end of
// block and the rest's length 4 bits, and one distance code.
func (b *bitWriter) header(restCode, distCode int) {
	b.write(1|2<<1, 3) // last block, dynamic codes
	b.write(286-257, 5)
	b.write(uint32(distCode), 5)
	b.write(18-4, 4)
	for _, symbol := range []int{16, 17, 18, 0, 8, 7, 9, 6, 10, 5, 11, 4, 12, 3, 13, 2, 14, 1} {
		if symbol <= 4 || symbol >= 16 { // eight symbols of 3 bits each
			b.write(3, 3)
		} else {
			b.write(0, 3)
		}
	}
	lengths := make([]byte, 286+distCode+1)
	lengths[0x00], lengths[0xFF], lengths[285], lengths[256], lengths[restCode] = 2, 1, 3, 4, 4
	lengths[286+distCode] = 1
	for i := 0; i < len(lengths); {
		zeros := 0
		for i+zeros < len(lengths) && lengths[i+zeros] == 0 && zeros < 138 {
			zeros++
		}
		switch {
		case zeros >= 11:
			b.write(reversed3[7], 3) // symbol 18
			b.write(uint32(zeros-11), 7)
			i += zeros
		case zeros >= 3:
			b.write(reversed3[6], 3) // symbol 17
			b.write(uint32(zeros-3), 3)
			i += zeros
		default:
			b.write(reversed3[lengths[i]], 3)
			i++
		}
	}
}

// reversed3 are three bits with the first one last: Huffman codes start with
// their highest bit.
var reversed3 = [8]uint32{0, 4, 2, 6, 1, 5, 3, 7}

// lengthCode returns the symbol and the extra bits of a match length below 258.
// The length 0 stands for "not used".
func lengthCode(n int) (symbol, bits int, value uint32) {
	if n < 11 {
		return max(257, 254+n), 0, 0
	}
	n -= 3
	for bits = 1; n>>(bits+3) != 0; bits++ {
	}
	return 257 + 4*bits + n>>bits, bits, uint32(n & (1<<bits - 1))
}

// distanceCode returns the symbol and the extra bits of a distance above 4.
func distanceCode(n int) (symbol, bits int, value uint32) {
	n--
	for bits = 1; n>>(bits+2) != 0; bits++ {
	}
	return 2*bits + n>>bits, bits, uint32(n & (1<<bits - 1))
}

// bitWriter packs bits, lowest first.
type bitWriter struct {
	out  []byte
	bits uint64
	n    int
}

func (b *bitWriter) write(value uint32, n int) {
	b.bits |= uint64(value) << b.n
	if b.n += n; b.n >= 32 {
		b.out = binary.LittleEndian.AppendUint32(b.out, uint32(b.bits))
		b.bits >>= 32
		b.n -= 32
	}
}

func (b *bitWriter) flush() []byte {
	for ; b.n > 0; b.n -= 8 {
		b.out = append(b.out, byte(b.bits))
		b.bits >>= 8
	}
	return b.out
}
