package pdf

// UseTable makes r write the classic cross-reference table.
func (r *Renderer) UseTable() { r.table = true }

// CodeBoxes returns left, top and width of the code boxes of each sheet of a page in
// millimetres, quiet zones included.
func CodeBoxes(p Page) (sheets [][][3]float64) {
	for _, sheet := range p.split() {
		var boxes [][3]float64
		for _, b := range newGeometry(sheet.Certificate.Kind, len(sheet.Codes)).boxes {
			boxes = append(boxes, [3]float64{b.x, b.y, b.w})
		}
		sheets = append(sheets, boxes)
	}
	return sheets
}

// SpoilBatch makes a batch remember another text than its first page has.
func SpoilBatch(b *Batch) { b.file.said[0][0]++ }
