// Package application takes applications and decides them: a state machine, the
// checks of passport and record, and a decision with reasons that a clerk can
// read aloud.
//
// Only one exact, anomaly-free match of an unprotected person, with a valid
// passport where one is needed, in an office that is open, is approved without a
// person; everything else is held with reason codes.
package application

import (
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"akashi/certificate"
	"akashi/certificate/catalogue"
	"akashi/internal/clock"
	"akashi/internal/fault"
	"akashi/internal/vaccination"
	"akashi/internal/vault"
	"akashi/passport"
)

// Channel is how an application came in.
type Channel string

const (
	Counter Channel = "counter"
	Mail    Channel = "mail"
	App     Channel = "app"
)

// Relationship of the applicant to the subject.
type Relationship string

const (
	Self           Relationship = "self"
	Spouse         Relationship = "spouse"
	Parent         Relationship = "parent"
	Child          Relationship = "child"
	Grandparent    Relationship = "grandparent"
	Grandchild     Relationship = "grandchild"
	LegalGuardian  Relationship = "legal_representative"
	OtherApplicant Relationship = "other"
)

var relationshipList = []Relationship{Self, Spouse, Parent, Child, Grandparent, Grandchild, LegalGuardian, OtherApplicant}

// Proof that the applicant may act for the subject (certificate-japan.md 7).
var proofList = []string{"power_of_attorney", "registration_certificate", "family_register"}

// Documents that a clerk may have seen.
var documentList = []string{
	"my_number_card", "driving_licence", "passport", "residence_card", "health_insurance",
	"vaccination_ticket", "vaccination_record", "notification_card", "other_identity",
}

// Choices are the closed lists of a form, in the order in which they are shown.
func Choices() (relationships, proofs, documents []string) {
	for _, r := range relationshipList {
		relationships = append(relationships, string(r))
	}
	return relationships, slices.Clone(proofList), slices.Clone(documentList)
}

// Applicant is the person who applies; it may be another than the subject.
type Applicant struct {
	Relationship Relationship     `json:"relationship"`
	Name         certificate.Name `json:"name,omitzero"` // empty when it is the subject
	Proof        string           `json:"proof,omitempty"`
}

// Subject is the vaccinated person as the applicant names it; what is printed
// comes from the register.
type Subject struct {
	Ticket    string           `json:"ticket_number,omitempty"`
	Address   string           `json:"address_number,omitempty"`
	Name      certificate.Name `json:"name,omitzero"`
	BirthDate clock.Date       `json:"birth_date,omitempty"`
	Former    string           `json:"former_name,omitempty"` // to be printed if the register or card shows it
	// Elsewhere: other doses lie with another municipality or abroad, so that a
	// record that begins with dose 3 has no gap.
	Elsewhere bool `json:"earlier_doses_elsewhere,omitempty"`
	// Guardian is the parent or guardian of a minor, as its own passport has the name; for an
	// international certificate only.
	Guardian string `json:"guardian,omitempty"`
}

// Passport is what was read or typed of the travel document. Zone is personal in
// every character and prints as "[redacted]".
type Passport struct {
	Zone         Zone
	DataPageName passport.Name
	Alternative  passport.AlternativeNames
}

// Zone is the text of a machine readable zone.
type Zone struct{ text string }

// NewZone wraps the text as scanned or typed.
func NewZone(text string) Zone { return Zone{text} }

// Reveal returns the text, for reading and sealing.
func (z Zone) Reveal() string { return z.text }

func (Zone) Format(f fmt.State, _ rune) { _, _ = f.Write([]byte("[redacted]")) }

// Form is what is handed in.
type Form struct {
	Kind          certificate.Kind
	Programme     string
	Channel       Channel
	NoticeVersion string   // version of the privacy notice that was shown
	Documents     []string // that were seen; nil where nobody says, which is not none
	Applicant     Applicant
	Subject       Subject
	Passport      *Passport // not for a domestic one
	Postal        *Postal   // of one that came by mail, where no addressed envelope came with it
}

