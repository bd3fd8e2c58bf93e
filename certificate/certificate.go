// Package certificate is the vaccination certificate itself: an immutable value
// composed once, from which every code and the printed page are made.
//
// It does no I/O and knows no clock, no database and no paper. What a field may
// hold is checked by Lint; the labels are in the page's catalogues.
package certificate

import (
	"time"

	"akashi/certificate/catalogue"
	"akashi/internal/clock"
	"akashi/passport"
)

// Kind is one of the two Japanese forms (certificate-japan.md 2), or the yellow card.
type Kind string

const (
	Domestic Kind = "domestic" // 日本国内用: no passport, SHC
	Travel   Kind = "travel"   // 海外用及び日本国内用: passport, VDS-NC and SHC
	// International is the International Certificate of Vaccination or Prophylaxis
	// (IHR, Annex 6) against one disease: passport, one ICVP code for each dose.
	International Kind = "icvp"
)

// Kinds are all kinds that are issued.
func Kinds() []Kind { return []Kind{Domestic, Travel, International} }

// Family is a family of signed codes.
type Family string

const (
	SHC   Family = "shc"
	VDSNC Family = "vdsnc"

	// Contents of an HC1 code.
	HCERT      Family = "hcert" // one that could not be read so far as to tell
	DCC        Family = "dcc"   // EU Digital COVID Certificate
	ICVP       Family = "icvp"  // digital yellow card
	DDCC       Family = "ddcc"  // core data set of WHO; read only
	HealthLink Family = "health_link"

	DIVOC Family = "divoc" // India's platform; read only
)

// HasStatus tells whether a code of the family carries an identifier of its own
// by which it can be revoked: rid of an SHC, cti of an HC1 code. VDS-NC has none.
func (f Family) HasStatus() bool { return f == SHC || f == DCC || f == ICVP }

// Families returns the code families that every certificate of a kind has, in printing order.
func (k Kind) Families() []Family {
	switch k {
	case Travel:
		return []Family{VDSNC, SHC}
	case Domestic:
		return []Family{SHC}
	case International:
		return []Family{ICVP}
	}
	return nil
}

// ShowsPassport tells whether certificates of the kind name a passport.
func (k Kind) ShowsPassport() bool { return k == Travel || k == International }

// Code names one code of a certificate.
type Code struct {
	Family Family
	Dose   int // number of the one dose that it shows; 0: it shows all
}

// Codes returns what codes the certificate has, in printing order.
func (c Certificate) Codes() []Code {
	codes := make([]Code, 0, MaxDoses)
	if c.Kind == International {
		for _, d := range c.Doses {
			codes = append(codes, Code{ICVP, d.Number})
		}
		return codes
	}
	for _, f := range c.Kind.Families() {
		codes = append(codes, Code{Family: f})
	}
	if c.EU && len(c.Doses) > 0 {
		codes = append(codes, Code{DCC, c.Doses[len(c.Doses)-1].Number})
	}
	return codes
}

// MaxDoses is the number of doses on one sheet: the latest five.
const MaxDoses = 5

// Name is a name in the original script, family and given name kept apart.
// A person with one name has it in Family.
type Name struct {
	Family string `json:"family"`
	Given  string `json:"given,omitempty"`
}

// Subject is the person certified, as printed.
type Subject struct {
	Name      Name               // as registered; never normalised
	BirthDate clock.Date         // full date
	Passport  *passport.Document // not on a domestic one
	Former    string             // 旧姓, printed beside the family name; may be empty

	// International only.
	Sex      Sex    `json:",omitempty"`
	Guardian string `json:",omitempty"` // parent or guardian of a minor, in Latin letters
}

// Dose is one vaccination as printed.
type Dose struct {
	Number       int // as recorded, never renumbered
	VaccinatedOn clock.Date
	Product      catalogue.Product // as the catalogue had it when the certificate was composed
	Lot          string
	Country      string // Doc 9303 code, JPN

	// International only.
	Clinician string     `json:",omitempty"` // who supervised it, in Latin letters; may be empty
	ValidFrom clock.Date `json:",omitempty"` // first day on which the dose counts, by the rule of its disease; there is no last one
}

// Issuer names the authority in both languages, one line each.
type Issuer struct {
	Japanese []string `json:"ja"` // such as 架空県証市長, 日本国厚生労働大臣
	English  []string `json:"en"`
}

// Certificate is one issued or draft certificate.
type Certificate struct {
	Office     string // six-digit municipality code
	ID         string // UVCI, printed as 証明書ID: 12 characters
	AI         string // pid.ai of VDS-NC: JPN + office + YYYYMMDD + six digits
	Kind       Kind
	Programme  string     // such as "covid19"; of an international one its disease
	IssuedAt   time.Time  // UTC, whole seconds; nbf of the SHC
	IssuedOn   clock.Date // Japan's date of IssuedAt
	Subject    Subject
	Doses      []Dose // ascending by number, at most MaxDoses
	MoreDoses  int    // recorded doses before these that are not listed
	Issuer     Issuer
	Test       bool   // TEST identity: painted on all paper
	Layout     string // layout version of the page, such as "2026-11"
	Catalogue  string // version of the product catalogue used
	Supersedes string // ID of the certificate that this one replaces; may be empty

	EU          bool   `json:",omitempty"` // travel: also has an EU certificate of the latest dose
	Participant string `json:",omitempty"` // international: code of the authority in WHO's trust network, three letters
}
