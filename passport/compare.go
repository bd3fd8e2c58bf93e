package passport

import (
	"fmt"
	"io"
	"log/slog"
	"slices"
	"strings"
)

// Grade is how well two names agree.
type Grade string

const (
	Exact     Grade = "exact"     // letter by letter
	Explained Grade = "explained" // not the same, for the reasons given
	Different Grade = "different" // no rule explains it; a person decides
)

// Reason codes.
const (
	ReasonTransliteration = "transliteration"        // marks and letters beyond A-Z
	ReasonHyphen          = "hyphen"                 // written as a filler
	ReasonPunctuation     = "punctuation"            // left out
	ReasonBrackets        = "brackets"               // names in brackets are not in the zone
	ReasonSpacing         = "spacing"                // components parted or joined otherwise
	ReasonLongVowel       = "long_vowel"             // O, OO, OU, OH; U, UU
	ReasonTruncated       = "truncated"              // the zone had no room
	ReasonMiddleName      = "middle_name_missing"    // one of the two lacks given names
	ReasonOrder           = "order_swapped"          // surname and given names changed places
	ReasonParting         = "parted_elsewhere"       // same names, other border between surname and given names
	ReasonFormerSurname   = "former_surname"         // the other one carries the former surname
	ReasonOtherSurname    = "alternative_surname"    // or the alternative surname
	ReasonOtherGiven      = "alternative_given_name" // or the alternative given name
	ReasonUnwritable      = "unwritable"             // a character without spelling
	ReasonLetters         = "letters_differ"         // no rule explains it
)

// ReasonCodes are all reason codes.
func ReasonCodes() []string {
	return []string{
		ReasonTransliteration, ReasonHyphen, ReasonPunctuation, ReasonBrackets, ReasonSpacing, ReasonLongVowel, ReasonTruncated, ReasonMiddleName,
		ReasonOrder, ReasonParting, ReasonFormerSurname, ReasonOtherSurname, ReasonOtherGiven, ReasonUnwritable, ReasonLetters,
	}
}

// Fields of a name.
const (
	FieldPrimary   = "primary"
	FieldSecondary = "secondary"
)

// Reason explains one difference. Detail shows both spellings: for the clerk,
// so it leaves only by the field and by JSON.
type Reason struct {
	Code   string `json:"code"`
	Field  string `json:"field"`
	Detail string `json:"detail,omitempty"`
}

func (r Reason) String() string             { return r.Code + " (" + r.Field + ")" }
func (r Reason) Format(s fmt.State, _ rune) { _, _ = io.WriteString(s, r.String()) }
func (r Reason) LogValue() slog.Value       { return slog.StringValue(r.String()) }

// Reasons prints as safely as its members.
type Reasons []Reason

func (rs Reasons) String() string {
	words := make([]string, len(rs))
	for i, r := range rs {
		words[i] = r.String()
	}
	return "[" + strings.Join(words, ", ") + "]"
}

func (rs Reasons) Format(s fmt.State, _ rune) { _, _ = io.WriteString(s, rs.String()) }
func (rs Reasons) LogValue() slog.Value       { return slog.StringValue(rs.String()) }

// Comparison is a hint for a person: no grade refuses or accepts by itself.
type Comparison struct {
	Grade   Grade   `json:"grade"`
	Reasons Reasons `json:"reasons,omitempty"`
}

func (c Comparison) String() string             { return string(c.Grade) + c.Reasons.String() }
func (c Comparison) Format(s fmt.State, _ rune) { _, _ = io.WriteString(s, c.String()) }
func (c Comparison) LogValue() slog.Value       { return slog.StringValue(c.String()) }

