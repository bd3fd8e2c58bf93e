package certificate

import (
	"regexp"
	"strings"
	"unicode"

	"akashi/certificate/catalogue"
	"akashi/internal/clock"
)

// Sex in the words of the international certificate (spec who-icvp-gdhcn, 2).
type Sex string

const (
	Male    Sex = "male"
	Female  Sex = "female"
	Other   Sex = "other"
	Unknown Sex = "unknown" // also an X of a passport
)

// SexOf reads the letter of a passport.
func SexOf(letter string) Sex {
	switch letter {
	case "M":
		return Male
	case "F":
		return Female
	}
	return Unknown
}

// The one text for the end of a certificate that has none (IHR, Annex 7).
const (
	ForLife   = "life of person vaccinated"
	ForLifeFR = "vie entière du sujet vacciné"
)

// adultAge is the age from which no guardian is named.
const adultAge = 18

// Minor tells whether somebody born on a date needs a guardian on another.
func Minor(birth, on clock.Date) bool { return birth.Full() && birth.YearsUntil(on) < adultAge }

// TravelName is the name as the travel document has it, in its order: that of the data
// page where it is in Latin letters, else that of the zone.
func (s Subject) TravelName() string {
	if s.Passport == nil {
		return ""
	}
	page := WholeName(s.Passport.DataPageName)
	if IsLatin(page) {
		return page
	}
	return WholeName(s.Passport.MRZName)
}

// Nationality is the ISO 3166-1 code of three letters; where Doc 9303 has a code of its own,
// that of the country it belongs to.
func (s Subject) Nationality() string {
	if s.Passport == nil {
		return ""
	}
	switch code := s.Passport.Nationality; code {
	case "D":
		return "DEU"
	case "GBD", "GBN", "GBO", "GBP", "GBS":
		return "GBR"
	default:
		return code
	}
}

// IsLatin tells whether a name can stand in the required fields of an international
// certificate: at most 100 Latin letters, marks of names and single blanks (spec
// who-icvp-gdhcn, 2).
func IsLatin(s string) bool {
	length, last := 0, ' '
	for _, r := range s {
		length++
		switch {
		case unicode.Is(unicode.Latin, r) || unicode.Is(unicode.Mn, r):
		case r == ' ' && last != ' ', r == '-', r == '\'', r == '.', r == ',', r == '’':
		default:
			return false
		}
		last = r
	}
	return length > 0 && length <= maxName && last != ' '
}

var alpha3Form = regexp.MustCompile(`^[A-Z]{3}$`)

// international checks what only an international certificate has. The comments give the
// member of the payload that a rule is of (spec who-icvp-gdhcn, 2).
func (l *linter) international(c Certificate) {
	s := c.Subject
	if c.Kind != International {
		l.rule(s.Sex == "" && s.Guardian == "" && c.Participant == "", "kind", "only_international")
		return
	}
	l.rule(s.Passport == nil || IsLatin(s.TravelName()), "subject.passport.name", "not_latin") // n
	l.rule(s.Sex == Male || s.Sex == Female || s.Sex == Other || s.Sex == Unknown, "subject.sex", "form")
	l.rule(s.Passport == nil || alpha3Form.MatchString(s.Nationality()), "subject.passport.nationality", "form") // nt
	l.rule(s.Guardian != "" || !Minor(s.BirthDate, c.IssuedOn), "subject.guardian", "required")                  // gn
	l.rule(s.Guardian == "" || IsLatin(s.Guardian), "subject.guardian", "not_latin")
	l.form("participant", c.Participant, alpha3Form) // is
}

func (l *linter) internationalDose(field string, d Dose) {
	product, _, known := catalogue.ICVPProducts().Find(d.Product.ICVP)
	l.rule(known && product.Code == d.Product.ICVP, field+".product.icvp", "product_not_in_catalogue") // vp
	l.rule(d.VaccinatedOn >= product.Prequalified, field+".vaccinated_on", "before_approval")          // dv
	l.rule(strings.TrimSpace(d.Lot) == d.Lot, field+".lot", "form")                                    // bo
	l.rule(d.Clinician == "" || IsLatin(d.Clinician), field+".clinician", "not_latin")                 // cn
	from, ok := catalogue.ICVPProducts().ValidFrom(d.Product.Disease, d.VaccinatedOn)
	l.rule(ok && d.ValidFrom == from, field+".valid_from", "differs_from_rule")
}
