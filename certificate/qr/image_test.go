package qr

import (
	"bytes"
	"encoding/binary"
	"encoding/json"
	"hash/crc32"
	"image"
	"image/color"
	"image/jpeg"
	"io"
	"math"
	"math/rand/v2"
	"runtime"
	"strings"
	"testing"

	"akashi/internal/testkit"
)

// Vectors of the health card tools: what must be read is read, with version and
// segments, which the rules for cards ask for.
func TestReadImageHealthCards(t *testing.T) {
	tests := []struct {
		file     string
		version  int
		segments int
		err      error
	}{
		{"qr/test-example-00-g-qr-code-0-bad_qr_version.png", 24, 2, nil},
		{"qr/test-example-00-g-qr-code-0-corrupted.png", 0, 0, ErrDamaged},
		{"qr/test-example-00-g-qr-code-0-scaled-23.jpg", 18, 2, nil}, // 1.4 pixels a module
		{"qr/test-example-00-g-qr-code-0-single_qr_segment.png", 29, 1, nil},
		{"qr/test-example-00-g-qr-code-0-too_many_qr_segment.png", 18, 3, nil},
		{"vaccination-ig/Scenario1Bundle-qr-code-0.png", 18, 2, nil},
		{"vaccination-ig/Scenario3Bundle-qr-code-0.png", 18, 2, nil},
	}
	for _, c := range tests {
		kind := "ok/"
		if c.err != nil {
			kind = "error/"
		}
		t.Run(kind+c.file, func(t *testing.T) {
			got, err := ReadImage(bytes.NewReader(testkit.Read(t, "shc/"+c.file)))
			if err != c.err || got.Version != c.version || len(got.Segments) != c.segments {
				t.Fatalf("version %d, %d segments, %v; want %d, %d, %v",
					got.Version, len(got.Segments), err, c.version, c.segments, c.err)
			}
			if err == nil && !strings.HasPrefix(got.Text, "shc:/") {
				t.Error("the text is not that of a card")
			}
			if number, found := strings.CutSuffix(c.file, "-qr-code-0.png"); found {
				want := testkit.Read(t, "shc/"+number+"-qr-code-numeric-value-0.txt")
				if got.Text != string(bytes.TrimSpace(want)) {
					t.Error("the text differs from the card's")
				}
			}
		})
	}
}

func TestReadImageHealthCertificates(t *testing.T) {
	var cases []struct{ PNG, Text string }
	if err := json.Unmarshal(testkit.Read(t, "dcc/qr-png/expected.json"), &cases); err != nil {
		t.Fatal(err)
	}
	read := 0
	for _, c := range cases {
		got, err := ReadImage(bytes.NewReader(testkit.Read(t, "dcc/qr-png/"+c.PNG)))
		if err != nil || got.Text != c.Text {
			t.Errorf("%s: %v", c.PNG, err)
		}
		read++
	}
	if read != 11 {
		t.Errorf("%d images, want 11", read)
	}
}

// view draws a symbol as a camera or scanner may see it.
type view struct {
	scale, turn float64 // pixels a module; degrees
	tilt        float64 // how much nearer one side is
	blur        int     // radius in pixels
	noise       float64 // standard deviation, of 255
	shade       float64 // how much darker one side is
}