// CompareNames explains how the name of a machine readable zone follows from
// another writing of it, such as the data page's (with brackets or not) or a
// resident record's. The alternative names are those known of the person.
func CompareNames(zone, other Name, alternative AlternativeNames) Comparison {
	if len(other.Primary) > maxNamePart || len(other.Secondary) > maxNamePart {
		return Comparison{Different, Reasons{{Code: ReasonUnwritable, Field: FieldName}}}
	}
	p := pairing{zone: zone, cut: mayBeCut(zone)}
	swapped := Name{Primary: other.Secondary, Secondary: other.Primary}
	for _, attempt := range []func() (Reasons, bool){
		func() (Reasons, bool) { return p.parts(other) },
		func() (Reasons, bool) { return p.alternatives(other, alternative) },
		func() (Reasons, bool) { return p.whole(other) },
		func() (Reasons, bool) { return because(p.parts(swapped))(ReasonOrder, FieldName) },
	} {
		if reasons, ok := attempt(); ok {
			return graded(reasons)
		}
	}
	return Comparison{Different, p.unexplained(other)}
}

func graded(reasons Reasons) Comparison {
	if len(reasons) == 0 {
		return Comparison{Grade: Exact}
	}
	return Comparison{Explained, reasons}
}

// because adds a reason to those of a successful attempt.
func because(reasons Reasons, ok bool) func(code, field string) (Reasons, bool) {
	return func(code, field string) (Reasons, bool) {
		return append(Reasons{{Code: code, Field: field}}, reasons...), ok
	}
}

// mayBeCut tells whether the name fills the name field of one of the formats.
func mayBeCut(zone Name) bool {
	n := len(zone.Primary)
	if zone.Secondary != "" {
		n += len("<<") + len(zone.Secondary)
	}
	return n == NameWidthTD1 || n == NameWidthTD2 || n == NameWidthTD3
}

// pairing compares other names with one name of a zone.
type pairing struct {
	zone Name
	cut  bool
}

func (p pairing) parts(other Name) (Reasons, bool) {
	primary, ok := p.part(FieldPrimary, p.zone.Primary, other.Primary)
	if !ok {
		return nil, false
	}
	secondary, ok := p.part(FieldSecondary, p.zone.Secondary, other.Secondary)
	return append(primary, secondary...), ok
}

// alternatives puts the names in brackets in the place of the registered ones.
func (p pairing) alternatives(other Name, known AlternativeNames) (Reasons, bool) {
	type choice struct{ name, code, field string }
	surnames := []choice{{other.Primary, "", ""}, {known.FormerSurname, ReasonFormerSurname, FieldPrimary}, {known.Surname, ReasonOtherSurname, FieldPrimary}}
	given := []choice{{other.Secondary, "", ""}, {known.GivenName, ReasonOtherGiven, FieldSecondary}}
	if _, names := splitBrackets(other.Primary); len(names) > 0 {
		surnames = append(surnames, choice{names[0], ReasonOtherSurname, FieldPrimary})
	}
	if _, names := splitBrackets(other.Secondary); len(names) > 0 {
		given = append(given, choice{names[0], ReasonOtherGiven, FieldSecondary})
	}
	for _, s := range surnames {
		for _, g := range given {
			if s.code != "" && s.name == "" || g.code != "" && g.name == "" {
				continue
			}
			reasons, ok := p.parts(Name{Primary: s.name, Secondary: g.name})
			if !ok {
				continue
			}
			for _, c := range []choice{s, g} {
				if c.code != "" {
					reasons = append(reasons, Reason{Code: c.code, Field: c.field, Detail: c.name})
				}
			}
			return reasons, true
		}
	}
	return nil, false
}

// whole compares without regard to where surname and given names part.
func (p pairing) whole(other Name) (Reasons, bool) {
	join := func(n Name) string { return strings.TrimSpace(n.Primary + " " + n.Secondary) }
	all := pairing{cut: p.cut}
	reasons, ok := all.part(FieldName, join(p.zone), join(other))
	return because(reasons, ok)(ReasonParting, FieldName)
}

// relation is a way in which the components of a zone follow from a spelling.
type relation struct {
	code  string
	holds func(zone, spelling []string) bool
}

var relations = []relation{
	{"", slices.Equal[[]string]},
	{ReasonSpacing, func(zone, spelling []string) bool { return strings.Join(zone, "") == strings.Join(spelling, "") }},
	{ReasonLongVowel, func(zone, spelling []string) bool {
		return shortVowels(strings.Join(zone, "")) == shortVowels(strings.Join(spelling, ""))
	}},
}

