package vaccination

import (
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"unicode"

	"akashi/certificate/catalogue"
	"akashi/internal/clock"
	"akashi/internal/fault"
	"akashi/internal/vault"
)

// clean reads one cell of a column: its value, warnings, or the fault that
// refuses the line.
func clean(c Column, cell string) (value string, warnings []string, err error) {
	if len(cell) > maxCell {
		return "", nil, fault.New(fault.TooLarge, "cell_too_large", c.Field)
	}
	if c.Field == "" {
		return "", nil, nil
	}
	if err := CheckText(cell); err != nil {
		return "", nil, err
	}
	text := strings.TrimFunc(cell, unicode.IsSpace)
	if text != cell {
		warnings = append(warnings, "blank_trimmed")
	}
	if text == "" {
		if c.Required {
			return "", nil, fault.New(fault.Invalid, "cell_empty", c.Field)
		}
		return "", nil, nil
	}
	if visible(text) > c.Width {
		return "", nil, fault.New(fault.Invalid, "cell_width", c.Field)
	}
	value, warning, err := cleaners[c.Type](text)
	if warning != "" {
		warnings = append(warnings, warning)
	}
	return value, warnings, err
}

// visible counts the visible characters: marks and variation selectors do not count.
func visible(s string) int {
	n := 0
	for _, r := range s {
		if !unicode.IsMark(r) {
			n++
		}
	}
	return n
}

// A cleaner reads a trimmed, non-empty cell.
type cleaner func(cell string) (value, warning string, err error)

var cleaners = map[ColumnType]cleaner{
	typeMunicipality: func(s string) (string, string, error) {
		code, err := ParseMunicipality(s)
		return code, "", err
	},
	typeTicket: func(s string) (string, string, error) {
		n, warning := folded(s)
		if len(n) != 10 || !digits(n) {
			return "", "", fault.New(fault.Invalid, "ticket_form", "ticket_number")
		}
		return n, warning, nil
	},
	typeAddress:     func(s string) (string, string, error) { return s, "", nil }, // compared exactly (codes-and-files.md 4)
	typeName:        func(s string) (string, string, error) { return s, formula(s), CheckName(s) },
	typeKana:        func(s string) (string, string, error) { k := FoldKana(s); return k, formula(s), CheckName(k) },
	typeText:        func(s string) (string, string, error) { return s, formula(s), nil },
	typeLot:         cleanLot,
	typeDate:        func(s string) (string, string, error) { return cleanDate(s, false) },
	typePartialDate: func(s string) (string, string, error) { return cleanDate(s, true) },
	typeDose: func(s string) (string, string, error) {
		n, warning := folded(s)
		if v, err := strconv.Atoi(n); err != nil || !digits(n) || v < 1 || v > 99 {
			return "", "", fault.New(fault.Invalid, "dose_number", "dose_number")
		}
		return n, warning, nil
	},
	typeNumber: func(s string) (string, string, error) {
		if !vault.Valid(s) {
			return "", "", fault.New(fault.Invalid, "number_form", "individual_number")
		}
		return s, "", nil
	},
	typeSex: func(s string) (string, string, error) {
		n, warning := folded(s)
		if !slices.Contains([]Sex{SexUnknown, Male, Female, SexNotApplicable}, Sex(n)) {
			return "", "", fault.New(fault.Invalid, "sex_code", "sex")
		}
		return n, warning, nil
	},
	typeStatus: func(s string) (string, string, error) {
		if !slices.Contains([]Status{Resident, MovedOut, Deceased, Protected}, Status(s)) {
			return "", "", fault.New(fault.Invalid, "status_code", "status")
		}
		return s, "", nil
	},
	typeProgramme: func(s string) (string, string, error) {
		if _, ok := catalogue.Default().Programme(s); !ok {
			return "", "", fault.New(fault.Invalid, "programme_unknown", "programme")
		}
		return s, "", nil
	},
}

func folded(s string) (value, warning string) {
	if value = FoldWidth(s); value != s {
		warning = "width_folded"
	}
	return value, warning
}

// formula warns of a text that a spreadsheet would run; it is data here, and
// exports make it harmless (S-037).
func formula(s string) string {
	if strings.ContainsRune("=+-@＝＋－＠−", []rune(s)[0]) {
		return "formula_start"
	}
	return ""
}

// lotForm: the characters that a lot number may have on a certificate (icao-vds-nc.md 1.3).
var lotForm = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9 ./_#+-]*$`)

func cleanLot(s string) (string, string, error) {
	lot, warning := folded(s)
	if !lotForm.MatchString(lot) {
		return "", "", fault.New(fault.Invalid, "lot_form", "lot")
	}
	return lot, warning, nil
}

// Forms of dates besides ISO: 2021/7/26, 1950-04-00 and 20210726.
var (
	partedDate = regexp.MustCompile(`^([0-9]{4})[-/.]([0-9]{1,2})(?:[-/.]([0-9]{1,2}))?$`)
	plainDate  = regexp.MustCompile(`^([0-9]{4})([0-9]{2})([0-9]{2})$`)
)

