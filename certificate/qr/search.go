package qr

// maxSymbols is how many symbols of one picture are read.
const maxSymbols = 8

// What is tried before a symbol is read.
const (
	maxSeen    = 16 // corners with finder patterns
	maxSampled = 48 // grids that are read
)

// search looks for symbols in one picture. Places are in pixels of the picture
// as it came, whatever it was enlarged to.
type search struct {
	most     int // symbols to look for
	readings []Reading
	areas    []area    // of the readings
	seen     []corners // of what looks like a symbol and was not read, the likeliest first
	crowded  bool      // more marks than are tried were left
	err      error     // why the likeliest was not read; ErrNotFound when nothing was seen
}

// search looks in the picture as it is and, when small, enlarged, until it has
// found as many symbols as asked for.
func (p picture) search(most int) *search {
	s := &search{most: most, err: ErrNotFound}
	for _, n := range []int{1, 2, 4} {
		if n > 1 && p.w*n*p.h*n > MaxImagePixels {
			break
		}
		large := p
		if n > 1 {
			large = p.enlarge(n)
		}
		if s.look(binarise(large), float64(n)); len(s.readings) == most {
			break
		}
	}
	return s
}

// look tries the likely corners. Each symbol that was read takes its marks with
// it, which leaves room for others among the marks that are kept.
func (s *search) look(b *bitmap, scale float64) {
	marks, tried := b.findMarks(), map[corners]bool{}
	for again := true; again && len(s.readings) < s.most; {
		marks = s.outside(marks, scale)
		again = s.try(b, findCorners(marks[:min(len(marks), maxMarks)]), tried, scale)
	}
	s.crowded = s.crowded || len(marks) > maxMarks && marks[maxMarks].seen > 2 // no chance sighting
}

// try reads the first of the corners that can be read.
func (s *search) try(b *bitmap, all []corners, tried map[corners]bool, scale float64) bool {
	looked, sampled := 0, 0
	for _, c := range all {
		if tried[c] {
			continue
		}
		tried[c] = true
		samples, seen := b.sample(c)
		for _, x := range samples {
			for _, m := range []*Matrix{x.m, x.m.mirrored()} {
				r, err := Read(m)
				if err == nil {
					s.readings = append(s.readings, r)
					s.areas = append(s.areas, x.grid.area(m.size, scale))
					return true
				}
				if s.err == ErrNotFound || err == ErrContent {
					s.err = err
				}
			}
			if sampled++; sampled == maxSampled {
				break
			}
		}
		if seen {
			s.seen = append(s.seen, c.scaled(1/scale))
			looked++
		}
		if looked == maxSeen || sampled == maxSampled {
			break
		}
	}
	return false
}

// unread counts the symbols that were seen and not read: no finder pattern of
// theirs belongs to one that was read, or to one that is counted already. Where
// there are too many patterns to try, it is one at least.
func (s *search) unread() int {
	var counted []corners
	for _, c := range s.seen {
		if !s.explained(c, counted) {
			counted = append(counted, c)
		}
	}
	if s.crowded && len(counted) == 0 {
		return 1
	}
	return len(counted)
}

func (s *search) explained(c corners, counted []corners) bool {
	for _, p := range c.points() {
		if s.covered(p) {
			return true
		}
		for _, other := range counted {
			for _, q := range other.points() {
				if p.minus(q).length() < 3.5*max(c.module, other.module) {
					return true
				}
			}
		}
	}
	return false
}

func (s *search) covered(p point) bool {
	for _, a := range s.areas {
		if a.has(p) {
			return true
		}
	}
	return false
}

// outside returns the marks that are not within a symbol that was read.
func (s *search) outside(marks []finderMark, scale float64) []finderMark {
	if len(s.areas) == 0 {
		return marks
	}
	var out []finderMark
	for _, m := range marks {
		if !s.covered(point{m.x / scale, m.y / scale}) {
			out = append(out, m)
		}
	}
	return out
}

// area is the four sides of a symbol, all around one way or the other.
type area [4]point

func (g grid) area(size int, scale float64) area {
	far := float64(size)
	a := area{g.at(0, 0), g.at(far, 0), g.at(far, far), g.at(0, far)}
	for i := range a {
		a[i].x, a[i].y = a[i].x/scale, a[i].y/scale
	}
	return a
}

func (a area) has(p point) bool {
	left, right := 0, 0
	for i, from := range a {
		if a[(i+1)%4].minus(from).cross(p.minus(from)) < 0 {
			left++
		} else {
			right++
		}
	}
	return left == 0 || right == 0
}

func (c corners) points() [3]point { return [3]point{c.topLeft, c.topRight, c.bottomLeft} }

func (c corners) scaled(f float64) corners {
	for _, p := range []*point{&c.topLeft, &c.topRight, &c.bottomLeft} {
		p.x, p.y = p.x*f, p.y*f
	}
	c.module *= f
	return c
}
