package server

import (
	"slices"

	"akashi/internal/application"
	"akashi/passport"
)

// zoneView is a machine readable zone for the eyes of the clerk: all that was read,
// whether it may be used or not, and what is wrong with it where it stands.
type zoneView struct {
	Refused  bool
	Passport bool // or another travel document of its form
	Fine     bool // nothing is wrong with it
	Rows     []zoneRow
	General  passport.Findings // about no row
	Sex      string
	Repaired []string
	born     string // that can be trusted; empty if none can
}

// zoneRow is one thing that a zone says.
type zoneRow struct {
	Name, Value string
	Findings    passport.Findings
	field       string // that findings name
}

// aboutBirth are the fields whose faults leave no date of birth to be trusted.
var aboutBirth = []string{passport.FieldBirthDate, passport.FieldZone, passport.FieldComposite, "line2"}

func (s *Server) readZone(text string) *zoneView {
	r := passport.Parse(text, s.Clock.Today(), passport.Options{AllowSpecimen: s.Applications.Test})
	d := r.Document
	v := &zoneView{Refused: r.Refused(), Passport: application.IsPassport(&r), Sex: d.Sex, Repaired: r.Repaired(), born: string(d.BirthDate)}
	if r.DocumentFormat != "" { // otherwise nothing was read
		v.Rows = []zoneRow{
			{Name: "primary", Value: d.MRZName.Primary, field: passport.FieldName},
			{Name: "secondary", Value: d.MRZName.Secondary},
			{Name: "number", Value: d.Number.Reveal(), field: passport.FieldNumber},
			{Name: "nationality", Value: d.Nationality, field: passport.FieldNationality},
			{Name: "birth_date", Value: string(d.BirthDate), field: passport.FieldBirthDate},
			{Name: "sex", Value: d.Sex, field: passport.FieldSex},
			{Name: "expiry", Value: string(d.Expiry), field: passport.FieldExpiry},
		}
	}
	for _, f := range r.Findings {
		if f.Severity == passport.Refuse && slices.Contains(aboutBirth, f.Field) {
			v.born = ""
		}
		v.place(f)
	}
	v.Fine = v.Passport && len(r.Findings) == 0
	return v
}

// place puts a finding at the row that it is about. What should stand there is told of a
// check digit and the length of a line: elsewhere the sentence does.
func (v *zoneView) place(f passport.Finding) {
	if f.Code != passport.CodeCheckDigit && (f.Code != passport.CodeLength || f.Field == passport.FieldZone) {
		f.Expected = ""
	}
	at := slices.IndexFunc(v.Rows, func(r zoneRow) bool { return r.field == f.Field })
	if at < 0 {
		v.General = append(v.General, f)
		return
	}
	row := &v.Rows[at]
	if f.Read == row.Value {
		f.Read = ""
	}
	row.Findings = append(row.Findings, f)
}
