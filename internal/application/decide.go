package application

import (
	"slices"
	"strings"

	"akashi/certificate"
	"akashi/internal/clock"
	"akashi/internal/office"
	"akashi/internal/vaccination"
	"akashi/passport"
)

// evidence is what the checks found, for one decision.
type evidence struct {
	office  office.Office
	form    Form
	reading *passport.Reading // nil without a passport
	answer  vaccination.Answer
	today   clock.Date
}

// reasons returns why an application is held; none means that it is approved by rule.
func (e evidence) reasons() []Reason {
	list := e.formal()
	e.record(holding(&list))
	return list
}

// holding adds reasons to a list, each once.
func holding(list *[]Reason) func(code, detail string) {
	return func(code, detail string) {
		if r := reason(code, detail); !slices.Contains(*list, r) {
			*list = append(*list, r)
		}
	}
}

// formal returns the reasons that need no register.
func (e evidence) formal() (list []Reason) {
	hold := holding(&list)
	if !e.office.Settings.IsOpen(e.form.Kind) {
		hold("office_closed", "")
	}
	if !e.office.Settings.AutoApprove {
		hold("automatic_approval_off", "")
	}
	if a := e.form.Applicant; a.Relationship != Self && a.Proof == "" {
		hold("proof_missing", "")
	}
	if !e.identified() {
		hold("identity_unseen", "")
	}
	if e.form.Subject.Former != "" || (e.form.Passport != nil && e.form.Passport.Alternative != passport.AlternativeNames{}) {
		hold("other_name_to_confirm", "") // no check digit and no register vouches for them
	}
	if e.form.Kind.ShowsPassport() {
		e.passport(hold)
	}
	if e.form.Kind == certificate.International && e.form.Subject.Guardian == "" && certificate.Minor(e.form.Subject.BirthDate, e.today) {
		hold("guardian_missing", "")
	}
	return list
}

// identityDocuments tell who somebody is; of the individual number see numberDocuments.
var identityDocuments = []string{"my_number_card", "driving_licence", "passport", "residence_card", "health_insurance", "other_identity"}

// identified tells whether it was seen who applies: by a document that is
// marked, or by the own passport that was read at the counter. A form that does not say
// what was seen, as of a file, is not judged by it.
func (e evidence) identified() bool {
	f := e.form
	if f.Documents == nil || slices.ContainsFunc(f.Documents, func(d string) bool { return slices.Contains(identityDocuments, d) }) {
		return true
	}
	return f.Channel == Counter && f.Applicant.Relationship == Self && e.reading != nil && !e.reading.Refused()
}

func (e evidence) passport(hold func(code, detail string)) {
	if e.reading == nil {
		hold("passport_missing", "")
		return
	}
	if !IsPassport(e.reading) {
		hold("not_a_passport", "")
		return
	}
	for _, f := range e.reading.Findings {
		switch {
		case f.Code == passport.CodeExpired:
			hold("passport_expired", "")
		case f.Severity == passport.Refuse:
			hold("passport_unreadable", f.Field)
		case f.Severity == passport.Warn && !e.reading.Refused(): // it has to be read again anyway
			hold("passport_to_confirm", f.Field)
		}
	}
	d := e.reading.Document
	if !e.reading.Refused() && d.DataPageName.Primary != "" && passport.CompareNames(d.MRZName, d.DataPageName, d.Alternative).Grade == passport.Different {
		hold("passport_to_confirm", passport.FieldName)
	}
}