// Application is one application with what was found out about it.
type Application struct {
	Office, ID           string
	Version              int // counts changes; a save with an old one is refused
	State                State
	Form                 Form
	Reasons              []Reason
	Record               Record
	Decision             *Decision
	Earlier              []Decision // of people, that counted before it was checked or decided again; the oldest first
	Another              string     // why it has a certificate beside a valid one: a code of WhyAnother
	PersonKey            string     // key under which the personal part is sealed
	CreatedAt, UpdatedAt time.Time
}

// Record is what the register answered, without the doses themselves: they are
// read again when a certificate is composed and must still be these.
type Record struct {
	Outcome   string     `json:"outcome,omitempty"`
	Source    string     `json:"source,omitempty"`
	AsOf      time.Time  `json:"as_of,omitzero"`
	Certainty string     `json:"certainty,omitempty"`
	Evidence  []string   `json:"evidence,omitempty"`
	PersonID  string     `json:"person_id,omitempty"`
	Chosen    bool       `json:"chosen,omitempty"` // by a clerk, among several who fit
	Doses     []DoseRef  `json:"doses,omitempty"`
	MayAskNo  bool       `json:"number_may_be_asked,omitempty"`
	CheckedOn clock.Date `json:"checked_on,omitempty"`
}

// DoseRef names one version of a recorded dose.
type DoseRef struct {
	ID      string `json:"id"`
	Version int    `json:"version"`
	Number  int    `json:"dose_number"`
}

// Refs names the versions of recorded doses.
func Refs(records []vaccination.Record) []DoseRef {
	refs := make([]DoseRef, len(records))
	for i, d := range records {
		refs[i] = DoseRef{ID: d.Ref.ID, Version: d.Ref.Version, Number: d.DoseNumber}
	}
	return refs
}

// Decision is what was decided, by whom and why.
type Decision struct {
	Outcome  string    `json:"outcome"` // approve, reject, ask
	By       string    `json:"by"`      // staff id, or "rule:automatic"
	At       time.Time `json:"at"`
	Reason   string    `json:"reason,omitempty"` // a person's words; sealed, never logged
	Override []string  `json:"override,omitempty"`
}

// Format keeps an application out of logs: only office, id and state print.
func (a Application) Format(f fmt.State, _ rune) {
	_, _ = fmt.Fprintf(f, "application %s/%s %s", a.Office, a.ID, a.State)
}

// sealed is the personal part as it is stored, under the person's key.
type sealed struct {
	NoticeVersion string                     `json:"notice_version"`
	Documents     []string                   `json:"documents,omitzero"`
	Applicant     Applicant                  `json:"applicant"`
	Subject       Subject                    `json:"subject"`
	Zone          string                     `json:"zone,omitempty"`
	DataPageName  *passport.Name             `json:"data_page_name,omitempty"`
	Alternative   *passport.AlternativeNames `json:"alternative,omitempty"`
	Postal        *Postal                    `json:"postal,omitempty"`
	Record        Record                     `json:"record"`
	Decision      *Decision                  `json:"decision,omitempty"`
	Earlier       []Decision                 `json:"earlier,omitempty"`
	Another       string                     `json:"another,omitempty"`
}

// Encode returns the personal part, to be sealed.
func (a Application) Encode() ([]byte, error) {
	s := sealed{
		NoticeVersion: a.Form.NoticeVersion, Documents: a.Form.Documents, Applicant: a.Form.Applicant,
		Subject: a.Form.Subject, Record: a.Record, Decision: a.Decision, Earlier: a.Earlier, Another: a.Another, Postal: a.Form.Postal,
	}
	if p := a.Form.Passport; p != nil {
		s.Zone, s.DataPageName, s.Alternative = p.Zone.Reveal(), &p.DataPageName, &p.Alternative
	}
	return json.Marshal(s)
}

