package certificate

import (
	"fmt"
	"regexp"
	"unicode"
	"unicode/utf8"

	"akashi/certificate/catalogue"
	"akashi/internal/clock"
)

// Finding is one rule that a certificate breaks. It names the field, never its value.
type Finding struct {
	Field string `json:"field"` // such as "doses[1].lot"
	Code  string `json:"code"`  // such as "required"
}

func (f Finding) String() string { return f.Field + " " + f.Code }

var (
	idForm     = regexp.MustCompile(`^[2-9A-HJ-NP-Z]{12}$`)
	aiForm     = regexp.MustCompile(`^JPN[0-9]{6}[0-9]{8}[0-9]{6}$`)
	officeForm = regexp.MustCompile(`^[0-9]{6}$`)
	stateForm  = regexp.MustCompile(`^[A-Z]{1,3}$`)
	numberForm = regexp.MustCompile(`^[A-Z0-9]{1,11}$`)
	lotForm    = regexp.MustCompile(`^[ -~]{1,20}$`)
)

// programmeStart is when vaccination under a programme began; an earlier dose is
// a wrong record (certificate-japan.md 9).
var programmeStart = map[string]clock.Date{"covid19": "2021-02-17", catalogue.YellowFeverProgramme: "", catalogue.PolioProgramme: ""}

// Lint checks the content of a certificate before anything is made from it
// (design 2, step 5; S-057) and reports every broken rule.
func (c Certificate) Lint() []Finding {
	var l linter
	l.form("id", c.ID, idForm)
	l.form("ai", c.AI, aiForm)
	l.form("office", c.Office, officeForm)
	l.rule(c.Kind.Families() != nil, "kind", "unknown")
	start, known := programmeStart[c.Programme]
	l.rule(known && catalogue.IsInternational(c.Programme) == (c.Kind == International), "programme", "unknown")
	l.rule(!c.EU || c.Kind == Travel, "eu", "only_for_travel")
	l.rule(!c.IssuedAt.IsZero() && c.IssuedAt.Nanosecond() == 0, "issued_at", "whole_seconds")
	l.rule(c.IssuedOn == clock.DateOf(c.IssuedAt), "issued_on", "differs_from_issued_at")
	l.rule(c.AI == "" || len(c.AI) != 23 || c.AI[3:17] == c.Office+compact(c.IssuedOn), "ai", "differs_from_office_or_date")
	l.rule(len(c.Issuer.Japanese) > 0 && len(c.Issuer.English) > 0, "issuer", "required")
	l.rule(c.Layout != "", "layout", "required")
	l.rule(c.Catalogue != "", "catalogue", "required")
	l.rule(c.Supersedes != c.ID, "supersedes", "itself")
	l.subject(c)
	l.international(c)
	l.rule(len(c.Doses) > 0, "doses", "required")
	l.rule(len(c.Doses) <= MaxDoses, "doses", "too_many")
	l.rule(c.MoreDoses >= 0 && (c.MoreDoses == 0 || len(c.Doses) == MaxDoses), "more_doses", "doses_left_out")
	for i, d := range c.Doses {
		l.dose(fmt.Sprintf("doses[%d]", i), d, c, start)
		if i > 0 {
			l.rule(c.Doses[i-1].Number < d.Number, fmt.Sprintf("doses[%d].number", i), "not_ascending")
			l.rule(c.Doses[i-1].VaccinatedOn <= d.VaccinatedOn, fmt.Sprintf("doses[%d].vaccinated_on", i), "not_ascending")
		}
	}
	return l.findings
}

type linter struct{ findings []Finding }

func (l *linter) rule(ok bool, field, code string) {
	if !ok {
		l.findings = append(l.findings, Finding{field, code})
	}
}

func (l *linter) form(field, value string, form *regexp.Regexp) {
	l.rule(form.MatchString(value), field, "form")
}

func (l *linter) date(field string, d clock.Date) bool {
	_, err := clock.ParseDate(string(d))
	l.rule(err == nil && d.Full(), field, "full_date_required")
	return err == nil && d.Full()
}

