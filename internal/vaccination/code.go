package vaccination

import (
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

// IsIndividualNumber recognises a twelve-digit individual number by its check
// digit (総務省令第85号 5条). It serves only to refuse files and to scan exports:
// one in eleven other numbers of twelve digits passes too.
func IsIndividualNumber(s string) bool {
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

// HasIndividualNumber tells whether a text holds an individual number that stands
// by itself: twelve digits in a row or in groups of four parted by one hyphen or
// blank, no letter or digit beside them, in any width.
func HasIndividualNumber(text string) bool {
	_, valid := scanNumbers(text)
	return valid > 0
}

// scanNumbers counts the standing twelve-digit numbers of a text and those of
// them with the check digit of an individual number.
func scanNumbers(text string) (twelve, valid int) {
	if countDigits(text) < 12 && len(text) < 36 { // full-width digits take three bytes
		return 0, 0
	}
	s := FoldWidth(text)
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
			if IsIndividualNumber(token) {
				valid++
			}
		}
		i = end
	}
	return twelve, valid
}

// grouped tells whether s[at] parts two groups of exactly four digits in a token that began at start.
func grouped(s string, start, at int) bool {
	n := at - start
	return (n == 4 || n == 9) && (s[at] == '-' || s[at] == ' ') &&
		at+5 <= len(s) && digits(s[at-4:at]) && digits(s[at+1:at+5])
}

// TicketLine is the OCR line of a ticket: eighteen digits, of which only the
// municipality code is protected by a check digit (codes-and-files.md 5).
type TicketLine struct {
	Kind         string // 券種, one digit
	Dose         int    // 回数
	Municipality string
	Ticket       string // 接種券番号, ten digits
}

// ParseTicketLine reads the OCR line; width is folded and blanks are dropped. A
// right line is no proof of the person: compare the name or the birth date.
func ParseTicketLine(s string) (TicketLine, error) {
	line := strings.ReplaceAll(FoldWidth(s), " ", "")
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

func letterOrDigit(b byte) bool {
	return b >= '0' && b <= '9' || b >= 'A' && b <= 'Z' || b >= 'a' && b <= 'z'
}

// ungrouped takes out what stands between groups of digits.
var ungrouped = strings.NewReplacer("-", "", " ", "")
