package qr

import (
	"math/rand/v2"
	"testing"
)

// plainPenalty is ISO/IEC 18004, 7.8.3.1, module by module.
func plainPenalty(m *Matrix) int {
	size, points := m.Size(), 0
	line := func(at func(i int) bool) {
		for start := 0; start < size; {
			end := start + 1
			for end < size && at(end) == at(start) {
				end++
			}
			if end-start >= 5 {
				points += 3 + end - start - 5
			}
			start = end
		}
		light := func(from int) bool {
			if from < 0 || from+4 > size {
				return false
			}
			return !at(from) && !at(from+1) && !at(from+2) && !at(from+3)
		}
		for i := 0; i+7 <= size; i++ {
			like := true
			for j, black := range [7]bool{true, false, true, true, true, false, true} {
				like = like && at(i+j) == black
			}
			if like && (light(i-4) || light(i+7)) {
				points += 40
			}
		}
	}
	black := 0
	for y := range size {
		line(func(i int) bool { return m.Black(i, y) })
		line(func(i int) bool { return m.Black(y, i) })
		for x := range size {
			if m.Black(x, y) {
				black++
			}
			if x > 0 && y > 0 {
				c := m.Black(x, y)
				if m.Black(x-1, y) == c && m.Black(x, y-1) == c && m.Black(x-1, y-1) == c {
					points += 3
				}
			}
		}
	}
	off := 100*black - 50*size*size // hundredths of the modules
	if off < 0 {
		off = -off
	}
	return points + off/(5*size*size)*10
}

func randomMatrix(r *rand.Rand, version int, density float64) *Matrix {
	m := newMatrix(version)
	for y := range m.size {
		for x := range m.size {
			if r.Float64() < density {
				m.set(x, y)
			}
		}
	}
	return m
}

func TestPenaltyEqualsPlain(t *testing.T) {
	r := rand.New(rand.NewPCG(7, 8))
	finder := [7]bool{true, false, true, true, true, false, true}
	for version := 1; version <= MaxVersion; version++ {
		for _, density := range []float64{0, 0.05, 0.3, 0.5, 0.7, 0.95, 1} {
			m := randomMatrix(r, version, density)
			if density == 0.05 || density == 0.3 { // finder-like patterns among much white, at the edges too
				for range 20 {
					x, y := r.IntN(m.size-6), r.IntN(m.size-6)
					if r.IntN(4) == 0 {
						x = (m.size - 7) * r.IntN(2)
					}
					for i, black := range finder {
						if m.Black(x+i, y) != black {
							m = m.Flip(x+i, y)
						}
						if m.Black(y, x+i) != black {
							m = m.Flip(y, x+i)
						}
					}
				}
			}
			turned := make([]uint64, len(m.rows))
			turn(turned, m.rows, m.size, m.stride)
			for y := range m.size {
				for x := range m.size {
					if m.Black(x, y) != (turned[x*m.stride+y>>6]>>(y&63)&1 == 1) {
						t.Fatalf("version %d: turned module %d,%d differs", version, x, y)
					}
				}
			}
			if got, want := penalty(m.rows, turned, m.size, m.stride), plainPenalty(m); got != want {
				t.Errorf("version %d, density %v: %d, want %d", version, density, got, want)
			}
		}
	}
}
