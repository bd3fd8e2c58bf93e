package verify

import (
	"fmt"
	"log/slog"
	"strings"

	"akashi/certificate/catalogue"
	"akashi/certificate/hcert"
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

// forLife is the only text for the end of a certificate that has none (IHR, Annex 7).
const forLife = "life of person vaccinated"

func holderOfHealth(code *hcert.Code) *Holder {
	switch {
	case code.DCC != nil:
		return holderOfDCC(code.DCC)
	case code.ICVP != nil:
		return holderOfICVP(code.ICVP)
	case code.Record != nil:
		return holderOfRecord(code.Record)
	}
	return nil
}

func holderOfDCC(d *hcert.DCC) *Holder {
	h := &Holder{Names: []string{}, BirthDate: d.BirthDate, CertificateID: d.ID, Doses: []Dose{}}
	for _, pair := range [][2]string{{d.Name.Surname, d.Name.Forename}, {d.Name.SurnameT, d.Name.ForenameT}} {
		if name := strings.TrimSpace(pair[0] + " " + pair[1]); name != "" {
			h.Names = append(h.Names, name)
		}
	}
	if v := d.Vaccination; v != nil {
		product, _ := catalogue.EUValueSets().Lookup(catalogue.MedProduct, v.Product)
		h.Doses = append(h.Doses, Dose{
			Number: max(0, min(v.Dose, 99)), Date: string(v.Date), System: hcert.SystemEU, Code: v.Product, Product: product.Name, Country: d.Country, Centre: d.Authority,
		})
	}
	return h
}

// sexLetters are those of Doc 9303.
var sexLetters = map[string]string{"male": "M", "female": "F", "other": "X"}

func holderOfICVP(c *hcert.ICVP) *Holder {
	dose := Dose{Date: string(c.Date), Code: c.Product, Lot: c.Batch, Centre: c.Clinician, Country: c.Authority, Disease: c.Disease}
	if c.Generation < 3 {
		dose.Country = ""
	}
	if v, err := c.Validity(); err == nil && c.Date.Full() {
		dose.System, dose.Product, dose.Disease = hcert.SystemICVP, v.Product.Name, v.Product.Disease
		dose.ValidFrom, dose.ValidUntil = string(v.From), forLife
	}
	return &Holder{
		Names: []string{c.Name}, BirthDate: string(c.BirthDate), DocumentNumber: c.DocumentNumber.Reveal(), Sex: sexLetters[c.Sex],
		Guardian: c.Guardian, Nationality: c.Nationality, Doses: []Dose{dose},
	}
}

func holderOfRecord(r *hcert.Record) *Holder {
	h := &Holder{Names: []string{r.Name}, BirthDate: r.BirthDate, CertificateID: r.ID, Sex: sexLetters[r.Sex], Doses: []Dose{}}
	if d := r.Vaccination; d != nil {
		h.Doses = append(h.Doses, Dose{
			Number: max(0, min(d.Dose, 99)), Date: string(d.Date), System: d.Vaccine.System, Code: d.Vaccine.Code,
			Product: d.Brand.Label(), Lot: d.Lot, Country: d.Country.Label(), Centre: d.Centre, Disease: d.Disease.Code,
		})
	}
	return h
}
