package pdf_test

import (
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"unicode"

	"akashi/certificate"
	"akashi/certificate/pdf"
	"akashi/certificate/qr"
	"akashi/internal/testkit"
)

// run starts an outside tool and returns what it prints.
func run(t *testing.T, tool string, args ...string) string {
	t.Helper()
	path, err := exec.LookPath(tool)
	if err != nil {
		testkit.Missing(t, tool)
	}
	var stderr bytes.Buffer
	cmd := exec.Command(path, args...)
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("%s: %v\n%s%s", tool, err, out, stderr.String())
	}
	return string(out)
}

func write(t *testing.T, file []byte) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "certificate.pdf")
	if err := os.WriteFile(path, file, 0o644); err != nil {
		t.Fatal(err)
	}
	return path
}

// withoutBlanks drops white space: readers break lines as they like.
func withoutBlanks(s string) string {
	return strings.Map(func(r rune) rune {
		if unicode.IsSpace(r) {
			return -1
		}
		return r
	}, s)
}

// Poppler and MuPDF copy every text of the layer out exactly as written.
func TestTextInOtherReaders(t *testing.T) {
	r := renderer(t)
	for name, p := range samples() {
		file := render(t, r, p)
		path := write(t, file)
		pages, err := pdf.Text(file)
		if err != nil {
			t.Fatal(err)
		}
		for tool, args := range map[string][]string{
			"pdftotext": {"-raw", path, "-"},
			"mutool":    {"draw", "-q", "-F", "txt", path},
		} {
			t.Run("ok/"+name+"/"+tool, func(t *testing.T) {
				got := withoutBlanks(run(t, tool, args...))
				for _, text := range append(pages[0], "新型コロナウイルス感染症予防接種証明書", "Vaccination Certificate of COVID-19", "架空県証市長") {
					if !strings.Contains(got, withoutBlanks(text)) {
						t.Errorf("%+q is not in the text of %s", text, tool)
					}
				}
			})
		}
	}
}

// A batch with more glyphs than one range of ToUnicode holds, and more pages
// than one object stream of the sample.
func TestBatch(t *testing.T) {
	r := renderer(t)
	var pages []pdf.Page
	kanji := '一'
	for range 30 {
		p := page(domestic(2))
		var name []rune
		for len(name) < 28 {
			p.Certificate.Subject.Name = certificate.Name{Family: string(kanji)}
			if r.Missing(p.Certificate) == nil {
				name = append(name, kanji)
			}
			kanji++
		}
		p.Certificate.Subject.Name = certificate.Name{Family: string(name)}
		pages = append(pages, p)
	}
	file := render(t, r, pages...)
	if err := r.Verify(file, pages...); err != nil {
		t.Error(err)
	}
	for _, fault := range pdf.Archive(file) {
		t.Error(fault)
	}
	path := write(t, file)
	run(t, "qpdf", "--check", path)
	for tool, args := range map[string][]string{"pdftotext": {"-raw", path, "-"}, "mutool": {"draw", "-q", "-F", "txt", path}} {
		got := withoutBlanks(run(t, tool, args...))
		for i, p := range pages {
			if !strings.Contains(got, p.Certificate.Subject.Name.Family) {
				t.Errorf("%s: name of page %d is not in the text", tool, i+1)
			}
		}
	}
}

// A TEST certificate says so in both languages; a real one does not.
func TestMark(t *testing.T) {
	r := renderer(t)
	for _, test := range []bool{true, false} {
		c := travel(1)
		c.Test = test
		got := run(t, "pdftotext", "-raw", write(t, render(t, r, page(c))), "-")
		for _, word := range []string{"TEST", "NOT VALID", "見本", "無効"} {
			if strings.Contains(got, word) != test {
				t.Errorf("test %v: %q in the text: %v", test, word, !test)
			}
		}
	}
}

func TestStructureInOtherReaders(t *testing.T) {
	path := write(t, render(t, renderer(t), page(longest())))
	info := run(t, "pdfinfo", path)
	for _, want := range []string{`Tagged:\s+yes`, `Pages:\s+1`, `Page size:.*A4`, `Title:\s+新型コロナウイルス感染症予防接種証明書 / Vaccination`} {
		if !regexp.MustCompile(want).MatchString(info) {
			t.Errorf("pdfinfo does not say %q:\n%s", want, info)
		}
	}
	tree := run(t, "pdfinfo", "-struct-text", path)
	for _, want := range []string{"H1", "Table", "TH", "Figure", `"TK0000000"`, "辻\U000E0100"} {
		if !strings.Contains(tree, want) {
			t.Errorf("structure lacks %s", want)
		}
	}
	fonts := run(t, "pdffonts", path)
	if n := strings.Count(fonts, "CID TrueType"); n != 2 || strings.Count(fonts, "yes yes yes") != n {
		t.Errorf("fonts are not all embedded, cut and with Unicode:\n%s", fonts)
	}
}

