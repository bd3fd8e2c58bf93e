package qr

import (
	"bytes"
	"errors"
	"image"
	"image/color"
	"image/jpeg"
	"image/png"
	"io"
)

var (
	// ErrImage says that the input is no PNG or JPEG that can be decoded.
	ErrImage = errors.New("qr: no image")
	// ErrImageTooLarge says that the file, its pixels or the work to decode it are over the limit.
	ErrImageTooLarge = errors.New("qr: image too large")
	// ErrNotFound says that no symbol was found in the image.
	ErrNotFound = errors.New("qr: no symbol found")
)

// Limits of ReadImage and ReadImages.
const (
	MaxImageFile   = 6 << 20    // bytes of the file
	MaxImagePixels = 4_000_000  // width times height of a picture of one symbol
	MaxPagePixels  = 10_000_000 // and of several: A4 at 300 dpi has 8.7 million

	maxImageMemory = 64_000_000 // bytes of file and picture at worst, which leaves 3 MB of 64 MiB for the rest
	maxJPEGScans   = 64         // passes over the picture; a progressive file has about ten
)

// ReadImage reads the one QR symbol of a PNG or JPEG: printed or on a screen, in
// any direction, somewhat skewed. Limits are checked before the picture is
// decoded. Errors are ErrImage, ErrImageTooLarge, ErrNotFound, and those of Read.
func ReadImage(r io.Reader) (Reading, error) {
	p, err := readPicture(r, MaxImagePixels)
	if err != nil {
		return Reading{}, err
	}
	s := p.search(1)
	if len(s.readings) == 0 {
		return Reading{}, s.err
	}
	return s.readings[0], nil
}

// ReadImages reads every QR symbol of a PNG or JPEG such as a printed page, up to
// eight. unread counts those that were seen by their finder patterns but could
// not be read; more than eight count as one. Errors are ErrImage,
// ErrImageTooLarge, and ErrNotFound when no symbol was even seen.
func ReadImages(r io.Reader) (readings []Reading, unread int, err error) {
	p, err := readPicture(r, MaxPagePixels)
	if err != nil {
		return nil, 0, err
	}
	s := p.search(maxSymbols + 1)
	readings, unread = s.readings, s.unread()
	if len(readings) > maxSymbols {
		readings, unread = readings[:maxSymbols], unread+1
	}
	if len(readings)+unread == 0 {
		return nil, 0, ErrNotFound
	}
	return readings, unread, nil
}

func readPicture(r io.Reader, maxPixels int) (picture, error) {
	file, err := io.ReadAll(io.LimitReader(r, MaxImageFile+1))
	if err != nil {
		return picture{}, err
	}
	if len(file) > MaxImageFile {
		return picture{}, ErrImageTooLarge
	}
	img, err := decodeImage(file, maxPixels)
	if err != nil {
		return picture{}, err
	}
	return luminance(img), nil
}

func decodeImage(file []byte, maxPixels int) (image.RGBA64Image, error) {
	var (
		config image.Config
		decode func(io.Reader) (image.Image, error)
		err    error
		each   int // bytes a pixel takes at worst
	)
	switch {
	case bytes.HasPrefix(file, []byte("\x89PNG\r\n\x1a\n")):
		config, err = png.DecodeConfig(bytes.NewReader(file))
		decode, each = png.Decode, pngBytes(file, config)
	case bytes.HasPrefix(file, []byte{0xFF, 0xD8}):
		config, err = jpeg.DecodeConfig(bytes.NewReader(file))
		decode, each = jpeg.Decode, jpegBytes(file, config)
		if bytes.Count(file, []byte{0xFF, 0xDA}) > maxJPEGScans {
			return nil, ErrImageTooLarge
		}
	default:
		return nil, ErrImage
	}
	if err != nil || config.Width < 1 || config.Height < 1 {
		return nil, ErrImage
	}
	if config.Width > maxPixels/config.Height || config.Width*config.Height*each+2*len(file) > maxImageMemory {
		return nil, ErrImageTooLarge
	}
	img, err := decode(bytes.NewReader(file))
	if err != nil {
		return nil, ErrImage
	}
	return img.(image.RGBA64Image), nil // as all images of the two packages are
}

// pngBytes is what a pixel takes: four samples, twice in an interlaced file; a gray
// copy where it is not made in place; black or white.
func pngBytes(file []byte, config image.Config) int {
	const interlace = 28 // place of the byte
	passes := 1
	if len(file) > interlace && file[interlace] != 0 {
		passes = 2
	}
	switch config.ColorModel {
	case color.NRGBA64Model, color.RGBA64Model, color.Gray16Model:
		return 8*passes + 2
	}
	return 4*passes + 1
}

