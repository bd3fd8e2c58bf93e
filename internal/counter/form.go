package counter

import (
	"cmp"
	"net/url"
	"slices"
)

// Form is what somebody typed into a form, to be shown again with what is wrong.
type Form struct {
	Values url.Values
	Faults []Fault
	Key    string // idempotency key: a form sent twice acts once
}

// Fault is what is wrong with a field.
type Fault struct {
	Field  string // by the name that it has in the body of the API; empty: of none
	JA, EN string
}

// Value is what was typed into a field.
func (f Form) Value(name string) string { return f.Values.Get(name) }

// Has tells whether a list or a choice holds a value.
func (f Form) Has(name, value string) bool { return slices.Contains(f.Values[name], value) }

// Wrong is what is wrong with a field, by its name without the kind of its value; nil: nothing.
func (f Form) Wrong(name string) *Fault {
	if i := slices.IndexFunc(f.Faults, func(at Fault) bool { return name != "" && at.Field == name }); i >= 0 {
		return &f.Faults[i]
	}
	return nil
}

// Field names a field that is at fault; empty: none.
func (f Form) Field() string {
	for _, at := range f.Faults {
		if at.Field != "" {
			return at.Field
		}
	}
	return ""
}

// Place is where a fault is mended: the id of a field of the form of an application, and
// the key of its label.
type Place struct{ Field, ID, Label string }

// places are the fields of that form, from top to bottom; some faults are about several.
var places = []Place{
	{"subject", "subject.ticket_number", "new.person"},
	{"subject.ticket_number", "subject.ticket_number", "field.ticket"},
	{"subject.name.family", "subject.name.family", "field.family"},
	{"subject.name.given", "subject.name.given", "field.given"},
	{"subject.birth_date", "subject.birth_date", "field.birth_date"},
	{"subject.address_number", "subject.address_number", "field.address_number"},
	{"subject.former_name", "subject.former_name", "field.former_name"},
	{"passport", "passport.mrz", "new.passport"},
	{"passport.mrz", "passport.mrz", "field.zone"},
	{"passport.data_page_name.primary", "passport.data_page_name.primary", "field.primary"},
	{"passport.data_page_name.secondary", "passport.data_page_name.secondary", "field.secondary"},
	{"passport.alternative.former_surname", "passport.alternative.former_surname", "field.former_surname"},
	{"passport.alternative.surname", "passport.alternative.surname", "field.other_surname"},
	{"passport.alternative.given_name", "passport.alternative.given_name", "field.other_given"},
	{"programme", "programme", "field.programme"},
	{"subject.guardian", "subject.guardian", "field.guardian"},
	{"applicant.relationship", "applicant.relationship", "field.relationship"},
	{"applicant.name.family", "applicant.name.family", "field.applicant_family"},
	{"applicant.name.given", "applicant.name.given", "field.applicant_given"},
	{"applicant.proof", "applicant.proof", "field.proof"},
	{"postal.postal_code", "postal.postal_code", "field.postal_code"},
	{"postal.address", "postal.address", "field.postal_address"},
	{"postal.name", "postal.name", "field.postal_name"},
}

func (f Fault) place() int {
	return slices.IndexFunc(places, func(p Place) bool { return p.Field == f.Field })
}

// Place is where it is mended; nil where that is not known.
func (f Fault) Place() *Place {
	if i := f.place(); i >= 0 {
		return &places[i]
	}
	return nil
}

// InOrder sorts faults as their fields stand on the page.
func InOrder(faults []Fault) {
	slices.SortStableFunc(faults, func(a, b Fault) int { return cmp.Compare(a.place(), b.place()) })
}
