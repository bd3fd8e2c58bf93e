package pdf_test

import (
	"bytes"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"akashi/certificate"
	"akashi/certificate/pdf"
	"akashi/test/outside"
)

var table = flag.String("table", "", "page of the guide whose table of worn paper is written anew")

// condition is a way in which paper comes to a reader.
type condition struct {
	name  string
	scale float64
	wear  wear
	sure  bool // asserted by the test, with the usual codes and at 300 dpi
}

var conditions = []condition{
	{"as printed", 1, all(), true},
	{"printed at 85 %", 0.85, all(), false},
	{"printed at 70 %", 0.7, all(), false},
	{"a little blurred (0.08 mm)", 1, blurred(0.08), true},
	{"blurred (0.13 mm)", 1, blurred(0.13), false},
	{"noisy", 1, noisy(0.2), false},
	{"blurred and noisy", 1, all(blurred(0.08), noisy(0.1)), true},
	{"85 %, blurred and noisy", 0.85, all(blurred(0.08), noisy(0.1)), false},
	{"70 %, blurred and noisy", 0.7, all(blurred(0.08), noisy(0.1)), false},
	{"gray printer, toner low", 1, all(blurred(0.06), faded(0.5, 0.9), noisy(0.03)), false},
	{"photocopied", 1, all(blurred(0.1), noisy(0.05), copied), false},
	{"folded in four, 0.4 mm of ink broken", 1, all(blurred(0.06), folded(0.4)), false},
	{"folded in four, 1 mm of ink broken", 1, all(blurred(0.06), folded(1)), false},
	{"coffee, 15 mm", 1, all(blurred(0.06), spotted(15, spilt)), false},
	{"hole of 3 mm", 1, all(blurred(0.06), spotted(3, torn)), false},
	{"hole of 8 mm", 1, all(blurred(0.06), spotted(8, torn)), false},
	{"askew by 3 degrees", 1, all(turned(3), blurred(0.06)), true},
}

// worn is a page with the texts of its codes, in their order; those looked at come first.
type worn struct {
	page  pdf.Page
	texts []string
}

func wornPage(t *testing.T, vdsncVersion, shcVersion int) worn {
	vdsnc, shc, texts := symbols(t, vdsncVersion, shcVersion)
	return worn{pdf.Page{Certificate: longest(), Copy: 1, Codes: []pdf.Code{{Family: certificate.VDSNC, Matrix: vdsnc}, {Family: certificate.SHC, Matrix: shc}}}, texts}
}

// wornCard is a yellow card of three doses with full codes of these versions.
func wornCard(t *testing.T, versions ...int) worn {
	w := worn{page: page(yellowCard(len(versions)))}
	for i, version := range versions {
		m, text := hc1(t, version, i+1)
		w.page.Codes[i].Matrix, w.texts = m, append(w.texts, text)
	}
	return w
}

// read prints, wears, scans and reads a page; one answer per code.
func (c condition) read(t *testing.T, p worn, path string, dpi int) (answers []string) {
	t.Helper()
	base := filepath.Join(t.TempDir(), "scan")
	run(t, "pdftoppm", "-r", strconv.FormatFloat(float64(dpi)*c.scale, 'f', -1, 64), "-gray", "-png", "-singlefile", path, base)
	s, boxes := scan(t, base+".png", float64(dpi), c.scale, pdf.CodeBoxes(p.page)[0])
	c.wear(s, boxes)
	s.write(t, base+".png")
	zbar := zbarimg(t, base+".png")
	zxing := outside.ReadCodes(t, base+".png")
	for _, text := range p.texts {
		var by []string
		if strings.Contains(zbar, text) {
			by = append(by, "zbar")
		}
		for _, code := range zxing {
			if code.Text == text {
				by = append(by, "zxing")
			}
		}
		switch len(by) {
		case 0:
			by = append(by, "–")
		case 2:
			by = []string{"both"}
		}
		answers = append(answers, by[0])
	}
	return answers
}

// Paper that is worn a little is read, with codes of the usual size. With -table,
// the table of docs/printing.md is made: all conditions, the usual and the
// densest codes, scanned at 300 and 200 dpi.
func TestPaper(t *testing.T) {
	r := renderer(t)
	if *table == "" {
		for name, p := range map[string]worn{"travel": wornPage(t, 32, 20), "yellow card": wornCard(t, 15, 15, 15)} {
			path := write(t, render(t, r, p.page))
			for _, c := range conditions {
				if !c.sure {
					continue
				}
				t.Run("ok/"+name+"/"+c.name, func(t *testing.T) {
					for i, answer := range c.read(t, p, path, 300) {
						if answer == "–" {
							t.Errorf("code %d is not read", i)
						}
					}
				})
			}
		}
		return
	}
	var out strings.Builder
	pages := []worn{wornPage(t, 32, 20), wornPage(t, 38, 22), wornCard(t, 15, 22, 15)}
	codes, resolutions := []string{"VDS-NC 32", "SHC 20", "VDS-NC 38", "SHC 22", "HC1 15", "HC1 22"}, []int{300, 200}
	heads, lines, scans := "|", "|---|", "| scanned at |"
	for _, dpi := range resolutions {
		for _, code := range codes {
			heads, lines, scans = heads+" | "+code, lines+"---|", fmt.Sprintf("%s %d dpi |", scans, dpi)
		}
	}
	fmt.Fprintf(&out, "%s |\n%s\n%s\n", heads, lines, scans)
	var paths []string
	for _, p := range pages {
		paths = append(paths, write(t, render(t, r, p.page)))
	}
	for _, c := range conditions {
		var cells []string
		for _, dpi := range resolutions {
			for i, p := range pages {
				cells = append(cells, c.read(t, p, paths[i], dpi)[:2]...)
			}
		}
		fmt.Fprintf(&out, "| %s | %s |\n", c.name, strings.Join(cells, " | "))
		t.Log(c.name, cells)
	}
	page, err := os.ReadFile(*table)
	if err != nil {
		t.Fatal(err)
	}
	before, rest, ok1 := bytes.Cut(page, []byte("<!-- worn -->\n"))
	_, after, ok2 := bytes.Cut(rest, []byte("<!-- /worn -->\n"))
	if !ok1 || !ok2 {
		t.Fatal("the page has no place for the table")
	}
	text := string(before) + "<!-- worn -->\n" + out.String() + "<!-- /worn -->\n" + string(after)
	if err := os.WriteFile(*table, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
}
