package hcert

import (
	"encoding/hex"
	"regexp"
	"slices"
	"time"

	"akashi/certificate"
	"akashi/certificate/catalogue"
	"akashi/internal/clock"
	"akashi/internal/strictjson"
)

var (
	alpha3Form   = regexp.MustCompile(`^[A-Z]{3}$`)
	documentForm = regexp.MustCompile(`^[A-Z0-9]{1,20}$`)
	batchForm    = regexp.MustCompile(`^[!-~]([ -~]{0,38}[!-~])?$`)
	sexes        = map[string]bool{"male": true, "female": true, "other": true, "unknown": true}
)

// subclaimICVP is the number of the ICVP until WHO assigns a positive one.
const subclaimICVP = -6

// ICVPOf returns what the code of one dose of an international certificate says, by the
// number of the dose; false when it has no such dose.
func ICVPOf(c certificate.Certificate, dose int) (ICVP, bool) {
	at := slices.IndexFunc(c.Doses, func(d certificate.Dose) bool { return d.Number == dose })
	if c.Kind != certificate.International || c.Subject.Passport == nil || at < 0 {
		return ICVP{}, false
	}
	s, d := c.Subject, c.Doses[at]
	return ICVP{
		Generation: 3, Template: TemplateVersion, Name: s.TravelName(), BirthDate: s.BirthDate, Sex: string(s.Sex), Nationality: s.Nationality(),
		DocumentType: PassportDocument, DocumentNumber: s.Passport.Number, Guardian: s.Guardian,
		Product: d.Product.ICVP, Date: d.VaccinatedOn, Batch: d.Lot, Clinician: d.Clinician, Authority: c.Participant,
	}, true
}

// DraftICVP returns the bytes to sign of the certificate of one dose, in the payload of
// April 2026. Of c, what is of older generations must be empty. The same arguments give
// the same bytes. An error is an *Error of StepDraft that names the field and the reason.
//
// The expiry ends the signature, never the protection: the code is renewed before.
func DraftICVP(c ICVP, issuedAt time.Time, o Options) ([]byte, error) {
	product, _, known := catalogue.ICVPProducts().Find(c.Product)
	issuedOn := clock.DateOf(issuedAt)
	minor := c.BirthDate.Full() && c.BirthDate.YearsUntil(issuedOn) < adult
	document := c.DocumentNumber.Reveal()
	for _, rule := range []struct {
		ok          bool
		code, field string
	}{
		{c.Generation == 3 && c.Disease == "" && c.DoseNumber == "" && c.StatedUntil == "", "old_generation", "generation"},
		{certificate.IsLatin(c.Name), "not_latin", "n"},
		{isDay(string(c.BirthDate)), "not_a_full_date", "dob"},
		{c.BirthDate <= c.Date, "before_birth", "vx.dv"},
		{sexes[c.Sex], "form", "s"},
		{alpha3Form.MatchString(c.Nationality), "form", "nt"},
		{(document == "") == (c.DocumentType == ""), "missing", "id"},
		{document == "" || documentForm.MatchString(document), "form", "id"},
		{c.DocumentType == "" || documentForm.MatchString(c.DocumentType), "form", "dt"},
		{!minor || c.Guardian != "", "missing", "gn"},
		{c.Guardian == "" || certificate.IsLatin(c.Guardian), "not_latin", "gn"},
		{c.Template != "", "missing", "v"},
		{known && product.Code == c.Product, "product_not_in_catalogue", "vx.vp"},
		{isDay(string(c.Date)), "not_a_full_date", "vx.dv"},
		{c.Date <= issuedOn, "in_future", "vx.dv"},
		{c.Date >= product.Prequalified, "before_approval", "vx.dv"},
		{batchForm.MatchString(c.Batch), "form", "vx.bo"},
		{c.Clinician != "" || c.Authority != "", "missing", "vx.cn"},
		{c.Clinician == "" || certificate.IsLatin(c.Clinician), "not_latin", "vx.cn"},
		{c.Authority == "" || alpha3Form.MatchString(c.Authority), "form", "vx.is"},
	} {
		if !rule.ok {
			return nil, fail(StepDraft, rule.code, rule.field)
		}
	}
	validity, err := c.Validity()
	if err != nil {
		return nil, err
	}
	return draft(subclaimICVP, c.payload(), issuedAt, validity.From.Time(), o)
}

// payload writes the members of generation 3. What is empty is left out.
func (c ICVP) payload() table {
	dose := table{"vp": c.Product, "dv": string(c.Date), "bo": c.Batch}
	top := table{"n": c.Name, "dob": string(c.BirthDate), "s": c.Sex, "nt": c.Nationality, "v": c.Template, "vx": dose}
	for member, value := range map[string]string{"id": c.DocumentNumber.Reveal(), "dt": c.DocumentType, "gn": c.Guardian} {
		if value != "" {
			top[member] = value
		}
	}
	for member, value := range map[string]string{"cn": c.Clinician, "is": c.Authority} {
		if value != "" {
			dose[member] = value
		}
	}
	return top
}

// CompareICVP returns the paths at which the signed claims of a code differ from what is to
// be certified, members that should not be there included; nil when they say exactly that.
// It reads the claims as they are and shares no code with DraftICVP that writes a value.
func CompareICVP(c ICVP, issuedAt time.Time, o Options, code *Code) []string {
	dose := map[string]any{"vp": c.Product, "dv": string(c.Date), "bo": c.Batch}
	top := map[string]any{"n": c.Name, "dob": string(c.BirthDate), "s": c.Sex, "nt": c.Nationality, "v": c.Template, "vx": dose}
	add := func(to map[string]any, name, value string) {
		if value != "" {
			to[name] = value
		}
	}
	add(top, "id", c.DocumentNumber.Reveal())
	add(top, "dt", c.DocumentType)
	add(top, "gn", c.Guardian)
	add(dose, "cn", c.Clinician)
	add(dose, "is", c.Authority)
	want := map[string]any{
		"1": o.Country, "6": issuedAt.Unix(), "4": o.Expires.Unix(), "7": "h'" + hex.EncodeToString(o.TokenID) + "'",
		"-260": map[string]any{"-6": top},
	}
	if product, _, _ := catalogue.ICVPProducts().Find(c.Product); product.Disease == catalogue.YellowFever {
		if from := c.Date.Time().Add(10 * 24 * time.Hour); from.After(issuedAt) {
			want["5"] = from.Unix()
		}
	}
	return strictjson.Differences(tree(code.token), want, "claims")
}
