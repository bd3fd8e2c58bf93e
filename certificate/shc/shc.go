// Package shc makes and reads SMART Health Cards (framework 1.4.0, HL7 SMART
// Health Cards and Links 1.0.0): a FHIR bundle in deflated JWT claims, signed
// ES256 as a compact JWS, written as digits into a QR code or into a file.
//
// Making is in three parts, so that whoever holds the key signs bytes it can
// name: Draft gives the text to sign, a signer signs it, Seal puts the card
// together. Reading is strict and in steps (Parse, then the Check methods and
// Content); each failure is an *Error that names its step. The package does no
// I/O, knows no clock and fetches nothing because a card says so.
package shc

import "strings"

// Step is a step of reading a card, in the order in which they are taken
// (spec smart-health-cards, 8), or the making of one.
type Step string

const (
	StepDraft     Step = "draft"     // making a card
	StepScheme    Step = "scheme"    // shc:/ or a card file
	StepDigits    Step = "digits"    // digit pairs and chunks
	StepShape     Step = "shape"     // three base64url parts
	StepHeader    Step = "header"    // alg, zip, kid
	StepInflate   Step = "inflate"   // raw DEFLATE within limits
	StepClaims    Step = "claims"    // members and their types
	StepIssuer    Step = "issuer"    // form of iss
	StepSignature Step = "signature" // ES256
	StepTime      Step = "time"      // nbf and exp
)

// Error is a failure at one step. It holds no value from the card.
type Error struct {
	Step  Step
	Code  string // such as "alg_not_es256"; stable
	Field string // path of the member at fault, such as "doses[1].product"; may be empty
}

func (e *Error) Error() string {
	text := "shc: " + string(e.Step) + ": " + strings.ReplaceAll(e.Code, "_", " ")
	if e.Field != "" {
		text += " (" + e.Field + ")"
	}
	return text
}

func fail(step Step, code, field string) error { return &Error{Step: step, Code: code, Field: field} }

// Limits. A JWS above MaxQRLength does not fit a version 22 symbol at level L;
// the others bound what is read.
const (
	MaxQRLength = 1195     // characters of a JWS in one QR code
	maxJWS      = 64 << 10 // characters read; split codes and files may be long
	maxInflated = 64 << 10 // bytes
	maxRatio    = 100      // inflated to deflated
	maxDepth    = 32       // levels of JSON
	maxFile     = 1 << 20  // bytes of a card file
	maxCards    = 100      // cards in one file
	maxChunks   = 64       // parts of a split code
)

// Types of a card. Old readers expect all three on a COVID-19 vaccination card;
// framework 1.4.0 needs the first only.
const (
	TypeHealthCard   = "https://smarthealth.cards#health-card"
	TypeImmunization = "https://smarthealth.cards#immunization"
	TypeCOVID19      = "https://smarthealth.cards#covid19"
	TypeLaboratory   = "https://smarthealth.cards#laboratory"
)

// Code systems of vaccine codes that a verifier has to understand.
const (
	SystemCVX    = "http://hl7.org/fhir/sid/cvx"
	SystemSNOMED = "http://snomed.info/sct"
	SystemICD11  = "http://id.who.int/icd/release/11/mms"
)

// Performer is the display of the performer on every dose of Japan's cards
// (certificate-japan 6.2).
const Performer = "MHLW_Gov_of_JAPAN"

// alphabet tells whether s is written in the base64url alphabet, without padding.
func alphabet(s string) bool {
	for i := range len(s) {
		c := s[i]
		if (c < '0' || c > '9') && (c < 'A' || c > 'Z') && (c < 'a' || c > 'z') && c != '-' && c != '_' {
			return false
		}
	}
	return true
}

// isKeyID tells whether s has the form of a SHA-256 thumbprint.
func isKeyID(s string) bool { return len(s) == 43 && alphabet(s) }

// isRevocationID tells whether s may stand as vc.rid.
func isRevocationID(s string) bool { return s != "" && len(s) <= 24 && alphabet(s) }
