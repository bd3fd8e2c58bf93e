// Package hcert makes and reads HC1 codes: health certificates in the container of the
// European Union that WHO took over (HCERT), a CWT in COSE_Sign1, deflated, in base45.
//
// Reading takes the container apart and checks its form, which is Parse; CheckSignature
// then says whether a given key signed it, SignerRules whether that signer may sign such
// content. Which key, and whether it is trusted, is decided above this package. Making is
// in two parts, so that whoever holds the key signs bytes it can name: a draft gives
// the bytes to sign, Seal puts the code together. Each failure is an *Error that
// names its step and holds no value from the code. The package does no I/O and knows
// no clock.
//
// Where the specifications (eu-dcc, who-icvp-gdhcn) leave a choice to the reader:
//
//   - Limits act before parsing: length of the text, bytes inflated, levels and
//     members of the CBOR. Nothing is allocated from a declared length.
//   - Keys twice in a map, bytes after the end, and tags other than that of a date-time
//     are an error at any depth. Indefinite lengths and longer forms of a number are not:
//     issuers wrote them, and the signature covers the bytes as received.
//   - The protected header wins where both name a key or an algorithm. An
//     algorithm outside of it counts where it is the only one, for each of the two
//     algorithms has its own kind of key (case CO20).
//   - Times that are floats are accepted, with NoteFloatTime.
package hcert

import "strings"

// Step is a step of reading a code, in the order in which they are taken
// (spec eu-dcc, 1 and 15), or the making of one.
type Step string

const (
	StepDraft     Step = "draft"     // making a code
	StepPrefix    Step = "prefix"    // HC1: in front
	StepBase45    Step = "base45"    // RFC 9285
	StepInflate   Step = "inflate"   // zlib, RFC 1950
	StepCBOR      Step = "cbor"      // well formed, within limits, no key twice
	StepCOSE      Step = "cose"      // COSE_Sign1 and its headers
	StepClaims    Step = "claims"    // CWT claims
	StepContent   Step = "content"   // what the certificate says
	StepSignature Step = "signature" // over the bytes as received, by an allowed algorithm
	StepSigner    Step = "signer"    // what the signer may sign, and when
)

// Error is a failure at one step. It holds no value from the code or a certificate.
type Error struct {
	Step  Step
	Code  string // such as "too_long"; stable
	Field string // the member at fault, such as "v.dt" or "claim 4"; may be empty
}

func (e *Error) Error() string {
	text := "hcert: " + string(e.Step) + ": " + strings.ReplaceAll(e.Code, "_", " ")
	if e.Field != "" {
		text += " (" + e.Field + ")"
	}
	return text
}

func fail(step Step, code, field string) *Error { return &Error{Step: step, Code: code, Field: field} }

// Prefix is the context identifier of version 1.
const Prefix = "HC1:"

// Limits.
const (
	maxText     = 4296     // characters: what any QR code can hold
	maxInflated = 16 << 10 // bytes; of 583 public samples the largest has 870
	maxRatio    = 100      // bytes inflated from one
	maxLevels   = 16       // of nested CBOR (S-040)
	maxMembers  = 1000     // of one CBOR array or map
)

// Notes on a code that was read: flaws that do not spoil it.
const (
	NoteNoExpiry          = "no_expiry"          // claim 4 is missing, as in all public samples of WHO
	NoteFloatTime         = "float_time"         // claim 4, 5 or 6 is no integer
	NoteHeaderUnprotected = "header_unprotected" // the signature does not cover algorithm or key id
)

// Algorithm is a COSE algorithm identifier.
type Algorithm int64

const (
	ES256 Algorithm = -7
	PS256 Algorithm = -37 // read only
)
