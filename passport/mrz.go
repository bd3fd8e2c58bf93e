package passport

import (
	"fmt"
	"io"
	"log/slog"
	"regexp"
	"strconv"
	"strings"

	"akashi/internal/clock"
)

// MaxText is the longest text that Parse looks at, in bytes.
const MaxText = 1024

// Options of Parse. The zero value is a counter in production.
type Options struct {
	AllowSpecimen bool // accept the specimen state UTO
	// Strict reads a zone that no hand or camera has touched, such as DG1 of a
	// chip: nothing is normalised or repaired and a second << refuses.
	Strict bool
}

// Reading is what a machine readable zone says and what is wrong with it.
// Nearly all of it is personal: printed or logged it shows the format and the
// codes and fields of the findings, as JSON it is for the clerk.
type Reading struct {
	DocumentFormat Format   `json:"format,omitempty"` // "" when the lines fit none
	Lines          []string `json:"lines"`            // normalised
	Changes        []Change `json:"changes,omitempty"`
	Code           string   `json:"document_code,omitempty"` // such as "P", "PP" or "ID"; no right follows from the second letter
	Optional       []string `json:"optional,omitempty"`      // optional data without fillers at the end, by field
	// MayBeTruncated: the last position of the name field is a letter.
	MayBeTruncated bool `json:"may_be_truncated,omitempty"`
	// EarlierBirth is the same birthday a hundred years earlier, when somebody
	// born then could live: for the clerk to choose if the register says so.
	EarlierBirth clock.Date `json:"earlier_birth,omitempty"`
	Document     Document   `json:"-"` // to be trusted only if !Refused()
	Findings     Findings   `json:"findings,omitempty"`
	// Repairs taken together are one proposal that makes every check digit it
	// touches right. None is applied; a person confirms them.
	Repairs []Repair `json:"repairs,omitempty"`
}

// Refused tells whether the zone must not be used as it was read.
func (r Reading) Refused() bool { return r.Findings.Refused() }

// Repaired returns the lines with the proposed repairs, to be shown beside the
// picture, confirmed and parsed again; nil when nothing is proposed.
func (r Reading) Repaired() []string {
	if len(r.Repairs) == 0 {
		return nil
	}
	return apply(r.Lines, r.Repairs)
}

func (r Reading) String() string             { return string(r.DocumentFormat) + r.Findings.String() }
func (r Reading) Format(s fmt.State, _ rune) { _, _ = io.WriteString(s, r.String()) }
func (r Reading) LogValue() slog.Value       { return slog.StringValue(r.String()) }

// Parse reads a machine readable zone as typed or scanned: lines parted by line
// ends, or one line of 88, 72 or 90 characters. today must be a full date. It
// reports everything it finds, in the order of reading, and never fails.
func Parse(text string, today clock.Date, o Options) Reading {
	if refusal, ok := unreadable(text, today); !ok {
		return Reading{Findings: Findings{refusal}}
	}
	var r Reading
	if o.Strict {
		r.Lines = strings.Split(strings.TrimSuffix(text, "\n"), "\n")
		if cut, ok := cutLine(r.Lines); ok {
			r.Lines = cut
		}
	} else {
		r.Lines, r.Changes = normalise(text)
	}
	legal, charset := bytesOf(r.Lines)
	l, ok := layoutOf(legal)
	if !ok {
		r.Findings = append(shape(r.Lines), charset...)
		return r
	}
	r.DocumentFormat, r.Findings = l.format, charset
	reader := reader{zone: zone{l, legal}, today: today, options: o, reading: r}
	reader.read()
	if !o.Strict {
		reader.reading.Repairs = propose(reader)
		reader.attach(reader.reading.Repairs)
	}
	return reader.reading
}

// unreadable refuses what must not even be looked at.
func unreadable(text string, today clock.Date) (Finding, bool) {
	if len(text) > MaxText {
		return Finding{
			Code: CodeLength, Field: FieldZone, Severity: Refuse,
			Read: strconv.Itoa(len(text)), Expected: "at most " + strconv.Itoa(MaxText),
		}, false
	}
	if _, err := clock.ParseDate(string(today)); err != nil || !today.Full() {
		return Finding{Code: CodeNoDate, Field: FieldZone, Severity: Refuse}, false
	}
	return Finding{}, true
}

// shape says what number of lines or characters was wrong.
func shape(lines []string) Findings {
	refuse := func(field string, read int, expected string) Finding {
		return Finding{Code: CodeLength, Field: field, Severity: Refuse, Read: strconv.Itoa(read), Expected: expected}
	}
	if len(lines) != 2 && len(lines) != 3 {
		return Findings{refuse(FieldZone, len(lines), "2 or 3 lines")}
	}
	width := 30
	if len(lines) == 2 {
		width = 44
		if runes(lines[0])+runes(lines[1]) < 80 { // nearer to 2 × 36 than to 2 × 44
			width = 36
		}
	}
	var findings Findings
	for i, line := range lines {
		if n := runes(line); n != width {
			findings = append(findings, refuse(lineField(i), n, strconv.Itoa(width)))
		}
	}
	return findings
}

// reader walks through a zone and fills the reading.
type reader struct {
	zone
	today   clock.Date
	options Options
	reading Reading
}

func (r *reader) report(severity Severity, code, field, read, expected string) {
	r.reading.Findings = append(r.reading.Findings, Finding{Code: code, Field: field, Severity: severity, Read: read, Expected: expected})
}

