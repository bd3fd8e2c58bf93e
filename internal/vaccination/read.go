package vaccination

import (
	"bufio"
	"bytes"
	"cmp"
	"crypto/sha256"
	"encoding/csv"
	"encoding/hex"
	"errors"
	"slices"
	"strings"

	"akashi/certificate/catalogue"
	"akashi/internal/clock"
	"akashi/internal/fault"
	"akashi/internal/vault"
)

// Limits of a file (threats-and-protection.md 4); they act before parsing.
const (
	maxFile    = 50 << 20 // bytes
	maxRows    = 200_000
	maxColumns = 64
	maxCell    = 4 << 10 // bytes
	maxLine    = maxColumns * (maxCell + 3)

	maxFindings = 1_000 // listed in a report; the rest is counted
)

// Batch is what a file holds besides its refused lines, in the order of the file.
type Batch struct {
	Kind     Kind
	Subjects []Subject
	Numbers  []vault.Number // of the subjects, for the vault and nothing else
	Records  []Record
	Lines    []int // line in the file of each subject or record
}

// NumbersIn counts the individual numbers of the batch.
func (b Batch) NumbersIn() (n int) {
	for _, number := range b.Numbers {
		if !number.Zero() {
			n++
		}
	}
	return n
}

// Report says what was read and what was found wrong. It holds no personal value.
type Report struct {
	Layout   string `json:"layout"`
	SHA256   string `json:"sha256"` // of the file as it came, hex; individual numbers as zeros, which a hash would not hide
	Encoding string `json:"encoding"`
	Rows     int    `json:"rows"` // lines with data
	Accepted int    `json:"accepted"`
	Refused  bool   `json:"refused"` // the whole file; then the batch is empty
	Faults   int    `json:"faults"`  // lines with at least one fault
	Findings []Line `json:"findings"`
	Unlisted int    `json:"unlisted,omitempty"` // findings beyond the first 1,000
}

// Line is one finding about a file. Texts come from Message by code.
type Line struct {
	Line     int      `json:"line"` // 1 is the header; 0 the file
	Column   string   `json:"column,omitempty"`
	Code     string   `json:"code"`
	Severity Severity `json:"severity"`
}

// Read reads a CSV file for an office. Whatever is wrong stands in the report: a
// wrong header, encoding or foreign municipality code and any individual number
// outside its column refuse the whole file; a faulty line is left out of the batch; a doubtful one
// is in it with a Block or Warning of the plausibility rules. Nothing is stored.
func Read(layout Layout, office string, file []byte, today clock.Date) (Batch, Report) {
	sum := sha256.Sum256(layout.withoutNumbers(file))
	r := &reader{
		layout: layout, office: office, today: today,
		report:  Report{Layout: layout.ID, SHA256: hex.EncodeToString(sum[:])},
		batch:   Batch{Kind: layout.Kind},
		dropped: map[int]bool{},
		people:  map[string]int{},
		holders: map[string]int{},
		tickets: map[string]int{},
		numbers: map[vault.Number]int{},
		records: map[RecordKey]int{},
		values:  map[string]string{},

		findings: []Line{},
	}
	if err := r.file(file); err != nil {
		r.report.Refused, r.report.Accepted = true, 0
		return Batch{Kind: layout.Kind}, r.finish()
	}
	r.settle()
	r.review()
	return r.batch, r.finish()
}

type reader struct {
	layout Layout
	office string
	today  clock.Date
	report Report
	batch  Batch

	numbers map[vault.Number]int // to index in the batch
	tickets map[string]int       // subject key to index in the batch
	records map[RecordKey]int    // record key to index in the batch
	dropped map[int]bool         // indexes that conflict
	people  map[string]int       // name and birth date to index
	holders map[string]int       // address number to index

	addresses twelve // numbers of twelve digits among the address numbers
	faulty    int    // last line with a fault
	findings  []Line
	values    map[string]string // of the line at hand
}

type twelve struct{ all, valid, line int }

// errRefused ends the reading of a file; the finding is already noted.
var errRefused = errors.New("vaccination: file refused")

func (r *reader) refuse(line int, column, code string) error {
	r.findings = append(r.findings[:0], Line{line, column, code, Refusal})
	r.report.Unlisted = 0
	return errRefused
}

