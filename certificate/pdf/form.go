package pdf

import (
	"bytes"
	"crypto/sha256"
	"encoding/binary"
	"fmt"
	"math"
	"strings"
	"sync"
	"unicode/utf8"

	"akashi/certificate"
	"akashi/certificate/font"
)

// formKey says which form a certificate needs.
type formKey struct {
	layout            string
	kind              certificate.Kind
	codes             int // on one sheet
	test, preview     bool
	renewed           bool             // it says until when its codes hold
	japanese, english [maxLines]string // of the issuer
	sheet             string           // of a document: what is fixed on it
}

// form is everything on a page that is the same for many certificates: labels,
// rules, issuer names and marks. fpdf lays it out once; what it draws is kept,
// its fonts are replaced by our own exact subset. No text of a person gets here.
type form struct {
	kind          certificate.Kind
	labels        *labels
	geometry      geometry
	issuerInLayer bool // names that fpdf cannot take

	content  []byte // deflated content stream
	typeface *typeface
	sealed   *sealed
	marks    marks

	mu       sync.Mutex
	outlines []*outline
}

// marks gives the number of the marked content (MCID) of every label and field.
type marks map[string]int

// resource names of the page.
const formFont = "F"

var layerFonts = [...]string{"L", "M", "N", "O"}

func newForm(fonts []font.Faces, program []byte, l *labels, key formKey, issuer certificate.Issuer) (*form, error) {
	face := fonts[0][0]
	f := &form{kind: key.kind, labels: l, geometry: newGeometry(key.kind, key.codes), typeface: newTypeface(fonts[0]), marks: marks{}}
	for _, line := range append(issuer.Japanese[:len(issuer.Japanese):len(issuer.Japanese)], issuer.English...) {
		f.issuerInLayer = f.issuerInLayer || !composable(face, line)
	}
	return f, f.compose(fonts, program, func(c *composer) error { return c.draw(key, issuer, fonts) })
}

// compose lets fpdf lay the form out and keeps what it drew.
func (f *form) compose(fonts []font.Faces, program []byte, draw func(*composer) error) error {
	c := newComposer(program, f)
	if err := draw(c); err != nil {
		return err
	}
	var out bytes.Buffer
	if err := c.pdf.Output(&out); err != nil {
		return fmt.Errorf("pdf: composing the form: %w", err)
	}
	content, err := composedContent(out.Bytes())
	if err != nil {
		return err
	}
	if content, err = f.recode(content, fonts[0][0]); err != nil {
		return err
	}
	digest := sha256.Sum256(content)
	if f.sealed, err = f.typeface.seal(digest[:], true); err != nil {
		return err
	}
	f.content = deflateBest(content)
	return nil
}

// composable tells whether fpdf draws the text as written: it knows no
// characters above U+FFFF, no sequences and one font only.
func composable(face *font.Font, text string) bool {
	for c := range font.Clusters(text) {
		_, found := face.Lookup(c.Base, 0)
		if !found || c.Base > 0xFFFF || c.Base == utf8.RuneError || c.Selector != 0 || c.Marks {
			return false
		}
	}
	return true
}

// composedContent takes the content stream out of the file that fpdf made and
// fails on anything else than one page with one font.
func composedContent(file []byte) ([]byte, error) {
	unexpected := func(what string) ([]byte, error) { return nil, fmt.Errorf("pdf: composed form: unexpected %s", what) }
	d, err := open(file)
	if err != nil {
		return nil, fmt.Errorf("pdf: composed form: %w", err)
	}
	pages := d.dict(d.dict(d.trailer["Root"])["Pages"])
	kids, _ := pages["Kids"].(array)
	if len(kids) != 1 {
		return unexpected("pages")
	}
	page := d.dict(kids[0])
	resources := d.dict(page["Resources"])
	fonts, _ := resources["Font"].(dict)
	for kind, v := range resources {
		if entries, _ := v.(dict); kind != "Font" && len(entries) != 0 {
			return unexpected("resources: " + string(kind))
		}
	}
	if len(fonts) != 1 || page["Annots"] != nil {
		return unexpected("fonts or annotations")
	}
	content, err := d.content(page["Contents"])
	if err != nil {
		return unexpected("content")
	}
	for font := range fonts {
		content = bytes.ReplaceAll(content, []byte("/"+string(font)+" "), []byte("/"+formFont+" "))
	}
	return content, nil
}

