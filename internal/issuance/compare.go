package issuance

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"akashi/certificate"
	"akashi/certificate/pdf"
	"akashi/internal/fault"
	"akashi/internal/vaccination"
	"akashi/passport"
)

// Mark says how the sources of a row agree.
type Mark string

const (
	Same      Mark = "same"
	Explained Mark = "explained" // they differ for the reasons given
	Differs   Mark = "different" // no rule explains it: a person looks
	Alone     Mark = "alone"     // only one source has it
)

// Row is one field as passport, register and certificate have it; empty where one does
// not. It is for the eyes of the clerk.
type Row struct {
	Field                           string // one of Fields
	Dose                            int    // number of the dose; 0: of none
	Passport, Register, Certificate string
	Mark                            Mark
	Why                             []string // of Reasons, why the sources may differ
	Hint                            string   // the register's reading in Latin letters, as a passport would have it
}

// Format keeps a row out of logs.
func (r Row) Format(f fmt.State, _ rune) { _, _ = fmt.Fprintf(f, "%s %s", r.Field, r.Mark) }

// Fields of rows, in their order.
var Fields = []string{
	"name", "passport_name", "mrz_name", "birth_date", "sex", "nationality", "passport_number", "expiry", "guardian",
	"vaccinated_on", "product", "maker", "lot", "clinician", "valid_from", "doses",
}

// Reasons of rows besides those of package passport.
const (
	formerName    = "former_name"    // printed beside the registered one, as was decided
	byKana        = "kana"           // the register has only the reading
	isoCode       = "iso_code"       // a code of Doc 9303 is that of a country on this certificate
	fromForm      = "from_form"      // as the applicant wrote it
	catalogueName = "catalogue_name" // the product's name in the list of products
	computed      = "computed"       // follows from product and date
	notLatin      = "not_latin"      // left out, as it is not in Latin letters
	latestFive    = "latest_five"    // a certificate has the latest five
	notPrinted    = "not_printed"    // only compared
)

// Differences are the codes that Row.Why has.
func Differences() []string {
	return append(passport.ReasonCodes(), formerName, byKana, isoCode, fromForm, catalogueName, computed, notLatin, latestFive, notPrinted)
}

// compare puts what would be printed beside what it is made from.
func compare(b basis, c certificate.Certificate) []Row {
	person, form := b.now.Answer.Person.Subject, b.app.Form
	registered := certificate.Subject{Name: certificate.Name{Family: person.Family, Given: person.Given}}
	rows := []Row{{Field: "name", Register: registered.PrintedName(), Certificate: c.Subject.PrintedName()}}
	if c.Subject.Former != "" {
		rows[0].Why = []string{formerName}
	}
	birth := Row{Field: "birth_date", Register: string(person.BirthDate), Certificate: string(c.Subject.BirthDate)}
	if r := b.now.Passport; form.Kind.ShowsPassport() && r != nil {
		birth.Passport = string(r.Document.BirthDate)
		rows = append(rows, names(r.Document, person, c)...)
		rows = append(append(rows, birth), documentRows(r.Document, person, c)...)
	} else {
		rows = append(rows, birth)
	}
	for _, record := range b.now.Answer.Doses {
		at := slices.IndexFunc(c.Doses, func(d certificate.Dose) bool { return d.Number == record.DoseNumber })
		switch {
		case at >= 0:
			rows = append(rows, doseRows(record, c.Doses[at], c.Kind)...)
		case len(c.Doses) == 0: // could not be composed
			rows = append(rows, doseRows(record, certificate.Dose{Number: record.DoseNumber}, certificate.Domestic)...)
		}
	}
	if c.MoreDoses > 0 {
		rows = append(rows, Row{
			Field: "doses", Register: strconv.Itoa(len(b.now.Answer.Doses)), Certificate: strconv.Itoa(len(c.Doses)), Why: []string{latestFive},
		})
	}
	for i := range rows {
		rows[i].mark()
	}
	return rows
}

// mark judges a row by its texts, where no rule has judged it.
func (r *Row) mark() {
	if r.Mark != "" {
		return
	}
	texts := slices.DeleteFunc([]string{r.Passport, r.Register, r.Certificate}, func(s string) bool { return s == "" })
	switch {
	case len(texts) < 2:
		r.Mark = Alone
	case len(slices.Compact(texts)) == 1:
		r.Mark = Same
	case len(r.Why) > 0:
		r.Mark = Explained
	default:
		r.Mark = Differs
	}
}

// because marks a row by a comparison of two names.
func (r *Row) because(c passport.Comparison) {
	r.Mark = map[passport.Grade]Mark{passport.Exact: Same, passport.Explained: Explained, passport.Different: Differs}[c.Grade]
	for _, reason := range c.Reasons {
		r.why(reason.Code)
	}
}

func (r *Row) why(code string) {
	if !slices.Contains(r.Why, code) {
		r.Why = append(r.Why, code)
	}
}