func (r *reader) note(line int, column, code string, severity Severity) {
	if severity == Fault && r.faulty != line {
		r.faulty = line
		r.report.Faults++
	}
	if len(r.findings) >= maxFindings {
		r.report.Unlisted++
		return
	}
	r.findings = append(r.findings, Line{line, column, code, severity})
}

func (r *reader) finish() Report {
	slices.SortStableFunc(r.findings, func(a, b Line) int { return cmp.Compare(a.Line, b.Line) })
	r.report.Findings = r.findings
	return r.report
}

func (r *reader) file(file []byte) error {
	switch {
	case len(file) > maxFile:
		return r.refuse(0, "", "file_too_large")
	case len(bytes.TrimSpace(file)) == 0:
		return r.refuse(0, "", "file_empty")
	case bytes.Count(file, []byte("\n")) > maxRows+1:
		return r.refuse(0, "", "file_too_many_rows")
	}
	encoding, text, err := detect(file)
	if err != nil {
		return r.refuse(0, "", keyOf(err))
	}
	r.report.Encoding = encoding
	if !r.layout.accepts(encoding) {
		return r.refuse(0, "", "encoding_not_accepted")
	}
	return r.lines(encoding, text)
}

// lines reads line by line: no cell of a layout holds a line break, so an open
// quotation mark spoils its own line and never swallows those after it.
func (r *reader) lines(encoding string, text []byte) error {
	parser := newLineParser()
	for number := 1; len(text) > 0; number++ {
		var raw []byte
		raw, text, _ = bytes.Cut(text, []byte("\n"))
		raw = bytes.TrimSuffix(raw, []byte("\r"))
		if len(raw) > maxLine {
			if number == 1 {
				return r.refuse(1, "", "header_wrong")
			}
			r.report.Rows++
			if err := r.unread(number, string(raw), "line_too_long"); err != nil {
				return err
			}
			continue
		}
		line, ok := decode(encoding, raw)
		if !ok {
			return r.refuse(number, "", "encoding_broken")
		}
		if number > 1 && len(bytes.TrimSpace(line)) == 0 {
			continue
		}
		cells, err := parser.parse(line)
		if number == 1 {
			if err := r.header(cells, err); err != nil {
				return err
			}
			continue
		}
		r.report.Rows++
		if err != nil {
			if err := r.unread(number, string(line), "csv_quotes"); err != nil {
				return err
			}
			continue
		}
		if err := r.row(number, cells); err != nil {
			return err
		}
	}
	if r.addresses.valid*2 > r.addresses.all {
		return r.refuse(r.addresses.line, "", numberNotAccepted)
	}
	return nil
}

// unread notes a line that cannot be parted into cells; it may hold a number all the same.
func (r *reader) unread(number int, line, code string) error {
	if r.layout.numbers() < 0 && vault.Find(line) > 0 {
		return r.refuse(number, "", numberNotAccepted)
	}
	r.note(number, "", code, Fault)
	return nil
}

func (r *reader) header(cells []string, err error) error {
	for i, c := range cells {
		if i != r.layout.numbers() && isNumberColumn(c) || vault.Find(c) > 0 {
			return r.refuse(1, "", numberNotAccepted)
		}
	}
	for i, c := range r.layout.Columns {
		if err != nil || i >= len(cells) || cells[i] != c.Name() {
			return r.refuse(1, c.Name(), r.wrongHeader(cells))
		}
	}
	if len(cells) > len(r.layout.Columns) {
		return r.refuse(1, "", "header_wrong")
	}
	return nil
}

// wrongHeader tells a file of the other kind from one that is of no kind.
func (r *reader) wrongHeader(cells []string) string {
	for _, l := range layouts {
		if l.Kind != r.layout.Kind && slices.EqualFunc(cells, l.Columns, func(cell string, c Column) bool { return cell == c.Name() }) {
			return map[Kind]string{Subjects: "header_of_subjects", Records: "header_of_records"}[l.Kind]
		}
	}
	return "header_wrong"
}

const numberNotAccepted = "number_not_accepted_yet"

