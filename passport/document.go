// Package passport reads travel documents by the rules of ICAO Doc 9303: machine
// readable zones, check digits, names. It explains what it finds and never
// decides alone; nothing in it knows the service around it.
package passport

import (
	"fmt"
	"log/slog"

	"akashi/internal/clock"
)

// Number is a passport or travel document number. It prints as "[redacted]" in
// every format verb, in slog and in JSON; Reveal gives the characters (S-091).
type Number struct{ characters string }

// NewNumber wraps the characters of a document number.
func NewNumber(characters string) Number { return Number{characters} }

// Reveal returns the number itself, for printing on a certificate, signing and sealing.
func (n Number) Reveal() string { return n.characters }

// IsZero tells whether there is no number.
func (n Number) IsZero() bool { return n.characters == "" }

const redacted = "[redacted]"

func (Number) String() string               { return redacted }
func (Number) Format(f fmt.State, _ rune)   { _, _ = f.Write([]byte(redacted)) }
func (Number) LogValue() slog.Value         { return slog.StringValue(redacted) }
func (Number) MarshalText() ([]byte, error) { return []byte(redacted), nil }

// UnmarshalText takes a number in; what was redacted stays unknown.
func (n *Number) UnmarshalText(b []byte) error {
	n.characters = ""
	if string(b) != redacted {
		n.characters = string(b)
	}
	return nil
}

// Name is a name in two parts, as a document writes it. A person with one name
// has it in Primary.
type Name struct {
	Primary   string `json:"primary"`             // surname, family name
	Secondary string `json:"secondary,omitempty"` // given names
}

// AlternativeNames stand in brackets on the data page of a Japanese passport;
// they are neither in the MRZ nor in the chip (spec mrz-and-emrtd, 6).
type AlternativeNames struct {
	FormerSurname string `json:"former_surname,omitempty"`
	Surname       string `json:"surname,omitempty"`
	GivenName     string `json:"given_name,omitempty"`
}

// Document is what a certificate needs of a checked travel document.
type Document struct {
	MRZName      Name             // letters A-Z, components parted by one blank
	DataPageName Name             // as printed, diacritics and hyphens kept; empty when not typed in
	Alternative  AlternativeNames // as printed in brackets on the data page
	Number       Number
	IssuingState string // Doc 9303 code, such as "JPN"
	Nationality  string // Doc 9303 code
	BirthDate    clock.Date
	Sex          string // M, F or X
	Expiry       clock.Date
}
