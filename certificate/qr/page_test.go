package qr

import (
	"bytes"
	"encoding/json"
	"fmt"
	"image"
	"image/color"
	paint "image/draw"
	"image/jpeg"
	"math/rand/v2"
	"path"
	"runtime"
	"slices"
	"strings"
	"testing"

	"akashi/internal/testkit"
)

// page is a white picture on which symbols are put.
type page struct{ *image.Gray }

func newPage(w, h int) page {
	p := page{image.NewGray(image.Rect(0, 0, w, h))}
	paint.Draw(p, p.Rect, image.White, image.Point{}, paint.Src)
	return p
}

func (p page) put(x, y int, symbol *image.Gray) {
	paint.Draw(p, symbol.Rect.Add(image.Pt(x, y)), symbol, image.Point{}, paint.Src)
}

func labelled(t testing.TB, n int) *Matrix {
	t.Helper()
	m, err := Encode([]Segment{{Byte, fmt.Sprintf("code %d, %s", n, strings.Repeat("and more ", 20))}}, M, 40)
	if err != nil {
		t.Fatal(err)
	}
	return m
}

// blotted is a symbol whose middle cannot be read.
func blotted(m *Matrix, scale int) *image.Gray {
	img := drawn(m, scale)
	side := img.Rect.Dx()
	r := rand.New(rand.NewPCG(21, 22))
	for y := side / 4; y < side*3/4; y += scale {
		for x := side / 3; x < side*3/4; x += scale {
			paint.Draw(img, image.Rect(x, y, x+scale, y+scale), image.NewUniform(color.Gray{uint8(r.IntN(2) * 255)}), image.Point{}, paint.Src)
		}
	}
	return img
}

// Every symbol of a page is read, and one that cannot be read is told: a forged code
// must not hide beside a good one.
func TestReadImages(t *testing.T) {
	a, b, damaged := labelled(t, 1), labelled(t, 2), labelled(t, 3)
	turned := view{scale: 3, turn: 28, tilt: 0.05}.draw(b, rand.New(rand.NewPCG(23, 24)))
	for name, c := range map[string]struct {
		symbols []*image.Gray
		want    string // labels in order, and unread
	}{
		"ok/one":                         {[]*image.Gray{drawn(a, 4)}, "[1] 0"},
		"ok/two":                         {[]*image.Gray{drawn(a, 4), drawn(b, 4)}, "[1 2] 0"},
		"ok/the same twice":              {[]*image.Gray{drawn(a, 3), drawn(a, 3)}, "[1 1] 0"},
		"ok/large and small":             {[]*image.Gray{drawn(a, 8), drawn(b, 2)}, "[1 2] 0"},
		"ok/straight and turned":         {[]*image.Gray{drawn(a, 4), turned}, "[1 2] 0"},
		"error/one of two damaged":       {[]*image.Gray{drawn(a, 4), blotted(damaged, 4)}, "[1] 1"},
		"error/a small one damaged":      {[]*image.Gray{drawn(a, 8), blotted(damaged, 3)}, "[1] 1"},
		"error/two of three damaged":     {[]*image.Gray{blotted(damaged, 4), drawn(a, 4), blotted(b, 4)}, "[1] 2"},
		"error/only damaged":             {[]*image.Gray{blotted(damaged, 4)}, "[] 1"},
		"error/one of other content":     {[]*image.Gray{drawn(kanji(), 5), drawn(a, 4)}, "[1] 1"},
		"error/more than are read":       {slices.Repeat([]*image.Gray{drawn(a, 2)}, maxSymbols+1), "[1 1 1 1 1 1 1 1] 1"},
		"error/too many patterns to try": {[]*image.Gray{drawn(a, 4), finders(3, maxMarks+1)}, "[1] 1"},
	} {
		t.Run(name, func(t *testing.T) {
			width, height := 0, 0
			for _, s := range c.symbols {
				width, height = width+s.Rect.Dx(), max(height, s.Rect.Dy())
			}
			p, x := newPage(width, height), 0
			for _, s := range c.symbols {
				p.put(x, height-s.Rect.Dy(), s)
				x += s.Rect.Dx()
			}
			readings, unread, err := ReadImages(bytes.NewReader(encodePNG(t, p)))
			var labels []string
			for _, r := range readings {
				labels = append(labels, strings.TrimPrefix(strings.Split(r.Text, ",")[0], "code "))
			}
			slices.Sort(labels)
			if got := fmt.Sprint(labels, unread); err != nil || got != c.want {
				t.Errorf("read and unread %s, %v; want %s", got, err, c.want)
			}
		})
	}
	if _, _, err := ReadImages(bytes.NewReader(encodePNG(t, newPage(400, 300)))); err != ErrNotFound {
		t.Errorf("error/nothing: %v", err)
	}
}

