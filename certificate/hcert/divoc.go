package hcert

import (
	"archive/zip"
	"bytes"
	"encoding/base64"
	"io"
	"strings"

	"akashi/internal/strictjson"
)

// DIVOC is a certificate of India's platform: a W3C credential in a zip (spec
// who-icvp-gdhcn, 10). It is read for display only: its signature is not checked, and the
// keys are not published any more.
type DIVOC struct {
	Name, Gender, Age, Nationality string
	Identity                       string // such as did:Passport:…
	Issuer                         string
	CertificateID                  string
	Vaccine, Manufacturer, Batch   string
	Date                           string // YYYY-MM-DD
	Dose, Total                    int
	Proof                          string // type of the signature, as stated
}

// DIVOCPrefix stands before the base64 of the zip; a zip may also come as it is.
const DIVOCPrefix = "B64:"

const zipMagic = "PK\x03\x04"

// Limits of a DIVOC code.
const (
	maxDIVOC    = 64 << 10 // bytes of the entry, inflated
	divocFile   = "certificate.json"
	divocLevels = 16
)

// IsDIVOC tells whether a text says that it is a DIVOC code.
func IsDIVOC(text string) bool {
	return strings.HasPrefix(text, DIVOCPrefix) || strings.HasPrefix(text, zipMagic)
}

// ParseDIVOC reads the text of a DIVOC code. Errors are *Error of StepPrefix, StepInflate
// or StepContent.
func ParseDIVOC(text string) (*DIVOC, error) {
	b := []byte(text)
	if len(b) > maxText {
		return nil, fail(StepPrefix, "too_long", "")
	}
	if encoded, ok := strings.CutPrefix(text, DIVOCPrefix); ok {
		var err error
		if b, err = base64.StdEncoding.DecodeString(strings.TrimSpace(encoded)); err != nil {
			return nil, fail(StepPrefix, "not_base64", "")
		}
	}
	content, err := onlyFile(b)
	if err != nil {
		return nil, err
	}
	values, err := strictjson.Parse(content, divocLevels)
	if err != nil {
		return nil, fail(StepContent, "not_json", "")
	}
	top, ok := numbers(values).(table)
	if !ok {
		return nil, fail(StepContent, "not_a_map", "")
	}
	return readDIVOC(fields{"", top})
}

// onlyFile returns the one file of a zip. Its size is limited while it inflates,
// whatever the zip says about it.
func onlyFile(b []byte) ([]byte, error) {
	z, err := zip.NewReader(bytes.NewReader(b), int64(len(b)))
	if err != nil {
		return nil, fail(StepInflate, "not_zip", "")
	}
	if len(z.File) != 1 || z.File[0].Name != divocFile {
		return nil, fail(StepInflate, "not_one_file", "")
	}
	f, err := z.File[0].Open()
	if err != nil {
		return nil, fail(StepInflate, "damaged", "")
	}
	defer f.Close()
	content, err := io.ReadAll(io.LimitReader(f, maxDIVOC+1))
	switch {
	case len(content) > maxDIVOC:
		return nil, fail(StepInflate, "too_large", "")
	case err != nil:
		return nil, fail(StepInflate, "damaged", "")
	}
	return content, nil
}

func readDIVOC(top fields) (*DIVOC, error) {
	person := top.child("credentialSubject")
	list, _ := top.values["evidence"].([]any)
	if len(list) != 1 {
		return nil, fail(StepContent, "no_entry", "evidence")
	}
	values, _ := list[0].(table)
	event := fields{"evidence[0].", values}
	d := &DIVOC{
		Name: person.text("name"), Gender: person.text("gender"), Age: person.text("age"), Nationality: person.text("nationality"), Identity: person.text("id"),
		Issuer: top.text("issuer"), CertificateID: event.text("certificateId"),
		Vaccine: event.text("vaccine"), Manufacturer: event.text("manufacturer"), Batch: event.text("batch"),
		Date: event.day("date"), Dose: event.number("dose"), Total: event.number("totalDoses"), Proof: top.child("proof").text("type"),
	}
	if d.Name == "" || d.Vaccine == "" {
		return nil, fail(StepContent, "missing", "")
	}
	return d, nil
}