// qpdf finds no fault in either form of the file.
func TestSyntax(t *testing.T) {
	for _, table := range []bool{false, true} {
		r := renderer(t)
		if table {
			r.UseTable()
		}
		for name, p := range samples() {
			t.Run(fmt.Sprintf("ok/%s/table %v", name, table), func(t *testing.T) {
				out := run(t, "qpdf", "--check", write(t, render(t, r, p, page(domestic(2)))))
				if !strings.Contains(out, "No syntax or stream encoding errors found") || strings.Contains(out, "WARNING") {
					t.Error(out)
				}
			})
		}
	}
}

// symbols makes the two densest codes that a page carries: SHC of version 22,
// VDS-NC of version 38.
func symbols(t *testing.T) (vdsnc, shc *qr.Matrix, texts []string) {
	t.Helper()
	json := `{"data":{"hdr":{"is":"UTO","t":"icao.vacc","v":1},"x":"` + strings.Repeat("aZ09_-+/", 250) + `"}}`
	digits := "shc:/" + strings.Repeat("5676290952432060346029243740446031222959532654603460", 46)
	vdsnc, err := qr.EncodeText(json, qr.M, 38)
	if err != nil {
		t.Fatal(err)
	}
	shc, err = qr.EncodeText(digits[:5+2*1190], qr.L, 22)
	if err != nil {
		t.Fatal(err)
	}
	if vdsnc.Version < 37 || shc.Version != 22 {
		t.Fatalf("versions %d and %d are not the densest", vdsnc.Version, shc.Version)
	}
	return vdsnc, shc, []string{json, digits[:5+2*1190]}
}

// zbar reads both codes from the printed page at the resolutions of an office
// scanner.
func TestCodesFromPaper(t *testing.T) {
	r := renderer(t)
	vdsnc, shc, texts := symbols(t)
	d := domestic(5)
	for name, c := range map[string]struct {
		page pdf.Page
		want []string
	}{
		"travel":   {pdf.Page{Certificate: longest(), Copy: 1, Codes: []pdf.Code{{Family: certificate.VDSNC, Matrix: vdsnc}, {Family: certificate.SHC, Matrix: shc}}}, texts},
		"domestic": {pdf.Page{Certificate: d, Copy: 1, Codes: []pdf.Code{{Family: certificate.SHC, Matrix: shc}}}, texts[1:]},
	} {
		path := write(t, render(t, r, c.page))
		for _, dpi := range []int{200, 300} {
			t.Run(fmt.Sprintf("ok/%s/%d dpi", name, dpi), func(t *testing.T) {
				image := strings.TrimSuffix(path, ".pdf") + strconv.Itoa(dpi)
				run(t, "pdftoppm", "-r", strconv.Itoa(dpi), "-png", "-singlefile", path, image)
				got := strings.Split(strings.TrimSpace(run(t, "zbarimg", "--raw", "-q", "-Sdisable", "-Sqrcode.enable", image+".png")), "\n")
				slices.Sort(got)
				want := slices.Sorted(slices.Values(c.want))
				if !slices.Equal(got, want) {
					t.Errorf("zbarimg reads %d codes, want %d with the same text", len(got), len(want))
				}
			})
		}
	}
}

var wordBox = regexp.MustCompile(`<word xMin="([\d.-]+)" yMin="([\d.-]+)" xMax="([\d.-]+)" yMax="([\d.-]+)">(.*)</word>`)

// No text touches the quiet zones or the margins of 10 mm.
func TestPlaces(t *testing.T) {
	const mm = 72 / 25.4
	r := renderer(t)
	for name, p := range samples() {
		t.Run("ok/"+name, func(t *testing.T) {
			boxes := pdf.CodeBoxes(p.Certificate.Kind)
			words := wordBox.FindAllStringSubmatch(run(t, "pdftotext", "-bbox", write(t, render(t, r, p)), "-"), -1)
			if len(words) < 40 {
				t.Fatalf("%d words", len(words))
			}
			for _, w := range words {
				var v [4]float64
				for i := range v {
					v[i], _ = strconv.ParseFloat(w[i+1], 64)
					v[i] /= mm
				}
				if v[0] < 10 || v[1] < 10 || v[2] > 200 || v[3] > 287 {
					t.Errorf("%q is in the margin: %.1f", w[5], v)
				}
				for _, b := range boxes {
					if v[0] < b[0]+b[2] && v[2] > b[0] && v[1] < b[1]+b[2] && v[3] > b[1] {
						t.Errorf("%q is in the quiet zone: %.1f", w[5], v)
					}
				}
			}
		})
	}
}
