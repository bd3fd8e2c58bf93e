package qr

import "sync"

// layout is what all symbols of a version have in common. A place is the number
// of a module's bit in Matrix.rows: word*64 + bit.
type layout struct {
	version, size, stride int

	blank  *Matrix       // function patterns; format information white
	free   *Matrix       // 1 where data goes
	order  []uint16      // places of the data bits, in the order of the bits
	format [2][15]uint16 // places of the two copies of the format information, least significant bit first

	// For the search of the mask: the eight mask patterns on the free modules and
	// the places of the format information, upright and with rows and columns exchanged.
	masks, masksTurned [8][]uint64
	formatTurned       [2][15]uint16
}

var layouts [MaxVersion + 1]struct {
	once   sync.Once
	layout *layout
}

// layoutOf returns the layout of a version, made at its first use.
func layoutOf(version int) *layout {
	l := &layouts[version]
	l.once.Do(func() { l.layout = newLayout(version) })
	return l.layout
}

func newLayout(version int) *layout {
	l := &layout{version: version, blank: newMatrix(version), free: newMatrix(version)}
	l.size, l.stride = l.blank.size, l.blank.stride
	for y := range l.size {
		for x := range l.size {
			l.free.set(x, y)
		}
	}
	l.timing()
	last := l.size - 7
	l.finder(0, 0)
	l.finder(last, 0)
	l.finder(0, last)
	l.alignment()
	l.formatPlaces()
	l.versionInformation()
	l.dataOrder()
	l.maskPatterns()
	return l
}

// function gives a module to a function pattern.
func (l *layout) function(x, y int, black bool) {
	if x < 0 || y < 0 || x >= l.size || y >= l.size {
		return
	}
	word, bit := y*l.stride+x>>6, uint64(1)<<(x&63)
	l.free.rows[word] &^= bit
	l.blank.rows[word] &^= bit
	if black {
		l.blank.rows[word] |= bit
	}
}

func (l *layout) timing() {
	for i := range l.size {
		l.function(i, 6, i%2 == 0)
		l.function(6, i, i%2 == 0)
	}
}

// finder draws a finder pattern and its separator; x, y is its upper left corner.
func (l *layout) finder(x, y int) {
	for dy := -1; dy <= 7; dy++ {
		for dx := -1; dx <= 7; dx++ {
			ring := max(abs(dx-3), abs(dy-3)) // distance from the centre
			l.function(x+dx, y+dy, ring < 2 || ring == 3)
		}
	}
}

// alignment draws the alignment patterns, all but the three under the finders.
func (l *layout) alignment() {
	centres := alignmentCentres(l.version)
	for i, cy := range centres {
		for j, cx := range centres {
			end := len(centres) - 1
			if i == 0 && j == 0 || i == 0 && j == end || i == end && j == 0 {
				continue
			}
			for dy := -2; dy <= 2; dy++ {
				for dx := -2; dx <= 2; dx++ {
					l.function(cx+dx, cy+dy, max(abs(dx), abs(dy)) != 1)
				}
			}
		}
	}
}

// formatPlaces keeps the room of the format information (ISO/IEC 18004, 7.9.1).
func (l *layout) formatPlaces() {
	for bit := range 15 {
		first, second := [2]int{8, bit}, [2]int{l.size - 1 - bit, 8}
		switch {
		case bit >= 9:
			first = [2]int{14 - bit, 8}
		case bit == 8:
			first = [2]int{7, 8}
		case bit >= 6: // past the timing pattern
			first = [2]int{8, bit + 1}
		}
		if bit >= 8 {
			second = [2]int{8, l.size - 15 + bit}
		}
		for i, at := range [2][2]int{first, second} {
			l.function(at[0], at[1], false)
			l.format[i][bit] = l.place(at[0], at[1])
			l.formatTurned[i][bit] = l.place(at[1], at[0])
		}
	}
	l.function(8, l.size-8, true)
}

// allWords has a word for every place there can be, so that none needs a check.
type allWords [1 << (16 - 6)]uint64

func (l *layout) place(x, y int) uint16 { return uint16(y*l.stride*64 + x) }

// versionInformation draws the two copies of the version number (ISO/IEC 18004, 7.10).
func (l *layout) versionInformation() {
	if l.version < 7 {
		return
	}
	bits := versionBits(l.version)
	for i := range 18 {
		a, b := l.size-11+i%3, i/3
		l.function(a, b, bits>>i&1 == 1)
		l.function(b, a, bits>>i&1 == 1)
	}
}

// versionBits is the version with its twelve check bits.
func versionBits(version int) uint32 { return withCheck(uint32(version), 12, 0x1F25) }

// formatBits is level and mask with ten check bits, masked (ISO/IEC 18004, 7.9.1).
func formatBits(level Level, mask int) uint32 {
	return withCheck([4]uint32{L: 1, M: 0, Q: 3, H: 2}[level]<<3|uint32(mask), 10, 0x537) ^ 0x5412
}

// withCheck appends the remainder of a division by the BCH generator of that degree.
func withCheck(v uint32, degree int, generator uint32) uint32 {
	r := v << degree
	for i := 31; i >= degree; i-- {
		if r>>i&1 == 1 {
			r ^= generator << (i - degree)
		}
	}
	return v<<degree | r
}

// dataOrder lists the free modules in pairs of columns from the right, upwards
// and downwards in turn (ISO/IEC 18004, 7.7.3). Bits beyond the last codeword stay white.
func (l *layout) dataOrder() {
	n := 8 * codewordsOf(l.version)
	l.order = make([]uint16, 0, n)
	up := true
	for right := l.size - 1; right > 0; right -= 2 {
		if right == 6 { // the timing pattern's column
			right--
		}
		for i := range l.size {
			y := i
			if up {
				y = l.size - 1 - i
			}
			for x := right; x >= right-1; x-- {
				if l.free.Black(x, y) && len(l.order) < n {
					l.order = append(l.order, l.place(x, y))
				}
			}
		}
		up = !up
	}
}

func (l *layout) maskPatterns() {
	for mask := range l.masks {
		m := newMatrix(l.version)
		for y := range l.size {
			for x := range l.size {
				if masked(mask, x, y) && l.free.Black(x, y) {
					m.set(x, y)
				}
			}
		}
		l.masks[mask] = m.rows
		l.masksTurned[mask] = make([]uint64, len(m.rows))
		turn(l.masksTurned[mask], m.rows, l.size, l.stride)
	}
}

// masked is the condition of each mask pattern (ISO/IEC 18004, table 10).
func masked(mask, x, y int) bool {
	switch mask {
	case 0:
		return (y+x)%2 == 0
	case 1:
		return y%2 == 0
	case 2:
		return x%3 == 0
	case 3:
		return (y+x)%3 == 0
	case 4:
		return (y/2+x/3)%2 == 0
	case 5:
		return y*x%2+y*x%3 == 0
	case 6:
		return (y*x%2+y*x%3)%2 == 0
	}
	return ((y+x)%2+y*x%3)%2 == 0
}

func abs(n int) int { return max(n, -n) }
