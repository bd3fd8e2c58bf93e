package passport

import (
	"errors"
	"slices"
	"strings"
	"unicode"

	"golang.org/x/text/unicode/norm"
)

// ErrUnwritable is the error of a name with a character that has no spelling in a
// machine readable zone, such as a digit or a letter that is not Latin, or of a
// name that is absurdly long.
var ErrUnwritable = errors.New("name cannot be written in a machine readable zone")

// maxNamePart is the longest part of a name that is looked at, in bytes.
const maxNamePart = 512

// letterSpellings lists the letters that are more than a base letter with marks
// left out (Doc 9303-3, 6.A). The first spelling is the one this project writes.
var letterSpellings = map[rune][]string{
	'Æ': {"AE"}, 'Œ': {"OE"}, 'Ø': {"OE"}, 'Þ': {"TH"}, 'ß': {"SS"}, 'ẞ': {"SS"}, 'Ĳ': {"IJ"}, 'Ŋ': {"N"},
	'Ł': {"L"}, 'Đ': {"D"}, 'Ð': {"D"}, 'Ħ': {"H"}, 'Ŧ': {"T"}, 'Ŀ': {"L"},
	'Ä': {"AE", "A"}, 'Ö': {"OE", "O"}, 'Ü': {"UE", "UXX", "U"}, 'Å': {"AA", "A"}, 'Ñ': {"N", "NXX"},
}

const hyphens = "-‐‑‒–—−"

// spellingsOf returns the spellings of one upper-case character: " " for one that
// parts components, "" for one that is left out, none for one that cannot be written.
func spellingsOf(r rune) []string {
	switch {
	case r >= 'A' && r <= 'Z':
		return []string{string(r)}
	case letterSpellings[r] != nil:
		return letterSpellings[r]
	case unicode.IsSpace(r), r == ',', strings.ContainsRune(hyphens, r):
		return []string{" "}
	case unicode.IsLetter(r):
		return baseLetter(norm.NFD.String(string(r)))
	case unicode.IsPunct(r), unicode.IsSymbol(r), unicode.Is(unicode.Mn, r):
		return []string{""}
	}
	return nil
}

// baseLetter returns the Latin letter under the marks.
func baseLetter(decomposed string) []string {
	all := []rune(decomposed)
	if len(all) < 2 || all[0] < 'A' || all[0] > 'Z' {
		return nil
	}
	return []string{string(all[0])}
}

// Spellings returns every spelling that a machine readable zone may have for one
// part of a name as printed on the data page, components parted by one blank;
// the first is the one this project writes. Names in brackets are left out, as
// they are in the zone. An issuer spells a letter alike wherever it stands.
func Spellings(part string) ([]string, error) {
	if len(part) > maxNamePart {
		return nil, ErrUnwritable
	}
	part, _ = splitBrackets(part)
	all := []rune(upper(part))
	choices := []map[rune]string{{}}
	for _, r := range all {
		spellings := spellingsOf(r)
		if spellings == nil {
			return nil, ErrUnwritable
		}
		if _, done := choices[0][r]; done {
			continue
		}
		if len(spellings) > 1 {
			choices = branch(choices, r, spellings)
			continue
		}
		for _, choice := range choices {
			choice[r] = spellings[0]
		}
	}
	var parts []string
	for _, choice := range choices {
		var b strings.Builder
		for _, r := range all {
			b.WriteString(choice[r])
		}
		parts = append(parts, strings.Join(strings.Fields(b.String()), " "))
	}
	return slices.Compact(parts), nil
}

// branch multiplies the choices by the spellings of one more letter.
func branch(choices []map[rune]string, r rune, spellings []string) []map[rune]string {
	var next []map[rune]string
	for _, choice := range choices {
		for _, s := range spellings {
			more := map[rune]string{r: s}
			for k, v := range choice {
				more[k] = v
			}
			next = append(next, more)
		}
	}
	return next
}

// upper is for comparing only: printed names stay as they are written.
func upper(s string) string { return norm.NFC.String(strings.ToUpper(s)) }

var narrowBrackets = strings.NewReplacer("（", "(", "）", ")")

// splitBrackets parts "GAIMU (GONZALEZ)" into the name and those in brackets.
func splitBrackets(part string) (string, []string) {
	part = narrowBrackets.Replace(part)
	var outside strings.Builder
	var inside []string
	for {
		before, rest, found := strings.Cut(part, "(")
		outside.WriteString(before)
		if !found {
			return strings.TrimSpace(outside.String()), inside
		}
		in, after, _ := strings.Cut(rest, ")")
		if in = strings.TrimSpace(in); in != "" {
			inside = append(inside, in)
		}
		outside.WriteString(" ")
		part = after
	}
}
