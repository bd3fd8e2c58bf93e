package passport

import "strings"

// Format is the layout of a machine readable zone (Doc 9303-3 to 9303-7).
type Format string

const (
	TD1  Format = "TD1"   // cards, three lines of 30
	TD2  Format = "TD2"   // larger cards, two lines of 36
	TD3  Format = "TD3"   // passports, two lines of 44
	MRVA Format = "MRV-A" // visas, two lines of 44
	MRVB Format = "MRV-B" // visas, two lines of 36
)

// span is a run of characters of one line; from counts from 0, to is exclusive.
type span struct{ line, from, to int }

// next is the position after the span, where most check digits stand.
func (s span) next() span { return span{s.line, s.to, s.to + 1} }

func (s span) holds(line, position int) bool {
	return s.line == line && s.from <= position && position < s.to
}

// layout tells where the fields of a format stand. The check digits of number,
// birth date and expiry follow their fields.
type layout struct {
	format        Format
	first         string // letters that a document code may begin with
	lines, width  int
	code, state   span
	name, number  span
	nationality   span
	birth, sex    span
	expiry        span
	optional      []span
	optionalDigit *span  // TD3 only
	composite     *span  // none in visas
	covered       []span // by the composite digit
	longNumber    bool   // the number may go on in the optional data
}

var layouts = []layout{
	twoLines(TD3, "P", 44, func(l *layout) {
		l.optional = []span{{1, 28, 42}}
		l.optionalDigit = &span{1, 42, 43}
		l.composite = &span{1, 43, 44}
		l.covered = []span{{1, 0, 10}, {1, 13, 20}, {1, 21, 43}}
	}),
	twoLines(MRVA, "V", 44, nil),
	twoLines(TD2, "ACI", 36, func(l *layout) {
		l.optional = []span{{1, 28, 35}}
		l.composite = &span{1, 35, 36}
		l.covered = []span{{1, 0, 10}, {1, 13, 20}, {1, 21, 35}}
		l.longNumber = true
	}),
	twoLines(MRVB, "V", 36, nil),
	{
		format: TD1, first: "ACI", lines: 3, width: 30,
		code: span{0, 0, 2}, state: span{0, 2, 5}, number: span{0, 5, 14},
		birth: span{1, 0, 6}, sex: span{1, 7, 8}, expiry: span{1, 8, 14}, nationality: span{1, 15, 18},
		name:       span{2, 0, 30},
		optional:   []span{{0, 15, 30}, {1, 18, 29}},
		composite:  &span{1, 29, 30},
		covered:    []span{{0, 5, 30}, {1, 0, 7}, {1, 8, 15}, {1, 18, 29}},
		longNumber: true,
	},
}

// twoLines is what all formats of two lines have in common.
func twoLines(format Format, first string, width int, more func(*layout)) layout {
	l := layout{
		format: format, first: first, lines: 2, width: width,
		code: span{0, 0, 2}, state: span{0, 2, 5}, name: span{0, 5, width},
		number: span{1, 0, 9}, nationality: span{1, 10, 13}, birth: span{1, 13, 19}, sex: span{1, 20, 21}, expiry: span{1, 21, 27},
		optional: []span{{1, 28, width}},
	}
	if more != nil {
		more(&l)
	}
	return l
}

// layoutOf finds the layout by number and width of the lines; a first V makes it a visa.
func layoutOf(lines []string) (layout, bool) {
	for _, l := range layouts {
		visa := l.first == "V"
		if l.fits(lines) && (l.lines > 2 || visa == strings.HasPrefix(lines[0], "V")) {
			return l, true
		}
	}
	return layout{}, false
}

func (l layout) fits(lines []string) bool {
	if len(lines) != l.lines {
		return false
	}
	for _, line := range lines {
		if runes(line) != l.width {
			return false
		}
	}
	return true
}

// zone is a machine readable zone cut to its layout, one byte per character.
type zone struct {
	layout
	text []string
}

func (z zone) at(s span) string { return z.text[s.line][s.from:s.to] }

func (z zone) join(spans []span) string {
	var b strings.Builder
	for _, s := range spans {
		b.WriteString(z.at(s))
	}
	return b.String()
}

// with returns the zone with repairs applied.
func (z zone) with(repairs []Repair) zone {
	z.text = apply(z.text, repairs)
	return z
}

// checks lists the check digits of the zone in the order of reading.
func (z zone) checks() []check {
	number := check{field: FieldNumber, over: []span{z.number}, digit: z.number.next()}
	if long, ok := z.long(); ok {
		number.over, number.digit = []span{z.number, long.rest}, long.rest.next()
	}
	list := []check{
		number,
		{field: FieldBirthDate, over: []span{z.birth}, digit: z.birth.next()},
		{field: FieldExpiry, over: []span{z.expiry}, digit: z.expiry.next()},
	}
	if z.optionalDigit != nil {
		list = append(list, check{field: FieldOptional, over: z.optional, digit: *z.optionalDigit})
	}
	if z.composite != nil {
		list = append(list, check{field: FieldComposite, over: z.covered, digit: *z.composite})
	}
	return list
}

// continuation is the second part of a document number of more than nine characters.
type continuation struct {
	rest  span // without the check digit, which follows it
	after span // what is left of the optional data
}

// continued tells whether the number claims to go on in the optional data: a
// filler instead of its check digit (Doc 9303-5, 4.2.2.2; Doc 9303-6, 4.2.2.2).
func (z zone) continued() bool {
	return z.longNumber && z.at(z.number.next()) == string(filler) && !onlyFillers(z.at(z.number))
}

// long finds the rest of a continued number. It needs at least one character, a
// check digit and a filler after it.
func (z zone) long() (continuation, bool) {
	if !z.continued() {
		return continuation{}, false
	}
	field := z.optional[0]
	end := strings.IndexByte(z.at(field), filler)
	if end < 2 {
		return continuation{}, false
	}
	end += field.from
	return continuation{
		rest:  span{field.line, field.from, end - 1},
		after: span{field.line, end + 1, field.to},
	}, true
}

func onlyFillers(s string) bool { return strings.Trim(s, string(filler)) == "" }

func trimFillers(s string) string { return strings.TrimRight(s, string(filler)) }
