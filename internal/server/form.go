package server

import (
	"encoding/json"
	"strings"

	"github.com/danielgtaylor/huma/v2"

	"akashi/certificate"
	"akashi/internal/application"
	"akashi/internal/clock"
	"akashi/passport"
)

// formBody is an application as it is handed in.
type formBody struct {
	Kind          string        `json:"kind" enum:"domestic,travel,icvp"`
	Programme     string        `json:"programme,omitempty" maxLength:"40" doc:"of icvp: yellow_fever where absent, or polio; of the others covid19"`
	Channel       string        `json:"channel" enum:"counter,mail,app"`
	NoticeVersion string        `json:"notice_version" minLength:"1" maxLength:"40" doc:"version of the privacy notice that was shown"`
	Documents     []string      `json:"documents,omitempty" maxItems:"20" doc:"documents seen, such as passport or vaccination_ticket; absent: nobody says, which is not none"`
	Applicant     applicantBody `json:"applicant"`
	Subject       subjectBody   `json:"subject"`
	Version       int           `json:"version,omitempty" doc:"of the application that is corrected: a later one is not overwritten"`
	Passport      *passportBody `json:"passport,omitempty" doc:"travel and icvp"`
	Postal        *postalBody   `json:"postal,omitempty" doc:"by mail: where the certificate is sent; absent where an addressed envelope came with it"`
}

type postalBody struct {
	Code    string `json:"postal_code,omitempty" maxLength:"16"`
	Address string `json:"address,omitempty" maxLength:"250"`
	Name    string `json:"name,omitempty" maxLength:"250" doc:"absent: the applicant"`
}

type applicantBody struct {
	Relationship string    `json:"relationship" enum:"self,spouse,parent,child,grandparent,grandchild,legal_representative,other"`
	Name         *nameBody `json:"name,omitempty" doc:"where the applicant is not the subject"`
	Proof        string    `json:"proof,omitempty" maxLength:"40" doc:"power_of_attorney, registration_certificate or family_register"`
}

type nameBody struct {
	Family string `json:"family" minLength:"1" maxLength:"250"`
	Given  string `json:"given,omitempty" maxLength:"250"`
}

type subjectBody struct {
	Ticket    string     `json:"ticket_number,omitempty" maxLength:"40"`
	Address   string     `json:"address_number,omitempty" maxLength:"40"`
	Name      *nameBody  `json:"name,omitempty" doc:"as registered"`
	BirthDate clock.Date `json:"birth_date" maxLength:"10" doc:"YYYY-MM-DD, or as much as is known"`
	Former    string     `json:"former_name,omitempty" maxLength:"250"`
	Elsewhere bool       `json:"earlier_doses_elsewhere,omitempty"`
	Guardian  string     `json:"guardian,omitempty" maxLength:"100" doc:"icvp of a minor: parent or guardian, in Latin letters"`
}

type passportBody struct {
	Zone        zoneText                   `json:"mrz" doc:"the machine readable zone: its lines, or one text with line ends"`
	DataPage    *passportName              `json:"data_page_name,omitempty" doc:"as printed, diacritics and hyphens kept"`
	Alternative *passport.AlternativeNames `json:"alternative,omitempty" doc:"as printed in brackets on the data page"`
}

type passportName struct {
	Primary   string `json:"primary" minLength:"1" maxLength:"250"`
	Secondary string `json:"secondary,omitempty" maxLength:"250"`
}

// zoneText is the text of a machine readable zone, as one string or as lines.
type zoneText string

const maxZone = 200 // two lines of 44 with blanks and line ends between

// Schema implements huma.SchemaProvider.
func (zoneText) Schema(huma.Registry) *huma.Schema {
	longest, lines := maxZone, 3
	line := &huma.Schema{Type: "string", MaxLength: &longest}
	s := &huma.Schema{OneOf: []*huma.Schema{line, {Type: "array", Items: line, MaxItems: &lines}}}
	s.PrecomputeMessages()
	return s
}

