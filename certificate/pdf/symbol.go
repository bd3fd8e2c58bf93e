package pdf

import (
	"fmt"

	"akashi/certificate"
	"akashi/certificate/qr"
)

// Code is one code of a page.
type Code struct {
	Family certificate.Family
	Dose   int // number of the one dose that it shows; 0: all
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

// checkCodes tells whether a page has exactly the codes of its certificate, in their order.
func checkCodes(p Page) error {
	wanted := p.Certificate.Codes()
	if len(p.Codes) != len(wanted) {
		return &FieldError{"codes", Wrong}
	}
	for i, c := range p.Codes {
		if (certificate.Code{Family: c.Family, Dose: c.Dose}) != wanted[i] || c.Matrix == nil || c.Matrix.Size() < 21 {
			return &FieldError{"codes." + string(wanted[i].Family), Wrong}
		}
	}
	return nil
}