// jpegBytes is what a pixel takes: three planes, of a progressive file with their
// coefficients while it is decoded; black or white. CMYK has a fourth plane and
// is turned once more, as is RGB.
func jpegBytes(file []byte, config image.Config) int {
	progressive := bytes.Contains(file, []byte{0xFF, 0xC2}) // so does every such file, and hardly another
	planes := config.ColorModel == color.YCbCrModel || config.ColorModel == color.GrayModel
	switch {
	case planes && progressive:
		return 15
	case planes:
		return 4
	case progressive:
		return 24
	}
	return 10
}

// picture is a gray image, 0 black to 255 white.
type picture struct {
	w, h, stride int
	pix          []uint8
}

// luminance turns an image to gray, in place where it can; transparent parts are white.
func luminance(img image.RGBA64Image) picture {
	b := img.Bounds()
	w, h := b.Dx(), b.Dy()
	switch img := img.(type) {
	case *image.Gray:
		return picture{w, h, img.Stride, img.Pix}
	case *image.YCbCr:
		return picture{w, h, img.YStride, img.Y}
	case *image.RGBA:
		if img.Stride == 4*w {
			return picture{w, h, w, flatten(img.Pix, w*h, false)}
		}
	case *image.NRGBA:
		if img.Stride == 4*w {
			return picture{w, h, w, flatten(img.Pix, w*h, true)}
		}
	}
	p := picture{w, h, w, make([]uint8, w*h)}
	for y := range p.h {
		for x := range p.w {
			c := img.RGBA64At(b.Min.X+x, b.Min.Y+y) // already multiplied by its alpha
			light := (299*uint32(c.R) + 587*uint32(c.G) + 114*uint32(c.B)) / 1000
			p.pix[y*p.stride+x] = uint8((light + 0xFFFF - uint32(c.A)) >> 8)
		}
	}
	return p
}

// flatten writes n pixels of red, green, blue and alpha as n bytes of gray at the
// start of their own memory. multiply tells that colours are not multiplied by
// their alpha yet.
func flatten(pix []uint8, n int, multiply bool) []uint8 {
	for i := range n {
		c := pix[4*i:][:4]
		light, alpha := (299*uint32(c[0])+587*uint32(c[1])+114*uint32(c[2]))/1000, uint32(c[3])
		if multiply {
			light = light * alpha / 255
		}
		pix[i] = uint8(min(light+255-alpha, 255))
	}
	return pix[:n:n]
}

// at returns the gray value at a point, pixel centres at halves; outside the
// edge goes on.
func (p picture) at(x, y float64) float64 {
	x, y = min(max(x-0.5, 0), float64(p.w-1)), min(max(y-0.5, 0), float64(p.h-1))
	left, top := int(x), int(y)
	fx, fy := x-float64(left), y-float64(top)
	i := top*p.stride + left
	right, below := 1, p.stride
	if left == p.w-1 {
		right = 0
	}
	if top == p.h-1 {
		below = 0
	}
	upper := float64(p.pix[i])*(1-fx) + float64(p.pix[i+right])*fx
	lower := float64(p.pix[i+below])*(1-fx) + float64(p.pix[i+below+right])*fx
	return upper*(1-fy) + lower*fy
}

// enlarge makes a picture n times as large with cubic interpolation, which
// brings out modules little larger than a pixel.
func (p picture) enlarge(n int) picture {
	wide := picture{p.w * n, p.h, p.w * n, make([]uint8, p.w*n*p.h)}
	for y := range p.h {
		stretch(wide.pix[y*wide.stride:], 1, p.pix[y*p.stride:], 1, p.w, n)
	}
	large := picture{p.w * n, p.h * n, p.w * n, make([]uint8, p.w*n*p.h*n)}
	for x := range wide.w {
		stretch(large.pix[x:], large.stride, wide.pix[x:], wide.stride, p.h, n)
	}
	return large
}

// stretch writes a line of count pixels as n times as many (Catmull-Rom).
func stretch(dst []uint8, dstStep int, src []uint8, srcStep, count, n int) {
	value := func(i int) float64 { return float64(src[min(max(i, 0), count-1)*srcStep]) }
	for i := range count * n {
		at := (float64(i)+0.5)/float64(n) - 0.5
		left := int(at+1) - 1 // floor: at is above -1
		t := at - float64(left)
		a, b, c, d := value(left-1), value(left), value(left+1), value(left+2)
		v := b + 0.5*t*(c-a+t*(2*a-5*b+4*c-d+t*(3*(b-c)+d-a)))
		dst[i*dstStep] = uint8(min(max(v+0.5, 0), 255))
	}
}