func (l *linter) subject(c Certificate) {
	s := c.Subject
	l.name("subject.name.family", s.Name.Family, true)
	l.name("subject.name.given", s.Name.Given, false)
	l.name("subject.former", s.Former, false)
	if l.date("subject.birth_date", s.BirthDate) {
		l.rule(s.BirthDate <= c.IssuedOn, "subject.birth_date", "in_future")
	}
	l.rule((s.Passport != nil) == c.Kind.ShowsPassport(), "subject.passport", "only_for_travel")
	p := s.Passport
	if p == nil {
		return
	}
	l.form("subject.passport.number", p.Number.Reveal(), numberForm)
	l.form("subject.passport.nationality", p.Nationality, stateForm)
	l.name("subject.passport.mrz_name.primary", p.MRZName.Primary, true)
	l.name("subject.passport.mrz_name.secondary", p.MRZName.Secondary, false)
	l.name("subject.passport.data_page_name.primary", p.DataPageName.Primary, false)
	l.name("subject.passport.data_page_name.secondary", p.DataPageName.Secondary, false)
	for field, value := range map[string]string{
		"former_surname": p.Alternative.FormerSurname, "surname": p.Alternative.Surname, "given_name": p.Alternative.GivenName,
	} {
		l.name("subject.passport.alternative."+field, value, false)
	}
	l.rule(p.Expiry >= c.IssuedOn, "subject.passport.expiry", "expired")
	l.rule(p.BirthDate == "" || !p.BirthDate.Full() || p.BirthDate == s.BirthDate, "subject.passport.birth_date", "differs_from_register")
}

// maxName bounds a name in code points; real names are far shorter.
const maxName = 100

// name refuses what is not text: controls, marks of direction, private use (S-035).
func (l *linter) name(field, value string, required bool) {
	l.rule(!required || value != "", field, "required")
	l.rule(utf8.ValidString(value), field, "not_utf8")
	l.rule(utf8.RuneCountInString(value) <= maxName, field, "too_long")
	for _, r := range value {
		if unicode.In(r, unicode.Cc, unicode.Cf, unicode.Co, unicode.Cs) {
			l.rule(false, field, "character")
			return
		}
	}
}

func (l *linter) dose(field string, d Dose, c Certificate, start clock.Date) {
	l.rule(d.Number >= 1 && d.Number <= 99, field+".number", "range")
	if l.date(field+".vaccinated_on", d.VaccinatedOn) {
		l.rule(d.VaccinatedOn >= start, field+".vaccinated_on", "before_programme")
		l.rule(d.VaccinatedOn <= c.IssuedOn, field+".vaccinated_on", "in_future")
		l.rule(d.VaccinatedOn >= c.Subject.BirthDate, field+".vaccinated_on", "before_birth")
	}
	l.form(field+".lot", d.Lot, lotForm)
	l.form(field+".country", d.Country, stateForm)
	l.rule(d.Product.Certifiable, field+".product", "not_certifiable")
	l.rule(d.Product.Programme == c.Programme, field+".product", "other_programme")
	for name, value := range map[string]string{
		"name_ja": d.Product.NameJA, "name_en": d.Product.NameEN, "maker_ja": d.Product.MakerJA, "maker_en": d.Product.MakerEN,
		"type_ja": d.Product.TypeJA, "type_en": d.Product.TypeEN,
	} {
		l.rule(value != "", field+".product."+name, "required")
	}
	if c.Kind == International {
		l.internationalDose(field, d)
		return
	}
	l.rule(d.Product.CVX != "", field+".product.cvx", "required")
	l.rule(d.Clinician == "" && d.ValidFrom == "", field, "only_international")
}

// compact turns 2021-12-09 into 20211209.
func compact(d clock.Date) string {
	if !d.Full() {
		return ""
	}
	return string(d[:4] + d[5:7] + d[8:])
}

// AIOf builds the additional identifier of VDS-NC in the specimen's form (certificate-japan.md 4).
func AIOf(office string, on clock.Date, number int) string {
	return fmt.Sprintf("JPN%s%s%06d", office, compact(on), number)
}

var formOfAI = regexp.MustCompile(`^JPN\d{6}(\d{4})(\d{2})(\d{2})\d{6}$`)

// DayOfAI returns the day of issue that an identifier of AIOf tells; empty for
// another one.
func DayOfAI(ai string) clock.Date {
	m := formOfAI.FindStringSubmatch(ai)
	if m == nil {
		return ""
	}
	day, err := clock.ParseDate(m[1] + "-" + m[2] + "-" + m[3])
	if err != nil {
		return ""
	}
	return day
}
