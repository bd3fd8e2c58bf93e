package hcert

import (
	"cmp"
	"slices"
	"strings"
	"time"

	"akashi/certificate/catalogue"
	"akashi/internal/clock"
	"akashi/passport"
)

// ICVP is a digital International Certificate of Vaccination or Prophylaxis: one person, one
// dose (spec who-icvp-gdhcn, 2). Three generations of the payload are read into it.
type ICVP struct {
	Generation     int    // 1: samples of 2024; 2: October 2025; 3: April 2026, which is written
	Template       string // version of the template; generation 3 only
	Name           string
	BirthDate      clock.Date
	Sex            string // male, female, other or unknown; empty when not stated
	Nationality    string // three letters; two in generation 1
	DocumentType   string // HL7 table 0203: PPN is a passport; generation 2 and 3
	DocumentNumber passport.Number
	Guardian       string
	Product        string // code of the product; ICD-11 or SNOMED in generation 1
	Disease        string // ICD-11, as stated; generation 1 only
	Date           clock.Date
	DoseNumber     string // generation 1 only
	Batch          string
	Clinician      string
	Authority      string // GDHCN participant in generation 3, free text before
	StatedUntil    string // as stated before generation 3; rules decide, not this
}

// PassportDocument is the document type of a passport.
const PassportDocument = "PPN"

// TemplateVersion is the version of the template that we write; others that are known.
const TemplateVersion = "1.0.0"

// Notes on an ICVP.
const (
	NoteOldGeneration   = "old_generation"     // a draft of before April 2026
	NoteUnknownTemplate = "unknown_template"   // read by the latest known rules: ask a person
	NoteAfterIssue      = "dose_after_issue"   // a dose that was given after the certificate was made
	NoteBeforeApproval  = "before_approval"    // WHO approved the product after the dose
	NoteNoGuardian      = "no_guardian"        // of a minor
	NoteNoDocument      = "no_travel_document" // nothing to compare with the passport
)

// adult is the age from which no guardian is named.
const adult = 18

// readICVP reads sub-claim -6. The error says which part is missing or cannot be read.
func readICVP(v any) (*ICVP, error) {
	values, ok := v.(table)
	if !ok {
		return nil, fail(StepContent, "not_a_map", "")
	}
	top := fields{"", values}
	c := &ICVP{Name: top.text("n"), Sex: sexOf(top.text("s")), Guardian: top.text("gn")}
	birth := top.day("dob")
	var given string
	var dose fields
	if _, older := values["v"].(table); older {
		dose, given = c.readOlder(top)
	} else {
		dose, given = c.readThird(top)
	}
	c.Product, c.Batch, c.Clinician, c.Authority = dose.text("vp"), dose.text("bo"), dose.text("cn"), dose.text("is")
	var err error
	if c.BirthDate, err = clock.ParseDate(birth); err != nil && birth != "" {
		return c, fail(StepContent, "not_a_date", "dob")
	}
	if c.Date, err = clock.ParseDate(given); given != "" && (err != nil || !c.Date.Full()) {
		return c, fail(StepContent, "not_a_date", dose.path+"dv")
	}
	return c, c.complete()
}

// readOlder reads the first two generations, in which v is the dose.
func (c *ICVP) readOlder(top fields) (dose fields, given string) {
	dose = top.child("v")
	c.Generation = 2
	if slices.ContainsFunc([]string{"tg", "ma", "mp", "mid", "dn"}, dose.has) {
		c.Generation = 1
	}
	c.Nationality, c.DocumentType, c.DocumentNumber = top.text("ntl"), top.text("ndt"), passport.NewNumber(top.text("nid"))
	c.Disease, c.DoseNumber, c.StatedUntil = dose.text("tg"), dose.text("dn"), dose.text("vle")
	return dose, dose.day("dt")
}

// readThird reads the generation of April 2026. An intermediate draft, and one of
// its pages, say dt for the date of the dose.
func (c *ICVP) readThird(top fields) (dose fields, given string) {
	dose = top.child("vx")
	c.Generation, c.Template = 3, top.text("v")
	c.Nationality, c.DocumentType, c.DocumentNumber = top.text("nt"), top.text("dt"), passport.NewNumber(top.text("id"))
	if given = dose.day("dv"); given == "" {
		given = dose.day("dt")
	}
	return dose, given
}

