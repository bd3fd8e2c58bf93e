package pdf

import (
	"fmt"
	"strconv"
	"unicode/utf8"

	"akashi/certificate"
	"akashi/passport"
)

// value is a field of a certificate as it comes from outside; whole texts such
// as the name line are built of several.
type value struct {
	text  string
	field string
	list  string // "doses" or "issuer" when the field is one of a list
	index int
}

// path names the field, such as "doses[0].lot".
func (v value) path() string {
	if v.list == "" {
		return v.field
	}
	return fmt.Sprintf("%s[%d]%s", v.list, v.index, v.field)
}

// values lists what comes from outside, for the checks before anything is drawn.
func values(c certificate.Certificate) []value {
	v := make([]value, 0, 80)
	one := func(field, text string) { v = append(v, value{text: text, field: field}) }
	s := c.Subject
	one("subject.name.family", s.Name.Family)
	one("subject.name.given", s.Name.Given)
	one("subject.former", s.Former)
	one("subject.guardian", s.Guardian)
	one("subject.birth_date", string(s.BirthDate))
	one("id", c.ID)
	one("issued_on", string(c.IssuedOn))
	if d := s.Passport; c.Kind.ShowsPassport() && d != nil {
		one("passport.mrz_name.primary", d.MRZName.Primary)
		one("passport.mrz_name.secondary", d.MRZName.Secondary)
		one("passport.data_page_name.primary", d.DataPageName.Primary)
		one("passport.data_page_name.secondary", d.DataPageName.Secondary)
		one("passport.alternative.former_surname", d.Alternative.FormerSurname)
		one("passport.alternative.surname", d.Alternative.Surname)
		one("passport.alternative.given_name", d.Alternative.GivenName)
		one("passport.number", d.Number.Reveal())
		one("passport.nationality", d.Nationality)
	}
	for i, d := range c.Doses {
		p := d.Product
		for _, f := range [...]value{
			{field: ".product.type_ja", text: p.TypeJA}, {field: ".product.type_en", text: p.TypeEN},
			{field: ".product.maker_ja", text: p.MakerJA}, {field: ".product.maker_en", text: p.MakerEN},
			{field: ".product.name_ja", text: p.NameJA}, {field: ".product.name_en", text: p.NameEN},
			{field: ".lot", text: d.Lot}, {field: ".vaccinated_on", text: string(d.VaccinatedOn)}, {field: ".country", text: d.Country},
			{field: ".clinician", text: d.Clinician},
		} {
			f.list, f.index = "doses", i
			v = append(v, f)
		}
	}
	for i, text := range c.Issuer.Japanese {
		v = append(v, value{text: text, list: "issuer.ja", index: i})
	}
	for i, text := range c.Issuer.English {
		v = append(v, value{text: text, list: "issuer.en", index: i})
	}
	return v
}

// required are the fields that no certificate lacks; the others may be empty.
var required = map[string]bool{
	"subject.name.family": true, "subject.birth_date": true, "id": true, "issued_on": true,
	"passport.mrz_name.primary": true, "passport.number": true, "passport.nationality": true,
	".product.name_ja": true, ".lot": true, ".vaccinated_on": true, ".country": true,
}

// Nationality writes 日本 / Japan (JPN), as it is printed on a certificate for travel.
func Nationality(code string) string {
	if ja, en, ok := passport.StateName(code); ok {
		return ja + " / " + en + " (" + code + ")"
	}
	return code
}

// Text sizes in points.
const (
	nameSize, nameMin   = 15.0, 7.5
	romanSize, romanMin = 11.5, 7.0
	valueSize, valueMin = 10.5, 7.0
	cellSize, cellMin   = 8.5, 7.0
	smallSize, smallMin = 7.0, 6.0
)

// blocks returns everything the layer writes as text, in reading order.
func (f *form) blocks(p Page) []block {
	if p.isPreview() {
		return append(f.written(p), f.noCodes(p)...)
	}
	return f.written(p)
}

func (f *form) written(p Page) []block {
	if f.kind == certificate.International {
		return f.cardBlocks(p)
	}
	blocks := make([]block, 0, 64)
	blocks = append(blocks, f.personBlocks(p.Certificate)...)
	for i, d := range p.Certificate.Doses {
		blocks = append(blocks, f.doseBlocks(i, d)...)
	}
	return append(blocks, f.factBlocks(p)...)
}

func (f *form) personBlocks(c certificate.Certificate) []block {
	var blocks []block
	for _, r := range f.geometry.rows {
		b := block{x: valueLeft, y: r.y, w: right - valueLeft - 1, h: r.h}
		one := func(field, text string) { b.paragraphs = []paragraph{{field, text, "", valueSize, valueMin}} }
		switch r.label {
		case "name", "name.domestic":
			b.paragraphs = []paragraph{{"subject.name", c.Subject.PrintedName(), "", nameSize, nameMin}}
			if c.Kind.ShowsPassport() {
				b.paragraphs = append(b.paragraphs, paragraph{"passport.name", c.Subject.PassportName(), english, romanSize, romanMin})
			}
		case "mrz_name":
			one("passport.mrz_name", certificate.WholeName(c.Subject.Passport.MRZName))
			b.paragraphs[0].lang = english
		case "birth_date":
			one("subject.birth_date", string(c.Subject.BirthDate))
		case "nationality":
			one("passport.nationality", Nationality(c.Subject.Passport.Nationality))
		case "passport_number":
			one("passport.number", c.Subject.Passport.Number.Reveal())
		}
		blocks = append(blocks, b)
	}
	return blocks
}

