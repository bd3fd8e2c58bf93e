package pdf

import (
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"slices"
	"sync"
	"time"

	"akashi/certificate/font"
)

// Document is a paper around certificates, such as an application form: sheets of rules and
// texts. It has the fonts, tags and marks of a certificate, and the same document gives the
// same bytes. It is never signed.
type Document struct {
	Title  string    // of the file; nothing personal
	Made   time.Time // as the file says
	Test   bool      // TEST identity: painted on every sheet
	Sheets []Sheet
}

// Sheet is one A4 page. Lengths are millimetres from its upper left corner.
type Sheet struct {
	Rules []Rule
	Boxes []Box // in reading order
}

// Rule is a line.
type Rule struct{ X1, Y1, X2, Y2, Width float64 }

// Box is what stands in one rectangle, shrunk until it fits.
type Box struct {
	X, Y, W, H float64
	Align      float64 // 0: left, 0.5: centred, 1: right
	Top        bool    // at the top of the rectangle instead of its middle
	Lines      int     // that a paragraph may have, as running text; 0: one, or two where one would be too small
	Role       string  // of the structure: H1, H2, P, TH, TD (ISO 32000-1, 14.8.4)
	Row        int     // of a table, from 1: TH and TD that follow each other and have the same; 0: none
	Column     bool    // a TH heads its column instead of its row
	// Fixed: the same on many papers and of nobody, so that it is laid out once with the rules.
	Fixed      bool
	Paragraphs []Paragraph
}

// Paragraph is one text. Field names it in errors and is unique on its sheet.
type Paragraph struct {
	Field, Text, Lang string  // Lang: empty for Japanese
	Size, Min         float64 // points: wanted, and smallest readable
}

func (t Box) block() block {
	b := block{x: t.X, y: t.Y, w: t.W, h: t.H, align: t.Align, top: t.Top, lines: t.Lines, prose: t.Lines > 0}
	for _, p := range t.Paragraphs {
		if p.Text != "" {
			b.paragraphs = append(b.paragraphs, paragraph{p.Field, p.Text, p.Lang, p.Size, p.Min})
		}
	}
	return b
}

// sheetForm is a sheet with what is drawn anew for each paper.
type sheetForm struct {
	*form
	drawn []block
}

// Document returns the file. Errors are a *MissingError or a *FieldError where a text is at fault.
func (r *Renderer) Document(doc Document) ([]byte, error) {
	if len(doc.Sheets) == 0 || len(doc.Sheets) > maxPages {
		return nil, &FieldError{"sheets", TooMany}
	}
	id, err := doc.id()
	if err != nil {
		return nil, err
	}
	d := newFile(r, nil, doc.Title, doc.Made, id)
	defer d.free()
	for _, s := range doc.Sheets {
		if err := r.checkSheet(s, d.shaper); err != nil {
			return nil, err
		}
		f, err := r.sheetForm(s, doc.Test)
		if err != nil {
			return nil, err
		}
		if err := d.sheet(f, s, len(d.kids)); err != nil {
			return nil, err
		}
	}
	file, _, err := d.finish()
	return file, err
}

// id identifies the document by all that is in it.
func (d Document) id() ([]byte, error) {
	b, err := json.Marshal(d)
	sum := sha256.Sum256(b)
	return sum[:16], err
}

// checkSheet names all characters that no font has at once.
func (r *Renderer) checkSheet(s Sheet, shaper *shaper) error {
	var all []Missing
	seen := map[string]bool{}
	for _, t := range s.Boxes {
		for _, p := range t.Paragraphs {
			if seen[p.Field] {
				return fmt.Errorf("pdf: two texts are called %q", p.Field)
			}
			seen[p.Field] = true
			if len(p.Text) > maxText {
				return &FieldError{p.Field, TooLong}
			}
			if m := shaper.missing(p.Text); m != nil {
				all = append(all, Missing{p.Field, m})
			}
		}
	}
	if all != nil {
		return &MissingError{all, fontNames(r.fonts)}
	}
	return nil
}

// maxText is the largest length of a paragraph in bytes.
const maxText = 6000