func (v view) draw(m *Matrix, r *rand.Rand) *image.Gray {
	side := int(float64(m.Size()+8)*v.scale*1.45) + 1
	sin, cos := math.Sincos(v.turn * math.Pi / 180)
	half := float64(side) / 2
	black := func(x, y float64) bool {
		w := (1 + v.tilt*x/half) * v.scale
		x, y = x/w, y/w
		x, y = x*cos+y*sin+float64(m.Size())/2, y*cos-x*sin+float64(m.Size())/2
		return m.Black(int(math.Floor(x)), int(math.Floor(y)))
	}
	light := make([]float64, side*side)
	for i := range light {
		const parts = 3
		for j := range parts * parts {
			x := float64(i%side) + (float64(j%parts)+0.5)/parts - half
			y := float64(i/side) + (float64(j/parts)+0.5)/parts - half
			if !black(x, y) {
				light[i] += 1.0 / (parts * parts)
			}
		}
	}
	img := image.NewGray(image.Rect(0, 0, side, side))
	for y := range side {
		for x := range side {
			sum, n := 0.0, 0.0
			for dy := -v.blur; dy <= v.blur; dy++ {
				for dx := -v.blur; dx <= v.blur; dx++ {
					if px, py := x+dx, y+dy; px >= 0 && py >= 0 && px < side && py < side {
						sum, n = sum+light[py*side+px], n+1
					}
				}
			}
			lit := (25 + 215*sum/n) * (1 - v.shade*float64(x)/float64(side))
			img.SetGray(x, y, color.Gray{Y: uint8(min(max(lit+v.noise*r.NormFloat64(), 0), 255))})
		}
	}
	return img
}

func TestReadImageViews(t *testing.T) {
	for name, c := range map[string]struct {
		chars int
		level Level
		view  view
	}{
		"ok/upright":           {842, M, view{scale: 3}},
		"ok/version 1":         {0, M, view{scale: 10, turn: 20}},
		"ok/version 2":         {10, M, view{scale: 4, turn: 100, tilt: 0.1}},
		"ok/quarter turn":      {842, M, view{scale: 3, turn: 90}},
		"ok/upside down":       {842, M, view{scale: 3, turn: 180}},
		"ok/a little turned":   {842, M, view{scale: 4, turn: 4}},
		"ok/turned":            {842, M, view{scale: 4, turn: 30}},
		"ok/half turned":       {842, M, view{scale: 5, turn: 225}},
		"ok/odd scale":         {842, L, view{scale: 2.37}},
		"ok/small":             {842, L, view{scale: 1.6}},
		"ok/from the side":     {842, M, view{scale: 5, turn: 10, tilt: 0.12}},
		"ok/blurred":           {842, M, view{scale: 5, turn: 3, blur: 2}},
		"ok/noisy":             {842, M, view{scale: 5, turn: 2, blur: 1, noise: 25}},
		"ok/shaded":            {842, M, view{scale: 4, turn: 1, shade: 0.7, noise: 4}},
		"ok/VDS-NC size":       {2331, M, view{scale: 4, turn: 1, tilt: 0.02}},
		"ok/largest, all ills": {2331, M, view{scale: 5, turn: 7, tilt: 0.05, blur: 1, noise: 8, shade: 0.4}},
	} {
		t.Run(name, func(t *testing.T) {
			segments := healthCard(c.chars)
			if c.chars == 2331 {
				segments = []Segment{{Byte, strings.Repeat("{\"a\":1}", 333)}} // version 40
			}
			m, err := Encode(segments, c.level, 40)
			if err != nil {
				t.Fatal(err)
			}
			img := c.view.draw(m, rand.New(rand.NewPCG(17, 18)))
			got, err := ReadImage(bytes.NewReader(encodePNG(t, img)))
			if err != nil || got.Text != textOf(segments) {
				t.Errorf("version %d: %v", m.Version, err)
			}
		})
	}
}

