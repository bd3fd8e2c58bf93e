package pdf

import (
	"fmt"
	"strconv"
	"strings"
	"time"

	"akashi/certificate"
	"akashi/internal/clock"
	"akashi/passport"
)

// checkCard refuses a yellow card without what other certificates do not have.
func (l *labels) checkCard(c certificate.Certificate) error {
	switch {
	case c.Subject.TravelName() == "":
		return &FieldError{"passport.name", Required}
	case l.Texts["sex."+string(c.Subject.Sex)] == words{}:
		return &FieldError{"subject.sex", UnknownValue}
	case c.Participant == "":
		return &FieldError{"participant", Required}
	}
	for i, d := range c.Doses {
		switch {
		case d.Product.NameEN == "":
			return &FieldError{cardField(i, "product.name_en"), Required}
		case d.Product.MakerEN == "":
			return &FieldError{cardField(i, "product.maker_en"), Required}
		case !d.ValidFrom.Full():
			return &FieldError{cardField(i, "valid_from"), Required}
		}
	}
	return nil
}

// cardBlocks returns what the layer writes on a sheet of a yellow card, in reading order.
func (f *form) cardBlocks(p Page) []block {
	c := p.Certificate
	blocks := make([]block, 0, 40)
	for i, value := range f.cardFactValues(p) {
		blocks = append(blocks, cardFacts[i].blocks(value, 9)...)
	}
	for i, value := range f.cardPersonValues(c) {
		size := 9.5
		if i == 0 {
			size = 13
		}
		blocks = append(blocks, cardPerson[i].blocks(value, size)...)
	}
	disease := f.labels.Texts["disease."+c.Programme]
	statement := f.labels.Texts["statement"].with("{disease}", disease)
	blocks = append(blocks, block{x: left + 1, y: cardStatement, w: right - left - 2, h: cardTable - cardStatement - 0.5, paragraphs: threeParagraphs("statement", statement, 9, 8.2, 6.6)})
	for i := range c.Doses {
		blocks = append(blocks, f.cardDose(p, i)...)
	}
	if c.MoreDoses > 0 {
		rows := len(c.Doses)
		for i, q := range threeParagraphs("more_doses", f.labels.text("more_doses", c.MoreDoses), 6.6, 6.6, 6.2) {
			blocks = append(blocks, block{x: left + 1 + float64(i)*60, y: cardRowTop(rows, rows) + 0.4, w: 58, h: cardFixed - 1, paragraphs: []paragraph{q}})
		}
	}
	if !p.RenewBy.IsZero() {
		day := f.date(clock.Date(p.RenewBy.UTC().AddDate(0, 0, -1).Format(time.DateOnly))) // the last whole one
		renew := f.labels.Texts["renew"].with("{date}", day)
		blocks = append(blocks, block{x: left + 2, y: cardRenew[len(c.Doses)], w: right - left - 4, h: cardRenewH, paragraphs: threeParagraphs("renew", renew, 8, 7, 7)})
	}
	names := strings.Join(c.Issuer.Japanese, "、")
	return append(blocks, block{x: left + 1, y: cardRenew[len(c.Doses)] + cardRenewH + 12.2, w: right - left - 2, h: 2.8, paragraphs: []paragraph{
		{"issuer.ja", strings.ReplaceAll(f.labels.Texts["issuer"].JA, "{names}", names), "", 6.4, 4.5}}})
}

func threeParagraphs(field string, w words, en, fr, ja float64) []paragraph {
	return []paragraph{{field + ".en", w.EN, english, en, en - 2}, {field + ".fr", w.FR, french, fr, fr - 2}, {field, w.JA, "", ja, ja - 1}}
}

// blocks are a value below its label: English, French beside it where it differs, and
// Japanese under it.
func (cell cardCell) blocks(value words, size float64) []block {
	label := 0.6 + cell.lines*2.6
	b := block{x: cell.x + 1, y: cell.y + label, w: cell.w - 2, h: cell.h - label, paragraphs: []paragraph{{cell.field, value.EN, english, size, 6}}}
	if value.JA != "" {
		b.paragraphs = append(b.paragraphs, paragraph{cell.field + ".ja", value.JA, "", 9, 5.5})
	}
	if value.FR == "" || value.FR == value.EN {
		return []block{b}
	}
	b.w = cell.w/2 - 1
	other := b
	other.x, other.w = b.x+b.w+1, b.w-1
	other.paragraphs = []paragraph{{cell.field + ".fr", value.FR, french, size - 1, 6}}
	return []block{b, other}
}