func (e evidence) record(hold func(code, detail string)) {
	switch e.answer.Outcome {
	case vaccination.Unavailable:
		hold("record_unavailable", "")
		return
	case vaccination.None:
		hold("record_not_found", "")
		return
	case vaccination.Ambiguous:
		hold("record_ambiguous", "")
		return
	}
	subject := e.answer.Person.Subject
	switch {
	case e.answer.Chosen:
		hold("record_chosen", "")
	case e.answer.Certainty != vaccination.Exact:
		hold("record_not_exact", string(e.answer.Certainty))
	}
	switch subject.Status {
	case vaccination.Protected:
		hold("protected_person", "")
	case vaccination.Deceased:
		hold("deceased", "")
	}
	for _, a := range e.answer.Anomalies {
		switch {
		case a.Code == "birth_date_incomplete":
			hold("birth_date_incomplete", "")
		case slices.Contains(uncertifiable, a.Code):
			hold("dose_not_certifiable", a.Code)
		case a.Severity == vaccination.Block:
			hold("record_anomaly", a.Code)
		default:
			hold("record_warning", a.Code)
		}
	}
	if e.form.Kind.ShowsPassport() && e.reading != nil && !e.reading.Refused() {
		e.samePerson(subject, hold)
	}
}

// IsPassport tells whether a zone is of a passport book or another travel
// document of its form; a visa or an identity card is not enough
// (certificate-japan.md 2). A zone that cannot be read is judged by its findings.
func IsPassport(r *passport.Reading) bool {
	return r.DocumentFormat == "" || r.DocumentFormat == passport.TD3 && strings.HasPrefix(r.Code, "P")
}

// uncertifiable anomalies leave nothing that a code could say about the dose.
var uncertifiable = []string{
	"date_missing", "lot_missing", "product_missing", "number_duplicate", "maker_mismatch",
	"product_unknown", "product_ambiguous", "product_assumed", "product_not_certifiable", "product_no_code",
}

// Certifiable tells whether a dose with this anomaly can stand on a certificate at all.
func Certifiable(anomaly string) bool { return !slices.Contains(uncertifiable, anomaly) }

// samePerson compares passport and register. Passport names are romanised by
// other rules than a register's, so a difference is a question to a person,
// never a refusal (mrz-and-emrtd.md 6).
func (e evidence) samePerson(s vaccination.Subject, hold func(code, detail string)) {
	d := e.reading.Document
	if d.BirthDate.Full() && s.BirthDate.Full() && d.BirthDate != s.BirthDate {
		hold("birth_date_differs", "")
	}
	if (d.Sex == "M" && s.Sex == vaccination.Female) || (d.Sex == "F" && s.Sex == vaccination.Male) {
		hold("sex_differs", "")
	}
	kana := passport.Name{Primary: s.FamilyKana, Secondary: s.GivenKana}
	if s.FamilyKana == "" || !sameSpelling(passport.CompareKana(kana, d.MRZName)) {
		hold("name_to_confirm", "")
	}
}

// spellings are reasons for which one name is written in two ways; any other
// reason is for a person to judge.
var spellings = []string{
	passport.ReasonTransliteration, passport.ReasonHyphen, passport.ReasonPunctuation, passport.ReasonSpacing,
	passport.ReasonLongVowel, passport.ReasonTruncated,
}

func sameSpelling(c passport.Comparison) bool {
	if c.Grade == passport.Different {
		return false
	}
	for _, r := range c.Reasons {
		if !slices.Contains(spellings, r.Code) {
			return false
		}
	}
	return true
}

// next is the state that follows from the reasons.
func next(reasons []Reason) State {
	if len(reasons) == 0 {
		return Approved
	}
	supply := true
	for _, r := range reasons {
		if r.Code == "record_unavailable" {
			return Checking
		}
		supply = supply && r.Weight == Supply
	}
	if supply {
		return NeedsInfo
	}
	return Review
}

// ReadPassport reads the zone of a form as of a date; nil without a passport.
func (f Form) ReadPassport(today clock.Date, test bool) *passport.Reading {
	if f.Passport == nil {
		return nil
	}
	r := passport.Parse(f.Passport.Zone.Reveal(), today, passport.Options{AllowSpecimen: test})
	r.Document.DataPageName, r.Document.Alternative = f.Passport.DataPageName, f.Passport.Alternative
	return &r
}