// sheetForm returns the form of a sheet, composing it at first use: its rules and fixed
// texts, of which those that fpdf cannot take go into the layer.
func (r *Renderer) sheetForm(s Sheet, test bool) (sheetForm, error) {
	var f sheetForm
	fixed := Sheet{Rules: s.Rules}
	for _, t := range s.Boxes {
		b := t.block()
		switch {
		case b.paragraphs == nil:
		case t.Fixed && !slices.ContainsFunc(b.paragraphs, func(p paragraph) bool { return !composable(r.fonts[0][0], p.text) }):
			fixed.Boxes = append(fixed.Boxes, t)
		default:
			f.drawn = append(f.drawn, b)
		}
	}
	key, err := json.Marshal(struct {
		Sheet
		Test bool
	}{fixed, test})
	if err != nil {
		return f, err
	}
	compose := r.cached(formKey{sheet: string(key)}, func() (*form, error) {
		f := &form{labels: r.labels[Layout], typeface: newTypeface(r.fonts[0]), marks: marks{}}
		return f, f.compose(r.fonts, r.program, func(c *composer) error { return c.sheet(fixed, test, r.fonts) })
	})
	f.form, err = compose()
	return f, err
}

// cached keeps a form for its key; the oldest kept are as good to drop as any.
func (r *Renderer) cached(key formKey, compose func() (*form, error)) func() (*form, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	kept, ok := r.forms[key]
	if ok {
		return kept
	}
	kept = sync.OnceValues(compose)
	for old := range r.forms {
		if len(r.forms) < maxForms {
			break
		}
		delete(r.forms, old)
	}
	r.forms[key] = kept
	return kept
}

func (c *composer) sheet(s Sheet, test bool, fonts []font.Faces) error {
	c.artifact(func() {
		if test {
			c.watermark(pageWidth/2, 128)
		}
		for _, r := range s.Rules {
			c.rule(r.X1, r.Y1, r.X2, r.Y2, r.Width, black)
		}
	})
	if test {
		c.label("test", right, 12, 10, 7.5, 3.4, 1, warning)
	}
	for _, t := range s.Boxes {
		if err := c.block(t.block(), fonts); err != nil {
			return err
		}
	}
	return c.pdf.Error()
}

// sheet writes one page of a document, at a place that was left in a batch or as the next,
// and notes its structure.
func (d *file) sheet(f sheetForm, s Sheet, place int) error {
	formAt := d.form(f.form)
	if place == len(d.kids) {
		d.leave()
	}
	l := newLayer(d, f.form)
	said, err := d.draw(l, f.drawn)
	if err != nil {
		return err
	}
	layer := marks{}
	for i, field := range l.fields {
		layer[field] = len(f.marks) + i
	}
	o := &outline{section: s.section(tree{f.marks, layer})}
	o.count(o.section)
	d.put(f.form, l, place, formAt, nil)
	d.outlines[place], d.said[place] = o, said
	return nil
}

// section builds the tree of a sheet: texts that have a row become a table.
func (s Sheet) section(t tree) *element {
	section := node("Sect", t.leaf("P", "test", "test.en"))
	var table *element
	row := 0
	for _, text := range s.Boxes {
		var keys []string
		for _, p := range text.Paragraphs {
			keys = append(keys, p.Field)
		}
		cell := t.leaf(text.Role, keys...)
		if text.Role == "TH" {
			cell = t.heading(map[bool]string{false: "Row", true: "Column"}[text.Column], keys...)
		}
		switch {
		case text.Row == 0:
			table, section.kids = nil, append(section.kids, cell)
			continue
		case table == nil:
			table, row = node("Table"), 0
			section.kids = append(section.kids, table)
		}
		if row != text.Row {
			row, table.kids = text.Row, append(table.kids, node("TR"))
		}
		last := table.kids[len(table.kids)-1]
		last.kids = append(last.kids, cell)
	}
	section.kids = slices.DeleteFunc(section.kids, func(e *element) bool { return len(e.kids)+len(e.marks) == 0 })
	return section
}
