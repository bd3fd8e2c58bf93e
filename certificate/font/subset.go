package font

import (
	"encoding/binary"
	"fmt"
	"math/bits"
	"slices"
)

// Subset is a new font made of chosen glyphs, numbered in the order they were
// added. Glyph 0 is that of the first face. It is not safe for concurrent use.
type Subset struct {
	faces  Faces
	glyphs []source
	parts  map[source]Glyph // of composite glyphs
}

// source names a glyph of a face; without a face it is a blank of no width.
type source struct {
	face  *Font
	glyph Glyph
}

// NewSubset returns a subset that holds only glyph 0 of the first face.
func NewSubset(faces Faces) *Subset {
	s := &Subset{faces: faces, glyphs: make([]source, 0, 128)}
	s.Add(faces[0], 0)
	return s
}

// Add takes up a glyph and returns its number in the subset. The same glyph
// again has a new number, so that each can stand for a text of its own.
func (s *Subset) Add(face *Font, g Glyph) Glyph {
	s.glyphs = append(s.glyphs, source{face, g})
	return Glyph(len(s.glyphs) - 1)
}

// part takes up a part of a composite glyph once.
func (s *Subset) part(face *Font, g Glyph) Glyph {
	key := source{face, g}
	n, ok := s.parts[key]
	if !ok {
		if s.parts == nil {
			s.parts = map[source]Glyph{}
		}
		n = s.Add(face, g)
		s.parts[key] = n
	}
	return n
}

// AddBlank takes up a new glyph without outline and width.
func (s *Subset) AddBlank() Glyph {
	s.glyphs = append(s.glyphs, source{})
	return Glyph(len(s.glyphs) - 1)
}

// Len returns the number of glyphs.
func (s *Subset) Len() int { return len(s.glyphs) }

// Advance returns the width of a glyph of the subset.
func (s *Subset) Advance(g Glyph) int {
	if k := s.glyphs[g]; k.face != nil {
		return k.face.Advance(k.glyph)
	}
	return 0
}

const maxGlyphs = 60000

// TrueType returns the subset as a font file with the tables that PDF needs of
// an embedded CIDFontType2 (ISO 32000-1, 9.9): glyf, head, hhea, hmtx, loca,
// maxp. It takes up the parts of composite glyphs first, so Len may grow.
func (s *Subset) TrueType() ([]byte, error) {
	glyf := make([]byte, 0, 16<<10)
	ends := make([]int, 1, len(s.glyphs)+16)
	for i := 0; i < len(s.glyphs); i++ {
		if len(s.glyphs) > maxGlyphs {
			return nil, fmt.Errorf("font: more than %d glyphs in one subset", maxGlyphs)
		}
		if k := s.glyphs[i]; k.face != nil {
			start := len(glyf)
			glyf = appendUnhinted(glyf, k.face.outline(k.glyph))
			if err := s.renumber(k.face, glyf[start:]); err != nil {
				return nil, err
			}
		}
		if len(glyf)%2 != 0 {
			glyf = append(glyf, 0)
		}
		ends = append(ends, len(glyf))
	}
	long, loca := locaTable(ends)
	return assemble(s.head(long), s.hhea(), s.hmtx(), loca, s.maxp(), glyf), nil
}

// locaTable writes where each glyph ends: half of it in two bytes where that fits,
// else in four.
func locaTable(ends []int) (long bool, loca []byte) {
	long = ends[len(ends)-1] > 2*0xFFFF
	loca = make([]byte, 0, 4*len(ends))
	for _, end := range ends {
		if long {
			loca = binary.BigEndian.AppendUint32(loca, uint32(end))
		} else {
			loca = binary.BigEndian.AppendUint16(loca, uint16(end/2))
		}
	}
	return long, loca
}

// appendUnhinted appends an outline without its instructions: they call programs
// of the whole font, which a subset leaves out. Those of composites stand last;
// renumber makes them unreachable.
func appendUnhinted(glyf, outline []byte) []byte {
	if len(outline) < 10 || i16(outline, 0) < 0 {
		return append(glyf, outline...)
	}
	at := 10 + 2*i16(outline, 0) // of the number of instructions
	if at+2 > len(outline) || at+2+int(u16(outline, at)) > len(outline) {
		return append(glyf, outline...)
	}
	glyf = append(append(glyf, outline[:at]...), 0, 0)
	return append(glyf, outline[at+2+int(u16(outline, at)):]...)
}

// Flags of the parts of a composite glyph (OpenType, table glyf).
const (
	argsAreWords   = 1 << 0
	hasScale       = 1 << 3
	moreComponents = 1 << 5
	instructions   = 1 << 8
	hasXYScale     = 1 << 6
	hasTwoByTwo    = 1 << 7
)