// UnmarshalJSON takes one string or an array of lines.
func (z *zoneText) UnmarshalJSON(b []byte) error {
	var lines []string
	if err := json.Unmarshal(b, &lines); err == nil {
		*z = zoneText(strings.Join(lines, "\n"))
		return nil
	}
	return json.Unmarshal(b, (*string)(z))
}

// form turns the body into the domain's form.
func (b formBody) form() application.Form {
	f := application.Form{
		Kind: certificate.Kind(b.Kind), Programme: b.Programme, Channel: application.Channel(b.Channel),
		NoticeVersion: b.NoticeVersion, Documents: b.Documents,
		Applicant: application.Applicant{
			Relationship: application.Relationship(b.Applicant.Relationship), Name: b.Applicant.Name.name(), Proof: b.Applicant.Proof,
		},
		Subject: application.Subject{
			Ticket: b.Subject.Ticket, Address: b.Subject.Address, Name: b.Subject.Name.name(),
			BirthDate: b.Subject.BirthDate, Former: b.Subject.Former, Elsewhere: b.Subject.Elsewhere, Guardian: b.Subject.Guardian,
		},
	}
	if f.Programme == "" {
		f.Programme = application.Programmes(f.Kind)[0]
	}
	if p := b.Passport; p != nil {
		f.Passport = &application.Passport{Zone: application.NewZone(string(p.Zone))}
		if p.DataPage != nil {
			f.Passport.DataPageName = passport.Name{Primary: p.DataPage.Primary, Secondary: p.DataPage.Secondary}
		}
		if p.Alternative != nil {
			f.Passport.Alternative = *p.Alternative
		}
	}
	if p := b.Postal; p != nil {
		f.Postal = &application.Postal{Code: p.Code, Address: p.Address, Name: p.Name}
	}
	return f
}

func (b *nameBody) name() certificate.Name {
	if b == nil {
		return certificate.Name{}
	}
	return certificate.Name{Family: b.Family, Given: b.Given}
}

// handedIn is the form as it was handed in, for the clerk who decides.
func handedIn(f application.Form) *formBody {
	b := &formBody{
		Kind: string(f.Kind), Programme: f.Programme, Channel: string(f.Channel), NoticeVersion: f.NoticeVersion, Documents: f.Documents,
		Applicant: applicantBody{Relationship: string(f.Applicant.Relationship), Name: written(f.Applicant.Name), Proof: f.Applicant.Proof},
		Subject: subjectBody{
			Ticket: f.Subject.Ticket, Address: f.Subject.Address, Name: written(f.Subject.Name),
			BirthDate: f.Subject.BirthDate, Former: f.Subject.Former, Elsewhere: f.Subject.Elsewhere, Guardian: f.Subject.Guardian,
		},
	}
	if p := f.Passport; p != nil {
		b.Passport = &passportBody{Zone: zoneText(p.Zone.Reveal())}
		if p.DataPageName != (passport.Name{}) {
			b.Passport.DataPage = &passportName{Primary: p.DataPageName.Primary, Secondary: p.DataPageName.Secondary}
		}
		if p.Alternative != (passport.AlternativeNames{}) {
			b.Passport.Alternative = &p.Alternative
		}
	}
	if p := f.Postal; p != nil {
		b.Postal = &postalBody{p.PostalCode(), p.Address, p.Name}
	}
	return b
}

func written(n certificate.Name) *nameBody {
	if n == (certificate.Name{}) {
		return nil
	}
	return &nameBody{Family: n.Family, Given: n.Given}
}

// notice is what an applicant is told about the use of the data.
var notice = struct{ Version, JA, EN string }{
	"2026-11",
	"申請書に書かれたことと旅券の情報は、予防接種の記録を確かめて証明書を作るためにだけ使います。照会と発行の記録は保存されます。",
	"What you hand in and the passport's data are used only to look for the vaccination record and to make the certificate. Look-ups and issues are recorded.",
}
