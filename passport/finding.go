package passport

import (
	"fmt"
	"io"
	"log/slog"
	"strings"
)

// Severity says what a finding means for the document.
type Severity string

const (
	Refuse Severity = "refuse" // the reading must not be used as it is
	Warn   Severity = "warn"   // a person has to look
	Note   Severity = "note"   // good to know
)

// Finding codes. Each is stable: catalogues hold its sentences.
const (
	CodeNoDate           = "no_date"                 // Parse was called without today's date
	CodeLength           = "length"                  // number of lines or characters
	CodeCharset          = "charset"                 // a character outside A-Z, 0-9 and <
	CodeDocumentCode     = "document_code"           // first letter does not fit the format
	CodeDocumentKind     = "document_kind"           // second letter of a passport is not on the list of Doc 9303-4
	CodeUnknownState     = "unknown_state"           // not in the table of Doc 9303-3, section 5
	CodeSpecimenState    = "specimen_state"          // UTO outside of tests
	CodeNationalityOther = "nationality_differs"     // nationality is not the issuing state; rightly so for some
	CodeNameMissing      = "name_missing"            // name field of fillers only
	CodeNameDigit        = "name_digit"              // digit in the name field
	CodePrimaryMissing   = "primary_missing"         // <<NAME
	CodeStrayFiller      = "stray_filler"            // field begins with a single filler
	CodeSecondSeparator  = "second_separator"        // a second << inside the name
	CodeSingleName       = "single_name"             // no secondary identifier
	CodeTruncated        = "name_may_be_truncated"   // letter in the last position
	CodeNumberMissing    = "document_number_missing" // number field of fillers only
	CodeLongNumber       = "long_number"             // continued number without room or check digit
	CodeJapaneseNumber   = "japanese_number_form"    // not two letters and seven digits
	CodeJapaneseOptional = "japanese_optional_data"  // optional data of a Japanese passport is not empty
	CodeCheckDigit       = "check_digit"             // read and expected are the digits
	CodeBirthFormat      = "birth_date_format"       // neither digits nor fillers by whole part
	CodeBirthCalendar    = "birth_date_calendar"     // no such day
	CodeBirthIncomplete  = "birth_date_incomplete"   // unknown parts
	CodeExpiryFormat     = "expiry_format"           // not six digits
	CodeExpiryCalendar   = "expiry_calendar"         // no such day
	CodeExpiryYear       = "expiry_year"             // more than 50 years off
	CodeExpired          = "expired"                 // before today
	CodeSexLetter        = "sex_letter"              // not M, F or <
	CodeTypedDiffers     = "typed_differs"           // typed field and zone differ
	CodeTypedMissing     = "typed_missing"           // field was not typed
)

// Fields that findings, repairs and reasons name. Lines are "line1" to "line3".
const (
	FieldZone         = "zone"
	FieldDocumentCode = "document_code"
	FieldIssuingState = "issuing_state"
	FieldName         = "name"
	FieldNumber       = "document_number"
	FieldNationality  = "nationality"
	FieldBirthDate    = "birth_date"
	FieldSex          = "sex"
	FieldExpiry       = "expiry"
	FieldOptional     = "optional"
	FieldComposite    = "composite"
)

// Finding is one thing worth telling about a document. Read, Expected and
// Repairs can be personal: they are for the clerk's screen and leave only by
// the fields and by JSON. In logs, errors and every format verb a Finding is
// its code and its field.
type Finding struct {
	Code     string   `json:"code"`
	Field    string   `json:"field"`
	Severity Severity `json:"severity"`
	Read     string   `json:"read,omitempty"`
	Expected string   `json:"expected,omitempty"`
	Repairs  []Repair `json:"repairs,omitempty"`
}

func (f Finding) Error() string              { return f.Code + " (" + f.Field + ")" }
func (f Finding) String() string             { return f.Error() }
func (f Finding) Format(s fmt.State, _ rune) { _, _ = io.WriteString(s, f.Error()) }
func (f Finding) LogValue() slog.Value       { return slog.StringValue(f.Error()) }

// Findings prints as safely as its members. Log it as it is, not inside
// another struct: a JSON handler would encode that one as for the clerk.
type Findings []Finding

// Refused tells whether one of the findings forbids to use the document.
func (fs Findings) Refused() bool {
	for _, f := range fs {
		if f.Severity == Refuse {
			return true
		}
	}
	return false
}

// With returns the findings with the code.
func (fs Findings) With(code string) Findings {
	var found Findings
	for _, f := range fs {
		if f.Code == code {
			found = append(found, f)
		}
	}
	return found
}

func (fs Findings) String() string {
	words := make([]string, len(fs))
	for i, f := range fs {
		words[i] = f.Error()
	}
	return "[" + strings.Join(words, ", ") + "]"
}

func (fs Findings) Format(s fmt.State, _ rune) { _, _ = io.WriteString(s, fs.String()) }
func (fs Findings) LogValue() slog.Value       { return slog.StringValue(fs.String()) }
