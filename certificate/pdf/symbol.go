package pdf

import (
	"fmt"

	"akashi/certificate"
	"akashi/certificate/qr"
)

// Code is one code of a page.
type Code struct {
	Family certificate.Family
	Matrix *qr.Matrix
}

// modulePixels is the size of a module in the image. Fewer pixels are smoothed
// by some readers until the modules blur.
const modulePixels = 8

// writeSymbol writes a code with its quiet zone as an image of one bit per
// pixel, 0 for black.
func writeSymbol(w *writer, n int, s *qr.Matrix) {
	pixels := (s.Size() + 2*quietZone) * modulePixels
	w.scratch.Reset()
	w.scratch.Write(enlarged(w.scratch.AvailableBuffer(), s))
	w.stream(n, fmt.Sprintf("/Type/XObject/Subtype/Image/Width %d/Height %d/ColorSpace/DeviceGray/BitsPerComponent 1/Filter/FlateDecode",
		pixels, pixels), w.scratch.Bytes())
}

// checkCodes tells whether a page has exactly the codes of its kind.
func checkCodes(p Page, boxes []codeBox) error {
	if len(p.Codes) != len(boxes) {
		return &FieldError{"codes", Wrong}
	}
	for _, b := range boxes {
		s := p.code(b.family)
		if s == nil || s.Size() < 21 {
			return &FieldError{"codes." + string(b.family), Wrong}
		}
	}
	return nil
}

func (p Page) code(family certificate.Family) *qr.Matrix {
	for _, c := range p.Codes {
		if c.Family == family {
			return c.Matrix
		}
	}
	return nil
}
