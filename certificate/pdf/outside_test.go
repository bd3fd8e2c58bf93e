package pdf_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"sort"
	"strconv"
	"strings"
	"testing"
	"unicode"

	"akashi/certificate"
	"akashi/certificate/pdf"
	"akashi/certificate/qr"
	"akashi/internal/testkit"
	"akashi/test/outside"
)

// run starts an outside tool and returns what it prints.
func run(t *testing.T, tool string, args ...string) string {
	t.Helper()
	var stderr bytes.Buffer
	cmd := exec.Command(testkit.Tool(t, tool), args...)
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

// readers copy the text out of a file: poppler, MuPDF, Firefox and Chrome.
var readers = map[string]func(t *testing.T, path string) string{
	"poppler": func(t *testing.T, path string) string { return run(t, "pdftotext", "-raw", path, "-") },
	"MuPDF":   func(t *testing.T, path string) string { return run(t, "mutool", "draw", "-q", "-F", "txt", path) },
	"pdf.js":  func(t *testing.T, path string) string { return text(outside.PDFText(t, outside.PDFJS, path)) },
	"pdfium":  func(t *testing.T, path string) string { return text(outside.PDFText(t, outside.PDFium, path)) },
}

// Every reader copies every text of the layer, and labels of the form, out
// exactly as written.
func TestTextInOtherReaders(t *testing.T) {
	r := renderer(t)
	for name, p := range samples() {
		file := render(t, r, p)
		path := write(t, file)
		pages, err := pdf.Text(file)
		if err != nil {
			t.Fatal(err)
		}
		for reader, read := range readers {
			t.Run("ok/"+name+"/"+reader, func(t *testing.T) {
				got := withoutBlanks(read(t, path))
				labels := []string{"新型コロナウイルス感染症予防接種証明書", "Vaccination Certificate of COVID-19", "架空県証市長"}
				if p.Certificate.Kind == certificate.International {
					labels = []string{"CERTIFICAT INTERNATIONAL DE VACCINATION OU DE PROPHYLAXIE", fixedEnglish, "Nom du parent ou du tuteur, le cas échéant", "二次元コードの更新期日"}
				}
				for _, text := range append(labels, slices.Concat(pages...)...) {
					if !strings.Contains(got, withoutBlanks(text)) {
						t.Errorf("%+q is not in the text of %s", text, reader)
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
	checkSyntax(t, path)
	for reader, read := range readers {
		got := withoutBlanks(read(t, path))
		for i, p := range pages {
			if !strings.Contains(got, p.Certificate.Subject.Name.Family) {
				t.Errorf("%s: name of page %d is not in the text", reader, i+1)
			}
		}
	}
}

// All kanji above U+FFFF that the fonts have (JIS X 0213 has 303 of them), and
// those that old files and readers lose.
func TestKanjiAbove(t *testing.T) {
	r := renderer(t)
	fits := func(text string) bool {
		c := domestic(1)
		c.Subject.Name = certificate.Name{Family: text}
		return r.Missing(c) == nil
	}
	kanji := []rune("髙\uFA11𠮷\uFA19\uFA10\u90DE")
	for k := rune(0x20000); k < 0x30000; k++ {
		if fits(string(k)) {
			kanji = append(kanji, k)
		}
	}
	if len(kanji) < 6+303 {
		t.Errorf("%d kanji", len(kanji))
	}
	var pages []pdf.Page
	for list := range slices.Chunk(kanji, 28) {
		p := page(domestic(1))
		p.Certificate.Subject.Name = certificate.Name{Family: string(list)}
		pages = append(pages, p)
	}
	file := render(t, r, pages...)
	if err := r.Verify(file, pages...); err != nil {
		t.Error(err)
	}
	path := write(t, file)
	for reader, read := range readers {
		got := withoutBlanks(read(t, path))
		for _, p := range pages {
			if !strings.Contains(got, p.Certificate.Subject.Name.Family) {
				t.Errorf("%s: %s is not in the text", reader, p.Certificate.Subject.Name.Family)
			}
		}
	}
	t.Logf("%d kanji on %d pages", len(kanji), len(pages))
}

// A TEST certificate says so in both languages; a real one does not.
func TestMark(t *testing.T) {
	r := renderer(t)
	for _, c := range []certificate.Certificate{travel(1), yellowFever()} {
		for _, c.Test = range []bool{true, false} {
			got := run(t, "pdftotext", "-raw", write(t, render(t, r, page(c))), "-")
			for _, word := range []string{"TEST", "NOT VALID", "見本", "無効"} {
				if strings.Contains(got, word) != c.Test {
					t.Errorf("%s, test %v: %q in the text: %v", c.Kind, c.Test, word, !c.Test)
				}
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

// full makes a symbol of a version with as much text as it takes.
func full(t *testing.T, version int, level qr.Level, head, body string) (*qr.Matrix, string) {
	t.Helper()
	text := func(n int) string { return head + strings.Repeat(body, n/len(body)+1)[:n] }
	most := sort.Search(8000, func(n int) bool { _, err := qr.EncodeText(text(2*n), level, version); return err != nil })
	m, err := qr.EncodeText(text(2*(most-1)), level, version)
	if err != nil || m.Version != version {
		t.Fatalf("no full symbol of version %d: %v", version, err)
	}
	return m, text(2 * (most - 1))
}

// symbols makes a full VDS-NC and a full SHC of the given versions.
func symbols(t *testing.T, vdsncVersion, shcVersion int) (vdsnc, shc *qr.Matrix, texts []string) {
	t.Helper()
	vdsnc, json := full(t, vdsncVersion, qr.M, `{"data":{"hdr":{"is":"UTO","t":"icao.vacc","v":1},"x":"`, "aZ09_-+/")
	shc, digits := full(t, shcVersion, qr.L, "shc:/", "5676290952432060346029243740446031222959532654603460")
	return vdsnc, shc, []string{json, digits}
}

// hc1 makes a full HC1 code; codes that differ in their number have other texts.
func hc1(t *testing.T, version, number int) (*qr.Matrix, string) {
	t.Helper()
	return full(t, version, qr.M, fmt.Sprintf("HC1:%d", number), "NCFOXN*TS0BI$ZD-PH.4 W:E/")
}

// cardOf is a page with full HC1 codes, and their texts.
func cardOf(t *testing.T, c certificate.Certificate, version int) (p pdf.Page, texts []string) {
	t.Helper()
	p = page(c)
	for i := range p.Codes {
		m, text := hc1(t, version, i+1)
		p.Codes[i].Matrix, texts = m, append(texts, text)
	}
	return p, texts
}

// zbarimg returns the texts of the codes in a picture, one on a line.
func zbarimg(t *testing.T, path string) string {
	t.Helper()
	out, err := exec.Command(testkit.Tool(t, "zbarimg"), "--raw", "-q", "-Sdisable", "-Sqrcode.enable", path).Output()
	var exit *exec.ExitError
	if err != nil && !(errors.As(err, &exit) && exit.ExitCode() == 4) { // 4: no code found
		t.Fatal(err)
	}
	return string(out)
}

// zbar and ZXing read all codes from the printed page at the resolutions of an office
// scanner.
func TestCodesFromPaper(t *testing.T) {
	r := renderer(t)
	vdsnc, shc, texts := symbols(t, 38, 22)
	d := domestic(5)
	eu := pdf.Page{Certificate: european(longest()), Copy: 1, Codes: []pdf.Code{{Family: certificate.VDSNC, Matrix: vdsnc}, {Family: certificate.SHC, Matrix: shc}, {Family: certificate.DCC, Dose: 7}}}
	var third string
	eu.Codes[2].Matrix, third = hc1(t, 22, 1)
	card, cardTexts := cardOf(t, yellowCard(3), 22)
	for name, c := range map[string]struct {
		page pdf.Page
		want []string
	}{
		"travel":      {pdf.Page{Certificate: longest(), Copy: 1, Codes: []pdf.Code{{Family: certificate.VDSNC, Matrix: vdsnc}, {Family: certificate.SHC, Matrix: shc}}}, texts},
		"domestic":    {pdf.Page{Certificate: d, Copy: 1, Codes: []pdf.Code{{Family: certificate.SHC, Matrix: shc}}}, texts[1:]},
		"travel EU":   {eu, append(texts[:2:2], third)},
		"yellow card": {card, cardTexts},
	} {
		path := write(t, render(t, r, c.page))
		for _, dpi := range []int{200, 300} {
			t.Run(fmt.Sprintf("ok/%s/%d dpi", name, dpi), func(t *testing.T) {
				image := strings.TrimSuffix(path, ".pdf") + strconv.Itoa(dpi)
				run(t, "pdftoppm", "-r", strconv.Itoa(dpi), "-png", "-singlefile", path, image)
				got := strings.Split(strings.TrimSpace(zbarimg(t, image+".png")), "\n")
				slices.Sort(got)
				want := slices.Sorted(slices.Values(c.want))
				if !slices.Equal(got, want) {
					t.Errorf("zbarimg reads %d codes, want %d with the same text", len(got), len(want))
				}
				var zxing []string
				for _, code := range outside.ReadCodes(t, image+".png") {
					zxing = append(zxing, code.Text)
				}
				if slices.Sort(zxing); !slices.Equal(zxing, want) {
					t.Errorf("ZXing reads %d codes, want %d with the same text", len(zxing), len(want))
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
			sheets := strings.Split(run(t, "pdftotext", "-bbox", write(t, render(t, r, p)), "-"), "<page ")[1:]
			for n, boxes := range pdf.CodeBoxes(p) {
				words := wordBox.FindAllStringSubmatch(sheets[n], -1)
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
			}
		})
	}
}

// hostilePages are pages whose holder has a hostile name, as far as the fonts have
// its characters: syntax of PDF, HTML, formulas, naughty strings, names of own/names.json.
func hostilePages(t *testing.T, r *pdf.Renderer) (names []string, pages []pdf.Page) {
	t.Helper()
	var naughty []string
	var own []struct{ Value, Expect string }
	if err := errors.Join(json.Unmarshal(testkit.Read(t, "security/naughty/blns.json"), &naughty), json.Unmarshal(testkit.Read(t, "security/own/names.json"), &own)); err != nil {
		t.Fatal(err)
	}
	texts := append([]string{
		`) Tj ET (`, `\) \( \\`, `\051 Tj`, `<</JS (app.alert(1))>>`, `endstream endobj`, `%%EOF`, `stream`, `/OpenAction`, `<FEFF0041>`, `(((`, `)))`, `=1+1`, `@SUM(A1)`, `"><script>`,
	}, naughty...)
	for _, o := range own {
		if o.Expect == "accept" {
			texts = append(texts, o.Value)
		}
	}
	for _, text := range texts {
		p := page(domestic(2))
		p.Certificate.Subject.Name = certificate.Name{Family: text}
		if n := len([]rune(text)); n == 0 || n > 40 || withoutBlanks(text) == "" || r.Missing(p.Certificate) != nil {
			continue
		}
		names, pages = append(names, text), append(pages, p)
	}
	return names, pages
}

// withoutLigatures does what MuPDF does by itself.
var withoutLigatures = strings.NewReplacer("\ufb01", "fi", "\ufb02", "fl")

// S-036: a hostile name is text, and nothing but text, to other readers: it comes out
// as it went in, there are as many pages as there were people, and nothing acts.
func TestHostileNamesInOtherReaders(t *testing.T) {
	r := renderer(t)
	names, pages := hostilePages(t, r)
	if len(names) < 100 {
		t.Fatalf("only %d names", len(names))
	}
	for part := range slices.Chunk(pages, 40) {
		mine := names[:len(part)]
		names = names[len(part):]
		path := write(t, render(t, r, part...))
		for _, reader := range []string{"poppler", "MuPDF"} {
			got := withoutLigatures.Replace(withoutBlanks(readers[reader](t, path)))
			for _, name := range mine {
				if !strings.Contains(got, withoutLigatures.Replace(withoutBlanks(name))) {
					t.Errorf("error/%s: %+q does not come out", reader, name)
				}
			}
		}
		info := run(t, "pdfinfo", path)
		if !regexp.MustCompile(fmt.Sprintf(`(?m)^Pages: +%d$`, len(part))).MatchString(info) || !regexp.MustCompile(`(?m)^JavaScript: +no$`).MatchString(info) {
			t.Errorf("error/pages or scripts: %s", info)
		}
		if acts := run(t, "mutool", "show", path, "grep"); regexp.MustCompile(`/(OpenAction|AA|JS|Launch|URI|GoToR|SubmitForm)\b`).MatchString(acts) {
			t.Errorf("error/something acts: %.300s", acts)
		}
	}
}
