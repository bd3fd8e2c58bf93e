// Package vdsnc makes and reads ICAO VDS-NC barcodes: a JSON object with the data of a
// vaccination certificate, an ECDSA signature over its canonical form (RFC 8785), and
// the certificate of the signer.
//
// Making is in three parts, so that whoever holds the key signs bytes it can name: Draft
// gives the bytes to sign, a signer signs them, Seal puts the barcode together. Reading
// follows the steps of the report: Parse (1 to 3), CheckSignature (4), SignerRules
// (6 and 7), Warnings (9); finding the authority (5) and revocation (8) need a trust list
// and are done above this package. Each failure is an *Error that names its step and
// holds no value from the barcode. The package does no I/O and knows no clock.
//
// Where the report leaves a choice to the reader:
//
//   - What is read is the canonical data, the bytes that the signature covers. A number
//     written 1.0 is therefore the number 1, and is accepted.
//   - A one-element array around the object is unwrapped, with NoteArray.
//   - A partial date of birth (1990, 1990-02, 1990-XX-XX) is shown as such, with
//     NotePartialBirthDate. Draft never writes one.
//   - Unknown members of msg, ve, vd and what is below a test message are listed in
//     Unknown; anywhere else they are an error, as in the published schemas.
//   - Characters outside the issuers' list are accepted with NoteCharacters, but control
//     and formatting characters are an error.
//   - Key usage counts whether marked critical or not, as this reader understands it.
package vdsnc

import (
	"crypto"
	"crypto/elliptic"
	"strings"
)

// Step is a step of reading a barcode, in the order in which they are taken
// (spec icao-vds-nc, 7), or the making of one.
type Step string

const (
	StepDraft       Step = "draft"       // making a barcode
	StepMalformed   Step = "malformed"   // not one JSON object, or parts that cannot be decoded
	StepSchema      Step = "schema"      // members, types and limits
	StepUnsupported Step = "unsupported" // algorithm or key outside the list
	StepSignature   Step = "signature"   // over the canonical data
	StepCertificate Step = "certificate" // what the signer may sign, and when
	StepCountry     Step = "country"     // signer, authority and issuer name one state
)

// Error is a failure at one step. It holds no value from the barcode or certificate.
type Error struct {
	Step  Step
	Code  string // such as "too_long"; stable
	Field string // path of the member at fault, such as "data.msg.pid.n"; may be empty
}

func (e *Error) Error() string {
	text := "vdsnc: " + string(e.Step) + ": " + strings.ReplaceAll(e.Code, "_", " ")
	if e.Field != "" {
		text += " (" + e.Field + ")"
	}
	return text
}

func fail(step Step, code, field string) *Error { return &Error{Step: step, Code: code, Field: field} }

// Types of a barcode, data.hdr.t.
const (
	TypeVaccination = "icao.vacc"
	TypeTest        = "icao.test" // read only
)

// Version is the one version of the data set, data.hdr.v.
const Version = 1

// Centre is the administering centre on every dose of Japan's barcodes
// (certificate-japan, 6.1).
const Centre = "MHLW_Gov_of_JAPAN"

// Limits, in bytes.
const (
	MaxLength   = 2953 // written: QR version 40 at level L in byte mode
	maxReadable = 4296 // read: what any QR code can hold
	maxDepth    = 16   // levels of JSON
)

// Longest values, in characters (spec, 1.1 and 1.2).
const (
	maxName           = 39
	maxIdentifier     = 12 // uvci, utci
	maxDocumentNumber = 11
	maxOtherID        = 24 // ai, dn
	maxCode           = 6  // des, dis
	maxPlace          = 20 // adm, lot, spn, opt
	maxPhone          = 19
	maxSequence       = 99
)

// Notes on a barcode that was read: flaws that do not spoil it.
const (
	NoteArray            = "array_around_the_object"
	NotePartialBirthDate = "partial_birth_date"
	NoteCharacters       = "unusual_characters"
)

// algorithm is one of the three signature algorithms; each has one curve.
type algorithm struct {
	hash  crypto.Hash
	curve elliptic.Curve
}

var algorithms = map[string]algorithm{
	"ES256": {crypto.SHA256, elliptic.P256()},
	"ES384": {crypto.SHA384, elliptic.P384()},
	"ES512": {crypto.SHA512, elliptic.P521()},
}

// size returns the length of r and of s in bytes.
func (a algorithm) size() int { return (a.curve.Params().BitSize + 7) / 8 }

// punctuation lists what may stand in a string beside letters and digits (spec, 1.3).
const punctuation = " !@#$%&'*+/=?^_`{|}~.-"

// listed tells whether all characters are of the issuers' list.
func listed(s string) bool {
	for _, r := range s {
		if (r < '0' || r > '9') && (r < 'A' || r > 'Z') && (r < 'a' || r > 'z') && !strings.ContainsRune(punctuation, r) {
			return false
		}
	}
	return true
}

// isState tells whether s has the form of a Doc 9303-3 code: three letters, or D for Germany.
func isState(s string) bool {
	return s == "D" || len(s) == 3 && strings.Trim(s, "ABCDEFGHIJKLMNOPQRSTUVWXYZ") == ""
}
