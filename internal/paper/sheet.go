package paper

import (
	"fmt"

	"akashi/certificate/pdf"
)

// Places in millimetres, sizes in points.
const (
	left, right = 18.0, 192.0
	width       = right - left
	bottom      = 283.0
	thin, thick = 0.15, 0.35

	labelSize, labelMin = 8.5, 6.0
	smallSize, smallMin = 6.5, 5.0
	valueSize, valueMin = 11.0, 6.0
	textSize, textMin   = 9.5, 7.0
)

const english = "en"

// sheet is one page while it is being laid out, from the top down.
type sheet struct {
	pdf.Sheet
	y   float64
	row int
}

func (s *sheet) rule(x1, y1, x2, y2, w float64) {
	s.Rules = append(s.Rules, pdf.Rule{X1: x1, Y1: y1, X2: x2, Y2: y2, Width: w})
}

func (s *sheet) add(b pdf.Box) { s.Boxes = append(s.Boxes, b) }

// both are the two languages of a text, one below the other.
func both(key string, size, min, small, smallMin float64) []pdf.Paragraph {
	w := words[key]
	return []pdf.Paragraph{
		{Field: "label." + key, Text: w[0], Size: size, Min: min},
		{Field: "label." + key + ".en", Text: w[1], Lang: english, Size: small, Min: smallMin},
	}
}

// title begins a page.
func (s *sheet) title(key string) {
	s.y = 15
	s.add(pdf.Box{X: left, Y: s.y, W: width, H: 13, Align: 0.5, Role: "H1", Fixed: true, Paragraphs: both(key, 16, 10, 9.5, 7)})
	s.y += 17
}

// heading begins a part.
func (s *sheet) heading(key string) {
	w := words[key]
	s.y += 2.2
	s.add(pdf.Box{X: left, Y: s.y, W: 78, H: 5, Role: "H2", Fixed: true, Paragraphs: []pdf.Paragraph{{Field: key, Text: w[0], Size: 9.5, Min: 7}}})
	s.add(pdf.Box{X: left + 80, Y: s.y, W: width - 80, H: 5, Align: 1, Role: "P", Fixed: true, Paragraphs: []pdf.Paragraph{{Field: key + ".en", Text: w[1], Lang: english, Size: 7.5, Min: 6}}})
	s.y += 5.4
	s.rule(left, s.y, right, s.y, thick)
}

// prose writes sentences over the whole width, each language in its lines.
func (s *sheet) prose(key string, lines int) {
	w := words[key]
	s.sentences(key, w[0], w[1], left+1, width-2, lines, true)
}

func (s *sheet) sentences(field, ja, en string, x, w float64, lines int, fixed bool) {
	h := float64(lines) * (textSize + 7.5) * 1.2 / 72 * 25.4
	s.add(pdf.Box{X: x, Y: s.y + 1, W: w, H: h, Top: true, Lines: lines, Role: "P", Fixed: fixed, Paragraphs: []pdf.Paragraph{
		{Field: field, Text: ja, Size: textSize, Min: textMin}, {Field: field + ".en", Text: en, Lang: english, Size: 7.5, Min: 6},
	}})
	s.y += h + 2
}

// field is a labelled place of a row. An empty text leaves the place for a pen.
type field struct {
	key          string
	label, width float64 // of the label, and of both
	name, text   string
	lang         string
}

// fields draws a row of a table.
func (s *sheet) fields(h float64, list ...field) {
	s.row++
	x := left
	for i, f := range list {
		if i > 0 {
			s.rule(x, s.y, x, s.y+h, thin)
		}
		s.add(pdf.Box{X: x + 1, Y: s.y, W: f.label - 2, H: h, Role: "TH", Row: s.row, Fixed: true, Paragraphs: both(f.key, labelSize, labelMin, smallSize, smallMin)})
		s.add(pdf.Box{X: x + f.label, Y: s.y, W: f.width - f.label - 1, H: h, Role: "TD", Row: s.row,
			Paragraphs: []pdf.Paragraph{{Field: f.name, Text: f.text, Lang: f.lang, Size: valueSize, Min: valueMin}}})
		x += f.width
	}
	s.y += h
	s.rule(left, s.y, right, s.y, thin)
}

// choice is a box to be ticked.
type choice struct {
	key    string
	ticked bool
}

// choices draws boxes to be ticked in columns, with a label before them unless it is empty, and
// a rule below.
func (s *sheet) choices(label string, columns int, list ...choice) {
	const h, square, labelled = 6.6, 3.4, 44.0
	s.y += 0.6
	first, w := left+1, width/float64(columns)
	if label != "" {
		first, w = left+labelled, (width-labelled)/float64(columns)
		s.add(pdf.Box{X: left + 1, Y: s.y, W: labelled - 2, H: h, Role: "P", Fixed: true, Paragraphs: both(label, labelSize, labelMin, smallSize, smallMin)})
	}
	for i, c := range list {
		x, y := first+float64(i%columns)*w, s.y+float64(i/columns)*h
		top := y + (h-square)/2
		for _, r := range [][4]float64{{x, top, x + square, top}, {x, top + square, x + square, top + square}, {x, top, x, top + square}, {x + square, top, x + square, top + square}} {
			s.rule(r[0], r[1], r[2], r[3], thin)
		}
		if c.ticked {
			s.add(pdf.Box{X: x - 0.3, Y: y, W: square + 0.8, H: h, Align: 0.5, Role: "P", Paragraphs: []pdf.Paragraph{{Field: "tick." + c.key, Text: "✓", Size: 11, Min: 9}}})
		}
		s.add(pdf.Box{X: x + square + 1.5, Y: y, W: w - square - 4, H: h, Role: "P", Fixed: true, Paragraphs: both(c.key, labelSize, labelMin, smallSize-0.5, smallMin)})
	}
	s.y += float64((len(list)+columns-1)/columns)*h + 0.6
	s.rule(left, s.y, right, s.y, thin)
}

// to names the office that a paper is for, at the left.
func (s *sheet) to(h Head) {
	s.add(pdf.Box{X: left, Y: s.y, W: 92, H: 10, Role: "P", Paragraphs: []pdf.Paragraph{
		{Field: "to", Text: mayor(h.Office.Issuer.Japanese, h.Office.NameJA) + " " + words["form.to"][0], Size: 12, Min: 7},
		{Field: "to.en", Text: words["form.to"][1] + ": " + mayor(h.Office.Issuer.English, h.Office.NameEN), Lang: english, Size: 7.5, Min: 6},
	}})
}

// from names the office that hands a paper out, at the right.
func (s *sheet) from(h Head) {
	s.add(pdf.Box{X: left + 92, Y: s.y, W: width - 92, H: 14, Align: 1, Role: "P", Paragraphs: []pdf.Paragraph{
		{Field: "on", Text: day(h.On), Size: 10, Min: 7},
		{Field: "from", Text: mayor(h.Office.Issuer.Japanese, h.Office.NameJA), Size: 12, Min: 7},
		{Field: "from.en", Text: mayor(h.Office.Issuer.English, h.Office.NameEN), Lang: english, Size: 7.5, Min: 6},
	}})
}

// mayor is the first line of an issuer's names.
func mayor(lines []string, office string) string {
	if len(lines) > 0 && lines[0] != "" {
		return lines[0]
	}
	return office
}

// called names a field of a list, such as "reason.2".
func called(name string, i int) string { return fmt.Sprintf("%s.%d", name, i+1) }
