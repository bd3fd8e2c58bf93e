package vaccination

import (
	"bytes"
	"embed"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"path"
	"regexp"
	"slices"
	"strings"

	"akashi/internal/fault"
)

// Kind is what the lines of a file describe.
type Kind string

const (
	Subjects Kind = "subjects"
	Records  Kind = "records"
)

// Layout describes a CSV file: columns, their order and form. It is data, so that
// the real layout of a neighbour can be put in later (codes-and-files.md 6.4).
type Layout struct {
	ID        string   `json:"id"`
	Kind      Kind     `json:"kind"`
	Encodings []string `json:"encodings"`
	Columns   []Column `json:"columns"`
}

// Column is one column of a layout.
type Column struct {
	Field    string     `json:"field"`  // what it fills; empty: read past
	Header   string     `json:"header"` // text in the header line; empty: the field's name
	Type     ColumnType `json:"type"`
	Width    int        `json:"width"` // longest value in visible characters
	Required bool       `json:"required"`
}

// Name is the text of the column in the header line.
func (c Column) Name() string {
	if c.Header != "" {
		return c.Header
	}
	return c.Field
}

// ColumnType says how a cell is read.
type ColumnType string

const (
	typeMunicipality ColumnType = "municipality"
	typeTicket       ColumnType = "ticket"
	typeAddress      ColumnType = "address"
	typeName         ColumnType = "name"
	typeKana         ColumnType = "kana"
	typeText         ColumnType = "text"
	typeLot          ColumnType = "lot"
	typeDate         ColumnType = "date"
	typePartialDate  ColumnType = "partial_date"
	typeDose         ColumnType = "dose"
	typeSex          ColumnType = "sex"
	typeStatus       ColumnType = "status"
	typeProgramme    ColumnType = "programme"
	typeNumber       ColumnType = "individual_number"
)

// fields lists what each kind of file can fill; the ones marked true must have a column.
var fields = map[Kind]map[string]bool{
	Subjects: {
		"municipality_code": true, "ticket_number": true, "family_name": true, "birth_date": true, "status": true,
		"atena_number": false, "given_name": false, "family_kana": false, "given_kana": false, "sex": false, "status_date": false,
		"individual_number": false,
	},
	Records: {
		"municipality_code": true, "ticket_number": true, "dose_number": true, "vaccinated_on": true, "programme": true,
		"maker": false, "product": false, "lot": false, "place": false, "doctor": false, "origin": false, "source_file_line": false,
	},
}

//go:embed layouts/*.json
var layoutFiles embed.FS

var layouts = readLayouts()

func readLayouts() map[string]Layout {
	names, err := layoutFiles.ReadDir("layouts")
	if err != nil {
		panic(err)
	}
	table := map[string]Layout{}
	for _, n := range names {
		b, err := layoutFiles.ReadFile(path.Join("layouts", n.Name()))
		if err != nil {
			panic(err)
		}
		l, err := LoadLayout(bytes.NewReader(b))
		if err != nil {
			panic(err)
		}
		table[l.ID] = l
	}
	return table
}

// LayoutByID returns an embedded layout, such as "subjects-v1" or "records-v1".
func LayoutByID(id string) (Layout, error) {
	l, ok := layouts[id]
	if !ok {
		return Layout{}, fault.New(fault.NotFound, "layout_unknown", "layout")
	}
	return l, nil
}

// LayoutOf returns the embedded layout of a file: subjects may come with their
// individual numbers, records never do.
func LayoutOf(k Kind, file []byte) (Layout, error) {
	header, _, _ := bytes.Cut(file, []byte("\n"))
	if k == Subjects && bytes.Contains(header, []byte("individual_number")) {
		return LayoutByID("subjects-number-v1")
	}
	return LayoutFor(k)
}

// numbers returns which column holds individual numbers; -1 if none does.
func (l Layout) numbers() int {
	return slices.IndexFunc(l.Columns, func(c Column) bool { return c.Type == typeNumber })
}

var twelveDigits = regexp.MustCompile(`[0-9]{12}`)

// withoutNumbers returns a file of this layout with zeros for what may be an
// individual number.
func (l Layout) withoutNumbers(file []byte) []byte {
	if l.numbers() < 0 {
		return file
	}
	return twelveDigits.ReplaceAll(file, []byte("000000000000"))
}

// LayoutFor returns the embedded layout of a kind of file.
func LayoutFor(k Kind) (Layout, error) { return LayoutByID(string(k) + "-v1") }

// LoadLayout reads a layout of at most 64 KiB in the form of layouts/*.json and
// refuses one by which a file could not be read safely.
func LoadLayout(r io.Reader) (Layout, error) {
	var l Layout
	d := json.NewDecoder(io.LimitReader(r, 64<<10))
	d.DisallowUnknownFields()
	if err := d.Decode(&l); err != nil {
		return Layout{}, fmt.Errorf("layout: %w", err)
	}
	if err := l.check(); err != nil {
		return Layout{}, fmt.Errorf("layout %q: %w", l.ID, err)
	}
	return l, nil
}

func (l Layout) check() error {
	known, ok := fields[l.Kind]
	switch {
	case l.ID == "":
		return errors.New("no id")
	case !ok:
		return errors.New("unknown kind")
	case len(l.Columns) == 0 || len(l.Columns) > maxColumns:
		return errors.New("no columns or too many")
	case len(l.Encodings) == 0:
		return errors.New("no encoding")
	}
	seen := map[string]bool{}
	for _, c := range l.Columns {
		if c.Name() == "" || c.Width < 1 {
			return errors.New("column without name or width")
		}
		if (isNumberColumn(c.Name()) || c.Type == typeNumber) && (l.Kind != Subjects || c.Field != "individual_number" || c.Type != typeNumber) {
			return errors.New("column for individual numbers")
		}
		if c.Field == "" {
			continue
		}
		if _, ok := known[c.Field]; !ok || seen[c.Field] {
			return fmt.Errorf("field %q unknown or twice", c.Field)
		}
		if cleaners[c.Type] == nil {
			return fmt.Errorf("field %q has an unknown type", c.Field)
		}
		seen[c.Field] = true
	}
	for f, must := range known {
		if must && !seen[f] {
			return fmt.Errorf("no column for %q", f)
		}
	}
	return nil
}

func (l Layout) accepts(encoding string) bool {
	switch encoding {
	case ASCII:
		return true
	case UTF8BOM:
		encoding = UTF8
	}
	return slices.Contains(l.Encodings, encoding)
}

// isNumberColumn recognises the header of a column for individual numbers.
func isNumberColumn(name string) bool {
	switch strings.NewReplacer("_", "", "-", "").Replace(ExactKey(name)) {
	case "INDIVIDUALNUMBER", "MYNUMBER", "個人番号", "マイナンバー":
		return true
	}
	return false
}