// renumber takes up the parts of a composite glyph and writes their new numbers
// into outline, which must be a copy.
func (s *Subset) renumber(face *Font, outline []byte) error {
	if len(outline) < 10 || i16(outline, 0) >= 0 {
		return nil
	}
	for at := 10; ; {
		if at+4 > len(outline) {
			return malformed("composite glyph cut off")
		}
		flags, part := u16(outline, at), Glyph(u16(outline, at+2))
		if int(part) >= face.glyphs {
			return malformed("composite glyph has no such part")
		}
		binary.BigEndian.PutUint16(outline[at:], flags&^instructions)
		binary.BigEndian.PutUint16(outline[at+2:], uint16(s.part(face, part)))
		at += 6
		if flags&argsAreWords != 0 {
			at += 2
		}
		switch {
		case flags&hasScale != 0:
			at += 2
		case flags&hasXYScale != 0:
			at += 4
		case flags&hasTwoByTwo != 0:
			at += 8
		}
		if flags&moreComponents == 0 {
			return nil
		}
	}
}

func (s *Subset) head(longLoca bool) []byte {
	t := slices.Clone(s.faces[0].head[:54])
	clear(t[8:12]) // checksum of the file; readers of embedded fonts ignore it
	m := s.faces[0].Metrics.Box
	for _, f := range s.faces[1:] {
		b := f.Metrics.Box
		m = [4]int{min(m[0], b[0]), min(m[1], b[1]), max(m[2], b[2]), max(m[3], b[3])}
	}
	for i, v := range m {
		binary.BigEndian.PutUint16(t[36+2*i:], uint16(v))
	}
	binary.BigEndian.PutUint16(t[50:], 0)
	if longLoca {
		binary.BigEndian.PutUint16(t[50:], 1)
	}
	return t
}

func (s *Subset) hhea() []byte {
	t := make([]byte, 36)
	m := s.faces[0].Metrics
	binary.BigEndian.PutUint32(t, 0x00010000)
	binary.BigEndian.PutUint16(t[4:], uint16(m.Ascent))
	binary.BigEndian.PutUint16(t[6:], uint16(m.Descent))
	widest := 0
	for g := range s.glyphs {
		widest = max(widest, s.Advance(Glyph(g)))
	}
	binary.BigEndian.PutUint16(t[10:], uint16(widest))
	binary.BigEndian.PutUint16(t[18:], 1) // upright caret
	binary.BigEndian.PutUint16(t[34:], uint16(len(s.glyphs)))
	return t
}

func (s *Subset) hmtx() []byte {
	t := make([]byte, 0, 4*len(s.glyphs))
	for g, k := range s.glyphs {
		t = binary.BigEndian.AppendUint16(t, uint16(s.Advance(Glyph(g))))
		var bearing uint16
		if k.face != nil {
			bearing = k.face.bearing(k.glyph)
		}
		t = binary.BigEndian.AppendUint16(t, bearing)
	}
	return t
}

// maxp has generous maxima: they are for allocation only, and hints are not used.
func (s *Subset) maxp() []byte {
	t := make([]byte, 32)
	binary.BigEndian.PutUint32(t, 0x00010000)
	binary.BigEndian.PutUint16(t[4:], uint16(len(s.glyphs)))
	for at, v := range map[int]uint16{6: 1024, 8: 128, 10: 1024, 12: 128, 14: 2, 24: 512, 28: 32, 30: 8} {
		binary.BigEndian.PutUint16(t[at:], v)
	}
	return t
}

// assemble writes the font file; tables in alphabetical order of their tags.
func assemble(head, hhea, hmtx, loca, maxp, glyf []byte) []byte {
	tables := []struct {
		tag  string
		data []byte
	}{{"glyf", glyf}, {"head", head}, {"hhea", hhea}, {"hmtx", hmtx}, {"loca", loca}, {"maxp", maxp}}
	size := 12 + 16*len(tables)
	for _, t := range tables {
		size += len(t.data) + 3
	}
	n := len(tables)
	log2 := bits.Len(uint(n)) - 1
	out := make([]byte, 0, size)
	out = binary.BigEndian.AppendUint32(out, 0x00010000)
	for _, v := range []int{n, 16 << log2, log2, 16*n - 16<<log2} {
		out = binary.BigEndian.AppendUint16(out, uint16(v))
	}
	at := 12 + 16*n
	for _, t := range tables {
		out = append(out, t.tag...)
		for _, v := range []uint32{checksum(t.data), uint32(at), uint32(len(t.data))} {
			out = binary.BigEndian.AppendUint32(out, v)
		}
		at += (len(t.data) + 3) &^ 3
	}
	for _, t := range tables {
		out = append(out, t.data...)
		for len(out)%4 != 0 {
			out = append(out, 0)
		}
	}
	return out
}

func checksum(b []byte) (sum uint32) {
	for ; len(b) >= 4; b = b[4:] {
		sum += binary.BigEndian.Uint32(b)
	}
	for i, c := range b {
		sum += uint32(c) << (24 - 8*i)
	}
	return sum
}
