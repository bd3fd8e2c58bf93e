package font

import "sort"

// charMap finds the glyph of a character in a cmap subtable, in place: the
// tables are sorted, so nothing is unpacked. Both kinds were checked by readCmap.
type charMap interface{ glyph(r rune) Glyph }

// readCmap picks the widest Unicode subtable (format 12 before 4) and the table
// of variation sequences (format 14).
func readCmap(t []byte) (chars charMap, variants []byte, err error) {
	if len(t) < 4 || len(t) < 4+8*int(u16(t, 2)) {
		return nil, nil, malformed("table %q missing or short", "cmap")
	}
	best := 0
	for i := range int(u16(t, 2)) {
		platform, encoding, at := u16(t, 4+8*i), u16(t, 6+8*i), uint64(u32(t, 8+8*i))
		if platform != 0 && (platform != 3 || encoding != 1 && encoding != 10) || at+4 > uint64(len(t)) {
			continue
		}
		sub := t[at:]
		switch format := int(u16(sub, 0)); {
		case format == 4 && best < 4:
			if m, ok := readSegments(sub); ok {
				chars, best = m, format
			}
		case format == 12 && best < 12:
			if m, ok := readGroups(sub); ok {
				chars, best = m, format
			}
		case format == 14 && platform == 0:
			if variants, err = readVariants(sub); err != nil {
				return nil, nil, err
			}
		}
	}
	if chars == nil {
		return nil, nil, malformed("no Unicode cmap of format 4 or 12")
	}
	return chars, variants, nil
}

// segments is a subtable of format 4: characters up to U+FFFF.
type segments struct {
	t []byte
	n int // segments
}

func readSegments(t []byte) (segments, bool) {
	if len(t) < 16 {
		return segments{}, false
	}
	n := int(u16(t, 6)) / 2
	return segments{t, n}, n > 0 && len(t) >= 16+8*n
}

func (s segments) glyph(r rune) Glyph {
	if r > 0xFFFF {
		return 0
	}
	ends, starts, deltas, offsets := 14, 16+2*s.n, 16+4*s.n, 16+6*s.n
	i := sort.Search(s.n, func(i int) bool { return rune(u16(s.t, ends+2*i)) >= r })
	if i == s.n || rune(u16(s.t, starts+2*i)) > r {
		return 0
	}
	delta, offset := u16(s.t, deltas+2*i), int(u16(s.t, offsets+2*i))
	if offset == 0 {
		return Glyph(uint16(r) + delta)
	}
	at := offsets + 2*i + offset + 2*(int(r)-int(u16(s.t, starts+2*i)))
	if at+2 > len(s.t) || u16(s.t, at) == 0 {
		return 0
	}
	return Glyph(u16(s.t, at) + delta)
}

// groups is a subtable of format 12: all characters, 12 bytes per run.
type groups struct {
	t []byte // the groups alone
	n int
}

func readGroups(t []byte) (groups, bool) {
	if len(t) < 16 {
		return groups{}, false
	}
	n := uint64(u32(t, 12))
	if uint64(len(t)) < 16+12*n {
		return groups{}, false
	}
	return groups{t[16:], int(n)}, true
}

func (g groups) glyph(r rune) Glyph {
	i := sort.Search(g.n, func(i int) bool { return u32(g.t, 12*i+4) >= uint32(r) })
	if i == g.n || u32(g.t, 12*i) > uint32(r) {
		return 0
	}
	if glyph := u32(g.t, 12*i+8) + uint32(r) - u32(g.t, 12*i); glyph <= 0xFFFF {
		return Glyph(glyph)
	}
	return 0
}

// readVariants checks a subtable of format 14: 11 bytes per selector, each with
// a table of characters that keep their usual glyph (4 bytes per run) and one of
// characters with a glyph of their own (5 bytes each).
func readVariants(t []byte) ([]byte, error) {
	if len(t) < 10 {
		return nil, malformed("cmap format 14")
	}
	n := uint64(u32(t, 6))
	if uint64(len(t)) < 10+11*n {
		return nil, malformed("cmap format 14")
	}
	for i := range int(n) {
		for field, size := range map[int]uint64{3: 4, 7: 5} {
			at := uint64(u32(t, 10+11*i+field))
			if at == 0 {
				continue
			}
			if at+4 > uint64(len(t)) || at+4+size*uint64(u32(t, int(at))) > uint64(len(t)) {
				return nil, malformed("cmap format 14")
			}
		}
	}
	return t, nil
}

// Lookup returns the glyph of a character. selector is the variation selector
// after it, 0 for none. ok is false when the font has no glyph for the
// character, or does not know the sequence (OpenType cmap format 14).
func (f *Font) Lookup(r, selector rune) (g Glyph, ok bool) {
	if selector == 0 {
		g = f.glyph(r)
		return g, g != 0
	}
	t := f.variants
	if len(t) == 0 {
		return 0, false
	}
	n := int(u32(t, 6))
	i := sort.Search(n, func(i int) bool { return rune(u24(t, 10+11*i)) >= selector })
	if i == n || rune(u24(t, 10+11*i)) != selector {
		return 0, false
	}
	if usual := int(u32(t, 10+11*i+3)); usual != 0 && inRuns(t[usual:], r) {
		g = f.glyph(r)
	} else if own := int(u32(t, 10+11*i+7)); own != 0 {
		g = inMappings(t[own:], r)
	}
	if int(g) >= f.glyphs {
		g = 0
	}
	return g, g != 0
}

func (f *Font) glyph(r rune) Glyph {
	if g := f.chars.glyph(r); int(g) < f.glyphs {
		return g
	}
	return 0
}

// inRuns tells whether a default table of format 14 holds the character.
func inRuns(t []byte, r rune) bool {
	n := int(u32(t, 0))
	i := sort.Search(n, func(i int) bool { return rune(u24(t, 4+4*i))+rune(t[4+4*i+3]) >= r })
	return i < n && rune(u24(t, 4+4*i)) <= r
}

// inMappings finds the character in a non-default table of format 14.
func inMappings(t []byte, r rune) Glyph {
	n := int(u32(t, 0))
	i := sort.Search(n, func(i int) bool { return rune(u24(t, 4+5*i)) >= r })
	if i == n || rune(u24(t, 4+5*i)) != r {
		return 0
	}
	return Glyph(u16(t, 4+5*i+3))
}
