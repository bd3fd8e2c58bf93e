package qr

// bitmap is a picture with a threshold for each block of pixels, and what is
// darker than it.
type bitmap struct {
	picture
	dark      []bool // w a row
	columns   int    // blocks a row
	threshold []uint8
}

const blockSize = 8 // pixels a side

// binarise finds the thresholds: halfway between the mean and the middle of the
// extremes of a wide neighbourhood; where that has no contrast, the threshold of
// the whole picture.
func binarise(p picture) *bitmap {
	columns, lines := (p.w+blockSize-1)/blockSize, (p.h+blockSize-1)/blockSize
	b := &bitmap{picture: p, dark: make([]bool, p.w*p.h), columns: columns, threshold: make([]uint8, columns*lines)}
	sum, low, high := b.blocks(lines)
	radius := max(2, max(columns, lines)/10)
	sum = spread(sum, columns, lines, radius, func(a, b int) int { return a + b })
	low = spread(low, columns, lines, radius, func(a, b int) int { return min(a, b) })
	high = spread(high, columns, lines, radius, func(a, b int) int { return max(a, b) })
	whole := p.otsu()
	const contrast = 40
	for i := range b.threshold {
		x, y := i%columns, i/columns
		wide := min(p.w, (x+radius+1)*blockSize) - max(0, (x-radius)*blockSize)
		tall := min(p.h, (y+radius+1)*blockSize) - max(0, (y-radius)*blockSize)
		b.threshold[i] = whole
		if high[i]-low[i] >= contrast {
			b.threshold[i] = uint8((sum[i]/(wide*tall) + (low[i]+high[i])/2) / 2)
		}
	}
	for y := range p.h {
		for x := range p.w {
			b.dark[y*p.w+x] = p.pix[y*p.stride+x] < b.threshold[y/blockSize*columns+x/blockSize]
		}
	}
	return b
}

// blocks returns sum, least and greatest value of each block.
func (b *bitmap) blocks(lines int) (sum, low, high []int) {
	n := b.columns * lines
	sum, low, high = make([]int, n), make([]int, n), make([]int, n)
	for i := range low {
		low[i] = 255
	}
	for y := range b.h {
		for x, v := range b.pix[y*b.stride:][:b.w] {
			i := y/blockSize*b.columns + x/blockSize
			sum[i] += int(v)
			low[i] = min(low[i], int(v))
			high[i] = max(high[i], int(v))
		}
	}
	return sum, low, high
}

// spread joins each value with its neighbours within radius, across and then down.
func spread(values []int, columns, lines, radius int, join func(a, b int) int) []int {
	pass := func(values []int, step, count, other, otherStep int) []int {
		out := make([]int, len(values))
		for o := range other {
			for i := range count {
				first, last := max(0, i-radius), min(count-1, i+radius)
				v := values[o*otherStep+first*step]
				for j := first + 1; j <= last; j++ {
					v = join(v, values[o*otherStep+j*step])
				}
				out[o*otherStep+i*step] = v
			}
		}
		return out
	}
	return pass(pass(values, 1, columns, lines, columns), columns, lines, columns, 1)
}

// otsu returns the threshold that parts the values into the two tightest groups.
func (p picture) otsu() uint8 {
	var count [256]int
	total := 0
	for y := range p.h {
		for _, v := range p.pix[y*p.stride:][:p.w] {
			count[v]++
			total += int(v)
		}
	}
	n := p.w * p.h
	best, threshold := -1.0, 127
	below, belowSum := 0, 0
	for v := range 255 {
		below += count[v]
		belowSum += v * count[v]
		if below == 0 || below == n {
			continue
		}
		apart := float64(belowSum)/float64(below) - float64(total-belowSum)/float64(n-below)
		if s := float64(below) * float64(n-below) * apart * apart; s > best {
			best, threshold = s, v+1
		}
	}
	return uint8(threshold)
}

// contrast says how far a point is below the threshold: positive is dark.
func (b *bitmap) contrast(p point) float64 {
	x := min(max(int(p.x), 0), b.w-1)
	y := min(max(int(p.y), 0), b.h-1)
	return float64(b.threshold[y/blockSize*b.columns+x/blockSize]) - b.at(p.x, p.y)
}
