package exchange

import (
	"bytes"
	"crypto/sha256"
	"encoding/csv"
	"encoding/hex"
	"errors"
	"slices"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/encoding"
	"golang.org/x/text/encoding/japanese"

	"akashi/internal/fault"
	"akashi/internal/vaccination"
	"akashi/internal/vault"
)

// Limits of a file.
const (
	MaxFile = 2 << 20
	MaxRows = 1000
	maxCell = 1 << 10 // bytes

	maxBreaks = 20 // lines that a row may have more than one
)

// table is a file as it was read.
type table struct {
	sha256   string
	encoding string // of vaccination
	header   []string
	rows     []tableRow
}

type tableRow struct {
	line  int      // 1 is the header
	cells []string // more or fewer than the header has, or parted as well as can be, where there is a fault
	fault string   // why it could not be parted into cells
}

// read parts a file into rows. What is wrong with the whole file is a fault Invalid of the
// field "file", with the line where one is at fault; an individual number anywhere is one.
func read(file []byte) (table, error) {
	if len(file) > MaxFile {
		return table{}, fault.New(fault.TooLarge, "body_too_large", "file").With("max", strconv.Itoa(MaxFile))
	}
	sum := sha256.Sum256(file)
	t := table{sha256: hex.EncodeToString(sum[:])}
	var text []byte
	var err error
	if t.encoding, text, err = vaccination.ReadText(file); err != nil {
		return t, refused(err, 0)
	}
	for number := 1; len(text) > 0; number++ {
		var raw []byte
		raw, text, _ = bytes.Cut(text, []byte("\n"))
		raw = bytes.TrimSuffix(raw, []byte("\r"))
		if number > 1 && len(bytes.Trim(raw, " \t,")) == 0 {
			continue
		}
		r := tableRow{line: number}
		if r.cells, err = parted(raw, false); err != nil {
			if whole, rest, lines := t.broken(raw, text); lines > 0 {
				raw, text, number = whole, rest, number+lines
				r.cells, err = parted(raw, false)
			}
		}
		if vault.Find(string(raw)) > 0 {
			return t, refused(fault.New(fault.Invalid, "number_not_accepted_yet", ""), r.line)
		}
		if err != nil {
			r.fault = "csv_quotes"
			if r.cells, err = parted(raw, true); err != nil {
				r.cells = []string{string(raw)}
			}
		}
		for i, c := range r.cells {
			r.cells[i] = uncovered(c)
			if len(c) > maxCell {
				r.fault = "line_too_long"
			}
		}
		if number == 1 {
			if err := t.head(r); err != nil {
				return t, err
			}
			continue
		}
		if len(t.rows) == MaxRows {
			return t, fault.New(fault.Invalid, "batch_too_many", "file").With("max", strconv.Itoa(MaxRows))
		}
		if r.fault == "" && len(r.cells) != len(t.header) {
			r.fault = "column_count"
		}
		t.rows = append(t.rows, r)
	}
	if len(t.rows) == 0 {
		return t, fault.New(fault.Invalid, "file_empty", "file")
	}
	t.dropReport()
	return t, nil
}

// broken is a row in which a cell has line breaks, the text after it, and how many lines more
// it has: none where the lines that follow do not make it whole.
func (t *table) broken(raw, text []byte) (whole, rest []byte, lines int) {
	for whole, rest = raw, text; lines < maxBreaks && len(rest) > 0; {
		var next []byte
		next, rest, _ = bytes.Cut(rest, []byte("\n"))
		whole, lines = slices.Concat(whole, []byte("\n"), bytes.TrimSuffix(next, []byte("\r"))), lines+1
		if cells, err := parted(whole, false); err == nil && len(cells) == len(t.header) {
			return whole, rest, lines
		}
	}
	return nil, nil, 0
}

// parted are the cells of a line; lazily, with quotes wherever they stand.
func parted(raw []byte, lazily bool) ([]string, error) {
	p := csv.NewReader(bytes.NewReader(raw))
	p.LazyQuotes = lazily
	return p.Read()
}

func refused(err error, line int) error {
	f := fault.New(fault.Internal, "internal", "")
	if found := (*fault.Error)(nil); errors.As(err, &found) {
		f = &fault.Error{Code: found.Code, Key: found.Key, Args: found.Args}
	}
	f.Field = "file"
	if line > 0 {
		f = f.With("line", strconv.Itoa(line))
	}
	return f
}

// head checks the first line: columns that are known, each once, with those that must be.
func (t *table) head(r tableRow) error {
	wrong := fault.New(fault.Invalid, "batch_header", "file") // its text is whatever stands in the file
	if r.fault != "" {
		return wrong
	}
	seen := map[string]bool{}
	for _, h := range r.cells {
		c, ok := columnOf(h)
		switch {
		case slices.Contains([]string{errorColumn, noteColumn, lineColumn}, h):
			continue
		case !ok || seen[c.key]:
			return wrong
		}
		seen[c.key] = true
	}
	for _, c := range columns {
		if c.required && !seen[c.key] {
			return wrong
		}
	}
	t.header = r.cells
	return nil
}

// dropReport takes away the columns that the report of an earlier file had.
func (t *table) dropReport() {
	for i := len(t.header) - 1; i >= 0; i-- {
		if _, ok := columnOf(t.header[i]); ok {
			continue
		}
		t.header = slices.Delete(slices.Clone(t.header), i, i+1)
		for n, r := range t.rows {
			if i < len(r.cells) {
				t.rows[n].cells = slices.Delete(r.cells, i, i+1)
			}
		}
	}
}

// dangerous are the characters with which a spreadsheet program begins a formula, or
// that hide one (S-037).
const dangerous = "=+-@＝＋－＠\t\r\n\x00"

func startsFormula(cell string) bool {
	first, _ := utf8.DecodeRuneInString(strings.TrimLeftFunc(cell, unicode.IsSpace))
	return strings.ContainsRune(dangerous, first) && cell != "" || strings.ContainsAny(cell[:min(1, len(cell))], "\t\r\n\x00")
}

// covered puts an apostrophe before what a spreadsheet program would run; uncovered takes
// it away again when the file comes back.
func covered(cell string) string {
	if startsFormula(cell) {
		return "'" + cell
	}
	return cell
}

func uncovered(cell string) string {
	if rest, ok := strings.CutPrefix(cell, "'"); ok && startsFormula(rest) {
		return rest
	}
	return cell
}

// line writes one line, every cell quoted (S-037).
func line(cells []string) []byte {
	var b bytes.Buffer
	for i, c := range cells {
		if i > 0 {
			b.WriteByte(',')
		}
		b.WriteByte('"')
		b.WriteString(strings.ReplaceAll(covered(c), `"`, `""`))
		b.WriteByte('"')
	}
	b.WriteString("\r\n")
	return b.Bytes()
}

// encoded gives a text the encoding of the file that it answers.
func encoded(text []byte, as string) ([]byte, error) {
	switch as {
	case vaccination.CP932:
		return encoding.ReplaceUnsupported(japanese.ShiftJIS.NewEncoder()).Bytes(text)
	case vaccination.UTF8BOM, vaccination.ASCII: // our own columns are Japanese: spreadsheet programs need the mark
		return append([]byte("\uFEFF"), text...), nil
	}
	return text, nil
}
