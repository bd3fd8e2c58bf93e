package verify

import (
	"fmt"
	"log/slog"
	"strings"

	"akashi/certificate/shc"
	"akashi/certificate/vdsnc"
)

const redacted = "[redacted]"

// Format, String and LogValue keep the holder out of messages and logs.
func (Holder) Format(f fmt.State, _ rune) { _, _ = f.Write([]byte(redacted)) }
func (Holder) String() string             { return redacted }
func (Holder) LogValue() slog.Value       { return slog.StringValue(redacted) }

func holderOfCard(c *shc.Card) *Holder {
	h := &Holder{Names: []string{}, Doses: []Dose{}}
	for _, p := range c.Bundle.Patients {
		for _, n := range p.Names {
			h.Names = append(h.Names, cardName(n))
		}
		h.BirthDate = p.BirthDate
	}
	for _, i := range c.Bundle.Immunizations {
		d := Dose{Date: i.Date, Lot: i.Lot, Centre: i.Performer}
		if len(i.Codes) > 0 {
			d.System, d.Code = i.Codes[0].System, i.Codes[0].Code
		}
		h.Doses = append(h.Doses, d)
	}
	return h
}

// cardName writes a name as one text, family name first.
func cardName(n shc.Name) string {
	if n.Text != "" {
		return n.Text
	}
	return strings.TrimSpace(n.Family + " " + strings.Join(n.Given, " "))
}

func holderOfBarcode(b *vdsnc.Barcode) *Holder {
	h := &Holder{
		Names:          []string{b.Person.Name},
		BirthDate:      string(b.Person.BirthDate),
		DocumentNumber: b.Person.Number.Reveal(),
		Sex:            b.Person.Sex,
		CertificateID:  b.ID,
		Doses:          []Dose{},
	}
	for _, v := range b.Vaccinations {
		for _, d := range v.Doses {
			h.Doses = append(h.Doses, Dose{
				Number: d.Number, Date: string(d.Date), System: shc.SystemICD11, Code: v.Vaccine, Product: v.Brand,
				Lot: d.Lot, Country: d.Country, Centre: d.Centre,
			})
		}
	}
	return h
}
