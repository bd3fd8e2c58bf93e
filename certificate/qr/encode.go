package qr

// Encode draws the segments in the smallest version up to maxVersion that holds
// them, with the mask of the lowest penalty (the first of equals). Errors are
// ErrTooLong and ErrInput.
func Encode(segments []Segment, level Level, maxVersion int) (*Matrix, error) {
	version, err := smallest(segments, level, maxVersion)
	if err != nil {
		return nil, err
	}
	return draw(segments, level, version, anyMask), nil
}

// EncodeBest encodes with the first of the levels that holds the segments in a
// version up to maxVersion, such as "M where it fits, else L".
func EncodeBest(segments []Segment, levels []Level, maxVersion int) (*Matrix, error) {
	version, level, err := Fit(segments, levels, maxVersion)
	if err != nil {
		return nil, err
	}
	return draw(segments, level, version, anyMask), nil
}

// Fit returns the version and level that EncodeBest takes, without drawing.
func Fit(segments []Segment, levels []Level, maxVersion int) (version int, level Level, err error) {
	err = ErrInput
	for _, level = range levels {
		if version, err = smallest(segments, level, maxVersion); err != ErrTooLong {
			break
		}
	}
	return version, level, err
}

// smallest returns the smallest version that holds the segments.
func smallest(segments []Segment, level Level, maxVersion int) (int, error) {
	if level < L || level > H || maxVersion < 1 || maxVersion > MaxVersion {
		return 0, ErrInput
	}
	if err := check(segments); err != nil {
		return 0, err
	}
	bits, class := 0, -1
	for v := 1; v <= maxVersion; v++ {
		if c := classOf(v); c != class {
			bits, class = bitsOf(segments, c), c
		}
		if bits <= 8*capacities[level][v] {
			return v, nil
		}
	}
	return 0, ErrTooLong
}

// anyMask lets draw choose the mask.
const anyMask = -1

// draw makes the symbol of segments that fit the version.
func draw(segments []Segment, level Level, version, mask int) *Matrix {
	var data, sequence [maxCodewords]byte
	w := bitWriter{buf: data[:0]}
	class := classOf(version)
	for _, s := range segments {
		w.segment(s, class)
	}
	w.finish(capacities[level][version])

	l := layoutOf(version)
	m := newMatrix(version)
	var words allWords
	copy(words[:], l.blank.rows)
	for i, c := range interleave(sequence[:0:maxCodewords], w.buf, version, level) {
		for j, p := range (*[8]uint16)(l.order[8*i:]) {
			words[p>>6] |= uint64(c>>(7-j)&1) << (p & 63)
		}
	}
	copy(m.rows, words[:])
	m.Level, m.Mask = level, mask
	if mask == anyMask {
		m.Mask = l.bestMask(m.rows, level)
	}
	apply(m.rows, m.rows, l.masks[m.Mask])
	putFormat(m.rows, &l.format, formatBits(level, m.Mask))
	return m
}

// interleave divides the data into blocks, adds their correction codewords and
// writes all in the order of ISO/IEC 18004, 7.6, to sequence, which has the room.
func interleave(sequence, data []byte, version int, level Level) []byte {
	b := blocksOf(version, level)
	g := generator(b.correction)
	sequence = sequence[:b.total()+b.count*b.correction]
	for i := range b.count {
		n := b.length(i)
		check := g.divide(data[:n])
		for j, c := range data[:b.data] {
			sequence[j*b.count+i] = c
		}
		if n > b.data {
			sequence[b.at(i, b.data)] = data[b.data]
		}
		for j := range b.correction {
			sequence[b.at(i, n+j)] = check.byte(j)
		}
		data = data[n:]
	}
	return sequence
}

// bestMask returns the mask of the lowest penalty for an unmasked symbol.
func (l *layout) bestMask(rows []uint64, level Level) int {
	var turned, tried, triedTurned [maxSize * maxStride]uint64
	n := len(rows)
	turn(turned[:n], rows, l.size, l.stride)
	best, lowest := 0, -1
	for mask := range l.masks {
		bits := formatBits(level, mask)
		apply(tried[:n], rows, l.masks[mask])
		putFormat(tried[:n], &l.format, bits)
		apply(triedTurned[:n], turned[:n], l.masksTurned[mask])
		putFormat(triedTurned[:n], &l.formatTurned, bits)
		if p := penalty(tried[:n], triedTurned[:n], l.size, l.stride); lowest < 0 || p < lowest {
			best, lowest = mask, p
		}
	}
	return best
}

// apply inverts the modules of a mask.
func apply(dst, rows, mask []uint64) {
	dst, mask = dst[:len(rows)], mask[:len(rows)]
	for i, v := range rows {
		dst[i] = v ^ mask[i]
	}
}

// putFormat draws both copies of the format information; their room is white.
func putFormat(rows []uint64, places *[2][15]uint16, bits uint32) {
	for copy := range places {
		for i, p := range places[copy] {
			rows[p>>6] |= uint64(bits>>i&1) << (p & 63)
		}
	}
}
