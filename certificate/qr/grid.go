package qr

import (
	"cmp"
	"math"
	"math/bits"
	"slices"
)

// mirrored exchanges rows and columns, for symbols seen from behind.
func (m *Matrix) mirrored() *Matrix {
	t := newMatrix(m.Version)
	turn(t.rows, m.rows, m.size, m.stride)
	return t
}

// sample is what a view makes of the modules.
type sample struct {
	m     *Matrix
	grid  grid
	match float64 // of the function patterns
}

// sample reads the modules for the likely versions, the best match of the
// function patterns first; matches little better than chance are left out, and
// a nearly perfect one ends the search. seen tells whether the finder patterns
// are there for any version.
func (b *bitmap) sample(c corners) (all []sample, seen bool) {
	side := (c.topRight.minus(c.topLeft).length() + c.bottomLeft.minus(c.topLeft).length()) / 2
	guess := int(math.Round((side/c.module + 7 - 17) / 4))
	for _, off := range [7]int{0, -1, 1, -2, 2, -3, 3} {
		v, best := guess+off, 0.0
		if v < 1 || v > MaxVersion {
			continue
		}
		for _, g := range b.grids(c, v) {
			seen = true
			m := b.modules(g, v)
			match := layoutOf(v).match(m)
			if match > 0.75 {
				all = append(all, sample{m, g, match})
			}
			best = max(best, match)
		}
		if best > 0.95 {
			break
		}
	}
	slices.SortStableFunc(all, func(x, y sample) int { return cmp.Compare(y.match, x.match) })
	return all, seen
}

// match is the share of function modules that are as they should be.
func (l *layout) match(m *Matrix) float64 {
	same, all := 0, 0
	for y := range l.size {
		for w := range l.stride {
			i := y*l.stride + w
			function := columnsIn(l.size, w) &^ l.free.rows[i]
			all += bits.OnesCount64(function)
			same += bits.OnesCount64(function &^ (m.rows[i] ^ l.blank.rows[i]))
		}
	}
	return float64(same) / float64(all)
}

// modules samples a point in the middle of each module and four around it.
func (b *bitmap) modules(g grid, version int) *Matrix {
	m := newMatrix(version)
	const off = 0.2
	for y := range m.size {
		for x := range m.size {
			cx, cy := float64(x)+0.5, float64(y)+0.5
			sum := 4 * b.contrast(g.at(cx, cy))
			for _, d := range [4]point{{off, off}, {-off, off}, {off, -off}, {-off, -off}} {
				sum += b.contrast(g.at(cx+d.x, cy+d.y))
			}
			if sum > 0 {
				m.set(x, y)
			}
		}
	}
	return m
}

// grid maps modules to pixels by a perspective view:
// ((g0 x + g1 y + g2)/(g6 x + g7 y + 1), (g3 x + g4 y + g5)/(g6 x + g7 y + 1)).
type grid [8]float64

func (g grid) at(x, y float64) point {
	w := g[6]*x + g[7]*y + 1
	return point{(g[0]*x + g[1]*y + g[2]) / w, (g[3]*x + g[4]*y + g[5]) / w}
}

// pin ties a place in the symbol, in modules, to a point of the picture.
type pin struct{ module, pixel point }

// flat is the view of a symbol that is not tilted.
func (c corners) flat(version int) (pins []pin, g grid, ok bool) {
	far := float64(sizeOf(version)) - 3.5
	pins = []pin{{point{3.5, 3.5}, c.topLeft}, {point{far, 3.5}, c.topRight}, {point{3.5, far}, c.bottomLeft}}
	opposite := pin{point{far, far}, point{
		c.topRight.x + c.bottomLeft.x - c.topLeft.x, c.topRight.y + c.bottomLeft.y - c.topLeft.y,
	}}
	g, ok = fit(append(slices.Clone(pins), opposite))
	return pins, g, ok
}

// finders tells whether four fifths of the modules of the finder patterns are there.
func (b *bitmap) finders(g grid, version int) bool {
	same := 0
	far := sizeOf(version) - 7
	for _, corner := range [3][2]int{{0, 0}, {far, 0}, {0, far}} {
		for i := range 49 {
			x, y := i%7, i/7
			black := max(abs(x-3), abs(y-3)) != 2
			if b.contrast(g.at(float64(corner[0]+x)+0.5, float64(corner[1]+y)+0.5)) > 0 == black {
				same++
			}
		}
	}
	return same*5 >= 3*49*4
}

