package qr

import (
	"math/bits"
	"strings"
)

// Reading is what a symbol says.
type Reading struct {
	Version   int
	Level     Level
	Mask      int
	Segments  []Segment
	Text      string // of all segments
	Corrected int    // codewords that were wrong and have been repaired
}

// Read reads the modules of a matrix: format information, mask, blocks, segments.
// It relies on nothing else that the matrix knows of itself. Errors are ErrDamaged
// and ErrContent.
func Read(m *Matrix) (Reading, error) {
	if m == nil {
		return Reading{}, ErrDamaged
	}
	version, ok := versionOf(m.size)
	if !ok {
		return Reading{}, ErrDamaged
	}
	r := Reading{Version: version}
	l := layoutOf(version)
	if r.Level, r.Mask, ok = readFormat(m.rows, &l.format); !ok {
		return Reading{}, ErrDamaged
	}
	var buf [maxCodewords]byte
	sequence := buf[:len(l.order)/8]
	var words allWords
	apply(words[:len(m.rows)], m.rows, l.masks[r.Mask])
	for i := range sequence {
		var c byte
		for _, p := range (*[8]uint16)(l.order[8*i:]) {
			c = c<<1 | byte(words[p>>6]>>(p&63)&1)
		}
		sequence[i] = c
	}
	var deinterleaved [maxCodewords]byte
	data, corrected, ok := deinterleave(deinterleaved[:0], sequence, version, r.Level)
	if !ok {
		return Reading{}, ErrDamaged
	}
	r.Corrected = corrected
	if r.Segments, ok = parse(data, classOf(version)); !ok {
		return Reading{}, ErrContent
	}
	var text strings.Builder
	for _, s := range r.Segments {
		text.WriteString(s.Text)
	}
	r.Text = text.String()
	return r, nil
}

// readFormat takes the nearest of the 32 words to either copy, at most three bits away.
func readFormat(rows []uint64, places *[2][15]uint16) (Level, int, bool) {
	nearest, level, mask := 4, L, 0
	for _, copy := range places {
		var seen uint32
		for i, p := range copy {
			seen |= uint32(rows[p>>6]>>(p&63)&1) << i
		}
		for lv := L; lv <= H; lv++ {
			for mk := range 8 {
				if d := bits.OnesCount32(seen ^ formatBits(lv, mk)); d < nearest {
					nearest, level, mask = d, lv, mk
				}
			}
		}
	}
	return level, mask, nearest <= 3
}

// deinterleave appends the repaired data codewords of all blocks to data.
func deinterleave(data, sequence []byte, version int, level Level) (_ []byte, corrected int, ok bool) {
	b := blocksOf(version, level)
	g := generator(b.correction)
	var buf [256]byte
	for i := range b.count {
		n := b.length(i)
		block := buf[:n+b.correction]
		for j := range block {
			block[j] = sequence[b.at(i, j)]
		}
		check := g.divide(block[:n])
		clean := true
		for j, c := range block[n:] {
			clean = clean && check.byte(j) == c
		}
		if !clean {
			wrong, ok := repair(block, b.correction, repairable(version, level, b.correction))
			if !ok {
				return nil, 0, false
			}
			corrected += wrong
		}
		data = append(data, block[:n]...)
	}
	return data, corrected, true
}

// bitReader takes bits, most significant first.
type bitReader struct {
	data []byte
	at   int // bit
}

func (r *bitReader) left() int { return 8*len(r.data) - r.at }

// take returns the next n bits, at most 24; the caller knows that they are there.
func (r *bitReader) take(n int) int {
	var held uint32
	for i := range 4 {
		held <<= 8
		if at := r.at>>3 + i; at < len(r.data) {
			held |= uint32(r.data[at])
		}
	}
	held = held << (r.at & 7) >> (32 - n)
	r.at += n
	return int(held)
}

const eciMode, eciUTF8 = 7, 26

// parse reads segments up to the terminator or the end.
func parse(data []byte, class int) ([]Segment, bool) {
	var segments []Segment
	r := bitReader{data: data}
	for r.left() >= 4 {
		mode := Mode(r.take(4))
		switch mode {
		case 0:
			return segments, true
		case eciMode: // the one that says what is taken for granted here
			if r.left() < 8 || r.take(8) != eciUTF8 {
				return nil, false
			}
			continue
		case Numeric, Alphanumeric, Byte:
		default:
			return nil, false
		}
		if r.left() < mode.countBits(class) {
			return nil, false
		}
		n := r.take(mode.countBits(class))
		if r.left() < mode.textBits(n) {
			return nil, false
		}
		text, ok := r.text(mode, n)
		if !ok {
			return nil, false
		}
		segments = append(segments, Segment{mode, text})
	}
	return segments, true
}

// text reads n characters.
func (r *bitReader) text(mode Mode, n int) (string, bool) {
	out := make([]byte, 0, n)
	switch mode {
	case Numeric:
		for n > 0 {
			digits := min(n, 3)
			limit := [4]int{0, 10, 100, 1000}[digits]
			v := r.take([4]int{0, 4, 7, 10}[digits])
			if v >= limit {
				return "", false
			}
			for limit /= 10; limit > 0; limit /= 10 {
				out = append(out, '0'+byte(v/limit%10))
			}
			n -= digits
		}
	case Alphanumeric:
		for ; n >= 2; n -= 2 {
			v := r.take(11)
			if v >= 45*45 {
				return "", false
			}
			out = append(out, alphabet[v/45], alphabet[v%45])
		}
		if n == 1 {
			v := r.take(6)
			if v >= 45 {
				return "", false
			}
			out = append(out, alphabet[v])
		}
	default:
		for range n {
			out = append(out, byte(r.take(8)))
		}
	}
	return string(out), true
}
