package vaccination

import (
	_ "embed"
	"strings"
	"unicode"

	"golang.org/x/text/unicode/norm"

	"akashi/internal/fault"
)

// Names are printed as registered; the keys below serve searching only
// (codes-and-files.md 7.3, S-035).

// maxName is the longest name in visible characters; combining marks and
// variation selectors do not count.
const maxName = 250

// maxMarks is the largest number of combining marks on one letter; Vietnamese needs two.
const maxMarks = 2

//go:embed data/variants.txt
var variantLines string

var variants = readVariants(variantLines)

func readVariants(lines string) map[rune]rune {
	table := map[rune]rune{}
	for line := range strings.Lines(lines) {
		line = strings.TrimSpace(line)
		if line == "" || strings.HasPrefix(line, "#") {
			continue
		}
		forms := []rune(strings.Join(strings.Fields(line), ""))
		for _, r := range forms[1:] {
			table[r] = forms[0]
		}
	}
	return table
}

// ExactKey is the key by which names are equal: NFKC, upper case, without blanks,
// middle dots, apostrophes and variation selectors.
func ExactKey(name string) string {
	return strings.Map(func(r rune) rune {
		switch {
		case unicode.IsSpace(r), isVariationSelector(r), strings.ContainsRune("・･·'’‘ʼ`´", r):
			return -1
		}
		return unicode.ToUpper(r)
	}, norm.NFKC.String(name))
}

// LooseKey is the key by which names may be meant to be equal: the exact key with
// variant characters brought to one form, hiragana and small kana folded, and
// all dashes removed.
func LooseKey(name string) string {
	var b strings.Builder
	var last rune
	for _, r := range ExactKey(name) {
		r = foldKanaLoosely(r)
		if v, ok := variants[r]; ok {
			r = v
		}
		if isDash(r) {
			continue
		}
		if row, ok := vRow[r]; ok && last == 'ヴ' {
			b.WriteRune(row)
			last = 0
			continue
		}
		if last == 'ヴ' {
			b.WriteRune('ブ')
		}
		if last = r; r != 'ヴ' {
			b.WriteRune(r)
		}
	}
	if last == 'ヴ' {
		b.WriteRune('ブ')
	}
	return b.String()
}

var vRow = map[rune]rune{'ア': 'バ', 'イ': 'ビ', 'エ': 'ベ', 'オ': 'ボ'}

var kanaFold = map[rune]rune{
	'ァ': 'ア', 'ィ': 'イ', 'ゥ': 'ウ', 'ェ': 'エ', 'ォ': 'オ', 'ッ': 'ツ', 'ャ': 'ヤ', 'ュ': 'ユ', 'ョ': 'ヨ', 'ヮ': 'ワ', 'ヵ': 'カ', 'ヶ': 'ケ',
	'ヂ': 'ジ', 'ヅ': 'ズ', 'ヰ': 'イ', 'ヱ': 'エ', 'ヲ': 'オ',
}

func foldKanaLoosely(r rune) rune {
	r = katakana(r)
	if f, ok := kanaFold[r]; ok {
		return f
	}
	return r
}

func katakana(r rune) rune {
	if r >= 'ぁ' && r <= 'ゖ' || r == 'ゝ' || r == 'ゞ' {
		return r + 'ァ' - 'ぁ'
	}
	return r
}

// FoldKana brings kana into the form that is stored: full-width katakana, with
// the dashes that are typed for ー after a kana replaced by it.
func FoldKana(s string) string {
	var b strings.Builder
	var last rune
	for _, r := range norm.NFC.String(FoldWidth(composeVoiced(s))) {
		r = katakana(r)
		if isDash(r) && r != 'ー' && unicode.Is(unicode.Katakana, last) {
			r = 'ー'
		}
		b.WriteRune(r)
		last = r
	}
	return b.String()
}

// composeVoiced turns the half-width voiced marks into combining marks, so that
// NFC joins them with the kana before.
func composeVoiced(s string) string {
	return voicedMarks.Replace(s)
}

var voicedMarks = strings.NewReplacer("ﾞ", "\u3099", "ﾟ", "\u309A")

func isDash(r rune) bool {
	switch r {
	case 'ー', 'ｰ', '-', '‐', '‑', '‒', '–', '—', '―', '−', '－', '~', '〜', '～':
		return true
	}
	return false
}

func isVariationSelector(r rune) bool {
	return r >= 0xFE00 && r <= 0xFE0F || r >= 0xE0100 && r <= 0xE01EF
}

// CheckName refuses a name that cannot be one: controls, bidirectional marks,
// zero-width, tag and private-use characters (S-035), digits, signs, symbols
// that stand for a missing character, and piles of combining marks. The fault
// has a key and no field.
func CheckName(name string) error {
	if err := CheckText(name); err != nil {
		return err
	}
	visible, marks := 0, 0
	var last rune
	for _, r := range name {
		switch {
		case isVariationSelector(r):
			if !unicode.Is(unicode.Han, last) {
				return fault.New(fault.Invalid, "name_character", "")
			}
		case unicode.IsMark(r):
			if marks++; marks > maxMarks || visible == 0 {
				return fault.New(fault.Invalid, "name_marks", "")
			}
		case nameRune(r):
			visible++
			marks = 0
		default:
			return fault.New(fault.Invalid, "name_character", "")
		}
		last = r
	}
	if visible > maxName {
		return fault.New(fault.Invalid, "cell_width", "")
	}
	return nil
}

// nameRune tells whether a character may stand in a name besides marks.
func nameRune(r rune) bool {
	return unicode.IsLetter(r) || r >= 0x20000 && r <= 0x3FFFD || // Han of any later Unicode version
		strings.ContainsRune(" \u3000・･·-‐’'ʼ.,，．－〇", r)
}

// CheckText refuses the characters that no text of a file may hold: controls,
// bidirectional marks, zero-width, tag, private-use and replacement characters
// and those that are none (S-035). The fault has a key and no field.
func CheckText(s string) error {
	for _, r := range s {
		switch {
		case unicode.IsControl(r), r == '\u2028', r == '\u2029':
			return fault.New(fault.Invalid, "control_character", "")
		case r == unicode.ReplacementChar, r&0xFFFE == 0xFFFE, r >= 0xFDD0 && r <= 0xFDEF:
			return fault.New(fault.Invalid, "broken_character", "")
		case unicode.Is(unicode.Co, r):
			return fault.New(fault.Invalid, "private_use_character", "")
		case unicode.Is(unicode.Cf, r), r == '\u115F', r == '\u1160', r == '\u3164', r == '\uFFA0', r == '\u034F':
			return fault.New(fault.Invalid, "invisible_character", "")
		}
	}
	return nil
}
