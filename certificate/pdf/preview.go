package pdf

import (
	"fmt"
	"math"
	"time"

	"akashi/certificate"
)

// Draft is what would be printed, before there is a certificate. It has neither an
// identifier nor a code and no way to carry one: only how large each code would be
// (docs/adr/0032-preview.md).
type Draft struct {
	Certificate certificate.Certificate // without ID and AI
	Sizes       []int                   // modules on a side of each code, in the order of Certificate.Codes
	RenewBy     time.Time               // as in Page
}

// What stands for identifier and number of the copy.
const (
	noID   = "––––––––––––"
	noCopy = "–"
)

// Preview makes the file of a draft with the form and the layer that its certificate will
// have: marked on every page, with hatched frames for codes. Render and Prepare take no
// draft, so it is neither printed as a copy nor signed. Errors are those of Render.
func (r *Renderer) Preview(d Draft) ([]byte, error) {
	p, err := d.page()
	if err != nil {
		return nil, err
	}
	if err := r.checkValues(p.Certificate); err != nil {
		return nil, err
	}
	file, _, err := r.draw(nil, []Page{p})
	return file, err
}

// VerifyPreview is Verify for a file of Preview.
func (r *Renderer) VerifyPreview(file []byte, d Draft) error {
	p, err := d.page()
	if err != nil {
		return err
	}
	return r.Verify(file, p)
}

func (d Draft) page() (Page, error) {
	c := d.Certificate
	if c.ID != "" || c.AI != "" {
		return Page{}, &FieldError{"id", Wrong}
	}
	if len(d.Sizes) != len(c.Codes()) {
		return Page{}, &FieldError{"codes", Wrong}
	}
	for i, n := range d.Sizes {
		if n < 21 || n > 177 || n%4 != 1 {
			return Page{}, &FieldError{"codes." + string(c.Codes()[i].Family), Wrong}
		}
	}
	c.ID = noID
	return Page{Certificate: c, RenewBy: d.RenewBy, sizes: d.Sizes}, nil
}

// isPreview tells whether the page is that of a draft.
func (p Page) isPreview() bool { return p.sizes != nil }

// previewBand is the height of the bands at the edges of a preview.
const previewBand = 6.4

// preview draws the mark of a preview below all other text: a band at either edge and the
// words across the page, all of them text.
func (c *composer) preview() {
	l := c.form.labels.Labels["preview"]
	across := c.form.labels.Labels["preview.across"].JA
	c.artifact(func() {
		c.fill(left, 4.2, right-left, previewBand, warning)
		c.fill(left, pageHeight-4.2-previewBand, right-left, previewBand, warning)
		c.pdf.TransformBegin()
		c.pdf.TransformRotate(52, pageWidth/2, pageHeight/2)
		c.text(pageWidth/2, pageHeight/2+10, 84, 0.5, pale, across)
		c.pdf.TransformEnd()
	})
	x, baseline := left+3, 4.2+previewBand/2+1.35
	words := []struct{ mark, lang, text string }{{"preview", "", l.JA}, {"preview.en", english, l.EN}, {"preview.fr", french, l.FR}}
	for _, w := range words {
		if w.text == "" {
			continue
		}
		c.marked(w.mark, w.lang, func() { c.text(x, baseline, 10, 0, white, w.text) })
		at := x
		c.artifact(func() { c.text(at, pageHeight-2*4.2-previewBand+baseline, 10, 0, white, w.text) })
		x += c.pdf.GetStringWidth(w.text) + 5
	}
}

// noCodes writes what stands on the frames of a preview instead of its codes.
func (f *form) noCodes(p Page) (blocks []block) {
	l, none := f.labels.Labels["preview.across"], f.labels.Labels["preview.code"]
	for i, n := range p.sizes {
		b, field := f.geometry.boxes[i], fmt.Sprintf("preview.code[%d]", i)
		x, y, w := inFrame(b)
		blocks = append(blocks, block{x: x + 1.5, y: y, w: w - 3, h: w / 2, paragraphs: []paragraph{
			{field, l.JA, "", 11, 6}, {field + ".none", none.JA, "", 7.5, 5}, {field + ".none.en", none.EN, english, 7.5, 5},
			{field + ".size", fmt.Sprintf("%d × %d", n, n), "", 7.5, 5},
		}})
	}
	return blocks
}

// inFrame is the place of the words within the box of a code: left, top and width; it is
// half as high.
func inFrame(b codeBox) (x, y, w float64) {
	w = b.w * 0.66
	return b.x + (b.w-w)/2, b.y + b.w/2 - w/4, w
}

// frame draws a hatched frame of the size of a code, which no reader takes for one.
func (l *layer) frame(b codeBox, modules int) {
	const every = 4 // modules between the lines of the hatch
	module := b.w / float64(modules+2*quietZone)
	side := module * float64(modules)
	x, y := b.x+quietZone*module, b.y+quietZone*module
	l.begin(b.image, "/Figure", "")
	l.operate("q 0.55 G 0.8 w ", "re W S", x, pageHeight-y-side, side, side)
	l.operate("0.4 w", "")
	for at := every * module; at < 2*side; at += every * module {
		over := math.Max(0, at-side)
		l.operate("", "m", x+over, pageHeight-y-(at-over))
		l.operate("", "l S", x+at-over, pageHeight-y-over)
	}
	tx, ty, w := inFrame(b)
	l.operate("1 g ", "re f", tx, pageHeight-ty-w/2, w, w/2)
	l.operate("Q EMC", "")
}

// alt is what is read instead of a code: on a preview, that there is none.
func (f *form) alt(p Page, text string) string {
	if none := f.labels.Labels["preview.code"]; p.isPreview() {
		return none.JA + " / " + none.EN
	}
	return text
}

// previewSections are the parts of the structure tree that only a preview has.
func (f *form) previewSections(p Page, t tree) (list []*element) {
	if !p.isPreview() {
		return nil
	}
	list = append(list, t.leaf("P", "preview", "preview.en", "preview.fr"))
	for _, b := range f.noCodes(p) {
		e := t.leaf("P")
		for _, q := range b.paragraphs {
			e.marks = append(e.marks, t.find(q.field)...)
		}
		list = append(list, e)
	}
	return list
}
