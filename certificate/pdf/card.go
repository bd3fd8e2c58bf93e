package pdf

import (
	"fmt"
	"strings"

	"akashi/certificate/font"
)

// The yellow card (IHR, Annex 6; spec who-icvp-gdhcn, 5): the statement, a row for each
// dose with its code beside it, and the fixed text. It is the digital format, printed: it
// has no place for a signature or a stamp, so that nobody takes it for the one to be signed.

// cardRows is how many doses a sheet has, so that codes and text stay readable.
const cardRows = 3

// cardCell is a labelled field of the statement.
type cardCell struct {
	label, field string
	x, y, w, h   float64
	lines        float64 // of the label
}

var cardFacts = [...]cardCell{
	{"certificate_id", "fact.certificate_id", left, 37, 50, 8.5, 1},
	{"issued_on", "fact.issued_on", 65, 37, 66, 8.5, 1},
	{"copy", "fact.copy", 131, 37, 34, 8.5, 1},
	{"sheet", "fact.sheet", 165, 37, 30, 8.5, 1},
}

var cardPerson = [...]cardCell{
	{"card_name", "passport.name", left, 45.5, 180, 13, 1},
	{"birth_date", "subject.birth_date", left, 58.5, 66, 8.5, 1},
	{"nationality", "passport.nationality", 81, 58.5, 60, 8.5, 1},
	{"sex", "subject.sex", 141, 58.5, 54, 8.5, 1},
	{"document", "passport.number", left, 67, 90, 11.5, 2},
	{"guardian", "subject.guardian", 105, 67, 90, 11.5, 2},
}

// Tops of the parts of the card.
const (
	cardStatement = 78.5
	cardTable     = 89.0
	cardHead      = 13.5
	cardFixed     = 4.5 // below the table
	cardRenewH    = 10.0
)

// cardRenew is the top of what follows the fixed text, by the number of rows of a sheet.
var cardRenew = [...]float64{cardRows: 253, 2: 241, 1: 216}

var cardColumns = [...]column{
	{"vaccine", left, 27}, {"date", 42, 18}, {"clinician", 60, 22}, {"authority", 82, 26}, {"batch", 108, 25}, {"valid", 133, 21}, {"code", 154, 41},
}

// cardRow is the height of a row, by the number of rows of a sheet.
func cardRow(rows int) float64 {
	if rows == cardRows {
		return 36.5
	}
	return 41
}

func cardRowTop(i, rows int) float64 { return cardTable + cardHead + float64(i)*cardRow(rows) }

// cardBoxes are the places of the codes of a sheet.
func cardBoxes(rows int) (boxes []codeBox) {
	w := cardRow(rows) - 1
	col := cardColumns[len(cardColumns)-1]
	for i := range rows {
		boxes = append(boxes, codeBox{label: "code", x: col.x + (col.w-w)/2, y: cardRowTop(i, rows) + 0.5, w: w})
	}
	return boxes
}

// card draws the form of a sheet.
func (c *composer) card(key formKey, fonts []font.Faces) error {
	rows := key.codes
	bottom := cardRowTop(rows, rows)
	c.artifact(func() {
		c.fill(left, 12, right-left, 1.4, accents[key.kind])
		if key.test {
			c.watermark(84, 128)
		}
		c.cardRules(rows, bottom)
		if key.renewed {
			c.fill(left, cardRenew[rows], right-left, cardRenewH, tint)
		}
	})
	if key.preview {
		c.preview()
	}
	if key.test {
		c.terms("test", right, 17.6, 9, 8, 8, right-left, 1, warning)
	}
	l := c.form.labels.Labels["title"]
	c.marked("title.en", english, func() { c.text(pageWidth/2, 22.6, 12.5, 0.5, black, l.EN) })
	c.marked("title.fr", french, func() { c.text(pageWidth/2, 27.6, 12.5, 0.5, black, l.FR) })
	c.marked("title", "", func() { c.text(pageWidth/2, 31.6, 7, 0.5, gray, l.JA) })
	c.terms("kind.icvp", pageWidth/2, 35.2, 7.2, 7.2, 6.8, right-left, 0.5, gray)
	for _, cell := range append(cardFacts[:], cardPerson[:]...) {
		c.terms(cell.label, cell.x+1, cell.y+2.7, 6.2, 6.2, 5.8, cell.w-2, 0, gray)
	}
	for _, col := range cardColumns {
		if err := c.block(c.labelBlock(col.label, block{x: col.x + 0.8, y: cardTable + 0.5, w: col.w - 1.6, h: cardHead - 1, lines: 6}, 6, 5.6, 5.4), fonts); err != nil {
			return err
		}
	}
	if err := c.cardFixed(rows, bottom+cardFixed, fonts); err != nil {
		return err
	}
	b := c.labelBlock("format", block{x: left + 1, y: cardRenew[rows] + cardRenewH + 1, w: right - left - 2, h: 11.5, lines: 2, top: true}, 6.6, 6.6, 6.3)
	if err := c.block(b, fonts); err != nil {
		return err
	}
	c.footer(key.layout)
	return c.pdf.Error()
}