// Kinds of files: colour, transparency, palette, sixteen bits, JPEG, mirrored.
func TestReadImageKinds(t *testing.T) {
	m, err := Encode([]Segment{{Byte, "akashi"}}, M, 40)
	if err != nil {
		t.Fatal(err)
	}
	gray := drawn(m, 4)
	in := func(img interface {
		image.Image
		Set(x, y int, c color.Color)
	}, dark, light color.Color) image.Image {
		for y := range gray.Rect.Dy() {
			for x := range gray.Rect.Dx() {
				c := light
				if gray.GrayAt(x, y).Y == 0 {
					c = dark
				}
				img.Set(x, y, c)
			}
		}
		return img
	}
	var photo bytes.Buffer
	if err := jpeg.Encode(&photo, gray, nil); err != nil {
		t.Fatal(err)
	}
	for name, file := range map[string][]byte{
		"ok/gray":             encodePNG(t, gray),
		"ok/transparent":      encodePNG(t, in(image.NewNRGBA(gray.Rect), color.Black, color.Transparent)),
		"ok/palette":          encodePNG(t, in(image.NewPaletted(gray.Rect, color.Palette{color.White, color.Black}), color.Black, color.White)),
		"ok/sixteen bits":     encodePNG(t, in(image.NewNRGBA64(gray.Rect), color.NRGBA{0, 0, 120, 255}, color.NRGBA{255, 255, 160, 255})),
		"ok/JPEG":             photo.Bytes(),
		"ok/from behind":      encodePNG(t, drawn(m.mirrored(), 4)),
		"error/empty":         nil,
		"error/no image":      []byte("%PDF-1.7"),
		"error/cut off":       encodePNG(t, gray)[:100],
		"error/JPEG cut off":  photo.Bytes()[:300],
		"error/no symbol":     encodePNG(t, image.NewGray(image.Rect(0, 0, 300, 300))),
		"error/one pixel":     encodePNG(t, image.NewGray(image.Rect(0, 0, 1, 1))),
		"error/wide":          encodePNG(t, image.NewGray(image.Rect(0, 0, 5000, 1))),
		"error/other content": encodePNG(t, drawn(kanji(), 4)),
	} {
		t.Run(name, func(t *testing.T) {
			want := map[string]error{
				"error/empty": ErrImage, "error/no image": ErrImage, "error/cut off": ErrImage, "error/JPEG cut off": ErrImage,
				"error/no symbol": ErrNotFound, "error/one pixel": ErrNotFound, "error/wide": ErrNotFound,
				"error/other content": ErrContent,
			}[name]
			got, err := ReadImage(bytes.NewReader(file))
			if err != want || err == nil && got.Text != "akashi" {
				t.Errorf("%q, %v; want %v", got.Text, err, want)
			}
		})
	}
}

// kanji is a symbol whose one segment is in kanji mode.
func kanji() *Matrix {
	w := bitWriter{}
	w.put(8, 4)
	w.put(1, 8)
	w.put(0x1AA, 13)
	w.finish(capacities[M][2])
	m := newMatrix(2)
	l := layoutOf(2)
	copy(m.rows, l.blank.rows)
	for i, c := range interleave(make([]byte, 0, maxCodewords), w.buf, 2, M) {
		for j, p := range l.order[8*i:][:8] {
			m.rows[p>>6] |= uint64(c>>(7-j)&1) << (p & 63)
		}
	}
	apply(m.rows, m.rows, l.masks[3])
	putFormat(m.rows, &l.format, formatBits(M, 3))
	return m
}

