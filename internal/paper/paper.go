// Package paper lays out the papers around a certificate: application form, receipt, notice of
// refusal, collection list; and around those of a mailing, its list and labels.
//
// It promises A4 sheets with every label in Japanese and English, names exactly as they are given
// (a character that no font has is named in an error, or a 〓 in a mailing), and the same bytes for the
// same values. It knows no application and no store: values come in, a document goes out.
package paper

import (
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"time"

	"akashi/certificate/pdf"
	"akashi/internal/clock"
	"akashi/internal/fault"
	"akashi/internal/office"
	"akashi/templates"
)

// Head is what every paper has.
type Head struct {
	Office office.Office
	On     clock.Date // the day that the paper says it is of
	Test   bool       // TEST identity: painted on it
}

// words are all texts: key to Japanese, English.
var words = func() map[string][2]string {
	b, err := templates.Papers.ReadFile("paper/words.json")
	if err != nil {
		panic(err)
	}
	var all map[string][2]string
	if err := json.Unmarshal(b, &all); err != nil {
		panic(err)
	}
	return all
}()

// Render makes the file. Fault Conflict "characters" names what no font has, "not_printable" the
// field that has no room.
func Render(r *pdf.Renderer, d pdf.Document) ([]byte, error) {
	file, err := r.Document(d)
	return file, Fault(err)
}

// Fault makes a fault of an error of the renderer where a text is at fault.
func Fault(err error) error {
	var missing *pdf.MissingError
	var field *pdf.FieldError
	switch {
	case errors.As(err, &missing):
		var all []string
		for _, m := range missing.Missing {
			for _, character := range m.Characters {
				all = append(all, codePoints(character))
			}
		}
		return fault.New(fault.Conflict, "characters", missing.Missing[0].Field).
			With("characters", strings.Join(all, " ")).With("fonts", strings.Join(missing.Asked, ", "))
	case errors.As(err, &field):
		return fault.New(fault.Conflict, "not_printable", field.Field).With("rule", field.Reason)
	}
	return err
}

// codePoints names a character without being one: U+2A6B2, or U+8FBB+U+E0101.
func codePoints(cluster string) string {
	var list []string
	for _, r := range cluster {
		list = append(list, fmt.Sprintf("U+%04X", r))
	}
	return strings.Join(list, "+")
}

// document begins a paper.
func (h Head) document(title string, sheets ...pdf.Sheet) pdf.Document {
	w := words[title]
	return pdf.Document{Title: w[0] + " / " + w[1], Made: made(h.On), Test: h.Test, Sheets: sheets}
}

func made(d clock.Date) time.Time { return clock.Midnight(d) }

// day shows a date to be read by anybody: 2026年11月22日 (2026-11-22).
func day(d clock.Date) string {
	if !d.Full() {
		return string(d)
	}
	t := d.Time()
	return fmt.Sprintf("%d年%d月%d日（%s）", t.Year(), int(t.Month()), t.Day(), d)
}
