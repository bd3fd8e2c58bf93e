package pdf

import (
	"math"
	"strconv"

	"akashi/certificate/font"
)

// layer writes what belongs to one certificate over its form. A character that
// the form's font already has is taken from there; the others go into the
// layer's own typefaces, which all pages of a file share.
type layer struct {
	shaper    *shaper
	form      *form
	typefaces []*typeface // one for each entry of the shaper's fonts

	out    []byte
	font   string // in use
	size   float64
	fields []string // in the order of their MCIDs, which follow those of the form
}

func newLayer(d *file, f *form) *layer {
	return &layer{shaper: d.shaper, form: f, typefaces: d.typefaces, out: d.w.content[:0], fields: d.w.fields[:0]}
}

// draw places a block and writes its paragraphs, each as one marked content.
func (l *layer) draw(b block) error {
	placed, err := b.place(l.shaper)
	if err != nil {
		return err
	}
	for i, p := range b.paragraphs {
		l.begin(p.field, "/Span", p.lang)
		l.out = append(l.out, "BT\n"...)
		x, y := 0.0, 0.0
		for len(placed) > 0 && placed[0].paragraph == i {
			newX, newY := placed[0].x*point, (pageHeight-placed[0].y)*point
			l.out = append(l.hundredths(newX-x), ' ')
			l.out = append(l.hundredths(newY-y), " Td "...)
			x, y = newX, newY
			l.line(placed[0])
			placed = placed[1:]
		}
		l.out = append(l.out, "ET EMC\n"...)
	}
	return nil
}

func (l *layer) begin(field, tag, lang string) {
	l.out = append(append(l.out, tag...), "<</MCID "...)
	l.out = strconv.AppendInt(l.out, int64(len(l.form.marks)+len(l.fields)), 10)
	if lang != "" {
		l.out = append(append(append(l.out, "/Lang("...), lang...), ')')
	}
	l.out = append(l.out, ">>BDC "...)
	l.fields = append(l.fields, field)
}

// line writes one line; the font changes as often as its characters ask. All
// characters have a glyph: place has seen to that.
func (l *layer) line(line line) {
	shown := false
	for _, s := range line.shapes {
		l.code(s)
		if s.resource != l.font || line.size != l.size {
			if shown {
				l.out = append(l.out, ")Tj "...)
			}
			l.font, l.size, shown = s.resource, line.size, false
			l.out = append(append(append(l.out, '/'), s.resource...), ' ')
			l.out = append(l.hundredths(line.size), " Tf "...)
		}
		if !shown {
			l.out = append(l.out, '(')
			shown = true
		}
		l.out = appendCode(l.out, s.first)
		if s.second != 0 {
			l.out = appendCode(l.out, s.second)
		}
	}
	l.out = append(l.out, ")Tj\n"...)
}

// appendCode writes the two bytes of a glyph number into a string object
// (ISO 32000-1, 7.3.4.2).
func appendCode(b []byte, g font.Glyph) []byte {
	for _, c := range [2]byte{byte(g >> 8), byte(g)} {
		switch c {
		case '\r': // would be read as a line feed
			b = append(b, '\\', 'r')
			continue
		case '(', ')', '\\':
			b = append(b, '\\')
		}
		b = append(b, c)
	}
	return b
}

// code sets the font of a cluster and its one or two glyph numbers there.
func (l *layer) code(s *shape) {
	if s.form == l.form {
		return
	}
	s.form, s.resource, s.second = l.form, formFont, 0
	var ok bool
	if s.first, ok = l.form.typeface.codes[s.cluster.Text]; !ok {
		if s.own == [2]font.Glyph{} {
			s.own[0], s.own[1] = l.typefaces[s.set].add(s.cluster, s.face, s.glyph)
		}
		s.resource, s.first, s.second = layerFonts[s.set], s.own[0], s.own[1]
	}
}

// image draws a code into its box.
func (l *layer) image(b codeBox) {
	l.begin(b.image, "/Figure", "")
	l.out = append(l.out, "q "...)
	l.out = append(l.hundredths(b.w*point), " 0 0 "...)
	l.out = append(l.hundredths(b.w*point), ' ')
	l.out = append(l.hundredths(b.x*point), ' ')
	l.out = append(l.hundredths((pageHeight-b.y-b.w)*point), " cm /"...)
	l.out = append(append(l.out, b.name...), " Do Q EMC\n"...)
}

// operate appends lengths in millimetres, as points, between two pieces of a stream.
func (l *layer) operate(before, after string, lengths ...float64) {
	l.out = append(l.out, before...)
	for _, v := range lengths {
		l.out = append(l.hundredths(v*point), ' ')
	}
	l.out = append(append(l.out, after...), '\n')
}

// hundredths appends a length in points with at most two decimals.
func (l *layer) hundredths(v float64) []byte {
	n := int64(math.Round(v * 100))
	if n < 0 {
		l.out = append(l.out, '-')
		n = -n
	}
	out := strconv.AppendInt(l.out, n/100, 10)
	if f := n % 100; f != 0 {
		out = append(out, '.', byte('0'+f/10))
		if f%10 != 0 {
			out = append(out, byte('0'+f%10))
		}
	}
	return out
}
