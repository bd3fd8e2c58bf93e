package pdf

import (
	"fmt"

	"akashi/certificate"
)

// Layout is the layout version of new certificates.
const Layout = "2026-11"

// Layouts lists the layout versions that can be printed, the current one last. A
// reprint uses the version the certificate was issued with.
func Layouts() []string { return []string{Layout} }

// Lengths are millimetres from the upper left corner of the A4 page, text sizes
// points. Text is placed by its baseline.
const (
	pageWidth, pageHeight = 210.0, 297.0
	left, right           = 15.0, 195.0
	middle                = (left + right) / 2
	valueLeft             = 74.0 // values of the person table
	point                 = 72 / 25.4
)

// Sizes of the code boxes with their quiet zones. 63 mm give version 40 (185
// modules with quiet zone) 0.3405 mm per module, 58 mm give version 22 (113)
// a symbol of 53.9 mm, 42 mm the same version 0.37 mm per module.
const (
	vdsncBox  = 63.0
	shcBox    = 58.0
	hc1Box    = 42.0
	quietZone = 4 // modules
)

// row is a line of the person table: one label, one or two values.
type row struct {
	label string
	y, h  float64
}

// column of the dose table.
type column struct {
	label string
	x, w  float64
}

var columns = [...]column{
	{"dose", 15, 22}, {"vaccine_type", 37, 26}, {"maker", 63, 29}, {"product", 92, 37},
	{"lot", 129, 21}, {"vaccinated_on", 150, 24}, {"country", 174, 21},
}

// codeBox is the place of one code, quiet zone included.
type codeBox struct {
	label       string // what it is
	x, y, w     float64
	image, name string // the mark and the resource of the image
}

// geometry holds the places that differ between the two kinds; everything
// follows downwards from the person table.
type geometry struct {
	rows                       []row
	dosesTop, headH, doseH     float64
	note, meaning, facts, code float64 // tops of the parts below
	boxes                      []codeBox
}

const (
	personTop = 41.0
	headH     = 10.0
	footer    = 281.0
)

func newGeometry(kind certificate.Kind, codes int) geometry {
	if kind == certificate.International {
		return geometry{boxes: named(cardBoxes(codes))}
	}
	g := geometry{headH: headH}
	name, other := 14.0, 11.0
	labels := []string{"name.domestic", "birth_date"}
	g.doseH = 11.5
	if kind.ShowsPassport() {
		name, other, g.doseH = 18.0, 8.6, 9.9
		labels = []string{"name", "mrz_name", "birth_date", "nationality", "passport_number"}
	}
	y, h := personTop, name
	for _, label := range labels {
		g.rows = append(g.rows, row{label, y, h})
		y, h = y+h, other
	}
	g.dosesTop = y + 4
	g.note = g.dosesTop + g.headH + certificate.MaxDoses*g.doseH
	g.meaning = g.note + 7
	g.facts = g.meaning + 9.5
	g.code = g.facts + 27
	if kind == certificate.Domestic {
		g.code += 7
	}
	g.boxes = named(boxes(kind, codes, g.code))
	return g
}

// named numbers boxes.
func named(boxes []codeBox) []codeBox {
	for i := range boxes {
		boxes[i].image, boxes[i].name = fmt.Sprintf("image.%d", i+1), fmt.Sprintf("C-%d", i+1)
	}
	return boxes
}

// boxes are the places of the codes of a Japanese form, in the order of certificate.Codes.
func boxes(kind certificate.Kind, codes int, top float64) []codeBox {
	y, half := top+7, (right-left)/4
	switch {
	case kind == certificate.Domestic:
		return []codeBox{{label: "code.shc.domestic", x: middle - shcBox/2, y: y, w: shcBox}}
	case kind == certificate.Travel && codes < 3:
		return []codeBox{
			{label: "code.vdsnc", x: middle - half - vdsncBox/2, y: y, w: vdsncBox},
			{label: "code.shc", x: middle + half - shcBox/2, y: y + (vdsncBox-shcBox)/2, w: shcBox},
		}
	}
	return []codeBox{
		{label: "code.vdsnc", x: left, y: y, w: vdsncBox},
		{label: "code.shc.narrow", x: left + vdsncBox + 8, y: y + (vdsncBox-shcBox)/2, w: shcBox},
		{label: "code.dcc", x: right - hc1Box, y: y + (vdsncBox-hc1Box)/2, w: hc1Box},
	}
}
