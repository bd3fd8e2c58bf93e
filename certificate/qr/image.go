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

// Limits of ReadImage.
const (
	MaxImageFile   = 6 << 20   // bytes of the file
	MaxImagePixels = 4_000_000 // width times height

	maxImageMemory = 60_000_000 // bytes that decoding may take at worst
	maxJPEGScans   = 64         // passes over the picture; a progressive file has about ten
)

// ReadImage reads the one QR symbol of a PNG or JPEG: printed or on a screen, in
// any direction, somewhat skewed. Limits are checked before the picture is
// decoded. Errors are ErrImage, ErrImageTooLarge, ErrNotFound, and those of Read.
func ReadImage(r io.Reader) (Reading, error) {
	file, err := io.ReadAll(io.LimitReader(r, MaxImageFile+1))
	if err != nil {
		return Reading{}, err
	}
	if len(file) > MaxImageFile {
		return Reading{}, ErrImageTooLarge
	}
	img, err := decodeImage(file)
	if err != nil {
		return Reading{}, err
	}
	return readPicture(luminance(img))
}

func decodeImage(file []byte) (image.RGBA64Image, error) {
	var (
		config image.Config
		decode func(io.Reader) (image.Image, error)
		err    error
		each   int // bytes a pixel takes at worst while decoding
	)
	switch {
	case bytes.HasPrefix(file, []byte("\x89PNG\r\n\x1a\n")):
		config, err = png.DecodeConfig(bytes.NewReader(file))
		decode, each = png.Decode, 8
		if config.ColorModel == color.NRGBA64Model || config.ColorModel == color.RGBA64Model {
			each = 16
		}
	case bytes.HasPrefix(file, []byte{0xFF, 0xD8}):
		config, err = jpeg.DecodeConfig(bytes.NewReader(file))
		decode, each = jpeg.Decode, 15 // three planes and their coefficients
		if config.ColorModel != color.YCbCrModel && config.ColorModel != color.GrayModel {
			each = 24 // CMYK, or RGB that is turned once more
		}
		if bytes.Count(file, []byte{0xFF, 0xDA}) > maxJPEGScans {
			return nil, ErrImageTooLarge
		}
	default:
		return nil, ErrImage
	}
	if err != nil || config.Width < 1 || config.Height < 1 {
		return nil, ErrImage
	}
	if config.Width > MaxImagePixels/config.Height || config.Width*config.Height*each > maxImageMemory {
		return nil, ErrImageTooLarge
	}
	img, err := decode(bytes.NewReader(file))
	if err != nil {
		return nil, ErrImage
	}
	return img.(image.RGBA64Image), nil // as all images of the two packages are
}

// picture is a gray image, 0 black to 255 white.
type picture struct {
	w, h, stride int
	pix          []uint8
}

// luminance turns an image to gray; transparent parts are white.
func luminance(img image.RGBA64Image) picture {
	b := img.Bounds()
	switch img := img.(type) {
	case *image.Gray:
		return picture{b.Dx(), b.Dy(), img.Stride, img.Pix}
	case *image.YCbCr:
		return picture{b.Dx(), b.Dy(), img.YStride, img.Y}
	}
	p := picture{b.Dx(), b.Dy(), b.Dx(), make([]uint8, b.Dx()*b.Dy())}
	for y := range p.h {
		for x := range p.w {
			c := img.RGBA64At(b.Min.X+x, b.Min.Y+y) // already multiplied by its alpha
			light := (299*uint32(c.R) + 587*uint32(c.G) + 114*uint32(c.B)) / 1000
			p.pix[y*p.stride+x] = uint8((light + 0xFFFF - uint32(c.A)) >> 8)
		}
	}
	return p
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