// recode replaces the UTF-16 strings of fpdf by the glyph numbers of our subset.
func (f *form) recode(content []byte, face *font.Font) ([]byte, error) {
	out := append(make([]byte, 0, len(content)+4), "q\n"...)
	l := &lexer{data: content}
	for !l.done() {
		start := l.at
		v, err := l.value(0)
		if err != nil {
			return nil, fmt.Errorf("pdf: composed form: %w", err)
		}
		text, ok := v.(literal)
		if !ok {
			out = append(append(out, content[start:l.at]...), ' ')
			if _, ok := v.(operator); ok {
				out[len(out)-1] = '\n'
			}
			continue
		}
		out = append(out, '<')
		for units := []byte(text); len(units) >= 2; units = units[2:] {
			r := rune(binary.BigEndian.Uint16(units))
			g, ok := face.Lookup(r, 0)
			if !ok {
				return nil, fmt.Errorf("pdf: composed form: no glyph for %q", r)
			}
			code := f.typeface.glyph(string(r), face, g)
			out = appendHex(out, uint16(code))
		}
		out = append(out, "> "...)
	}
	return append(out, "Q\n"...), nil
}

func (c *composer) draw(key formKey, issuer certificate.Issuer, fonts []font.Faces) error {
	if key.kind == certificate.International {
		return c.card(key, fonts)
	}
	for _, label := range []string{"title", "meaning", "certificate_id", "issued_on", "copy", "issuer", "scale"} {
		if c.form.labels.Labels[label] == (words{}) {
			return fmt.Errorf("pdf: layout %s has no label %q", key.layout, label)
		}
	}
	c.heading(key)
	c.person()
	c.doses()
	c.statement()
	if err := c.issuer(issuer, fonts); err != nil {
		return err
	}
	c.captions()
	c.footer(key.layout)
	return c.pdf.Error()
}

func (c *composer) heading(key formKey) {
	accent := accents[key.kind]
	c.artifact(func() {
		c.fill(left, 12, right-left, 1.4, accent)
		if key.test {
			c.watermark(pageWidth/2, 128)
		}
	})
	if key.preview {
		c.preview()
	}
	c.label("title", pageWidth/2, 23.5, 18, 11.5, 6.4, 0.5, black)
	c.inline("kind."+string(key.kind), pageWidth/2, 36.4, 9.5, 8.5, 0.5, accent)
	if key.test {
		c.label("test", right, 18, 10, 7.5, 3.4, 1, warning)
	}
}

// stroke letters of the watermark on a grid of 4 by 6: a path, so that the
// word does not turn up between the lines of copied text.
var watermark = [][][2]float64{
	{{0, 0}, {4, 0}}, {{2, 0}, {2, 6}},
	{{9, 0}, {5.5, 0}, {5.5, 6}, {9, 6}}, {{5.5, 3}, {8.5, 3}},
	{{14.5, 0}, {11, 0}, {11, 3}, {14.5, 3}, {14.5, 6}, {11, 6}},
	{{16, 0}, {20, 0}}, {{18, 0}, {18, 6}},
}

// watermark draws TEST in light gray across the tables, clear of the codes.
func (c *composer) watermark(x, y float64) {
	const unit = 5.6
	c.pdf.TransformBegin()
	c.pdf.TransformRotate(24, x, y)
	c.pdf.SetLineCapStyle("square")
	for _, stroke := range watermark {
		for i := range stroke[1:] {
			a, b := stroke[i], stroke[i+1]
			c.rule(x+(a[0]-10)*unit, y+(a[1]-3)*unit, x+(b[0]-10)*unit, y+(b[1]-3)*unit, 6, water)
		}
	}
	c.pdf.TransformEnd()
}