// sexOf maps what is in use to the words of the data dictionary.
func sexOf(s string) string {
	switch strings.ToLower(s) {
	case "m", "male":
		return "male"
	case "f", "female":
		return "female"
	case "":
		return ""
	case "other":
		return "other"
	}
	return "unknown" // such as X
}

// complete tells which required part is missing, by its name in generation 3. The older
// generations demanded fewer.
func (c *ICVP) complete() error {
	parts := []struct {
		field string
		there bool
		since int // generation
	}{
		{"n", c.Name != "", 1}, {"dob", c.BirthDate != "", 1}, {"vx.vp", c.Product != "", 1}, {"vx.dv", c.Date != "", 1},
		{"vx.bo", c.Batch != "", 2}, {"vx.cn", c.Clinician != "" || c.Authority != "", 2},
		{"s", c.Sex != "", 3}, {"nt", c.Nationality != "", 3}, {"v", c.Template != "", 3}, {"dob", c.BirthDate.Full(), 3},
	}
	for _, p := range parts {
		if !p.there && c.Generation >= p.since {
			return fail(StepContent, "incomplete", p.field)
		}
	}
	return nil
}

// Validity is what the rules make of a dose (decision tables ICVP.DT.1 and DT.2).
type Validity struct {
	Product catalogue.Prophylactic
	From    clock.Date // first day; the end is that of life
}

// Validity computes from when on the certificate holds, which no payload states: 10 days
// after a dose against yellow fever, at once against polio, both for life. An end stated
// by an old card does not count (IHR Annex 7). The error is an *Error of
// StepContent: product_not_in_catalogue.
func (c *ICVP) Validity() (Validity, error) {
	product, _, ok := catalogue.ICVPProducts().Find(c.Product)
	if !ok {
		return Validity{}, fail(StepContent, "product_not_in_catalogue", "vx.vp")
	}
	v := Validity{Product: product}
	if v.From, ok = catalogue.ICVPProducts().ValidFrom(product.Disease, c.Date); !ok {
		return v, fail(StepContent, "not_a_date", "vx.dv")
	}
	return v, nil
}

// CheckDose applies the rules at a time. Errors are *Error of StepContent: future_event,
// product_not_in_catalogue, or too_recent, when Validity tells the first day.
func (c *ICVP) CheckDose(at time.Time) error {
	today := clock.Date(at.UTC().Add(earliestZone).Format(time.DateOnly))
	v, err := c.Validity()
	switch {
	case c.Date > today:
		return fail(StepContent, "future_event", "vx.dv")
	case err != nil:
		return err
	case v.From > today:
		return fail(StepContent, "too_recent", "vx.dv")
	}
	return nil
}

// PolioForDeparture tells whether a polio dose meets the standing recommendation for
// residents of infected States: 4 weeks to 12 months before departure, or, when the
// journey is urgent, at the latest by then. It is a rule of the journey, not of the certificate.
func PolioForDeparture(dose, departure clock.Date, urgent bool) bool {
	if !dose.Full() || !departure.Full() || dose > departure {
		return false
	}
	oldest := clock.Date(departure.Time().AddDate(-1, 0, 0).Format(time.DateOnly))
	return dose >= oldest && (urgent || dose.AddDays(28) <= departure)
}

// notes are what is remarkable about the content, which was issued on that day.
func (c *ICVP) notes(issuedOn clock.Date) (notes []string) {
	on := cmp.Or(issuedOn, c.Date) // who is of age when it is issued signs alone
	product, _, known := catalogue.ICVPProducts().Find(c.Product)
	for _, n := range []struct {
		note string
		is   bool
	}{
		{NoteOldGeneration, c.Generation < 3},
		{NoteUnknownTemplate, c.Template != "" && c.Template != TemplateVersion},
		{NoteAfterIssue, issuedOn != "" && c.Date > issuedOn.AddDays(1)},
		{NoteBeforeApproval, known && c.Date != "" && c.Date < product.Prequalified},
		{NoteNoGuardian, c.Guardian == "" && c.BirthDate.Full() && on.Full() && c.BirthDate.YearsUntil(on) < adult},
		{NoteNoDocument, c.DocumentNumber.Reveal() == ""},
	} {
		if n.is {
			notes = append(notes, n.note)
		}
	}
	return notes
}