func (c *composer) cardRules(rows int, bottom float64) {
	end := cardPerson[len(cardPerson)-1]
	for _, cell := range append(cardFacts[:], cardPerson[:]...) {
		if cell.x > left {
			c.rule(cell.x, cell.y, cell.x, cell.y+cell.h, 0.15, hairline)
		} else {
			c.rule(left, cell.y, right, cell.y, 0.15, hairline)
		}
	}
	c.rule(left, cardPerson[0].y, right, cardPerson[0].y, 0.35, black)
	c.rule(left, end.y+end.h, right, end.y+end.h, 0.35, black)
	c.fill(left, cardTable, right-left, cardHead, tint)
	for i := range rows {
		c.rule(left, cardRowTop(i, rows), right, cardRowTop(i, rows), 0.15, hairline)
	}
	for _, col := range cardColumns[1:] {
		c.rule(col.x, cardTable, col.x, bottom, 0.15, hairline)
	}
	c.rule(left, cardTable, right, cardTable, 0.35, black)
	c.rule(left, bottom, right, bottom, 0.35, black)
}

// cardFixed writes the text that follows the table in the model, larger where fewer doses
// leave more room for it.
func (c *composer) cardFixed(rows int, y float64, fonts []font.Faces) error {
	size := [...]float64{8, 8, 7, 6}[rows]
	const gap, leftPart = 5.0, 82.0
	l := c.form.labels.Labels["fixed"]
	b := block{x: left + 1, y: y, w: leftPart, h: cardRenew[rows] - y - 1, lines: 40, top: true, paragraphs: []paragraph{{"fixed.en", l.EN, english, size, 5.5}}}
	if err := c.block(b, fonts); err != nil {
		return err
	}
	b.x, b.w, b.paragraphs = left+1+leftPart+gap, right-left-2-leftPart-gap, []paragraph{{"fixed.fr", l.FR, french, size, 5.5}}
	return c.block(b, fonts)
}

// labelBlock fills a block with the three languages of a label.
func (c *composer) labelBlock(key string, b block, en, fr, ja float64) block {
	l := c.form.labels.Labels[key]
	b.paragraphs = []paragraph{{key + ".en", l.EN, english, en, en - 1}, {key + ".fr", l.FR, french, fr, fr - 1}, {key, l.JA, "", ja, ja - 1}}
	return b
}

// terms writes a label in three languages after each other, and what does not fit any
// more on the next line. Aligned as text is, it stays on one line.
func (c *composer) terms(key string, x, y, en, fr, ja, w, align float64, col color) {
	l := c.form.labels.Labels[key]
	parts := []struct {
		mark, lang, text string
		size             float64
	}{{key + ".en", english, l.EN, en}, {key + ".fr", french, l.FR, fr}, {key, "", l.JA, ja}}
	const separator = " / "
	width := func(text string, size float64) float64 { c.pdf.SetFontSize(size); return c.pdf.GetStringWidth(text) }
	if align > 0 {
		x -= align * (width(l.EN, en) + width(separator+l.FR, fr) + width(separator+l.JA, ja))
	}
	at := x
	for i, p := range parts {
		text := p.text
		if i > 0 {
			text = separator + text
		}
		if i > 0 && align == 0 && at-x+width(text, p.size) > w {
			text, at, y = p.text, x, y+en*1.2/point
		}
		c.marked(p.mark, p.lang, func() { c.text(at, y, p.size, 0, col, text) })
		at += width(text, p.size)
	}
}

// cardAlt is what is read instead of the code of a row.
func (f *form) cardAlt(i int) string {
	text := f.labels.text("code", i+1)
	return strings.Join([]string{text.EN, text.FR, text.JA}, " / ")
}

// cardSection builds the tree of a sheet, without the foot.
func (f *form) cardSection(p Page, t tree) *element {
	three := func(role, key string) *element { return t.leaf(role, key+".en", key+".fr", key) }
	statement, doses := node("Table"), node("Table", node("TR"))
	for _, cell := range append(cardFacts[:], cardPerson[:]...) {
		value := t.leaf("TD", cell.field, cell.field+".fr", cell.field+".ja")
		statement.kids = append(statement.kids, node("TR", t.heading("Row", cell.label+".en", cell.label+".fr", cell.label), value))
	}
	for _, col := range cardColumns {
		doses.kids[0].kids = append(doses.kids[0].kids, t.heading("Column", col.label+".en", col.label+".fr", col.label))
	}
	for i := range p.Certificate.Doses {
		row := node("TR")
		for _, b := range f.cardDose(p, i) {
			row.kids = append(row.kids, t.cell(b))
		}
		row.kids[0].role = "TH"
		row.kids[0].attributes = "/A<</O/Table/Scope/Row>>"
		row.kids = append(row.kids, node("TD", t.figure(f.geometry.boxes[i], f.alt(p, f.cardAlt(i)))))
		doses.kids = append(doses.kids, row)
	}
	return node("Sect",
		three("H1", "title"), three("P", "kind.icvp"), three("P", "test"), statement, three("P", "statement"), doses, three("P", "more_doses"),
		t.leaf("P", "fixed.en"), t.leaf("P", "fixed.fr"), three("P", "renew"), three("P", "format"), t.leaf("P", "issuer.ja"))
}

// cardField names a field of a dose.
func cardField(i int, name string) string { return fmt.Sprintf("doses[%d].%s", i, name) }
