package pdf_test

import (
	"image"
	"image/color"
	"image/png"
	"math"
	"math/rand/v2"
	"os"
	"testing"
)

// sheet is a scan in gray: 0 black, 1 white.
type sheet struct {
	w, h int
	mm   float64 // pixels per millimetre
	v    []float32
}

func (s sheet) at(x, y int) *float32 { return &s.v[y*s.w+x] }

// scan reads a PNG and keeps the part that holds the boxes (left, top, width in
// millimetres), with a margin. The boxes move along.
func scan(t *testing.T, path string, dpi, scale float64, boxes [][3]float64) (sheet, [][3]float64) {
	t.Helper()
	f, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = f.Close() }()
	picture, err := png.Decode(f)
	if err != nil {
		t.Fatal(err)
	}
	const margin = 4.0
	mm := dpi / 25.4
	x0, y0, x1, y1 := 1e9, 1e9, 0.0, 0.0
	var moved [][3]float64
	for _, b := range boxes {
		x, y, w := b[0]*scale, b[1]*scale, b[2]*scale
		x0, y0, x1, y1 = min(x0, x-margin), min(y0, y-margin), max(x1, x+w+margin), max(y1, y+w+margin)
		moved = append(moved, [3]float64{x, y, w})
	}
	for i := range moved {
		moved[i][0] -= x0
		moved[i][1] -= y0
	}
	s := sheet{w: int((x1 - x0) * mm), h: int((y1 - y0) * mm), mm: mm}
	s.v = make([]float32, s.w*s.h)
	for y := range s.h {
		for x := range s.w {
			g := color.GrayModel.Convert(picture.At(int(x0*mm)+x, int(y0*mm)+y)).(color.Gray)
			*s.at(x, y) = float32(g.Y) / 255
		}
	}
	return s, moved
}

func (s sheet) write(t *testing.T, path string) {
	t.Helper()
	out := image.NewGray(image.Rect(0, 0, s.w, s.h))
	for i, v := range s.v {
		out.Pix[i] = uint8(255*min(max(v, 0), 1) + 0.5)
	}
	f, err := os.Create(path)
	if err != nil {
		t.Fatal(err)
	}
	if err := png.Encode(f, out); err != nil {
		t.Fatal(err)
	}
	if err := f.Close(); err != nil {
		t.Fatal(err)
	}
}

// wear is what happens to paper between the printer and the reader; boxes are
// the places of the codes.
type wear func(s sheet, boxes [][3]float64)

// all applies one after the other.
func all(list ...wear) wear {
	return func(s sheet, boxes [][3]float64) {
		for _, w := range list {
			w(s, boxes)
		}
	}
}

// blurred is a Gaussian blur; sigma in millimetres.
func blurred(sigma float64) wear {
	return func(s sheet, _ [][3]float64) {
		sigma := sigma * s.mm
		n := int(3*sigma) + 1
		kernel := make([]float32, 2*n+1)
		sum := float32(0)
		for i := range kernel {
			kernel[i] = float32(math.Exp(-float64((i-n)*(i-n)) / (2 * sigma * sigma)))
			sum += kernel[i]
		}
		pass := func(length, lines int, at func(i, line int) *float32) {
			row := make([]float32, length)
			for line := range lines {
				for i := range row {
					v := float32(0)
					for k, weight := range kernel {
						v += weight * *at(min(max(i+k-n, 0), length-1), line)
					}
					row[i] = v / sum
				}
				for i, v := range row {
					*at(i, line) = v
				}
			}
		}
		pass(s.w, s.h, func(i, line int) *float32 { return s.at(i, line) })
		pass(s.h, s.w, func(i, line int) *float32 { return s.at(line, i) })
	}
}

// noisy adds noise of the given standard deviation.
func noisy(sigma float64) wear {
	return func(s sheet, _ [][3]float64) {
		r := rand.New(rand.NewPCG(1, 2))
		for i := range s.v {
			s.v[i] += float32(sigma * r.NormFloat64())
		}
	}
}

// faded prints black and white as grays.
func faded(black, white float32) wear {
	return func(s sheet, _ [][3]float64) {
		for i, v := range s.v {
			s.v[i] = black + v*(white-black)
		}
	}
}

// copied is a photocopy: black or white.
func copied(s sheet, _ [][3]float64) {
	for i, v := range s.v {
		s.v[i] = 0
		if v > 0.5 {
			s.v[i] = 1
		}
	}
}

// folded breaks the ink along the middle of each code, both ways; width in
// millimetres.
func folded(width float64) wear {
	return func(s sheet, boxes [][3]float64) {
		r := rand.New(rand.NewPCG(3, 4))
		for _, b := range boxes {
			x0, y0, n, half := int(b[0]*s.mm), int(b[1]*s.mm), int(b[2]*s.mm), int(b[2]*s.mm/2)
			for i := range n {
				for k := range int(width*s.mm) + 1 {
					if r.Float64() < 0.7 {
						*s.at(x0+i, y0+half+k) = 0.9
					}
					if r.Float64() < 0.7 {
						*s.at(x0+half+k, y0+i) = 0.9
					}
				}
			}
		}
	}
}

// spotted puts a round spot on each code, a third of the way from its lower
// right corner: to white for what is torn off, darker for what is spilt.
func spotted(diameter float64, change func(v float32) float32) wear {
	return func(s sheet, boxes [][3]float64) {
		r := diameter / 2 * s.mm
		for _, b := range boxes {
			cx, cy := (b[0]+b[2]*0.67)*s.mm, (b[1]+b[2]*0.67)*s.mm
			for y := int(cy - r); y <= int(cy+r); y++ {
				for x := int(cx - r); x <= int(cx+r); x++ {
					if math.Hypot(float64(x)-cx, float64(y)-cy) <= r {
						p := s.at(x, y)
						*p = change(*p)
					}
				}
			}
		}
	}
}

func torn(float32) float32    { return 1 }
func spilt(v float32) float32 { return v * 0.55 }

// turned turns the sheet about its middle; degrees.
func turned(degrees float64) wear {
	return func(s sheet, _ [][3]float64) {
		old := sheet{s.w, s.h, s.mm, append([]float32(nil), s.v...)}
		sin, cos := math.Sincos(degrees * math.Pi / 180)
		cx, cy := float64(s.w)/2, float64(s.h)/2
		for y := range s.h {
			for x := range s.w {
				dx, dy := float64(x)-cx, float64(y)-cy
				u, v := cos*dx+sin*dy+cx, -sin*dx+cos*dy+cy
				*s.at(x, y) = 1
				if i, k := int(u), int(v); u >= 0 && v >= 0 && i+1 < s.w && k+1 < s.h {
					a, b := float32(u-float64(i)), float32(v-float64(k))
					*s.at(x, y) = (*old.at(i, k)*(1-a)+*old.at(i+1, k)*a)*(1-b) + (*old.at(i, k+1)*(1-a)+*old.at(i+1, k+1)*a)*b
				}
			}
		}
	}
}
