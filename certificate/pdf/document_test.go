package pdf_test

import (
	"errors"
	"strings"
	"testing"
	"time"

	"akashi/certificate/pdf"
)

// document is a sheet with fixed and other texts, a table, and a rule.
func document(text string) pdf.Document {
	one := func(role, field, text string, fixed bool, row int, y float64) pdf.Box {
		return pdf.Box{X: 20, Y: y, W: 60, H: 10, Role: role, Row: row, Fixed: fixed, Paragraphs: []pdf.Paragraph{{Field: field, Text: text, Size: 10, Min: 7}}}
	}
	prose := one("P", "prose", text, false, 0, 80)
	prose.H, prose.Lines, prose.Top = 40, 8, true
	return pdf.Document{Title: "書類 / Paper", Made: time.Unix(1_790_000_000, 0), Test: true, Sheets: []pdf.Sheet{{
		Rules: []pdf.Rule{{X1: 20, Y1: 30, X2: 190, Y2: 30, Width: 0.3}},
		Boxes: []pdf.Box{one("H1", "title", "書類", true, 0, 20), one("TH", "label", "氏名", true, 1, 40), one("TD", "name", "𠮷野辻\U000E0100", false, 1, 60), prose, one("TD", "empty", "", false, 2, 130)},
	}}}
}

// A paper around a certificate is archival and tagged as one is, and its texts are exact.
func TestDocument(t *testing.T) {
	const text = "申請書に書かれたことと（旅券の情報）は、記録を確かめるためにだけ使います。Look-ups and issues are recorded."
	file, err := renderer(t).Document(document(text))
	if err != nil {
		t.Fatal(err)
	}
	for _, fault := range pdf.Archive(file) {
		t.Error(fault)
	}
	path := write(t, file)
	checkSyntax(t, path)
	for reader, read := range readers {
		t.Run("ok/"+reader, func(t *testing.T) {
			got := withoutBlanks(read(t, path))
			for _, want := range []string{"書類", "氏名", "𠮷野辻\U000E0100", text, "見本・無効"} {
				if !strings.Contains(got, withoutBlanks(want)) {
					t.Errorf("%+q is not in %+q", want, got)
				}
			}
		})
	}
	lines := strings.Split(strings.TrimSpace(run(t, "pdftotext", "-layout", path, "-")), "\n")
	for _, line := range lines {
		line = strings.TrimSpace(line)
		if strings.HasPrefix(line, "、") || strings.HasPrefix(line, "。") || strings.HasPrefix(line, "）") || strings.HasSuffix(line, "（") {
			t.Errorf("a line breaks at %q", line)
		}
	}
	var missing *pdf.MissingError
	if _, err := renderer(t).Document(document("辻\U000E0101")); !errors.As(err, &missing) || missing.Missing[0].Field != "prose" {
		t.Errorf("error/sequence: %v", err)
	}
	var field *pdf.FieldError
	if _, err := renderer(t).Document(document(strings.Repeat("長", 1900))); !errors.As(err, &field) || field.Reason != pdf.DoesNotFit {
		t.Errorf("error/no room: %v", err)
	}
	twice := document(text)
	twice.Sheets[0].Boxes = append(twice.Sheets[0].Boxes, twice.Sheets[0].Boxes[0])
	if _, err := renderer(t).Document(twice); err == nil {
		t.Error("error/one field twice: taken")
	}
}