// doseFields are the names of the cells of the dose table, in both languages.
var doseFields = func() (names [certificate.MaxDoses][len(columns)][2]string) {
	for i := range names {
		for k, col := range columns {
			field := fmt.Sprintf("doses[%d].%s", i, col.label)
			names[i][k] = [2]string{field, field + ".en"}
		}
	}
	return names
}()

func (f *form) doseBlocks(i int, d certificate.Dose) []block {
	blocks := make([]block, 0, len(columns))
	all := make([]paragraph, 0, 2*len(columns))
	dose := f.labels.dose(d.Number)
	country := words{JA: d.Country}
	if ja, en, ok := passport.StateName(d.Country); ok && utf8.RuneCountInString(ja) <= 7 && len(en) <= 17 {
		country = words{JA: ja, EN: en} // longer names do not fit the column: the code stands for them
	}
	p := d.Product
	for k, col := range columns {
		b := block{x: col.x + 1, y: f.doseTop(i) + 0.4, w: col.w - 2, h: f.geometry.doseH - 0.8}
		field, first := doseFields[i][k], len(all)
		add := func(text words) {
			if text.JA != "" {
				all = append(all, paragraph{field[0], text.JA, "", cellSize, cellMin})
			}
			if text.EN != "" {
				all = append(all, paragraph{field[1], text.EN, english, smallSize, smallMin})
			}
		}
		switch col.label {
		case "dose":
			add(dose)
		case "vaccine_type":
			add(words{JA: p.TypeJA, EN: p.TypeEN})
		case "maker":
			add(words{JA: p.MakerJA, EN: p.MakerEN})
		case "product":
			add(words{JA: p.NameJA, EN: p.NameEN})
		case "lot":
			add(words{JA: d.Lot})
		case "vaccinated_on":
			add(words{JA: string(d.VaccinatedOn)})
		case "country":
			add(country)
		}
		b.paragraphs = all[first:len(all):len(all)]
		blocks = append(blocks, b)
	}
	return blocks
}

func (f *form) doseTop(i int) float64 {
	return f.geometry.dosesTop + f.geometry.headH + float64(i)*f.geometry.doseH
}

func (f *form) factBlocks(p Page) []block {
	c, g := p.Certificate, f.geometry
	var blocks []block
	if n := len(c.Doses); n < certificate.MaxDoses {
		end := f.labels.Texts["end_of_doses"]
		blocks = append(blocks, block{x: left + 1, y: f.doseTop(n), w: columns[0].w - 2, h: g.doseH, paragraphs: []paragraph{
			{"end_of_doses", end.JA, "", smallSize, smallMin}, {"end_of_doses.en", end.EN, english, smallSize, smallMin}}})
	}
	if c.MoreDoses > 0 {
		note := f.labels.text("more_doses", c.MoreDoses)
		blocks = append(blocks, block{x: left + 1, y: g.note, w: right - left - 2, h: 5, paragraphs: []paragraph{
			{"more_doses", note.JA + " " + note.EN, "", smallSize, smallMin}}})
	}
	for i, text := range []string{c.ID, string(c.IssuedOn), p.copyText()} {
		blocks = append(blocks, block{x: factValue, y: g.facts + float64(i)*factRow, w: issuerLeft - factValue - 4, h: factRow, paragraphs: []paragraph{
			{"fact." + facts[i], text, "", valueSize, valueMin}}})
	}
	if f.issuerInLayer {
		blocks = append(blocks, f.issuerBlock(c.Issuer))
	}
	return blocks
}

// copyText is the number of the copy; a draft has none.
func (p Page) copyText() string {
	if p.isPreview() {
		return noCopy
	}
	return strconv.Itoa(p.Copy)
}

// facts are the labels and fields of the certificate itself, one row each.
var facts = []string{"certificate_id", "issued_on", "copy"}

const (
	factRow    = 7.4
	factValue  = 58.0
	issuerLeft = 104.0
	issuerTop  = 7.4 // below the top of the facts: the label
)

func (f *form) issuerBlock(issuer certificate.Issuer) block {
	b := block{x: issuerLeft, y: f.geometry.facts + issuerTop, w: right - issuerLeft, h: 3*factRow - issuerTop}
	for i, text := range issuer.Japanese {
		if text != "" {
			b.paragraphs = append(b.paragraphs, paragraph{fmt.Sprintf("issuer.ja[%d]", i), text, "", 10, valueMin})
		}
	}
	for i, text := range issuer.English {
		if text != "" {
			b.paragraphs = append(b.paragraphs, paragraph{fmt.Sprintf("issuer.en[%d]", i), text, english, 7.5, smallMin})
		}
	}
	return b
}