// finders is a line of finder patterns, of which no three are the corners of a symbol.
func finders(scale, n int) *image.Gray {
	p := newPage(10*scale*n, 10*scale)
	for i := range n {
		at := image.Pt(10*scale*i+scale, scale)
		for ring, shade := range []uint8{0, 255, 0} {
			in := ring * scale
			paint.Draw(p, image.Rect(in, in, 7*scale-in, 7*scale-in).Add(at), image.NewUniform(color.Gray{shade}), image.Point{}, paint.Src)
		}
	}
	return p.Gray
}

// The pictures of the vectors have one symbol each; the damaged one is seen.
func TestReadImagesVectors(t *testing.T) {
	var cases []struct{ PNG, Text string }
	if err := json.Unmarshal(testkit.Read(t, "dcc/qr-png/expected.json"), &cases); err != nil {
		t.Fatal(err)
	}
	files := []string{"bad_qr_version.png", "corrupted.png", "scaled-23.jpg", "single_qr_segment.png", "too_many_qr_segment.png"}
	for i, f := range files {
		files[i] = "shc/qr/test-example-00-g-qr-code-0-" + f
	}
	for _, c := range cases {
		files = append(files, "dcc/qr-png/"+c.PNG)
	}
	for _, f := range files {
		want := "1 0"
		if strings.HasSuffix(f, "corrupted.png") {
			want = "0 1"
		}
		readings, unread, err := ReadImages(bytes.NewReader(testkit.Read(t, f)))
		if got := fmt.Sprint(len(readings), unread); err != nil || got != want {
			t.Errorf("%s: read and unread %s, %v; want %s", path.Base(f), got, err, want)
		}
	}
	if len(files) != 5+11 {
		t.Errorf("%d pictures, want 16", len(files))
	}
}

// All that is allocated for an A4 page at 300 dpi, freed or not, stays within 64 MiB.
func TestReadImagesMemory(t *testing.T) {
	const w, h = 2481, 3508
	sheet := newPage(w, h)
	sheet.put(100, 100, drawn(labelled(t, 1), 6))
	sheet.put(1200, 2000, drawn(labelled(t, 2), 4))
	noise, pattern := newPage(w, h), newPage(w, h)
	r := rand.New(rand.NewPCG(27, 28))
	for i := range noise.Pix {
		noise.Pix[i] = uint8(r.IntN(2) * 255)
		if ring := max(abs(i%w/2%9-4), abs(i/w/2%9-4)); ring != 2 && ring != 4 {
			pattern.Pix[i] = 0
		}
	}
	in := func(img paint.Image, p page) []byte {
		paint.Draw(img, img.Bounds(), p, image.Point{}, paint.Src)
		return encodePNG(t, img)
	}
	var photo bytes.Buffer
	if err := jpeg.Encode(&photo, sheet, nil); err != nil {
		t.Fatal(err)
	}
	for name, c := range map[string]struct {
		file []byte
		read int
	}{
		"ok/gray":           {encodePNG(t, sheet), 2},
		"ok/colour":         {in(image.NewRGBA(sheet.Rect), sheet), 2},
		"ok/JPEG":           {photo.Bytes(), 2},
		"error/noise":       {encodePNG(t, noise), 0},
		"error/patterns":    {encodePNG(t, pattern), 0},
		"error/transparent": {in(image.NewNRGBA(sheet.Rect), pattern), 0},
	} {
		t.Run(name, func(t *testing.T) {
			var before, after runtime.MemStats
			runtime.ReadMemStats(&before)
			readings, _, _ := ReadImages(bytes.NewReader(c.file))
			runtime.ReadMemStats(&after)
			used := after.TotalAlloc - before.TotalAlloc
			t.Logf("%d bytes allocated", used)
			if used > 64<<20 || len(readings) != c.read {
				t.Errorf("%d bytes allocated, %d symbols read, want %d", used, len(readings), c.read)
			}
		})
	}
}
