package passport

import (
	"fmt"
	"io"
	"log/slog"
	"slices"
)

// Repair is one character that was probably misread: a proposal for a person to
// confirm, since a right check digit proves nothing. Log the field only.
type Repair struct {
	Field    string `json:"field"`
	Line     int    `json:"line,omitempty"` // from 1; 0 for a typed field
	Position int    `json:"position"`       // from 1, in the line or the typed field
	From     string `json:"from"`
	To       string `json:"to"`
}

func (r Repair) String() string             { return "repair (" + r.Field + ")" }
func (r Repair) Format(s fmt.State, _ rune) { _, _ = io.WriteString(s, r.String()) }
func (r Repair) LogValue() slog.Value       { return slog.StringValue(r.String()) }

// characterType is the type of a position and what its characters are read as
// by mistake (spec mrz-and-emrtd, 7).
type characterType struct {
	has   func(byte) bool
	alike map[byte]byte // from a character of the other type
}

var (
	numeric = characterType{isDigit, map[byte]byte{
		'O': '0', 'Q': '0', 'D': '0', 'I': '1', 'L': '1', 'Z': '2', 'S': '5', 'G': '6', 'B': '8',
	}}
	alphabetic = characterType{isLetter, map[byte]byte{
		'0': 'O', '1': 'I', '2': 'Z', '5': 'S', '6': 'G', '8': 'B',
	}}
)

// apply returns the lines with the repairs made.
func apply(lines []string, repairs []Repair) []string {
	repaired := slices.Clone(lines)
	for _, r := range repairs {
		line := []rune(repaired[r.Line-1])
		line[r.Position-1] = []rune(r.To)[0]
		repaired[r.Line-1] = string(line)
	}
	return repaired
}

// propose finds the repairs of a zone that can be offered. Fields without a check
// digit stand alone; those with one are offered together or not at all.
func propose(r reader) []Repair {
	var settled []Repair
	for _, run := range []typedRun{
		{FieldDocumentCode, r.code, alphabetic}, {FieldIssuingState, r.state, alphabetic},
		{FieldName, r.name, alphabetic}, {FieldNationality, r.nationality, alphabetic},
	} {
		repairs, ok := r.retype(run)
		if ok && r.settles(settled, repairs) {
			settled = append(settled, repairs...)
		}
	}
	return append(settled, r.underCheckDigits(settled)...)
}

// typedRun is a span whose characters are all of one type, fillers aside.
type typedRun struct {
	field string
	span  span
	is    characterType
}

// retype replaces the look-alikes in a run. It is false when a character of the
// other type has none.
func (z zone) retype(run typedRun) ([]Repair, bool) {
	var repairs []Repair
	for i, c := range []byte(z.at(run.span)) {
		if run.is.has(c) || c == filler || c == illegal {
			continue
		}
		to, ok := run.is.alike[c]
		if !ok {
			return nil, false
		}
		repairs = append(repairs, z.replace(run.field, run.span, i, to))
	}
	return repairs, true
}

func (z zone) replace(field string, s span, i int, to byte) Repair {
	return Repair{Field: field, Line: s.line + 1, Position: s.from + i + 1, From: z.at(s)[i : i+1], To: string(to)}
}

// underCheckDigits proposes repairs that check digits must confirm, on top of
// those already settled.
func (r reader) underCheckDigits(settled []Repair) []Repair {
	z := r.zone.with(settled)
	japanese := z.format == TD3 && z.at(z.code)[0] == 'P' && z.at(z.state) == "JPN" && z.at(z.nationality) == "JPN"
	forced, ok := z.forced(japanese)
	if !ok {
		return nil
	}
	if r.settles(settled, forced) {
		return forced
	}
	if japanese || z.composite == nil {
		return nil
	}
	return r.oneInNumber(settled, forced)
}

// forced replaces the look-alikes in all positions of certain type under a check
// digit.
func (z zone) forced(japanese bool) ([]Repair, bool) {
	runs := []typedRun{{FieldBirthDate, z.birth, numeric}, {FieldExpiry, z.expiry, numeric}}
	for _, c := range z.checks() {
		runs = append(runs, typedRun{c.field, c.digit, numeric})
	}
	if n := z.number; japanese {
		runs = append(runs,
			typedRun{FieldNumber, span{n.line, n.from, n.from + 2}, alphabetic},
			typedRun{FieldNumber, span{n.line, n.from + 2, n.to}, numeric})
	}
	var all []Repair
	for _, run := range runs {
		repairs, ok := z.retype(run)
		if !ok {
			return nil, false
		}
		all = append(all, repairs...)
	}
	return all, true
}

// oneInNumber looks for the only look-alike in a number of letters and digits
// without known order that makes its check digit and the composite right.
func (r reader) oneInNumber(settled, forced []Repair) []Repair {
	z := r.zone.with(slices.Concat(settled, forced))
	number := z.checks()[0]
	if number.right(z) || touch(forced, number.digit) {
		return nil
	}
	var found [][]Repair
	for _, s := range number.over {
		for i, c := range []byte(z.at(s)) {
			to, ok := numeric.alike[c]
			if !ok {
				to, ok = alphabetic.alike[c]
			}
			if !ok {
				continue
			}
			candidate := slices.Concat(forced, []Repair{z.replace(FieldNumber, s, i, to)})
			if r.settles(settled, candidate) {
				found = append(found, candidate)
			}
		}
	}
	if len(found) != 1 {
		return nil
	}
	return found[0]
}

// settles tells whether fresh repairs on top of the settled ones leave nothing
// that refuses the fields they touch, directly or through a check digit. Having
// expired is no misreading.
func (r reader) settles(settled, fresh []Repair) bool {
	if len(fresh) == 0 {
		return false
	}
	after := reader{zone: r.zone.with(slices.Concat(settled, fresh)), today: r.today, options: r.options}
	after.read()
	touched := map[string]bool{}
	for _, repair := range fresh {
		touched[repair.Field] = true
	}
	for _, c := range after.checks() {
		if touch(fresh, c.over...) {
			touched[c.field] = true
		}
	}
	for _, f := range after.reading.Findings {
		if f.Severity == Refuse && touched[f.Field] && f.Code != CodeExpired {
			return false
		}
	}
	return true
}

// attach gives each finding the repairs that concern it.
func (r *reader) attach(repairs []Repair) {
	for i := range r.reading.Findings {
		f := &r.reading.Findings[i]
		for _, repair := range repairs {
			if repair.Field == f.Field || f.Field == FieldComposite && touch([]Repair{repair}, r.covered...) {
				f.Repairs = append(f.Repairs, repair)
			}
		}
	}
}

// touch tells whether one of the repairs lies in one of the spans.
func touch(repairs []Repair, spans ...span) bool {
	for _, r := range repairs {
		for _, s := range spans {
			if s.holds(r.Line-1, r.Position-1) {
				return true
			}
		}
	}
	return false
}