// Limits act on the header, before anything is decoded.
func TestReadImageLimits(t *testing.T) {
	header := func(w, h uint32, depth, colour, interlace byte) []byte {
		chunk := binary.BigEndian.AppendUint32([]byte("IHDR"), w)
		chunk = append(binary.BigEndian.AppendUint32(chunk, h), depth, colour, 0, 0, interlace)
		file := append([]byte("\x89PNG\r\n\x1a\n\x00\x00\x00\x0d"), chunk...)
		return binary.BigEndian.AppendUint32(file, crc32.ChecksumIEEE(chunk))
	}
	var photo bytes.Buffer
	if err := jpeg.Encode(&photo, image.NewGray(image.Rect(0, 0, 8, 8)), nil); err != nil {
		t.Fatal(err)
	}
	one := func(r io.Reader) error { _, err := ReadImage(r); return err }
	all := func(r io.Reader) error { _, _, err := ReadImages(r); return err }
	scans := append(photo.Bytes(), bytes.Repeat([]byte{0xFF, 0xDA, 0, 8}, maxJPEGScans)...)
	for name, c := range map[string]struct {
		read func(io.Reader) error
		file []byte
		err  error
	}{
		"error/no pixels within":     {one, header(2000, 2000, 8, 0, 0), ErrImage}, // at the limit: decoding goes on and finds nothing
		"error/pixels":               {one, header(2001, 2000, 8, 0, 0), ErrImageTooLarge},
		"error/sides":                {one, header(60000, 60000, 8, 0, 0), ErrImageTooLarge},
		"error/interlaced colour":    {one, header(2000, 2000, 16, 6, 1), ErrImageTooLarge},
		"error/bytes":                {one, make([]byte, MaxImageFile+1), ErrImageTooLarge},
		"error/JPEG scans":           {one, scans, ErrImageTooLarge},
		"error/page without pixels":  {all, header(4000, 2500, 8, 2, 0), ErrImage},
		"error/page":                 {all, header(4001, 2500, 8, 2, 0), ErrImageTooLarge},
		"error/page interlaced":      {all, header(4000, 2500, 8, 2, 1), ErrImageTooLarge},
		"error/page in sixteen bits": {all, header(4000, 2500, 16, 2, 0), ErrImageTooLarge},
		"error/page, bytes":          {all, make([]byte, MaxImageFile+1), ErrImageTooLarge},
		"error/page, JPEG scans":     {all, scans, ErrImageTooLarge},
	} {
		t.Run(name, func(t *testing.T) {
			var before, after runtime.MemStats
			runtime.ReadMemStats(&before)
			err := c.read(bytes.NewReader(c.file))
			runtime.ReadMemStats(&after)
			if err != c.err {
				t.Errorf("error %v, want %v", err, c.err)
			}
			if used := after.TotalAlloc - before.TotalAlloc; used > 36<<20 {
				t.Errorf("%d bytes allocated", used)
			}
		})
	}
}

// All that is allocated for four megapixels of noise or of finder patterns, freed or not, stays within 64 MiB.
func TestReadImageMemory(t *testing.T) {
	r := rand.New(rand.NewPCG(19, 20))
	for name, value := range map[string]func(x, y int) uint8{
		"noise": func(x, y int) uint8 { return uint8(r.IntN(2) * 255) },
		"finders": func(x, y int) uint8 { // patterns of two pixels a module, one beside the other
			if ring := max(abs(x/2%9-4), abs(y/2%9-4)); ring == 2 || ring == 4 {
				return 255
			}
			return 0
		},
	} {
		t.Run("error/"+name, func(t *testing.T) {
			img := image.NewGray(image.Rect(0, 0, 2000, 2000))
			for i := range img.Pix {
				img.Pix[i] = value(i%2000, i/2000)
			}
			file := encodePNG(t, img)
			var before, after runtime.MemStats
			runtime.ReadMemStats(&before)
			if _, err := ReadImage(bytes.NewReader(file)); err != ErrNotFound && err != ErrDamaged {
				t.Errorf("error %v", err)
			}
			runtime.ReadMemStats(&after)
			if used := after.TotalAlloc - before.TotalAlloc; used > 64<<20 {
				t.Errorf("%d bytes allocated", used)
			} else {
				t.Logf("%d bytes allocated", used)
			}
		})
	}
}

func FuzzReadImage(f *testing.F) {
	m, err := Encode([]Segment{{Byte, "akashi"}}, M, 40)
	if err != nil {
		f.Fatal(err)
	}
	f.Add(encodePNG(f, drawn(m, 2)))
	var photo bytes.Buffer
	if err := jpeg.Encode(&photo, drawn(m, 2), nil); err != nil {
		f.Fatal(err)
	}
	f.Add(photo.Bytes())
	f.Fuzz(func(t *testing.T, file []byte) { _, _ = ReadImage(bytes.NewReader(file)) })
}

// FuzzReadPicture varies the pixels, which a fuzzer cannot reach through PNG.
func FuzzReadPicture(f *testing.F) {
	m, err := Encode([]Segment{{Byte, "akashi"}}, M, 40)
	if err != nil {
		f.Fatal(err)
	}
	f.Add(uint8(58), drawn(m, 2).Pix)
	f.Fuzz(func(t *testing.T, w uint8, pix []byte) {
		if h := len(pix) / max(int(w), 1); w > 0 && h > 0 && h <= 200 {
			picture{int(w), h, int(w), pix}.search(maxSymbols)
		}
	})
}