func (r *reader) read() {
	document := &r.reading.Document
	r.readCode()
	document.IssuingState = r.readState(FieldIssuingState, r.state)
	r.readName()
	r.readNumber()
	document.Nationality = r.readState(FieldNationality, r.nationality)
	if document.Nationality != document.IssuingState {
		r.report(Note, CodeNationalityOther, FieldNationality, document.Nationality, document.IssuingState)
	}
	r.readBirth()
	r.readSex()
	r.readExpiry()
	r.readOptional()
	for _, c := range r.checks() {
		if !c.right(r.zone) {
			r.report(Refuse, CodeCheckDigit, c.field, r.at(c.digit), c.wanted(r.zone))
		}
	}
}

// passportKinds are the second letters for passports of Doc 9303-4, 4.2.2.
const passportKinds = "PEDORTSLMU"

func (r *reader) readCode() {
	read := r.at(r.code)
	r.reading.Code = trimFillers(read)
	switch {
	case !strings.ContainsRune(r.first, rune(read[0])), !isLetter(read[1]) && read[1] != filler:
		expected := strings.Join(strings.Split(r.first, ""), ", ")
		r.report(Refuse, CodeDocumentCode, FieldDocumentCode, read, expected+" and a letter or filler")
	case r.format == TD3 && read[1] != filler && !strings.ContainsRune(passportKinds, rune(read[1])):
		r.report(Note, CodeDocumentKind, FieldDocumentCode, read, "")
	}
}

func (r *reader) readState(field string, s span) string {
	code := trimFillers(r.at(s))
	if _, _, known := StateName(code); !known {
		r.report(Refuse, CodeUnknownState, field, r.at(s), "")
	} else if code == specimenState && !r.options.AllowSpecimen {
		r.report(Refuse, CodeSpecimenState, field, code, "")
	}
	return code
}

var japaneseNumber = regexp.MustCompile(`^[A-Z]{2}[0-9]{7}$`)

func (r *reader) readNumber() {
	number := trimFillers(r.at(r.number))
	if r.continued() {
		if long, ok := r.long(); ok {
			number = r.at(r.number) + r.at(long.rest)
		} else {
			r.report(Refuse, CodeLongNumber, FieldNumber, number, "")
		}
	}
	if number == "" {
		r.report(Refuse, CodeNumberMissing, FieldNumber, "", "")
	}
	if r.japanese() && number != "" && !japaneseNumber.MatchString(number) {
		r.report(Warn, CodeJapaneseNumber, FieldNumber, number, "two letters and seven digits")
	}
	r.reading.Document.Number = NewNumber(number)
}

// japanese tells whether Japan issued the passport.
func (r *reader) japanese() bool { return r.format == TD3 && r.at(r.state) == "JPN" }

func (r *reader) readBirth() {
	read := r.at(r.birth)
	date, code := birthDate(read, r.today)
	r.reading.Document.BirthDate, r.reading.EarlierBirth = date, centuryEarlier(date, r.today)
	switch code {
	case "":
	case CodeBirthIncomplete:
		r.report(Warn, code, FieldBirthDate, read, "")
	default:
		r.report(Refuse, code, FieldBirthDate, read, "YYMMDD")
	}
}

func (r *reader) readSex() {
	read := r.at(r.sex)
	switch read {
	case "M", "F":
		r.reading.Document.Sex = read
	case string(filler):
		r.reading.Document.Sex = "X"
	default:
		if read == "X" {
			r.reading.Document.Sex = read
		}
		r.report(Refuse, CodeSexLetter, FieldSex, read, "M, F or <")
	}
}

func (r *reader) readExpiry() {
	read := r.at(r.expiry)
	date, code := expiryDate(read, r.today)
	r.reading.Document.Expiry = date
	switch code {
	case "":
	case CodeExpired:
		r.report(Refuse, code, FieldExpiry, string(date), "not before "+string(r.today))
	default:
		r.report(Refuse, code, FieldExpiry, read, "YYMMDD")
	}
}

func (r *reader) readOptional() {
	fields := r.optional
	if long, ok := r.long(); ok {
		fields = append([]span{long.after}, fields[1:]...)
	}
	for _, s := range fields {
		r.reading.Optional = append(r.reading.Optional, trimFillers(r.at(s)))
	}
	if r.japanese() && r.reading.Optional[0] != "" {
		r.report(Warn, CodeJapaneseOptional, FieldOptional, r.reading.Optional[0], "")
	}
}

// readName splits the name field at the first <<.
func (r *reader) readName() {
	field := trimFillers(r.at(r.name))
	if field == "" {
		r.report(Refuse, CodeNameMissing, FieldName, "", "")
		return
	}
	if strings.ContainsAny(field, "0123456789") {
		r.report(Refuse, CodeNameDigit, FieldName, field, "A-Z and <")
	}
	primary, secondary, _ := strings.Cut(field, "<<")
	switch {
	case strings.HasPrefix(field, "<<"):
		r.report(Warn, CodePrimaryMissing, FieldName, field, "")
	case field[0] == filler:
		r.report(Warn, CodeStrayFiller, FieldName, field, "")
	case secondary == "":
		r.report(Note, CodeSingleName, FieldName, field, "")
	}
	if strings.Contains(secondary, "<<") || strings.HasPrefix(secondary, string(filler)) {
		severity := Warn
		if r.options.Strict {
			severity = Refuse
		}
		r.report(severity, CodeSecondSeparator, FieldName, field, "")
	}
	if isLetter(r.at(r.name)[r.name.to-r.name.from-1]) {
		r.reading.MayBeTruncated = true
		r.report(Note, CodeTruncated, FieldName, field, "")
	}
	r.reading.Document.MRZName = Name{Primary: components(primary), Secondary: components(secondary)}
}

// components turns fillers into single blanks.
func components(part string) string {
	return strings.Join(strings.FieldsFunc(part, func(r rune) bool { return r == filler }), " ")
}
