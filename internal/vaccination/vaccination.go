// Package vaccination knows who was vaccinated: subjects and their tickets,
// recorded doses, how files of them are read, how an enquiry is matched with a
// person and what looks wrong.
//
// It promises that a doubt is never silent: a record that cannot be asked for is
// Unavailable, never "no doses"; a person found by less than identifier, name and
// birth date together is never exact; and each rule that a dose breaks has a
// code and a sentence in Japanese and English. No finding, error or message
// holds a personal value. The package does no I/O besides the Register it is given.
package vaccination

import (
	"encoding/json"

	"akashi/internal/clock"
	"akashi/internal/vault"
)

// Status is a subject's standing in the register.
type Status string

const (
	Resident  Status = "resident"
	MovedOut  Status = "moved_out"
	Deceased  Status = "deceased"
	Protected Status = "protected" // 支援措置: nothing is answered or issued without a person
)

// Sex is a code of ISO 5218.
type Sex string

const (
	SexUnknown       Sex = "0"
	Male             Sex = "1"
	Female           Sex = "2"
	SexNotApplicable Sex = "9"
)

// Ref names one stored version of a subject or a record.
type Ref struct {
	ID      string `json:"id"`
	Version int    `json:"version"`
}

// Subject is a person to whom a ticket was issued, as registered. Names are
// kept byte for byte; kana are full-width katakana.
type Subject struct {
	Ref Ref `json:"-"` // where it is stored; zero until it is

	Ticket     string // 接種券番号, ten digits, unique in the office
	Address    string // 宛名番号, the municipality's own number of the person; may be empty
	Family     string
	Given      string // empty for a person with one name
	FamilyKana string
	GivenKana  string
	BirthDate  clock.Date // may be partial
	Sex        Sex
	Status     Status
	StatusDate clock.Date // date of moving out or death; may be empty
}

// Key identifies the subject in its office.
func (s Subject) Key() string { return s.Ticket }

// Content returns canonical bytes of everything registered: equal bytes mean
// that nothing changed. They hold personal data; store only a keyed hash of them.
func (s Subject) Content() []byte { return content(s) }

// Items returns what an individual number is compared by.
func (s Subject) Items() vault.Items {
	return vault.Items{Name: ExactKey(s.Family + s.Given), BirthDate: string(s.BirthDate), Sex: string(s.Sex), Address: s.Address}
}

// Record is one dose as recorded, in the words of the source.
type Record struct {
	Ref Ref `json:"-"` // where it is stored; zero until it is

	Programme    string // such as "covid19"
	Ticket       string
	DoseNumber   int        // 1 to 99
	VaccinatedOn clock.Date // full, or empty when the source lacks it
	Maker        string
	Product      string
	Lot          string // as recorded, width folded
	Place        string
	Doctor       string
	Origin       string // where the record comes from
	SourceLine   string // its line in the source's own file; not part of the content
}

// RecordKey identifies a dose in its office.
type RecordKey struct {
	Programme  string
	Ticket     string
	DoseNumber int
}

// Key identifies the record in its office.
func (r Record) Key() RecordKey { return RecordKey{r.Programme, r.Ticket, r.DoseNumber} }

// Content returns canonical bytes of everything recorded except the line it came
// from: equal bytes mean that nothing changed. They hold personal data.
func (r Record) Content() []byte {
	r.SourceLine = ""
	return content(r)
}

// Replaces tells that a changed record describes another event than the one of
// the same key before: date and lot both differ. So looks another person's dose
// that one misread digit put on this ticket (L-05); a person must look.
func (r Record) Replaces(before Record) bool {
	return r.Key() == before.Key() && r.VaccinatedOn != before.VaccinatedOn && foldLot(r.Lot) != foldLot(before.Lot)
}

// SamePerson tells whether two versions of a subject can be one person: birth
// date or name agrees. Otherwise the ticket number is used for two people.
func (s Subject) SamePerson(other Subject) bool {
	return s.BirthDate == other.BirthDate || LooseKey(s.Family+s.Given) == LooseKey(other.Family+other.Given)
}

func content(v any) []byte {
	b, err := json.Marshal(v) // members in the order of the struct: canonical for one version of it
	if err != nil {
		panic(err)
	}
	return b
}
