package qr

import "math/bits"

// The weights of ISO/IEC 18004, table 11.
const (
	runPenalty     = 3  // five modules of a colour in line; one point more for each further
	boxPenalty     = 3  // two by two modules of a colour
	finderPenalty  = 40 // dark:light 1:1:3:1:1 in line, with four light modules before or after
	balancePenalty = 10 // each full 5 % by which the share of black is off one half
)

// penalty scores a symbol, given upright and turned. Where the standard can be
// read in several ways: the symbol is scored with its format information and
// without its quiet zone, and light modules on both sides of a finder-like
// pattern count once. A bit of a word is a column, so each step works on 64
// columns at once.
func penalty(rows, turned []uint64, size, stride int) int {
	points := boxes(rows, size, stride) + balance(rows, size)
	for word := range stride {
		points += lines(rows, size, stride, word) + lines(turned, size, stride, word)
	}
	return points
}

// lines scores runs and finder-like patterns down 64 columns.
func lines(rows []uint64, size, stride, word int) int {
	// Guards above and below are black: only modules of the symbol count as light.
	const guard = 4
	var column, dark [guard + maxSize + guard]uint64
	for i := range guard {
		column[i], column[guard+size+i] = ^uint64(0), ^uint64(0)
	}
	for y, at := 0, word; y < size; y, at = y+1, at+stride {
		column[guard+y] = rows[at]
	}
	c := column[guard:][:size]
	valid := columnsIn(size, word)

	runs, further := 0, 0
	var same, three, threeAbove, five uint64 // alike with the one above; three, five alike that end here
	for y := 1; y < len(c); y++ {
		sameHere := valid &^ (c[y] ^ c[y-1])
		threeHere := sameHere & same
		fiveHere := threeHere & threeAbove
		runs += bits.OnesCount64(fiveHere &^ five)
		further += bits.OnesCount64(fiveHere)
		same, threeAbove, three, five = sameHere, three, threeHere, fiveHere
	}

	// dark[i]: some black in the four modules that end at i
	for i := guard - 1; i < guard+size+guard; i++ {
		dark[i] = column[i] | column[i-1] | column[i-2] | column[i-3]
	}
	found := 0
	for i := guard; i+7 <= guard+size; i++ {
		p := column[i : i+7]
		like := p[0] &^ p[1] & p[2] & p[3] & p[4] &^ p[5] & p[6]
		found += bits.OnesCount64(like &^ (dark[i-1] & dark[i+10]))
	}
	return (runPenalty-1)*runs + further + finderPenalty*found
}

// boxes scores blocks of one colour; overlapping ones count each.
func boxes(rows []uint64, size, stride int) int {
	found := 0
	for y := 1; y < size; y++ {
		upper, lower := rows[(y-1)*stride:][:stride], rows[y*stride:][:stride]
		var next, sameNext uint64 // the word to the right
		valid := columnsIn(size, stride-1) >> 1
		for i := stride - 1; i >= 0; i-- {
			same := ^(upper[i] ^ lower[i])
			across := ^(lower[i] ^ (lower[i]>>1 | next<<63))
			found += bits.OnesCount64(same & (same>>1 | sameNext<<63) & across & valid)
			next, sameNext, valid = lower[i], same, ^uint64(0)
		}
	}
	return boxPenalty * found
}

func balance(rows []uint64, size int) int {
	black := 0
	for _, v := range rows {
		black += bits.OnesCount64(v)
	}
	total := size * size
	return balancePenalty * (10 * abs(2*black-total) / total)
}

// columnsIn has a bit for each column of the symbol that is in the word.
func columnsIn(size, word int) uint64 {
	if size-64*word >= 64 {
		return ^uint64(0)
	}
	return 1<<(size-64*word) - 1
}

// turn writes rows to dst with rows and columns exchanged.
func turn(dst, rows []uint64, size, stride int) {
	var tile [64]uint64
	for ty := range stride {
		for tx := range stride {
			n := min(64, size-64*ty)
			for i := range n {
				tile[i] = rows[(64*ty+i)*stride+tx]
			}
			clear(tile[n:])
			turnTile(&tile)
			for i := range min(64, size-64*tx) {
				dst[(64*tx+i)*stride+ty] = tile[i]
			}
		}
	}
}

// turnTile exchanges ever smaller quarters: 32 by 32 bits, 16 by 16, to single bits.
func turnTile(t *[64]uint64) {
	low := ^uint64(0) >> 32
	for half := 32; half > 0; half >>= 1 {
		for i := 0; i < 64; i = (i + half + 1) &^ half {
			moved := (t[i]>>half ^ t[i+half]) & low
			t[i] ^= moved << half
			t[i+half] ^= moved
		}
		low ^= low << (half / 2)
	}
}