// names are the rows of the name in Latin letters. The register has only its reading, so
// that a difference is a hint (mrz-and-emrtd.md 6).
func names(d passport.Document, person vaccination.Subject, c certificate.Certificate) []Row {
	page := certificate.WholeName(d.DataPageName)
	whole := Row{Field: "passport_name", Passport: page, Register: strings.TrimSpace(person.FamilyKana + "\u3000" + person.GivenKana), Certificate: c.Subject.PassportName()}
	if page == "" {
		whole.Passport = certificate.WholeName(d.MRZName)
	}
	if c.Kind == certificate.International {
		whole.Certificate = c.Subject.TravelName()
	}
	if kana := (passport.Name{Primary: person.FamilyKana, Secondary: person.GivenKana}); kana.Primary != "" {
		whole.because(passport.CompareKana(kana, d.MRZName))
		whole.why(byKana)
		if romaji, err := passport.Romanise(kana.Primary+" "+kana.Secondary, passport.PlainO); err == nil {
			whole.Hint = romaji
		}
	}
	if whole.Certificate != "" && whole.Certificate != whole.Passport {
		whole.why(passport.ReasonBrackets)
		if whole.Mark == Same {
			whole.Mark = Explained
		}
	}
	zone := Row{Field: "mrz_name", Passport: certificate.WholeName(d.MRZName)}
	if c.Kind == certificate.Travel && c.Subject.Passport != nil {
		zone.Certificate = certificate.WholeName(c.Subject.Passport.MRZName)
	}
	if page != "" {
		zone.because(passport.CompareNames(d.MRZName, d.DataPageName, d.Alternative))
	}
	return []Row{whole, zone}
}

// documentRows are the rows of what else the passport has.
func documentRows(d passport.Document, person vaccination.Subject, c certificate.Certificate) []Row {
	sex := Row{
		Field: "sex", Passport: known(certificate.SexOf(d.Sex)), Certificate: string(c.Subject.Sex),
		Register: map[vaccination.Sex]string{vaccination.Male: string(certificate.Male), vaccination.Female: string(certificate.Female)}[person.Sex],
	}
	nationality := Row{Field: "nationality", Passport: d.Nationality}
	number := Row{Field: "passport_number", Passport: d.Number.Reveal()}
	if c.Subject.Passport != nil {
		nationality.Certificate, number.Certificate = pdf.Nationality(c.Subject.Passport.Nationality), c.Subject.Passport.Number.Reveal()
		nationality.Mark = Same
	}
	if c.Kind != certificate.International {
		sex.Why = []string{notPrinted}
	} else if nationality.Certificate = c.Subject.Nationality(); nationality.Certificate != nationality.Passport {
		nationality.Mark, nationality.Why = Explained, []string{isoCode}
	}
	rows := []Row{sex, nationality, number, {Field: "expiry", Passport: string(d.Expiry), Why: []string{notPrinted}}}
	if c.Subject.Guardian != "" {
		rows = append(rows, Row{Field: "guardian", Certificate: c.Subject.Guardian, Why: []string{fromForm}})
	}
	return rows
}

func known(s certificate.Sex) string {
	if s == certificate.Unknown {
		return ""
	}
	return string(s)
}

// doseRows are those of one dose, as recorded and as printed.
func doseRows(r vaccination.Record, d certificate.Dose, kind certificate.Kind) []Row {
	name, maker := d.Product.NameJA, d.Product.MakerJA
	if kind == certificate.International {
		name, maker = d.Product.NameEN, d.Product.MakerEN
	}
	rows := []Row{
		{Field: "vaccinated_on", Register: string(r.VaccinatedOn), Certificate: string(d.VaccinatedOn)},
		{Field: "product", Register: r.Product, Certificate: name, Why: []string{catalogueName}},
		{Field: "maker", Register: r.Maker, Certificate: maker, Why: []string{catalogueName}},
		{Field: "lot", Register: r.Lot, Certificate: d.Lot},
	}
	if kind == certificate.International {
		clinician := Row{Field: "clinician", Register: r.Doctor, Certificate: d.Clinician}
		if r.Doctor != "" && d.Clinician == "" {
			clinician.Mark, clinician.Why = Explained, []string{notLatin}
		}
		rows = append(rows, clinician, Row{Field: "valid_from", Certificate: string(d.ValidFrom), Why: []string{computed}})
	}
	for i := range rows {
		rows[i].Dose = d.Number
		if rows[i].Field != "valid_from" && (rows[i].Certificate == "" || rows[i].Register == rows[i].Certificate) && rows[i].Mark == "" {
			rows[i].Why = nil
		}
	}
	return rows
}

// rowsOfFields are the rows by what a fault names, the longer before the shorter.
var rowsOfFields = [][2]string{
	{"subject.name", "name"}, {"subject.former", "name"}, {"subject.birth_date", "birth_date"}, {"subject.sex", "sex"}, {"subject.guardian", "guardian"},
	{"subject.passport.", "passport."}, {"passport.birth_date", "birth_date"}, {"passport.expiry", "expiry"}, {"passport.nationality", "nationality"},
	{"passport.number", "passport_number"}, {"passport.mrz", "mrz_name"}, {"passport", "passport_name"}, {"subject.passport", "passport_name"}, {"doses", "doses"},
	{"product.maker", "maker"}, {"product", "product"}, {"vaccinated_on", "vaccinated_on"}, {"valid_from", "valid_from"}, {"lot", "lot"}, {"clinician", "clinician"},
}

// rowOf finds the row and the dose that a fault is about.
func rowOf(f *fault.Error, c certificate.Certificate) (field string, dose int) {
	about := f.Field
	if list, rest, ok := strings.Cut(about, "]"); ok && strings.HasPrefix(list, "doses[") {
		n, err := strconv.Atoi(strings.TrimPrefix(list, "doses["))
		switch {
		case err != nil:
		case f.Key == "dose_not_certifiable": // of one that the certificate does not have
			return "product", n
		case n < len(c.Doses):
			dose, about = c.Doses[n].Number, strings.TrimPrefix(rest, ".")
		}
	}
	for _, pair := range rowsOfFields {
		if !strings.HasPrefix(about, pair[0]) {
			continue
		}
		if strings.HasSuffix(pair[1], ".") {
			about = pair[1] + strings.TrimPrefix(about, pair[0])
			continue
		}
		return pair[1], dose
	}
	return "", dose
}
