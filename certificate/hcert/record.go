package hcert

import (
	"encoding/json"
	"strconv"
	"time"

	"akashi/internal/clock"
)

// Record is a DDCC core data set of WHO (spec who-icvp-gdhcn, 9): read only, and shown
// as what it is. One of Vaccination and Test is set.
type Record struct {
	FirstDraft  bool // the whole payload, without claims: no longer trusted by anybody
	Name        string
	BirthDate   string
	Sex         string
	Identifier  string
	ID          string // hcid: of the certificate
	Issuer      string
	Vaccination *RecordDose
	Test        *RecordTest
}

// Coded is a code of some system; text without a code is its Display.
type Coded struct{ System, Code, Display string }

// RecordDose is a vaccination of a core data set.
type RecordDose struct {
	Vaccine, Brand, Manufacturer, Disease, Country Coded
	Lot, Centre, Practitioner                      string
	Date                                           clock.Date
	Dose, Total                                    int
}

// RecordTest is a test of a core data set.
type RecordTest struct {
	Pathogen, Type, Result, Country Coded
	Centre                          string
	At                              time.Time
}

// readRecord reads sub-claims 3 and 4, and first drafts, which have the same members at
// the top and in other spellings.
func readRecord(v any, firstDraft bool) (*Record, error) {
	values, ok := v.(table)
	if !ok {
		return nil, fail(StepContent, "not_a_map", "")
	}
	top := fields{"", values}
	certificate := top.child("certificate")
	r := &Record{
		FirstDraft: firstDraft, Name: top.text("name"), BirthDate: top.day("birthDate"), Sex: top.coded("sex").Label(),
		Identifier: top.text("identifier"), ID: first(certificate.text("hcid"), top.text("hcid")), Issuer: certificate.coded("issuer").Label(),
	}
	switch {
	case top.has("test"):
		r.Test = top.child("test").test()
	case top.has("vaccination"):
		r.Vaccination = top.child("vaccination").dose()
	case top.has("vaccine"):
		r.Vaccination = top.dose()
	default:
		return r, fail(StepContent, "no_entry", "")
	}
	if r.Name == "" {
		return r, fail(StepContent, "missing", "name")
	}
	return r, nil
}

// Label is what to show of a code.
func (c Coded) Label() string { return first(c.Display, c.Code) }

func first(texts ...string) string {
	for _, s := range texts {
		if s != "" {
			return s
		}
	}
	return ""
}

// coded reads a coding, or a text in its place.
func (f fields) coded(name string) Coded {
	if s := f.text(name); s != "" {
		return Coded{Display: s}
	}
	c := f.child(name)
	return Coded{c.text("system"), c.text("code"), c.text("display")}
}

func (f fields) dose() *RecordDose {
	d := &RecordDose{
		Vaccine: f.coded("vaccine"), Brand: f.coded("brand"), Manufacturer: f.coded("manufacturer"),
		Disease: f.coded("disease"), Country: f.coded("country"),
		Lot: f.text("lot"), Centre: f.text("centre"), Practitioner: first(f.text("practitioner"), f.text("hw")),
		Dose: f.number("dose"), Total: firstNumber(f.number("totalDoses"), f.number("total_doses")),
	}
	if d.Manufacturer == (Coded{}) {
		if d.Manufacturer = f.coded("maholder"); d.Manufacturer == (Coded{}) {
			d.Manufacturer = f.coded("ma_holder")
		}
	}
	d.Date, _ = clock.ParseDate(f.day("date")) // a draft may lack it
	return d
}

func firstNumber(a, b int) int {
	if a != 0 {
		return a
	}
	return b
}

func (f fields) test() *RecordTest {
	return &RecordTest{
		Pathogen: f.coded("pathogen"), Type: f.coded("type"), Result: f.coded("result"), Country: f.coded("country"),
		Centre: f.text("centre"), At: f.moment("date"),
	}
}

// numbers turns what strictjson read into a tree: numbers that are whole become int64.
func numbers(v any) any {
	switch v := v.(type) {
	case map[string]any:
		out := make(table, len(v))
		for k, one := range v {
			out[k] = numbers(one)
		}
		return out
	case []any:
		out := make([]any, len(v))
		for i := range v {
			out[i] = numbers(v[i])
		}
		return out
	case json.Number:
		if n, err := strconv.ParseInt(v.String(), 10, 64); err == nil {
			return n
		}
		n, _ := v.Float64()
		return n
	}
	return v
}
