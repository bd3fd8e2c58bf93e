package qr

// Error correction codewords per block, by level and version (ISO/IEC 18004, table 9).
var correctionTable = [4][MaxVersion]uint8{
	L: {7, 10, 15, 20, 26, 18, 20, 24, 30, 18, 20, 24, 26, 30, 22, 24, 28, 30, 28, 28,
		28, 28, 30, 30, 26, 28, 30, 30, 30, 30, 30, 30, 30, 30, 30, 30, 30, 30, 30, 30},
	M: {10, 16, 26, 18, 24, 16, 18, 22, 22, 26, 30, 22, 22, 24, 24, 28, 28, 26, 26, 26,
		26, 28, 28, 28, 28, 28, 28, 28, 28, 28, 28, 28, 28, 28, 28, 28, 28, 28, 28, 28},
	Q: {13, 22, 18, 26, 18, 24, 18, 22, 20, 24, 28, 26, 24, 20, 30, 24, 28, 28, 26, 30,
		28, 30, 30, 30, 30, 28, 30, 30, 30, 30, 30, 30, 30, 30, 30, 30, 30, 30, 30, 30},
	H: {17, 28, 22, 16, 22, 28, 26, 26, 24, 28, 24, 28, 22, 24, 24, 30, 28, 28, 26, 28,
		30, 24, 30, 30, 30, 30, 30, 30, 30, 30, 30, 30, 30, 30, 30, 30, 30, 30, 30, 30},
}

// Number of blocks, by level and version (ISO/IEC 18004, table 9).
var blockTable = [4][MaxVersion]uint8{
	L: {1, 1, 1, 1, 1, 2, 2, 2, 2, 4, 4, 4, 4, 4, 6, 6, 6, 6, 7, 8,
		8, 9, 9, 10, 12, 12, 12, 13, 14, 15, 16, 17, 18, 19, 19, 20, 21, 22, 24, 25},
	M: {1, 1, 1, 2, 2, 4, 4, 4, 5, 5, 5, 8, 9, 9, 10, 10, 11, 13, 14, 16,
		17, 17, 18, 20, 21, 23, 25, 26, 28, 29, 31, 33, 35, 37, 38, 40, 43, 45, 47, 49},
	Q: {1, 1, 2, 2, 4, 4, 6, 6, 8, 8, 8, 10, 12, 16, 12, 17, 16, 18, 21, 20,
		23, 23, 25, 27, 29, 34, 34, 35, 38, 40, 43, 45, 48, 51, 53, 56, 59, 62, 65, 68},
	H: {1, 1, 2, 4, 4, 4, 5, 6, 8, 8, 11, 11, 16, 16, 18, 16, 19, 21, 25, 25,
		25, 34, 30, 32, 35, 37, 40, 42, 45, 48, 51, 54, 57, 60, 63, 66, 70, 74, 77, 81},
}

// maxCodewords is the number of codewords of version 40.
const maxCodewords = 3706

func sizeOf(version int) int { return 17 + 4*version }

// versionOf returns the version of a symbol with size modules a side.
func versionOf(size int) (int, bool) {
	v := (size - 17) / 4
	return v, v >= 1 && v <= MaxVersion && sizeOf(v) == size
}

// codewordsOf counts the codewords of a version: the modules that no function
// pattern takes, in whole bytes.
func codewordsOf(version int) int {
	size := sizeOf(version)
	free := size*size - 3*64 - 31 - 2*(size-16) // finders with separators, format with dark module, timing
	if n := len(alignmentCentres(version)); n > 0 {
		free -= (n*n-3)*25 - 2*(n-2)*5 // those of row and column 6 share five modules with the timing
	}
	if version >= 7 {
		free -= 2 * 18
	}
	return free / 8
}

// alignmentCentres returns the rows, which are also the columns, of the centres
// of the alignment patterns (ISO/IEC 18004, annex E).
func alignmentCentres(version int) []int {
	if version == 1 {
		return nil
	}
	n := version/7 + 2
	last := sizeOf(version) - 7
	step := 26
	if version != 32 { // the only version whose spacing is not the rounded-up even share
		step = (last - 6 + 2*(n-1) - 1) / (2 * (n - 1)) * 2
	}
	centres := make([]int, n)
	centres[0] = 6
	for i := n - 1; i > 0; i-- {
		centres[i] = last
		last -= step
	}
	return centres
}

// blocks says how the codewords of a symbol are divided: count blocks, of which
// the last long ones have one data codeword more than data.
type blocks struct {
	count, long      int
	data, correction int // codewords in each
}

func blocksOf(version int, level Level) blocks {
	b := blocks{count: int(blockTable[level][version-1]), correction: int(correctionTable[level][version-1])}
	total := codewordsOf(version) - b.count*b.correction
	b.data, b.long = total/b.count, total%b.count
	return b
}

// total returns the data codewords of all blocks.
func (b blocks) total() int { return b.count*b.data + b.long }

// length returns the data codewords of block i.
func (b blocks) length(i int) int {
	if i >= b.count-b.long {
		return b.data + 1
	}
	return b.data
}

// at returns where codeword j of block i stands in the interleaved sequence;
// correction codewords follow the data of the block.
func (b blocks) at(i, j int) int {
	switch n := b.length(i); {
	case j < b.data:
		return j*b.count + i
	case j < n:
		return b.data*b.count + i - (b.count - b.long)
	default:
		return b.total() + (j-n)*b.count + i
	}
}

// repairable returns how many codewords of a block may be wrong. The smallest
// symbols keep codewords back against misreading (ISO/IEC 18004, table 9).
func repairable(version int, level Level, correction int) int {
	kept := 0
	switch {
	case version == 1:
		kept = [4]int{L: 3, M: 2, Q: 1, H: 1}[level]
	case version == 2 && level == L:
		kept = 2
	case version == 3 && level == L:
		kept = 1
	}
	return (correction - kept) / 2
}

// capacities[level][version] is the number of data codewords; version 0 is unused.
var capacities = func() (c [4][MaxVersion + 1]int) {
	for level := range c {
		for v := 1; v <= MaxVersion; v++ {
			c[level][v] = blocksOf(v, Level(level)).total()
		}
	}
	return c
}()
