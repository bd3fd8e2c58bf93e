package vaccination

import (
	"regexp"
	"strings"

	"golang.org/x/text/width"

	"akashi/internal/fault"
)

// FoldWidth turns full-width letters and digits and half-width kana into their
// ordinary forms. It is for numbers and codes; names are kept as they are.
func FoldWidth(s string) string { return width.Fold.String(s) }

// ParseMunicipality reads a municipality code: width is folded, then six digits
// with a right check digit are required (codes-and-files.md 1).
func ParseMunicipality(s string) (string, error) {
	code := FoldWidth(s)
	if len(code) != 6 || !digits(code) {
		return "", fault.New(fault.Invalid, "municipality_form", "municipality_code")
	}
	sum := 0
	for i := range 5 {
		sum += int(code[i]-'0') * (6 - i)
	}
	if int(code[5]-'0') != (11-sum%11)%10 {
		return "", fault.New(fault.Invalid, "municipality_check_digit", "municipality_code")
	}
	return code, nil
}

// TicketLine is the OCR line of a ticket: eighteen digits, of which only the
// municipality code is protected by a check digit (codes-and-files.md 5).
type TicketLine struct {
	Kind         string // 券種, one digit
	Dose         int    // 回数
	Municipality string
	Ticket       string // 接種券番号, ten digits
}

var codabarForm = regexp.MustCompile(`^[A-Da-d](.*)[A-Da-d]$`)

// ScannedDigits folds width and drops blanks, and the start and stop letters that many
// scanners send of an NW-7 (Codabar) bar code, if both are there (codes-and-files.md 5).
func ScannedDigits(s string) string {
	return codabarForm.ReplaceAllString(strings.Join(strings.Fields(FoldWidth(s)), ""), "$1")
}

// ParseTicketLine reads the OCR line, as ScannedDigits has it. A right line is no
// proof of the person: compare the name or the birth date.
func ParseTicketLine(s string) (TicketLine, error) {
	line := ScannedDigits(s)
	if len(line) != 18 || !digits(line) {
		return TicketLine{}, fault.New(fault.Invalid, "ticket_line_form", "ticket_line")
	}
	code, err := ParseMunicipality(line[2:8])
	if err != nil {
		return TicketLine{}, err
	}
	return TicketLine{Kind: line[:1], Dose: int(line[1] - '0'), Municipality: code, Ticket: line[8:]}, nil
}

// foldLot brings a lot number into the form by which lots are compared.
func foldLot(s string) string {
	return strings.ToUpper(strings.Join(strings.Fields(FoldWidth(s)), ""))
}

func digits(s string) bool { return countDigits(s) == len(s) }

func countDigits(s string) int {
	n := 0
	for i := range len(s) {
		if s[i] >= '0' && s[i] <= '9' {
			n++
		}
	}
	return n
}