func (f *form) cardFactValues(p Page) [len(cardFacts)]words {
	return [...]words{
		{EN: p.Certificate.ID}, f.date(p.Certificate.IssuedOn).official(), {EN: p.copyText()}, {EN: fmt.Sprintf("%d / %d", p.sheet, p.sheets)},
	}
}

func (f *form) cardPersonValues(c certificate.Certificate) [len(cardPerson)]words {
	s, texts := c.Subject, f.labels.Texts
	state := s.Nationality()
	if _, en, ok := passport.StateName(s.Passport.Nationality); ok {
		state = en + " (" + state + ")"
	}
	guardian := texts["no_guardian"]
	if s.Guardian != "" {
		guardian = words{EN: s.Guardian}
	}
	document := texts["passport"]
	return [...]words{
		{EN: s.TravelName(), JA: s.PrintedName()}, f.date(s.BirthDate).official(), {EN: state}, texts["sex."+string(s.Sex)],
		{EN: s.Passport.Number.Reveal() + " (" + document.EN + " / " + document.FR + ")"}, guardian,
	}
}

// cardDose returns the cells of a row, one block each.
func (f *form) cardDose(p Page, i int) []block {
	c, rows := p.Certificate, len(p.Certificate.Doses)
	d, n := c.Doses[i], p.before+i
	var blocks []block
	cell := func(paragraphs ...paragraph) {
		col := cardColumns[len(blocks)]
		blocks = append(blocks, block{x: col.x + 0.8, y: cardRowTop(i, rows) + 0.6, w: col.w - 1.6, h: cardRow(rows) - 1.2, lines: 12, paragraphs: paragraphs})
	}
	one := func(name, text, lang string, size float64) paragraph {
		return paragraph{cardField(n, name), text, lang, size, 5.5}
	}
	vaccine := []paragraph{one("product", d.Product.NameEN, english, 8.5)}
	if !strings.EqualFold(d.Product.TypeEN, d.Product.NameEN) && d.Product.TypeEN != "" {
		vaccine = append(vaccine, one("vaccine_type", d.Product.TypeEN, english, 7))
	}
	cell(vaccine...)
	day := f.date(d.VaccinatedOn)
	cell(one("vaccinated_on", day.EN, english, 8), one("vaccinated_on.fr", day.FR, french, 7))
	clinician := d.Clinician
	if clinician == "" {
		clinician = "–" // the authority stands for it, and nobody writes one in
	}
	cell(one("clinician", clinician, english, 8))
	var authority []paragraph
	for k, line := range c.Issuer.English {
		if line != "" {
			authority = append(authority, one("authority."+strconv.Itoa(k), line, english, 7.5))
		}
	}
	cell(append(authority, one("participant", "("+c.Participant+")", english, 7.5))...)
	cell(one("maker", d.Product.MakerEN, english, 7.5), one("lot", d.Lot, english, 8.5))
	from, until := f.labels.Texts["from"].with("{date}", f.date(d.ValidFrom)), f.labels.Texts["until."+c.Programme]
	cell(one("valid_from", from.EN, english, 7.5), one("valid_until", until.EN, english, 7.5), one("valid_from.fr", from.FR, french, 7), one("valid_until.fr", until.FR, french, 7))
	return blocks
}

// official are the languages that a yellow card is completed in.
func (w words) official() words { return words{EN: w.EN, FR: w.FR} }

// date writes a full date as Annex 6 asks: day, month in letters, year.
func (f *form) date(d clock.Date) words {
	if !d.Full() {
		return words{JA: string(d), EN: string(d), FR: string(d)}
	}
	t := d.Time()
	w := words{
		JA: fmt.Sprintf("%d年%d月%d日", t.Year(), t.Month(), t.Day()),
		EN: fmt.Sprintf("%d %s %d", t.Day(), f.labels.Months[english][t.Month()-1], t.Year()),
		FR: fmt.Sprintf("%d %s %d", t.Day(), f.labels.Months[french][t.Month()-1], t.Year()),
	}
	if t.Day() == 1 {
		w.FR = strings.Replace(w.FR, "1 ", "1er ", 1)
	}
	return w
}
