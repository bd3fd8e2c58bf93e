package application

import (
	"cmp"
	"errors"
	"regexp"
	"strings"

	"akashi/internal/fault"
	"akashi/internal/vaccination"
)

// Postal is where a certificate is sent that was applied for by mail: the address of the
// identity document (certificate-japan.md 7).
type Postal struct {
	Code    string `json:"postal_code,omitempty"` // seven digits; empty abroad
	Address string `json:"address"`
	Name    string `json:"name,omitempty"` // empty: the applicant
}

const (
	maxAddress   = 100 // characters
	maxAddressee = 60
)

var postalCode = regexp.MustCompile(`^[0-9]{3}-?[0-9]{4}$`)

// PostalCode is the code as it is written, such as 100-0001; empty if there is none.
func (p Postal) PostalCode() string {
	code := strings.ReplaceAll(vaccination.FoldWidth(strings.TrimSpace(p.Code)), "-", "")
	if len(code) != 7 {
		return ""
	}
	return code[:3] + "-" + code[3:]
}

func (f Form) checkPostal() error {
	p := f.Postal
	if p == nil {
		return nil
	}
	bad := func(field, key string) error { return fault.New(fault.Invalid, key, "postal."+field) }
	switch {
	case f.Channel != Mail:
		return fault.New(fault.Invalid, "only_mail", "postal")
	case blank(p.Address):
		return bad("address", "required")
	case len([]rune(p.Address)) > maxAddress:
		return bad("address", "too_long")
	case len([]rune(p.Name)) > maxAddressee:
		return bad("name", "too_long")
	case p.Code != "" && !postalCode.MatchString(vaccination.FoldWidth(strings.TrimSpace(p.Code))):
		return bad("postal_code", "postal_code")
	}
	return cmp.Or(at("postal.address", vaccination.CheckText(p.Address)), at("postal.name", vaccination.CheckText(p.Name)))
}

// checkNames refuses what cannot be a name, in whichever way the form came.
func (f Form) checkNames() error {
	names := []struct{ field, name string }{
		{"applicant.name.family", f.Applicant.Name.Family}, {"applicant.name.given", f.Applicant.Name.Given},
		{"subject.name.family", f.Subject.Name.Family}, {"subject.name.given", f.Subject.Name.Given},
		{"subject.former_name", f.Subject.Former}, {"subject.guardian", f.Subject.Guardian},
	}
	if p := f.Passport; p != nil {
		names = append(names, []struct{ field, name string }{
			{"passport.data_page_name.primary", p.DataPageName.Primary}, {"passport.data_page_name.secondary", p.DataPageName.Secondary},
			{"passport.alternative.former_surname", p.Alternative.FormerSurname},
			{"passport.alternative.surname", p.Alternative.Surname}, {"passport.alternative.given_name", p.Alternative.GivenName},
		}...)
	}
	var faults []error
	for _, n := range names {
		faults = append(faults, at(n.field, vaccination.CheckName(n.name)))
	}
	return errors.Join(faults...)
}

// at names the field that a fault is about.
func at(field string, err error) error {
	var bad *fault.Error
	if errors.As(err, &bad) {
		return fault.New(bad.Code, bad.Key, field)
	}
	return err
}