// part compares one part with all spellings that the rules allow for it.
func (p pairing) part(field, zone, other string) (Reasons, bool) {
	if registered, _ := splitBrackets(other); zone == "" || registered == "" {
		return nil, zone == registered
	}
	spellings, err := Spellings(other)
	if err != nil {
		return nil, false
	}
	allowed := relations
	if p.cut {
		allowed = append(slices.Clone(allowed), relation{ReasonTruncated, truncates})
	}
	if field == FieldSecondary {
		allowed = append(slices.Clone(allowed), relation{ReasonMiddleName, lacksMiddleName})
	}
	for _, relation := range allowed {
		for _, spelling := range spellings {
			if !relation.holds(strings.Fields(zone), strings.Fields(spelling)) {
				continue
			}
			reasons := writingReasons(field, other)
			if relation.code != "" {
				reasons = append(reasons, Reason{relation.code, field, other + " → " + zone})
			}
			return reasons, true
		}
	}
	return nil, false
}

// writingReasons names what the zone writes otherwise by rule.
func writingReasons(field, other string) Reasons {
	outside, inside := splitBrackets(other)
	var reasons Reasons
	add := func(code string) {
		if !slices.ContainsFunc(reasons, func(r Reason) bool { return r.Code == code }) {
			reasons = append(reasons, Reason{code, field, other})
		}
	}
	for _, r := range upper(outside) {
		spellings := spellingsOf(r)
		switch {
		case r >= 'A' && r <= 'Z':
		case strings.ContainsRune(hyphens, r):
			add(ReasonHyphen)
		case len(spellings) > 0 && spellings[0] == "", r == ',':
			add(ReasonPunctuation)
		case len(spellings) > 0 && spellings[0] != " ":
			add(ReasonTransliteration)
		}
	}
	if len(inside) > 0 {
		add(ReasonBrackets)
	}
	return reasons
}

// truncates: every component of the zone begins one of the name, in its order;
// those at the end may be gone (Doc 9303-4, 4.2.3).
func truncates(zone, spelling []string) bool {
	if len(zone) > len(spelling) {
		return false
	}
	for i, component := range zone {
		if !strings.HasPrefix(spelling[i], component) {
			return false
		}
	}
	return true
}

// lacksMiddleName: the first given name is the same and the shorter list stands
// in the longer one in its order.
func lacksMiddleName(zone, spelling []string) bool {
	short, long := zone, spelling
	if len(short) > len(long) {
		short, long = long, short
	}
	if len(short) == 0 || short[0] != long[0] {
		return false
	}
	found := 0
	for _, component := range long {
		if found < len(short) && component == short[found] {
			found++
		}
	}
	return found == len(short)
}

// shortVowels writes the long vowels of Japanese names short: OO, OU, OH to O and
// UU to U. It takes vowels that merely meet for long ones, so it only explains.
func shortVowels(s string) string {
	var b strings.Builder
	var kept byte
	for i := range len(s) {
		closed := i+1 == len(s) || !strings.ContainsRune("AEIOU", rune(s[i+1]))
		switch c := s[i]; {
		case kept == 'O' && (c == 'O' || c == 'U' || c == 'H' && closed), kept == 'U' && c == 'U':
		default:
			b.WriteByte(c)
			kept = c
		}
	}
	return b.String()
}

func (p pairing) unexplained(other Name) Reasons {
	var reasons Reasons
	for _, c := range []struct{ field, zone, other string }{
		{FieldPrimary, p.zone.Primary, other.Primary}, {FieldSecondary, p.zone.Secondary, other.Secondary},
	} {
		code := ReasonLetters
		if _, err := Spellings(c.other); err != nil {
			code = ReasonUnwritable
		} else if _, ok := p.part(c.field, c.zone, c.other); ok {
			continue
		}
		reasons = append(reasons, Reason{code, c.field, c.other + " ≠ " + c.zone})
	}
	return reasons
}