func cleanDate(s string, partial bool) (string, string, error) {
	text, warning := folded(s)
	if date, err := clock.ParseDate(text); err == nil && (date.Full() || partial) {
		return string(date), warning, nil
	}
	m := plainDate.FindStringSubmatch(text)
	if m == nil {
		m, warning = partedDate.FindStringSubmatch(text), "date_converted"
	}
	if m == nil {
		date, pastEnd, err := ParseEraDate(text)
		if pastEnd {
			warning = "date_past_era"
		}
		return string(date), warning, err
	}
	iso := m[1]
	for _, part := range m[2:] {
		n, _ := strconv.Atoi(part)
		if n == 0 && partial { // unknown, written as 00 or left out
			break
		}
		iso += fmt.Sprintf("-%02d", n)
	}
	date, err := clock.ParseDate(iso)
	if err != nil || !date.Full() && !partial {
		return "", "", fault.New(fault.Invalid, "date_calendar", "")
	}
	return string(date), warning, nil
}

// earliestBirth: nobody living was born before; a person of more than maxAge years is doubtful.
const (
	earliestBirth = "1873-01-01"
	maxAge        = 120
)

func (r *reader) addSubject(line int, v map[string]string) {
	s := Subject{
		Ticket: v["ticket_number"], Address: v["atena_number"],
		Family: v["family_name"], Given: v["given_name"], FamilyKana: v["family_kana"], GivenKana: v["given_kana"],
		BirthDate: clock.Date(v["birth_date"]), Sex: Sex(v["sex"]),
		Status: Status(v["status"]), StatusDate: clock.Date(v["status_date"]),
	}
	birth := r.columnOf("birth_date")
	if before(r.today, s.BirthDate) || before(s.BirthDate, earliestBirth) {
		r.note(line, birth, "birth_date_impossible", Fault)
		return
	}
	if s.BirthDate.Full() && s.BirthDate.YearsUntil(r.today) > maxAge {
		r.note(line, birth, "birth_date_old", Warning)
	}
	var number vault.Number
	if text := v["individual_number"]; text != "" {
		number, _ = vault.Parse(text) // the cell was clean
	}
	if i, ok := r.tickets[s.Key()]; ok {
		r.repeated(line, i, r.batch.Subjects[i] == s && r.batch.Numbers[i] == number)
		return
	}
	i := len(r.batch.Subjects)
	r.tickets[s.Key()] = i
	r.batch.Subjects, r.batch.Lines = append(r.batch.Subjects, s), append(r.batch.Lines, line)
	r.batch.Numbers = append(r.batch.Numbers, number)
	r.shared(line, i, number)
	r.compare(line, i, s)
}

// shared refuses both lines when a number stands for two people (L-04).
func (r *reader) shared(line, i int, n vault.Number) {
	if n.Zero() {
		return
	}
	first, taken := r.numbers[n]
	if !taken {
		r.numbers[n] = i
		return
	}
	column := r.columnOf("individual_number")
	for _, at := range []int{first, i} {
		if !r.dropped[at] {
			r.dropped[at] = true
			r.note(r.batch.Lines[at], column, "number_twice", Fault)
		}
	}
}

// compare warns of one person with two tickets and of two people with one address number.
func (r *reader) compare(line, i int, s Subject) {
	if s.BirthDate.Full() {
		person := LooseKey(s.Family+s.Given) + "|" + string(s.BirthDate)
		if _, twice := r.people[person]; twice {
			r.note(line, r.columnOf("family_name"), "person_twice", Warning)
		}
		r.people[person] = i
	}
	if s.Address == "" {
		return
	}
	if other, taken := r.holders[s.Address]; taken && !s.SamePerson(r.batch.Subjects[other]) {
		r.note(line, r.columnOf("atena_number"), "address_shared", Warning)
	}
	r.holders[s.Address] = i
}

func (r *reader) addRecord(line int, v map[string]string) {
	dose, _ := strconv.Atoi(v["dose_number"])
	d := Record{
		Programme: v["programme"], Ticket: v["ticket_number"], DoseNumber: dose, VaccinatedOn: clock.Date(v["vaccinated_on"]),
		Maker: v["maker"], Product: v["product"], Lot: v["lot"], Place: v["place"], Doctor: v["doctor"],
		Origin: v["origin"], SourceLine: v["source_file_line"],
	}
	if i, ok := r.records[d.Key()]; ok {
		first := r.batch.Records[i]
		first.SourceLine = d.SourceLine
		r.repeated(line, i, first == d)
		return
	}
	r.records[d.Key()] = len(r.batch.Records)
	r.batch.Records, r.batch.Lines = append(r.batch.Records, d), append(r.batch.Lines, line)
}

// repeated notes a key that stands in the file again: the same content counts
// once, different contents refuse each other.
func (r *reader) repeated(line, first int, same bool) {
	column := r.columnOf("ticket_number")
	if same && !r.dropped[first] {
		r.note(line, column, "line_repeated", Warning)
		return
	}
	if !r.dropped[first] {
		r.dropped[first] = true
		r.note(r.batch.Lines[first], column, "line_conflict", Fault)
	}
	r.note(line, column, "line_conflict", Fault)
}

// settle takes the conflicting lines out of the batch.
func (r *reader) settle() {
	b := &r.batch
	kept := 0
	for i, line := range b.Lines {
		if r.dropped[i] {
			continue
		}
		b.Lines[kept] = line
		if b.Kind == Subjects {
			b.Subjects[kept], b.Numbers[kept] = b.Subjects[i], b.Numbers[i]
		} else {
			b.Records[kept] = b.Records[i]
		}
		kept++
	}
	b.Lines = b.Lines[:kept]
	if b.Kind == Subjects {
		b.Subjects = b.Subjects[:kept]
	} else {
		b.Records = b.Records[:kept]
	}
	r.report.Accepted = kept
}