func (c *composer) person() {
	rows := c.form.geometry.rows
	last := rows[len(rows)-1]
	c.artifact(func() {
		for _, r := range rows[1:] {
			c.rule(left, r.y, right, r.y, 0.15, hairline)
		}
		c.rule(left, personTop, right, personTop, 0.35, black)
		c.rule(left, last.y+last.h, right, last.y+last.h, 0.35, black)
	})
	for _, r := range rows {
		lines := 1 + strings.Count(c.form.labels.Labels[r.label].EN, "\n")
		y := r.y + r.h/2 - float64(lines-1)*1.3
		c.label(r.label, left+1, y-0.35, 8.5, 6.5, 3.2, 0, black)
	}
}

func (c *composer) doses() {
	g := c.form.geometry
	bottom := c.form.doseTop(certificate.MaxDoses)
	c.artifact(func() {
		c.fill(left, g.dosesTop, right-left, g.headH, tint)
		for i := range certificate.MaxDoses {
			c.rule(left, c.form.doseTop(i), right, c.form.doseTop(i), 0.15, hairline)
		}
		for _, col := range columns[1:] {
			c.rule(col.x, g.dosesTop, col.x, bottom, 0.15, hairline)
		}
		c.rule(left, g.dosesTop, right, g.dosesTop, 0.35, black)
		c.rule(left, bottom, right, bottom, 0.35, black)
	})
	for _, col := range columns {
		lines := 1 + strings.Count(c.form.labels.Labels[col.label].EN, "\n")
		c.label(col.label, col.x+1, g.dosesTop+g.headH/2-0.3-float64(lines-1)*1.2, 8, 6.2, 3, 0, black)
	}
}

func (c *composer) statement() {
	g := c.form.geometry
	c.label("meaning", left+1, g.meaning+3.2, 9, 7.5, 3.6, 0, black)
	for i, label := range facts {
		c.label(label, left+1, g.facts+float64(i)*factRow+factRow/2-0.3, 8.5, 6.5, 3, 0, black)
	}
	c.artifact(func() {
		for i := range len(facts) + 1 {
			y := g.facts + float64(i)*factRow
			c.rule(left, y, issuerLeft-5, y, 0.15, hairline)
		}
	})
	c.inline("issuer", issuerLeft, g.facts+factRow/2+0.9, 8.5, 6.5, 0, black)
}

func (c *composer) issuer(issuer certificate.Issuer, fonts []font.Faces) error {
	if c.form.issuerInLayer {
		return nil
	}
	return c.block(c.form.issuerBlock(issuer), fonts)
}

// block writes a block of texts that are the same for many certificates.
func (c *composer) block(b block, fonts []font.Faces) error {
	s := newShaper(fonts)
	defer s.free()
	lines, err := b.place(s)
	if err != nil {
		return err
	}
	for i, p := range b.paragraphs {
		c.marked(p.field, p.lang, func() {
			for ; len(lines) > 0 && lines[0].paragraph == i; lines = lines[1:] {
				var text strings.Builder
				for _, s := range lines[0].shapes {
					text.WriteString(s.cluster.Text)
				}
				c.text(lines[0].x, lines[0].y, lines[0].size, 0, black, text.String())
			}
		})
	}
	return nil
}

func (c *composer) captions() {
	for _, b := range c.form.geometry.boxes {
		c.label(b.label, b.x+b.w/2, c.form.geometry.code+2, 8, 6.5, 3.1, 0.5, black)
	}
}

// footer has a line of 50 mm, so that a print at another scale is seen.
func (c *composer) footer(layout string) {
	c.artifact(func() {
		c.rule(left, footer, left+50, footer, 0.25, black)
		for i := range 6 {
			x, tick := left+10*float64(i), 1.0
			if i%5 == 0 {
				tick = 2
			}
			c.rule(x, footer-tick, x, footer+math.Max(tick-1, 0), 0.25, black)
		}
		c.text(left+25, footer+3.4, 6.5, 0.5, gray, "50 mm")
	})
	c.label("scale", left+55, footer-0.6, 7, 6.5, 3, 0, gray)
	l := c.form.labels.Labels["layout"]
	c.marked("layout", "", func() { c.text(right, footer+2.4, 6.5, 1, gray, l.JA+" / "+l.EN+" "+layout) })
}
