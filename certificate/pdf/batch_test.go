package pdf_test

import (
	"bytes"
	"errors"
	"fmt"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"

	"akashi/certificate"
	"akashi/certificate/pdf"
	"akashi/internal/testkit"
)

var madeAt = time.Date(2026, 11, 22, 1, 2, 3, 0, time.UTC)

// list is a sheet with a table of two columns.
func list(title string, rows ...[]string) pdf.Sheet {
	s := pdf.Sheet{Rules: []pdf.Rule{{X1: 15, Y1: 36, X2: 195, Y2: 36, Width: 0.2}}}
	add := func(role string, row int, x, y, w float64, text string) {
		s.Boxes = append(s.Boxes, pdf.Box{X: x, Y: y, W: w, H: 6, Role: role, Row: row, Column: role == "TH",
			Paragraphs: []pdf.Paragraph{{Field: fmt.Sprint(len(s.Boxes)), Text: text, Size: 9, Min: 6}}})
	}
	add("H1", 0, 15, 15, 180, title)
	add("TH", 1, 15, 30, 20, "番号 / No.")
	add("TH", 1, 40, 30, 100, "氏名 / Name")
	for i, cells := range rows {
		y := 38 + 6*float64(i)
		add("TD", i+2, 15, y, 20, cells[0])
		add("TD", i+2, 40, y, 100, cells[1])
	}
	return s
}

// batchOf makes a file of certificates between two sheets and one.
func batchOf(t testing.TB, r *pdf.Renderer, pages []pdf.Page) []byte {
	t.Helper()
	b := r.NewBatch("発送一覧 / Mailing", "one", madeAt, 2)
	defer b.Free()
	for _, p := range pages {
		if err := b.Add(p); err != nil {
			t.Fatal(err)
		}
	}
	for i, s := range []pdf.Sheet{list("一", []string{"1", "葛\U000E0100城 "}, []string{"2", ""}), list("二"), list("宛名", []string{"1", "𠮷野"})} {
		if err := b.Sheet(s, true); err != nil {
			t.Fatalf("sheet %d: %v", i, err)
		}
	}
	file, err := b.Finish()
	if err != nil {
		t.Fatal(err)
	}
	return file
}

// many are n pages of all kinds, with a name of its own on each.
func many(n int) (pages []pdf.Page) {
	kinds := []func() certificate.Certificate{func() certificate.Certificate { return travel(5) }, func() certificate.Certificate { return domestic(3) }, yellowFever}
	for i := range n {
		p := page(kinds[i%len(kinds)]())
		p.Certificate.Subject.Name.Given = fmt.Sprintf("第%d号%c", i+1, '一'+i)
		pages = append(pages, p)
	}
	return pages
}

// A batch is one file in the order of its sheets and certificates, with more objects
// than one object stream takes; outside readers find no fault with it, and the same
// things make the same bytes.
func TestBatchFile(t *testing.T) {
	r := renderer(t)
	pages := slices.DeleteFunc(many(180), func(p pdf.Page) bool { return r.Missing(p.Certificate) != nil })
	file := batchOf(t, r, pages)
	texts, err := pdf.Text(file)
	if err != nil || len(texts) != len(pages)+3 {
		t.Fatalf("%d pages, %v", len(texts), err)
	}
	if texts[0][0] != "一" || texts[1][0] != "二" || texts[len(texts)-1][0] != "宛名" || !slices.Contains(texts[0], "葛\U000E0100城 ") {
		t.Errorf("ok/sheets: %q %q %q", texts[0], texts[1], texts[len(texts)-1])
	}
	for i, p := range pages {
		if !strings.Contains(strings.Join(texts[i+2], "\n"), p.Certificate.Subject.Name.Given) && p.Certificate.Kind != certificate.International {
			t.Errorf("ok/page %d has not its name", i+1)
		}
	}
	if !bytes.Equal(file, batchOf(t, r, pages)) {
		t.Error("ok/the same bytes: other ones")
	}
	if n := bytes.Count(file, []byte("/Type/ObjStm")); n < 2 {
		t.Errorf("ok/object streams: %d", n)
	}
	for _, fault := range pdf.Archive(file) {
		t.Error("ok/archive: ", fault)
	}
	path := write(t, file)
	checkSyntax(t, path)
	t.Run("ok/poppler", func(t *testing.T) {
		got := withoutBlanks(readers["poppler"](t, path))
		for _, text := range []string{"番号/No.", "葛\U000E0100城", "𠮷野"} {
			if !strings.Contains(got, text) {
				t.Errorf("%q is not in the text", text)
			}
		}
	})
}

// What a page would not say as it should is not given out (S-058).
func TestBatchReadBack(t *testing.T) {
	r := renderer(t)
	for name, spoil := range map[string]func(b *pdf.Batch){
		"error/another text":       func(b *pdf.Batch) { pdf.SpoilBatch(b) },
		"error/a sheet is missing": func(*pdf.Batch) {},
	} {
		t.Run(name, func(t *testing.T) {
			b := r.NewBatch("一", "one", madeAt, 1)
			defer b.Free()
			if err := b.Add(page(domestic(1))); err != nil {
				t.Fatal(err)
			}
			if !strings.Contains(name, "missing") {
				if err := b.Sheet(list("一"), true); err != nil {
					t.Fatal(err)
				}
			}
			spoil(b)
			var at *pdf.FieldError
			if _, err := b.Finish(); !errors.As(err, &at) || at.Field != "pages" {
				t.Errorf("got %v", err)
			}
		})
	}
	t.Run("ok/characters that no font has", func(t *testing.T) {
		if got := r.Printable("山\U0010FFFFد田"); got != "山〓〓田" {
			t.Errorf("got %q", got)
		}
	})
}

// BenchmarkBatchFile makes a file of 1,000 travel certificates, symbols encoded before.
func BenchmarkBatchFile(b *testing.B) {
	r := renderer(b)
	p := page(travel(3))
	pages := make([]pdf.Page, 1000)
	for i := range pages {
		pages[i] = p
		pages[i].Certificate.ID = fmt.Sprintf("%012d", i)
	}
	var file []byte
	testkit.InSignUnits(b, func() { file = batchOf(b, r, pages) })
	b.ReportMetric(float64(len(file)), "bytes/file")
	runtime.KeepAlive(file)
}
