// Package vault keeps individual numbers (個人番号), apart from everything else.
//
// A number is looked at, entered or searched for inside an open case and for one
// of three purposes only: to ask about somebody who moved in, to
// answer about somebody who moved out, and for an application for a certificate
// where the office's rule lets it be asked for. There is no default, and nothing
// here lists numbers or takes several. Every access is an act in the log and a
// row with purpose and case. A number belongs to a person only when name, date of
// birth, sex and address all agree (R-142, L-04).
package vault

import (
	"encoding/json"
	"fmt"
	"log/slog"
	"strings"
	"unique"

	"golang.org/x/text/width"

	"akashi/internal/fault"
)

// Masked is how a number is shown: no digit of it, not even the last ones (S-091).
const Masked = "************"

const redacted = "[redacted]"

// Number is an individual number. It prints as "[redacted]" in every form; the
// handle keeps it from %p too, which asks no formatter.
type Number struct{ digits unique.Handle[string] }

// Parse reads twelve ASCII digits with the right check digit; anything else is
// the fault "number_form".
func Parse(text string) (Number, error) {
	if !Valid(text) {
		return Number{}, fault.New(fault.Invalid, "number_form", "individual_number")
	}
	return Number{unique.Make(text)}, nil
}

// Reveal returns the digits, for sealing and for the search key.
func (n Number) Reveal() string {
	if n.Zero() {
		return ""
	}
	return n.digits.Value()
}

// Zero tells whether there is no number.
func (n Number) Zero() bool { return n == Number{} }

// Format keeps the number out of everything that prints.
func (Number) Format(f fmt.State, _ rune) { _, _ = f.Write([]byte(redacted)) }

func (Number) String() string               { return redacted }
func (Number) LogValue() slog.Value         { return slog.StringValue(redacted) }
func (Number) MarshalText() ([]byte, error) { return []byte(redacted), nil }
func (Number) MarshalJSON() ([]byte, error) { return []byte(`"` + redacted + `"`), nil }

// UnmarshalJSON reads a number where one is entered.
func (n *Number) UnmarshalJSON(b []byte) error {
	var text string
	if err := json.Unmarshal(b, &text); err != nil {
		return fault.New(fault.Invalid, "number_form", "individual_number")
	}
	var err error
	*n, err = Parse(text)
	return err
}

// Valid recognises an individual number by its form and check digit
// (平成26年総務省令第85号 5条). One in eleven other numbers of twelve digits passes too.
func Valid(s string) bool {
	if len(s) != 12 || !digits(s) || s == "000000000000" {
		return false
	}
	sum := 0
	for i, weight := range [11]int{6, 5, 4, 3, 2, 7, 6, 5, 4, 3, 2} {
		sum += int(s[i]-'0') * weight
	}
	check := 0
	if r := sum % 11; r > 1 {
		check = 11 - r
	}
	return int(s[11]-'0') == check
}

// Find tells how many individual numbers stand in a text by themselves: twelve
// digits in a row or in groups of four parted by one hyphen or blank, no letter
// or digit beside them, in any width. It is for files that go out, which never
// hold one, and for leak scans; a hit means stop and look.
func Find(text string) int {
	_, valid := Scan(text)
	return valid
}

// Scan counts the standing twelve-digit numbers of a text and those of them with
// the check digit of an individual number.
func Scan(text string) (twelve, valid int) {
	if countDigits(text) < 12 && len(text) < 36 { // full-width digits take three bytes
		return 0, 0
	}
	s := width.Fold.String(text)
	for i := 0; i < len(s); {
		if !letterOrDigit(s[i]) {
			i++
			continue
		}
		end := i
		for end < len(s) && (letterOrDigit(s[end]) || grouped(s, i, end)) {
			end++
		}
		token := ungrouped.Replace(s[i:end])
		if len(token) == 12 && digits(token) {
			twelve++
			if Valid(token) {
				valid++
			}
		}
		i = end
	}
	return twelve, valid
}

var ungrouped = strings.NewReplacer("-", "", " ", "")

// grouped tells whether s[at] parts two groups of exactly four digits in a token that began at start.
func grouped(s string, start, at int) bool {
	n := at - start
	return (n == 4 || n == 9) && (s[at] == '-' || s[at] == ' ') &&
		at+5 <= len(s) && digits(s[at-4:at]) && digits(s[at+1:at+5])
}

func countDigits(s string) (n int) {
	for i := range len(s) {
		if s[i] >= '0' && s[i] <= '9' {
			n++
		}
	}
	return n
}

func digits(s string) bool { return strings.Trim(s, "0123456789") == "" }

func letterOrDigit(b byte) bool {
	return b >= '0' && b <= '9' || b >= 'A' && b <= 'Z' || b >= 'a' && b <= 'z'
}
