package vdsnc

import (
	"time"

	"akashi/internal/clock"
	"akashi/passport"
	"akashi/signing/pki"
)

// Barcode is a barcode as read: well formed, but neither trusted nor checked
// for what its signer may sign.
type Barcode struct {
	Type         string // TypeVaccination or TypeTest
	Version      int
	Issuer       string // Doc 9303-3 code
	Person       Person
	ID           string // uvci or utci
	Vaccinations []Vaccination
	Test         *Test // of TypeTest only

	Algorithm string // ES256, ES384 or ES512
	Signer    *pki.Certificate
	Signature []byte // r then s
	Signed    []byte // canonical data, over which the signature is

	Notes   []string // flaws that do not spoil the barcode, such as NoteArray
	Unknown []string // paths of signed members without a meaning here

	tree any // of Signed
}

// Person is pid.
type Person struct {
	Name         string // surname first
	BirthDate    clock.Date
	Number       passport.Number // travel document
	DocumentType string          // dt, of a test only: P, A, C, I, AC, V or D
	OtherID      string          // ai
	Sex          string          // M, F or X
}

// Vaccination is one element of ve.
type Vaccination struct {
	Vaccine string // des, ICD-11
	Brand   string // nam
	Disease string // dis, ICD-11; may be empty
	Doses   []Dose
}

// Dose is one element of vd.
type Dose struct {
	Number  int        // seq, 1 to 99
	Date    clock.Date // dvc
	Country string     // ctr, Doc 9303-3 code
	Centre  string     // adm
	Lot     string
	Next    clock.Date // dvn; may be empty
}

// Test is the message of icao.test.
type Test struct {
	Provider   string // spn
	Country    string
	Phone      string
	Email      string
	Address    string
	SampledAt  time.Time
	ReportedAt time.Time
	Kind       string // tc
	Result     string // r
	Method     string // m; may be empty
	Optional   string // opt; may be empty
}