// Decode fills in the personal part from what Encode made.
func (a *Application) Decode(b []byte) error {
	var s sealed
	if err := json.Unmarshal(b, &s); err != nil {
		return fmt.Errorf("application: %w", err)
	}
	a.Form.NoticeVersion, a.Form.Documents, a.Form.Applicant, a.Form.Subject = s.NoticeVersion, s.Documents, s.Applicant, s.Subject
	a.Record, a.Decision, a.Earlier, a.Another, a.Form.Postal = s.Record, s.Decision, s.Earlier, s.Another, s.Postal
	if s.DataPageName != nil {
		a.Form.Passport = &Passport{Zone: NewZone(s.Zone), DataPageName: *s.DataPageName, Alternative: *s.Alternative}
	}
	return nil
}

// Check refuses a form that breaks rules: with all the faults that do not depend on each
// other, each naming its field, joined. today is Japan's date.
func (f Form) Check(today clock.Date) error {
	if err := fault.OneOf("kind", f.Kind, certificate.Kinds()...); err != nil { // on which the rest depends
		return err
	}
	related := fault.OneOf("applicant.relationship", f.Applicant.Relationship, relationshipList...)
	faults := []error{fault.OneOf("programme", f.Programme, Programmes(f.Kind)...), fault.OneOf("channel", f.Channel, Counter, Mail, App), related}
	if f.Applicant.Proof != "" {
		faults = append(faults, fault.OneOf("applicant.proof", f.Applicant.Proof, proofList...))
	}
	for i, d := range f.Documents {
		faults = append(faults, fault.OneOf(fmt.Sprintf("documents[%d]", i), d, documentList...))
	}
	birth, err := clock.ParseDate(string(f.Subject.BirthDate))
	for _, rule := range []struct {
		broken     bool
		field, key string
	}{
		{blank(f.NoticeVersion), "notice_version", "required"},
		{!f.Kind.ShowsPassport() && f.Passport != nil, "passport", "not_for_domestic"},
		{f.Kind != certificate.International && f.Subject.Guardian != "", "subject.guardian", "only_international"},
		{f.Kind == certificate.International && f.Subject.Guardian != "" && !certificate.IsLatin(f.Subject.Guardian), "subject.guardian", "not_latin"},
		{related == nil && f.Applicant.Relationship != Self && blank(f.Applicant.Name.Family), "applicant.name.family", "required"},
		{f.Subject.BirthDate == "", "subject.birth_date", "required"},
		{f.Subject.BirthDate != "" && err != nil, "subject.birth_date", "date"},
		{err == nil && birth > today, "subject.birth_date", "birth_date_future"},
		{f.Subject.Ticket == "" && f.Subject.Address == "" && blank(f.Subject.Name.Family), "subject", "identifier_required"},
		{f.numberInZone(today), "passport.mrz", "number_not_accepted_yet"},
	} {
		if rule.broken {
			faults = append(faults, fault.New(fault.Invalid, rule.key, rule.field))
		}
	}
	return errors.Join(append(faults, f.checkNames(), f.checkPostal())...)
}

// Programmes are those that a kind of certificate can be of, the usual one first.
func Programmes(k certificate.Kind) []string {
	if k == certificate.International {
		return []string{catalogue.YellowFeverProgramme, catalogue.PolioProgramme}
	}
	return []string{"covid19"}
}

func blank(s string) bool { return strings.TrimSpace(s) == "" }

// numberInZone tells whether the optional data of a zone is an individual
// number; some states print a personal number there, and it is not ours to keep.
func (f Form) numberInZone(today clock.Date) bool {
	r := f.ReadPassport(today, true)
	switch {
	case r == nil:
		return false
	case r.DocumentFormat == "": // not a zone at all, but any text
		return vault.Find(f.Passport.Zone.Reveal()) > 0
	}
	free := strings.ReplaceAll(strings.Join(r.Optional, ""), "<", "")
	return vault.Find(free)+vault.Find(strings.ReplaceAll(r.Lines[0], "<", " ")) > 0
}