// row reads one line with data. An error means that the file is refused.
func (r *reader) row(line int, cells []string) error {
	if err := r.findNumber(line, cells); err != nil {
		return err
	}
	if len(cells) != len(r.layout.Columns) {
		r.note(line, "", "column_count", Fault)
		return nil
	}
	clear(r.values)
	sound := true
	for i, c := range r.layout.Columns {
		value, warnings, err := clean(c, cells[i])
		if err != nil {
			r.note(line, c.Name(), keyOf(err), Fault)
			sound = false
			continue
		}
		for _, w := range warnings {
			r.note(line, c.Name(), w, Warning)
		}
		if c.Type == typeMunicipality && value != r.office {
			return r.refuse(line, c.Name(), "municipality_foreign")
		}
		r.values[c.Field] = value
	}
	if !sound {
		return nil
	}
	if r.layout.Kind == Subjects {
		r.addSubject(line, r.values)
	} else {
		r.addRecord(line, r.values)
	}
	return nil
}

// findNumber refuses the file when a cell holds an individual number. One in
// eleven address numbers of twelve digits looks like one; only when most of them
// do, the column holds individual numbers.
func (r *reader) findNumber(line int, cells []string) error {
	for i, cell := range cells {
		all, valid := vault.Scan(cell)
		if valid == 0 && all == 0 || i == r.layout.numbers() {
			continue
		}
		if i < len(r.layout.Columns) && r.layout.Columns[i].Type == typeAddress {
			r.addresses.all += all
			r.addresses.valid += valid
			if valid > 0 && r.addresses.line == 0 {
				r.addresses.line = line
			}
			continue
		}
		if valid > 0 {
			column := ""
			if i < len(r.layout.Columns) {
				column = r.layout.Columns[i].Name()
			}
			return r.refuse(line, column, numberNotAccepted)
		}
	}
	return nil
}

// lineParser parses single lines with one csv.Reader.
type lineParser struct {
	text *strings.Reader
	buf  *bufio.Reader
	csv  *csv.Reader
}

func newLineParser() *lineParser {
	text := strings.NewReader("")
	buf := bufio.NewReaderSize(text, 8<<10)
	p := &lineParser{text, buf, csv.NewReader(buf)}
	p.csv.FieldsPerRecord = -1
	p.csv.ReuseRecord = true
	return p
}

// parse returns the cells of one line; they hold until the next call.
func (p *lineParser) parse(line []byte) ([]string, error) {
	p.text.Reset(string(line))
	p.buf.Reset(p.text)
	return p.csv.Read()
}

// keyOf returns the code of a fault.
func keyOf(err error) string {
	var f *fault.Error
	if errors.As(err, &f) {
		return f.Key
	}
	return "unreadable"
}

// review runs the plausibility rules over the doses of each ticket in the file.
// Gaps cannot be judged there: earlier doses may have come before.
func (r *reader) review() {
	rules := Rules{catalogue.Default()}
	var order []RecordKey // tickets as they come, so that equal files give equal reports
	byTicket := map[RecordKey][]int{}
	for i, d := range r.batch.Records {
		key := RecordKey{d.Programme, d.Ticket, 0}
		if byTicket[key] == nil {
			order = append(order, key)
		}
		byTicket[key] = append(byTicket[key], i)
	}
	for _, key := range order {
		indexes := byTicket[key]
		slices.SortStableFunc(indexes, func(a, b int) int {
			return cmp.Compare(r.batch.Records[a].DoseNumber, r.batch.Records[b].DoseNumber)
		})
		c := Case{Programme: key.Programme, Elsewhere: true}
		for _, i := range indexes {
			c.Doses = append(c.Doses, r.batch.Records[i])
		}
		k := rules.open(c, r.today)
		for n, i := range indexes {
			for _, rule := range doseRules {
				if rule.broken(k, n) {
					r.note(r.batch.Lines[i], r.columnOf(rule.column), rule.code, rule.severity)
				}
			}
		}
	}
	for i, s := range r.batch.Subjects {
		for _, rule := range personRules {
			if rule.broken(s) {
				r.note(r.batch.Lines[i], r.columnOf(rule.column), rule.code, rule.severity)
			}
		}
	}
}

func (r *reader) columnOf(field string) string {
	for _, c := range r.layout.Columns {
		if c.Field == field {
			return c.Name()
		}
	}
	return ""
}
