package pdf

import (
	"fmt"
	"strings"
	"time"

	"github.com/go-pdf/fpdf"

	"akashi/certificate"
)

// color is red, green, blue, 0-255.
type color [3]int

var (
	black    = color{0, 0, 0}
	gray     = color{84, 84, 84}
	hairline = color{176, 176, 176}
	tint     = color{243, 244, 246}
	water    = color{236, 236, 236}
	warning  = color{176, 0, 32}
	pale     = color{244, 205, 210}
	white    = color{255, 255, 255}
	accents  = map[certificate.Kind]color{certificate.Domestic: {29, 78, 137}, certificate.Travel: {140, 28, 48}, certificate.International: {122, 92, 0}}
)

// composer draws the form with fpdf.
type composer struct {
	pdf  *fpdf.Fpdf
	form *form
}

func newComposer(program []byte, f *form) *composer {
	p := fpdf.New("P", "mm", "A4", "")
	p.SetCompression(false)
	p.SetCatalogSort(true)
	p.SetCreationDate(time.Unix(0, 0))
	p.SetModificationDate(time.Unix(0, 0))
	p.SetAutoPageBreak(false, 0)
	p.SetMargins(0, 0, 0)
	p.AddUTF8FontFromBytes(formFont, "", program)
	p.AddPage()
	p.SetFont(formFont, "", 10)
	return &composer{p, f}
}

// marked draws text that belongs to the reading order, under its own MCID.
func (c *composer) marked(key, lang string, draw func()) {
	n := len(c.form.marks)
	c.form.marks[key] = n
	if lang != "" {
		lang = "/Lang(" + lang + ")"
	}
	c.pdf.RawWriteStr(fmt.Sprintf("/Span<</MCID %d%s>>BDC", n, lang))
	draw()
	c.pdf.RawWriteStr("EMC")
}

// artifact draws what is not content.
func (c *composer) artifact(draw func()) {
	c.pdf.RawWriteStr("/Artifact BMC")
	draw()
	c.pdf.RawWriteStr("EMC")
}

// text writes lines of text; align is 0 for left, 0.5 for centred, 1 for right of x.
func (c *composer) text(x, y, size, align float64, col color, text string) {
	c.pdf.SetFontSize(size)
	c.pdf.SetTextColor(col[0], col[1], col[2])
	for _, t := range strings.Split(text, "\n") {
		c.pdf.Text(x-align*c.pdf.GetStringWidth(t), y, t)
		y += size * 1.15 / point
	}
}

// label writes a label in both languages.
func (c *composer) label(key string, x, y, ja, en, gap, align float64, jaColor color) {
	l := c.form.labels.Labels[key]
	c.marked(key, "", func() { c.text(x, y, ja, align, jaColor, l.JA) })
	c.marked(key+".en", english, func() { c.text(x, y+gap, en, align, gray, l.EN) })
}

// inline writes a label in both languages on one line.
func (c *composer) inline(key string, x, y, ja, en, align float64, jaColor color) {
	l := c.form.labels.Labels[key]
	c.pdf.SetFontSize(en)
	width := c.pdf.GetStringWidth(l.EN)
	c.pdf.SetFontSize(ja)
	space := ja / 2 / point
	first := c.pdf.GetStringWidth(l.JA) + space
	x -= align * (first + width)
	c.marked(key, "", func() { c.text(x, y, ja, 0, jaColor, l.JA) })
	c.marked(key+".en", english, func() { c.text(x+first, y, en, 0, gray, l.EN) })
}

func (c *composer) rule(x1, y1, x2, y2, width float64, col color) {
	c.pdf.SetDrawColor(col[0], col[1], col[2])
	c.pdf.SetLineWidth(width)
	c.pdf.Line(x1, y1, x2, y2)
}

func (c *composer) fill(x, y, w, h float64, col color) {
	c.pdf.SetFillColor(col[0], col[1], col[2])
	c.pdf.Rect(x, y, w, h, "F")
}
