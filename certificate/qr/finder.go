package qr

import (
	"cmp"
	"math"
	"slices"
)

type point struct{ x, y float64 }

func (p point) minus(q point) point   { return point{p.x - q.x, p.y - q.y} }
func (p point) cross(q point) float64 { return p.x*q.y - p.y*q.x }
func (p point) length() float64       { return math.Hypot(p.x, p.y) }

// finderMark is a finder pattern seen in a picture.
type finderMark struct {
	point
	width float64 // of the seven modules, along a row or column of pixels
	seen  int     // on how many rows
}

const (
	maxMarks   = 24  // the most often seen are tried
	maxCorners = 200 // threes of them that are tried
)

// findMarks looks on each row for dark:light 1:1:3:1:1 and checks it across. The
// most often seen come first.
func (b *bitmap) findMarks() []finderMark {
	var marks []finderMark
	for y := range b.h {
		row := b.dark[y*b.w:][:b.w]
		var runs [5]int // the last five, ending with a dark one
		for x := 0; x < b.w; {
			end := x + 1
			for end < b.w && row[end] == row[x] {
				end++
			}
			copy(runs[:], runs[1:])
			runs[4] = end - x
			if row[x] && finderLike(runs) {
				marks = b.addMark(marks, end, y, runs)
			}
			x = end
		}
	}
	slices.SortStableFunc(marks, func(a, b finderMark) int { return cmp.Compare(b.seen, a.seen) })
	return marks
}

// addMark joins a sighting that ends at x with the mark it belongs to.
func (b *bitmap) addMark(marks []finderMark, x, y int, runs [5]int) []finderMark {
	cx := float64(x-runs[4]-runs[3]) - float64(runs[2])/2
	total := float64(runs[0] + runs[1] + runs[2] + runs[3] + runs[4])
	cy, tall, ok := b.through(point{cx, float64(y) + 0.5}, point{0, 1}, total)
	if !ok || tall > 2*total || total > 2*tall {
		return marks
	}
	if cx, total, ok = b.through(point{cx, cy}, point{1, 0}, total); !ok {
		return marks
	}
	found := finderMark{point{cx, cy}, (total + tall) / 2, 1}
	for i := range marks {
		m := &marks[i]
		if m.minus(found.point).length() < found.width/4 && math.Abs(m.width-found.width) < found.width/3 {
			n := float64(m.seen)
			m.x, m.y = (m.x*n+cx)/(n+1), (m.y*n+cy)/(n+1)
			m.width = (m.width*n + found.width) / (n + 1)
			m.seen++
			return marks
		}
	}
	if len(marks) >= 40*maxMarks { // noise
		return marks
	}
	return append(marks, found)
}

// finderLike allows each run to be off by half a module, the middle by one and a half.
func finderLike(runs [5]int) bool {
	total := 0
	for _, r := range runs {
		if r == 0 {
			return false
		}
		total += r
	}
	module := float64(total) / 7
	if module < 1 {
		return false
	}
	for i, r := range runs {
		want := 1.0
		if i == 2 {
			want = 3
		}
		if math.Abs(float64(r)-want*module) > want*module*0.6 {
			return false
		}
	}
	return true
}

// through measures the pattern along a direction from its middle. It returns the
// middle, in the coordinate of that direction, and the width.
func (b *bitmap) through(from, along point, expected float64) (middle, width float64, ok bool) {
	limit := int(expected) + 2
	var half [2][3]int // runs of dark, light, dark to either side
	for side, sign := range [2]float64{-1, 1} {
		x, y := int(from.x), int(from.y)
		if sign > 0 {
			x, y = x+int(along.x), y+int(along.y)
		}
		for i := range 3 {
			for x >= 0 && y >= 0 && x < b.w && y < b.h && b.dark[y*b.w+x] == (i != 1) && half[side][i] <= limit {
				half[side][i]++
				x, y = x+int(sign*along.x), y+int(sign*along.y)
			}
		}
	}
	runs := [5]int{half[0][2], half[0][1], half[0][0] + half[1][0], half[1][1], half[1][2]}
	if !finderLike(runs) {
		return 0, 0, false
	}
	start := math.Floor(from.x*along.x+from.y*along.y) + 1
	middle = start + float64(half[1][0]-half[0][0])/2
	return middle, float64(runs[0] + runs[1] + runs[2] + runs[3] + runs[4]), true
}

// corners are the middles of the three finder patterns.
type corners struct {
	topLeft, topRight, bottomLeft point
	module                        float64 // width of a module in pixels, by the patterns
	doubt                         float64
}

// findCorners lists the threes of marks that may belong together, the best first.
func findCorners(marks []finderMark) []corners {
	var all []corners
	for i := range marks {
		for j := range i {
			for k := range j {
				if c, ok := asCorners(marks[i], marks[j], marks[k]); ok {
					all = append(all, c)
				}
			}
		}
	}
	slices.SortStableFunc(all, func(a, b corners) int { return cmp.Compare(a.doubt, b.doubt) })
	return all[:min(len(all), maxCorners)]
}

// asCorners orders three marks: the one opposite the longest side is top left.
func asCorners(a, b, c finderMark) (corners, bool) {
	ab, bc, ca := a.minus(b.point).length(), b.minus(c.point).length(), c.minus(a.point).length()
	switch {
	case ca > ab && ca > bc:
		a, b = b, a
	case ab > bc && ab > ca:
		a, c = c, a
	}
	right, down := b.minus(a.point), c.minus(a.point)
	if right.cross(down) < 0 { // in a picture, down is to the right of right
		b, c, right, down = c, b, down, right
	}
	least, most := min(a.width, b.width, c.width), max(a.width, b.width, c.width)
	size, other := right.length(), down.length()
	angle := math.Abs(right.x*down.x+right.y*down.y) / (size * other)
	if most > 1.6*least || size > 1.6*other || other > 1.6*size || angle > 0.5 || size < 1.5*least {
		return corners{}, false
	}
	// a square turned by t is 1/cos t as wide along a row
	turned := max(math.Abs(right.x), math.Abs(right.y)) / size
	return corners{
		topLeft: a.point, topRight: b.point, bottomLeft: c.point,
		module: (a.width + b.width + c.width) / 21 * turned,
		doubt:  angle + math.Abs(math.Log(size/other)) + math.Log(most/least) + 4/float64(a.seen+b.seen+c.seen),
	}, true
}
