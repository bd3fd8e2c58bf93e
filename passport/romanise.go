package passport

import (
	"errors"
	"strings"

	"golang.org/x/text/unicode/norm"
	"golang.org/x/text/width"
)

// ErrNotKana is the error of a reading with other characters than kana.
var ErrNotKana = errors.New("not a reading in kana")

// LongO is how a long o is written.
type LongO string

const (
	PlainO LongO = "O"  // the rule: ONO, SATO
	OH     LongO = "OH" // on request: OHNO, SATOH
)

// Romanise proposes the romanisation of a reading in kana (katakana, hiragana,
// half width) as Japanese passports write it: Hepburn by the ordinance on
// passports (spec codes-and-files, 7.5). It is never a source: kana do not tell
// long vowels from vowels that meet (INOUE, MATSUURA), and a holder may have
// chosen another spelling. Blanks part names.
func Romanise(kana string, long LongO) (string, error) {
	if len(kana) > maxNamePart {
		return "", ErrNotKana
	}
	var names []string
	for _, name := range strings.FieldsFunc(katakana(kana), func(r rune) bool { return isBlank(r) || r == '・' }) {
		romaji, err := romaniseName([]rune(name), long)
		if err != nil {
			return "", err
		}
		names = append(names, romaji)
	}
	return strings.Join(names, " "), nil
}

// katakana brings hiragana and half-width kana to katakana, and all dashes to ー.
func katakana(s string) string {
	s = norm.NFC.String(width.Fold.String(s))
	return strings.Map(func(r rune) rune {
		switch {
		case r >= 'ぁ' && r <= 'ゖ':
			return r + 'ァ' - 'ぁ'
		case strings.ContainsRune(hyphens, r):
			return 'ー'
		}
		return r
	}, s)
}

const (
	syllableN   = 'ン'
	doubling    = 'ッ'
	prolonging  = 'ー'
	smallVowels = "ァィゥェォ"
)

func romaniseName(kana []rune, long LongO) (string, error) {
	var b strings.Builder
	double := false
	for i := 0; i < len(kana); i++ {
		r := kana[i]
		switch {
		case r == doubling:
			double = true
			continue
		case r == prolonging && (long == PlainO || !endsInO(b.String())):
			continue
		case r == prolonging, isLong(b.String(), kana[i:], long):
			if long == OH && endsInO(b.String()) {
				b.WriteByte('H')
			}
			continue
		case r == syllableN:
			b.WriteString(nasal(kana[i+1:]))
			continue
		}
		syllable, used := syllableAt(kana[i:])
		if used == 0 {
			return "", ErrNotKana
		}
		i += used - 1
		if double {
			b.WriteString(doubled(syllable))
			double = false
		}
		b.WriteString(syllable)
	}
	return b.String(), nil
}

func endsInO(s string) bool { return strings.HasSuffix(s, "O") }

// isLong tells whether the first of the kana only prolongs the vowel before it:
// オウ, オオ, ウウ. A final オオ is written, unless OH stands for it.
func isLong(before string, kana []rune, long LongO) bool {
	switch kana[0] {
	case 'ウ':
		return endsInO(before) || strings.HasSuffix(before, "U")
	case 'オ':
		return endsInO(before) && (len(kana) > 1 || long == OH)
	}
	return false
}

// nasal is N, but M before B, M and P.
func nasal(rest []rune) string {
	if next, used := syllableAt(rest); used > 0 && strings.ContainsRune("BMP", rune(next[0])) {
		return "M"
	}
	return "N"
}

// doubled is the consonant that ッ adds: T before CH.
func doubled(syllable string) string {
	switch {
	case strings.HasPrefix(syllable, "CH"):
		return "T"
	case strings.ContainsRune("AIUEO", rune(syllable[0])):
		return ""
	}
	return syllable[:1]
}

// syllableAt reads one or two kana and says how many.
func syllableAt(kana []rune) (string, int) {
	if len(kana) == 0 {
		return "", 0
	}
	base, ok := syllables[kana[0]]
	if !ok {
		return "", 0
	}
	if len(kana) == 1 {
		return base, 1
	}
	if small, ok := smallY[kana[1]]; ok {
		if consonant, found := strings.CutSuffix(base, "I"); found && len(base) > 1 {
			if len(consonant) > 1 || consonant == "J" { // SH, CH, J
				return consonant + small[1:], 2
			}
			return consonant + small, 2
		}
		return base + small, 2
	}
	if strings.ContainsRune(smallVowels, kana[1]) {
		return base + syllables[kana[1]], 2
	}
	return base, 1
}

var smallY = map[rune]string{'ャ': "YA", 'ュ': "YU", 'ョ': "YO"}

var syllables = func() map[rune]string {
	table := map[rune]string{
		'ン': "N", 'ヴ': "BU", 'ヲ': "O", 'ヰ': "I", 'ヱ': "E", 'ヮ': "WA", 'ヵ': "KA", 'ヶ': "KE",
		'ァ': "A", 'ィ': "I", 'ゥ': "U", 'ェ': "E", 'ォ': "O", 'ャ': "YA", 'ュ': "YU", 'ョ': "YO",
		'ヤ': "YA", 'ユ': "YU", 'ヨ': "YO", 'ワ': "WA",
	}
	for row, romaji := range map[string]string{
		"アイウエオ": "A I U E O", "カキクケコ": "KA KI KU KE KO", "ガギグゲゴ": "GA GI GU GE GO",
		"サシスセソ": "SA SHI SU SE SO", "ザジズゼゾ": "ZA JI ZU ZE ZO", "タチツテト": "TA CHI TSU TE TO", "ダヂヅデド": "DA JI ZU DE DO",
		"ナニヌネノ": "NA NI NU NE NO", "ハヒフヘホ": "HA HI FU HE HO", "バビブベボ": "BA BI BU BE BO", "パピプペポ": "PA PI PU PE PO",
		"マミムメモ": "MA MI MU ME MO", "ラリルレロ": "RA RI RU RE RO",
	} {
		for i, r := range []rune(row) {
			table[r] = strings.Fields(romaji)[i]
		}
	}
	return table
}()

// CompareKana hints how the reading in a resident record relates to the name in a
// passport, whose spelling wins.
func CompareKana(kana, passport Name) Comparison {
	var romaji Name
	var err error
	if romaji.Primary, err = Romanise(kana.Primary, PlainO); err == nil {
		romaji.Secondary, err = Romanise(kana.Secondary, PlainO)
	}
	if err != nil {
		return Comparison{Different, Reasons{{Code: ReasonUnwritable, Field: FieldName}}}
	}
	return CompareNames(passport, romaji, AlternativeNames{})
}
