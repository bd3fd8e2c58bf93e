package pdf

import "akashi/certificate"

// UseTable makes r write the classic cross-reference table.
func (r *Renderer) UseTable() { r.table = true }

// CodeBoxes returns left, top and width of the code boxes of a kind in
// millimetres, quiet zones included.
func CodeBoxes(kind certificate.Kind) (boxes [][3]float64) {
	for _, b := range newGeometry(kind, len(kind.Families())).boxes {
		boxes = append(boxes, [3]float64{b.x, b.y, b.w})
	}
	return boxes
}