// grids lists the views to try: flat; by the alignment pattern of the fourth
// corner, near where a flat symbol has it; and, for tilted symbols, by those on
// the way to that corner, each found from the ones before.
func (b *bitmap) grids(c corners, version int) []grid {
	finders, flat, ok := c.flat(version)
	if !ok || !b.finders(flat, version) {
		return nil
	}
	views := []grid{flat}
	centres := alignmentCentres(version)
	if len(centres) == 0 {
		return views
	}
	size := float64(sizeOf(version))
	corner := []int{centres[len(centres)-1]}
	if g, ok := b.walk(flat, finders, corner, max(3, 0.05*size)); ok {
		views = append(views, b.refined(g, finders, version))
	}
	within := 1.5 + 0.05*size
	if len(centres) == 2 { // no other pattern that could be taken for the one in the corner
		within = 0.2 * size
	}
	if g, ok := b.walk(flat, finders, centres[1:], within); ok {
		views = append(views, b.refined(g, finders, version))
	}
	return views
}

// walk looks for the alignment patterns on the diagonal and fits the view to
// them one after the other. The first is looked for within so many modules.
func (b *bitmap) walk(g grid, finders []pin, centres []int, within float64) (grid, bool) {
	pins := slices.Clone(finders)
	for _, c := range centres {
		module := point{float64(c) + 0.5, float64(c) + 0.5}
		at, ok := b.alignmentNear(g, module, within, 0.5)
		if !ok {
			continue
		}
		pins = append(pins, pin{module, at})
		better, ok := fit(pins)
		if !ok {
			return g, false
		}
		g, within = better, 3
	}
	return g, len(pins) > len(finders)
}

// refined fits a view to all alignment patterns that are seen near their place.
func (b *bitmap) refined(g grid, finders []pin, version int) grid {
	pins := slices.Clone(finders)
	centres := alignmentCentres(version)
	end := len(centres) - 1
	for i, y := range centres {
		for j, x := range centres {
			if i == 0 && (j == 0 || j == end) || i == end && j == 0 {
				continue
			}
			module := point{float64(x) + 0.5, float64(y) + 0.5}
			if at, ok := b.alignmentNear(g, module, 1.5, 0.25); ok {
				pins = append(pins, pin{module, at})
			}
		}
	}
	if len(pins) > 3 {
		if better, ok := fit(pins); ok {
			return better
		}
	}
	return g
}

// alignmentNear looks for an alignment pattern within so many modules of where
// the grid has it, and returns the best place.
func (b *bitmap) alignmentNear(g grid, centre point, within, step float64) (point, bool) {
	best, place := 0.0, point{}
	for dy := -within; dy <= within; dy += step {
		for dx := -within; dx <= within; dx += step {
			at := point{centre.x + dx, centre.y + dy}
			if score := b.alignmentAt(g, at); score > best {
				best, place = score, g.at(at.x, at.y)
			}
		}
	}
	return place, best > 0
}

// alignmentAt scores an alignment pattern by its contrast; 0 when more than five
// of its modules are wrong. No module counts more than a fair one.
func (b *bitmap) alignmentAt(g grid, centre point) float64 {
	const fair = 60
	score, wrong := 0.0, 0
	for y := -2; y <= 2; y++ {
		for x := -2; x <= 2; x++ {
			c := b.contrast(g.at(centre.x+float64(x), centre.y+float64(y)))
			if max(abs(x), abs(y)) == 1 {
				c = -c
			}
			if c <= 0 {
				if wrong++; wrong > 5 {
					return 0
				}
			}
			score += min(max(c, -fair), fair)
		}
	}
	return score
}

// fit finds the view that takes the pins nearest to their points: least squares,
// exact for four.
func fit(pins []pin) (grid, bool) {
	var a [8][9]float64 // normal equations
	for _, p := range pins {
		x, y, u, v := p.module.x, p.module.y, p.pixel.x, p.pixel.y
		for _, row := range [2][9]float64{
			{x, y, 1, 0, 0, 0, -x * u, -y * u, u},
			{0, 0, 0, x, y, 1, -x * v, -y * v, v},
		} {
			for i := range 8 {
				for j := range 9 {
					a[i][j] += row[i] * row[j]
				}
			}
		}
	}
	return solve(a)
}

// solve is Gauss's elimination with the largest pivot.
func solve(a [8][9]float64) (grid, bool) {
	for i := range 8 {
		pivot := i
		for j := i + 1; j < 8; j++ {
			if math.Abs(a[j][i]) > math.Abs(a[pivot][i]) {
				pivot = j
			}
		}
		if math.Abs(a[pivot][i]) < 1e-9 {
			return grid{}, false
		}
		a[i], a[pivot] = a[pivot], a[i]
		for j := range 8 {
			if j == i {
				continue
			}
			f := a[j][i] / a[i][i]
			for k := i; k < 9; k++ {
				a[j][k] -= f * a[i][k]
			}
		}
	}
	var g grid
	for i := range g {
		g[i] = a[i][8] / a[i][i]
	}
	return g, true
}
