package pdf_test

import (
	"bytes"
	"errors"
	"flag"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"akashi/certificate"
	"akashi/certificate/pdf"
	"akashi/certificate/qr"
	"akashi/passport"
)

var (
	update = flag.Bool("update", false, "write the golden files anew")
	keep   = flag.String("keep", "", "folder to keep the sample files in")
)

func renderer(t testing.TB) *pdf.Renderer {
	t.Helper()
	r, err := pdf.New()
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func render(t testing.TB, r *pdf.Renderer, pages ...pdf.Page) []byte {
	t.Helper()
	b, err := r.Render(pages...)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func TestGoldenText(t *testing.T) {
	r := renderer(t)
	for name, p := range samples() {
		t.Run("ok/"+name, func(t *testing.T) {
			file := render(t, r, p)
			if *keep != "" {
				if err := os.WriteFile(filepath.Join(*keep, name+".pdf"), file, 0o644); err != nil {
					t.Fatal(err)
				}
			}
			pages, err := pdf.Text(file)
			if err != nil {
				t.Fatal(err)
			}
			if err := r.Verify(file, p); err != nil {
				t.Error(err)
			}
			golden := filepath.Join("testdata", name+".txt")
			if *update {
				if err := os.WriteFile(golden, []byte(text(pages)), 0o644); err != nil {
					t.Fatal(err)
				}
			}
			want, err := os.ReadFile(golden)
			if err != nil {
				t.Fatal(err)
			}
			if got := text(pages); got != string(want) {
				t.Errorf("text of the layer:\n%s\nwant:\n%s", got, want)
			}
			t.Logf("%d bytes", len(file))
		})
	}
}

// The same certificate and copy number give the same bytes, from any Renderer.
func TestSameBytes(t *testing.T) {
	a, b := renderer(t), renderer(t)
	for name, p := range samples() {
		first := render(t, a, p)
		if !bytes.Equal(first, render(t, a, p)) || !bytes.Equal(first, render(t, b, p)) {
			t.Errorf("%s: bytes differ", name)
		}
	}
}

var fileID = regexp.MustCompile(`/ID\[<([0-9a-f]{32})><([0-9a-f]{32})>\]`)

// The file identifier is that of the copy: it changes with the certificate, its
// office, layout, time of issue and copy number, and says the same twice.
func TestFileID(t *testing.T) {
	r := renderer(t)
	id := func(p pdf.Page, more ...pdf.Page) string {
		t.Helper()
		m := fileID.FindSubmatch(render(t, r, append([]pdf.Page{p}, more...)...))
		if m == nil || !bytes.Equal(m[1], m[2]) {
			t.Fatal("no file identifier")
		}
		return string(m[1])
	}
	sample := func(change func(p *pdf.Page)) pdf.Page {
		p := page(travel(2))
		change(&p)
		return p
	}
	seen := map[string]string{}
	for name, p := range map[string]pdf.Page{
		"sample":      sample(func(*pdf.Page) {}),
		"copy":        sample(func(p *pdf.Page) { p.Copy = 2 }),
		"certificate": sample(func(p *pdf.Page) { p.Certificate.ID = "7KQ4ZPWM2XNC" }),
		"office":      sample(func(p *pdf.Page) { p.Certificate.Office = "900002" }),
		"time":        sample(func(p *pdf.Page) { p.Certificate.IssuedAt = p.Certificate.IssuedAt.Add(time.Second) }),
	} {
		got := id(p)
		if other, ok := seen[got]; ok {
			t.Errorf("%s and %s have the same identifier", name, other)
		}
		seen[got] = name
		if got != id(p) {
			t.Errorf("%s: identifier changes", name)
		}
	}
	if p := page(travel(2)); seen[id(p, p)] != "" {
		t.Error("two pages have the identifier of one")
	}
}

// Pages of several kinds and offices, at once and in one file.
func TestConcurrent(t *testing.T) {
	r := renderer(t)
	var pages []pdf.Page
	var want [][]byte
	alone := renderer(t)
	for _, p := range samples() {
		p.Certificate.Issuer.Japanese = []string{"架空県別証市長"}
		pages = append(pages, p)
		want = append(want, render(t, alone, p))
	}
	together := render(t, alone, pages...)
	var group sync.WaitGroup
	for i := range 24 {
		group.Go(func() {
			n := i % (len(pages) + 1)
			if n == len(pages) {
				if got, err := r.Render(pages...); err != nil || !bytes.Equal(got, together) {
					t.Errorf("file of %d pages differs: %v", n, err)
				}
			} else if got, err := r.Render(pages[n]); err != nil || !bytes.Equal(got, want[n]) {
				t.Errorf("page %d differs: %v", n, err)
			}
		})
	}
	group.Wait()
	if err := r.Verify(together, pages...); err != nil {
		t.Error(err)
	}
}

// Text read back from the file names the field that is not the certificate's.
func TestVerify(t *testing.T) {
	r := renderer(t)
	p := page(longest())
	file := render(t, r, p)
	for field, change := range map[string]func(p *pdf.Page){
		"subject.name":       func(p *pdf.Page) { p.Certificate.Subject.Name.Given = "辻子" },
		"subject.birth_date": func(p *pdf.Page) { p.Certificate.Subject.BirthDate = "1985-04-13" },
		"passport.number":    func(p *pdf.Page) { p.Certificate.Subject.Passport.Number = passport.NewNumber("TK0000001") },
		"doses[4].lot":       func(p *pdf.Page) { p.Certificate.Doses[4].Lot += "X" },
		"more_doses":         func(p *pdf.Page) { p.Certificate.MoreDoses++ },
		"fact.copy":          func(p *pdf.Page) { p.Copy++ },
		"pages":              nil,
	} {
		t.Run("error/"+field, func(t *testing.T) {
			other := page(longest())
			wanted := []pdf.Page{other, other}
			if change != nil {
				change(&other)
				wanted = []pdf.Page{other}
			}
			var e *pdf.FieldError
			if err := r.Verify(file, wanted...); !errors.As(err, &e) || e.Field != field || e.Reason != pdf.Altered {
				t.Errorf("error %v", err)
			}
		})
	}
}

func TestMissing(t *testing.T) {
	r := renderer(t)
	c := longest()
	if m := r.Missing(c); m != nil {
		t.Fatalf("missing %+q", m)
	}
	c.Subject.Name.Family = "辻\U000E0101田\U000E0101"
	c.Subject.Former = "葛\u202E\uE000"
	c.Subject.Passport.DataPageName.Primary = "नेहा"
	c.Doses[2].Lot = "A\x00"
	c.Issuer.Japanese[0] = "\U0010FFFD市長"
	want := []pdf.Missing{
		{Field: "subject.name.family", Characters: []string{"辻\U000E0101", "田\U000E0101"}},
		{Field: "subject.former", Characters: []string{"\u202E", "\uE000"}},
		{Field: "passport.data_page_name.primary", Characters: []string{"ने", "हा"}},
		{Field: "doses[2].lot", Characters: []string{"\x00"}},
		{Field: "issuer.ja[0]", Characters: []string{"\U0010FFFD"}},
	}
	same := func(a, b pdf.Missing) bool { return a.Field == b.Field && slices.Equal(a.Characters, b.Characters) }
	if got := r.Missing(c); !slices.EqualFunc(got, want, same) {
		t.Errorf("%+q, want %+q", got, want)
	}
	var e *pdf.MissingError
	if _, err := r.Render(page(c)); !errors.As(err, &e) || !slices.EqualFunc(e.Missing, want, same) || !slices.Equal(e.Asked, r.Fonts()) {
		t.Errorf("Render: %v", err)
	} else if strings.ContainsAny(err.Error(), "辻田葛") {
		t.Errorf("the error text shows characters of a name: %v", err)
	}
}

// Offices whose names fpdf cannot take get them in the layer.
func TestIssuerAboveBMP(t *testing.T) {
	r := renderer(t)
	c := travel(1)
	c.Issuer.Japanese[0] = "架空県𠮷野辻\U000E0100市長"
	c.Issuer.English[0] = "Mayor of Yoshinotsujī, Kaku"
	p := page(c)
	file := render(t, r, p)
	pages, err := pdf.Text(file)
	if err != nil || !slices.Contains(pages[0], c.Issuer.Japanese[0]) || !slices.Contains(pages[0], c.Issuer.English[0]) {
		t.Errorf("text %+q, %v", pages, err)
	}
}

// A yellow card has a code for each dose, a travel certificate one more where it is also an EU
// certificate; what is printed is read back.
func TestFurtherCodes(t *testing.T) {
	r := renderer(t)
	eu := travel(5)
	eu.EU = true
	for name, c := range map[string]struct {
		page  pdf.Page
		codes int
	}{
		"ok/one dose":   {page(yellowCard(1)), 1},
		"ok/five doses": {page(yellowCard(5)), 5},
		"ok/EU":         {page(eu), 3},
	} {
		t.Run(name, func(t *testing.T) {
			file := render(t, r, c.page)
			if err := r.Verify(file, c.page); err != nil {
				t.Error(err)
			}
			if n := bytes.Count(file, []byte("/Subtype/Image")); n != c.codes {
				t.Errorf("%d images, want %d", n, c.codes)
			}
			c.page.Codes[0].Dose++
			if _, err := r.Render(c.page); err == nil {
				t.Error("error/code of another dose: printed")
			}
		})
	}
}

func TestRefused(t *testing.T) {
	r := renderer(t)
	for name, c := range map[string]struct {
		field, reason string
		change        func(p *pdf.Page)
	}{
		"error/layout":           {"layout", pdf.UnknownValue, func(p *pdf.Page) { p.Certificate.Layout = "1999-01" }},
		"error/kind":             {"kind", pdf.UnknownValue, func(p *pdf.Page) { p.Certificate.Kind = "else" }},
		"error/programme":        {"programme", pdf.UnknownValue, func(p *pdf.Page) { p.Certificate.Programme = "polio" }},
		"error/no passport":      {"subject.passport", pdf.Wrong, func(p *pdf.Page) { p.Certificate.Subject.Passport = nil }},
		"error/no dose":          {"doses", pdf.Wrong, func(p *pdf.Page) { p.Certificate.Doses = nil }},
		"error/six doses":        {"doses", pdf.Wrong, func(p *pdf.Page) { p.Certificate.Doses = append(doses(5, 1), doses(1, 6)...) }},
		"error/no name":          {"subject.name.family", pdf.Required, func(p *pdf.Page) { p.Certificate.Subject.Name.Family = "" }},
		"error/no lot":           {"doses[1].lot", pdf.Required, func(p *pdf.Page) { p.Certificate.Doses[1].Lot = "" }},
		"error/no MRZ name":      {"passport.mrz_name.primary", pdf.Required, func(p *pdf.Page) { p.Certificate.Subject.Passport.MRZName = passport.Name{} }},
		"error/dose number":      {"doses[0].number", pdf.Wrong, func(p *pdf.Page) { p.Certificate.Doses[0].Number = 0 }},
		"error/code of no size":  {"codes.shc", pdf.Wrong, func(p *pdf.Page) { p.Codes[1].Matrix = &qr.Matrix{} }},
		"error/copy":             {"copy", pdf.Wrong, func(p *pdf.Page) { p.Copy = 0 }},
		"error/no code":          {"codes", pdf.Wrong, func(p *pdf.Page) { p.Codes = p.Codes[:1] }},
		"error/code twice":       {"codes.shc", pdf.Wrong, func(p *pdf.Page) { p.Codes[1].Family = certificate.VDSNC }},
		"error/code nil":         {"codes.shc", pdf.Wrong, func(p *pdf.Page) { p.Codes[1].Matrix = nil }},
		"error/issuer lines":     {"issuer", pdf.TooMany, func(p *pdf.Page) { p.Certificate.Issuer.English = make([]string, 4) }},
		"error/characters":       {"subject.name.family", pdf.TooLong, func(p *pdf.Page) { p.Certificate.Subject.Name.Family = strings.Repeat("証", 121) }},
		"error/bytes":            {"subject.name.given", pdf.TooLong, func(p *pdf.Page) { p.Certificate.Subject.Name.Given = "e" + strings.Repeat("\u0301", 1000) }},
		"error/name too wide":    {"subject.name", pdf.DoesNotFit, func(p *pdf.Page) { p.Certificate.Subject.Name.Family = strings.Repeat("証", 119) }},
		"error/product too wide": {"doses[0].product", pdf.DoesNotFit, func(p *pdf.Page) { p.Certificate.Doses[0].Product.NameJA = strings.Repeat("証", 60) }},
		"error/issuer too wide":  {"issuer.ja[0]", pdf.DoesNotFit, func(p *pdf.Page) { p.Certificate.Issuer.Japanese[0] = strings.Repeat("証", 90) }},
	} {
		t.Run(name, func(t *testing.T) {
			p := page(travel(2))
			c.change(&p)
			_, err := r.Render(p)
			var e *pdf.FieldError
			if !errors.As(err, &e) || e.Field != c.field || e.Reason != c.reason {
				t.Errorf("error %v, want %s: %s", err, c.field, c.reason)
			}
			if strings.Contains(err.Error(), "証") {
				t.Error("the error shows a value")
			}
		})
	}
	if _, err := r.Render(); err == nil {
		t.Error("no page accepted")
	}
	if _, err := r.Render(make([]pdf.Page, 201)...); err == nil {
		t.Error("201 pages accepted")
	}
	if err := r.Check(longest()); err != nil {
		t.Errorf("Check: %v", err)
	}
}

// PDF/A-2u shape and tags, in both kinds of file.
func TestArchive(t *testing.T) {
	for _, table := range []bool{false, true} {
		r := renderer(t)
		if table {
			r.UseTable()
		}
		issuer := page(travel(2))
		issuer.Certificate.Issuer.Japanese = []string{"架空県𠮷野市長"}
		sets := map[string][]pdf.Page{"together": {page(longest()), page(domestic(3)), issuer}}
		for name, p := range samples() {
			sets[name] = []pdf.Page{p}
		}
		for name, pages := range sets {
			for _, fault := range pdf.Archive(render(t, r, pages...)) {
				t.Errorf("%s (table %v): %s", name, table, fault)
			}
		}
	}
}

// The names of all states can be printed, whatever passport comes.
func TestStateNames(t *testing.T) {
	r := renderer(t)
	known := 0
	for n := range 26 * 26 * 26 {
		code := string([]byte{byte('A' + n/676), byte('A' + n/26%26), byte('A' + n%26)})
		ja, en, ok := passport.StateName(code)
		if !ok {
			continue
		}
		known++
		c := travel(1)
		c.Subject.Passport.Nationality = code
		c.Doses[0].Country = code
		if err := r.Check(c); err != nil {
			t.Errorf("%s %s %s: %v", code, ja, en, err)
		}
	}
	if known < 200 {
		t.Errorf("%d states", known)
	}
}

// Changing one byte of what the archive check looks at is found.
func TestArchiveFinds(t *testing.T) {
	r := renderer(t)
	r.UseTable()
	file := render(t, r, page(travel(1)))
	for _, change := range [][2]string{
		{"/Lang(ja)", "/Lang(en)"}, {"<pdfaid:part>2", "<pdfaid:part>3"}, {"GTS_PDFA1", "GTS_PDFX1"},
		{"/Alt<", "/Alu<"}, {"/StructParents 0", "/StructParents 1"}, {"%PDF-1.7", "%PDF-1.4"},
		{"/MarkInfo<</Marked true", "/MarkInfo<</Marked fals"}, {"+NotoSansJP-Regular", "-NotoSansJP-Regular"}, {"%%EOF", "%%EOG"}, {"/K[0 ", "/K[1 "},
	} {
		broken := bytes.Replace(file, []byte(change[0]), []byte(change[1]), 1)
		if bytes.Equal(broken, file) || pdf.Archive(broken) == nil {
			t.Errorf("%s instead of %s is not found", change[1], change[0])
		}
	}
}

// A certificate with nothing that may be missing, one name, and dose numbers
// beyond those that have a word.
func TestSparse(t *testing.T) {
	r := renderer(t)
	c := travel(1)
	c.Subject.Name.Given = ""
	c.Subject.Passport.MRZName.Secondary = ""
	c.Doses[0].Number = 11
	p := &c.Doses[0].Product
	p.NameEN, p.MakerJA, p.MakerEN, p.TypeJA, p.TypeEN = "", "", "", "", ""
	c.Issuer = certificate.Issuer{Japanese: []string{"", "架空県証市長"}}
	file := render(t, r, page(c))
	if err := r.Verify(file, page(c)); err != nil {
		t.Error(err)
	}
	for _, fault := range pdf.Archive(file) {
		t.Error(fault)
	}
	pages, err := pdf.Text(file)
	if err != nil || !slices.Contains(pages[0], "11回目接種") || !slices.Contains(pages[0], "Dose 11") || !slices.Contains(pages[0], "AKASHIDA") {
		t.Errorf("%q, %v", pages, err)
	}
}
