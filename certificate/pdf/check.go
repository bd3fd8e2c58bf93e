package pdf

import (
	"fmt"
	"strings"
)

// Missing lists the characters of one field that no font has, or that are never
// printed (controls, direction marks, private use, scripts that need shaping).
type Missing struct {
	Field      string   // path, such as "subject.name.family" or "doses[0].lot"
	Characters []string // each once, as written
}

// MissingError refuses a certificate that cannot be printed as written. Its text
// names the fields only; the characters are for the clerk, not for a log.
type MissingError struct {
	Missing []Missing
	Asked   []string // names of the fonts
}

func (e *MissingError) Error() string {
	var parts []string
	for _, m := range e.Missing {
		parts = append(parts, fmt.Sprintf("%s (%d)", m.Field, len(m.Characters)))
	}
	return "pdf: characters that no font (" + strings.Join(e.Asked, ", ") + ") has in " + strings.Join(parts, ", ")
}

// Reasons of a FieldError.
const (
	TooLong      = "too_long"      // more characters than a field may have
	DoesNotFit   = "does_not_fit"  // not even at the smallest readable size in two lines
	Required     = "required"      // empty, but the form has a place for it
	Wrong        = "wrong"         // not what a certificate of this kind has
	UnknownValue = "unknown_value" // layout, kind or programme that this version cannot print
	TooMany      = "too_many"      // more pages, doses or issuer lines than a page or file holds
	Altered      = "text_differs"  // the text read back is not that of the certificate
)

// FieldError refuses a certificate because of one field. It carries no value of it.
type FieldError struct{ Field, Reason string }

func (e *FieldError) Error() string { return "pdf: " + e.Field + ": " + e.Reason }

// Limits of what is printed. A longer field is a mistake or an attack.
const (
	maxClusters = 120
	maxProduct  = 240 // of the names of a product: some makers have long ones
	maxBytes    = 1200
	maxPages    = 200
	maxLines    = 3 // issuer lines per language
)
