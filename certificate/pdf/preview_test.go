package pdf_test

import (
	"crypto/elliptic"
	"errors"
	"image/png"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"akashi/certificate/pdf"
	"akashi/certificate/qr"
)

// draft is a sample as it is before there is a certificate.
func draft(p pdf.Page) pdf.Draft {
	d := pdf.Draft{Certificate: p.Certificate, RenewBy: p.RenewBy}
	d.Certificate.ID, d.Certificate.AI = "", ""
	for _, c := range p.Codes {
		d.Sizes = append(d.Sizes, c.Matrix.Size())
	}
	return d
}

func preview(t *testing.T, r *pdf.Renderer, d pdf.Draft) []byte {
	t.Helper()
	file, err := r.Preview(d)
	if err != nil {
		t.Fatal(err)
	}
	return file
}

// pictures rasterises a file, one path for each page.
func pictures(t *testing.T, path string, dpi int) []string {
	t.Helper()
	base := filepath.Join(t.TempDir(), "page")
	run(t, "pdftoppm", "-r", strconv.Itoa(dpi), "-png", path, base)
	all, err := filepath.Glob(base + "*.png")
	if err != nil || len(all) == 0 {
		t.Fatal(err, "no picture")
	}
	return all
}

// Issue 6, section 1: a preview says on every page what it is, in the text and in the
// picture; it says what the certificate will say, and neither has nor looks like it has a
// code, for two readers.
func TestPreview(t *testing.T) {
	r := renderer(t)
	for name, p := range samples() {
		t.Run("ok/"+name, func(t *testing.T) {
			d := draft(p)
			file := preview(t, r, d)
			path := write(t, file)
			checkSyntax(t, path)
			if err := r.VerifyPreview(file, d); err != nil {
				t.Error(err)
			}
			layers, err := pdf.Text(file)
			if err != nil {
				t.Fatal(err)
			}
			real, err := pdf.Text(render(t, r, p))
			if err != nil || len(real) != len(layers) {
				t.Fatal(err, len(real), len(layers))
			}
			said := strings.NewReplacer(p.Certificate.ID, "––––––––––––").Replace(text(real))
			for line := range strings.Lines(said) {
				if line != "1\n" && !strings.Contains(text(layers), line) {
					t.Errorf("the preview lacks %q", line)
				}
			}
			for n := range layers {
				page := withoutBlanks(run(t, "pdftotext", "-f", strconv.Itoa(n+1), "-l", strconv.Itoa(n+1), "-raw", path, "-"))
				for _, mark := range []string{"確認用PREVIEW", "確認用・証明書ではありません", "PREVIEW–NOTACERTIFICATE", "ここにコードはありません"} {
					if !strings.Contains(page, mark) {
						t.Errorf("page %d does not say %q", n+1, mark)
					}
				}
			}
			if !slices.Contains([]string{"domestic-1", "travel-eu", "icvp-5"}, name) {
				return // the frames are these
			}
			for _, picture := range pictures(t, path, 200) {
				if found := zbarimg(t, picture); found != "" {
					t.Errorf("zbarimg finds %q", found)
				}
				f, err := os.Open(picture)
				if err != nil {
					t.Fatal(err)
				}
				if _, _, err := qr.ReadImages(f); !errors.Is(err, qr.ErrNotFound) {
					t.Errorf("our reader: %v", err)
				}
				_ = f.Close()
			}
		})
	}
}

// The mark is seen: much of each page is painted in its colours, and nothing of a certificate is.
func TestPreviewIsSeen(t *testing.T) {
	r := renderer(t)
	for name, p := range samples() {
		for n, picture := range pictures(t, write(t, preview(t, r, draft(p))), 50) {
			if red := reddish(t, picture); red < 0.05 {
				t.Errorf("%s, page %d: %.3f of it is marked", name, n+1, red)
			}
		}
		for n, picture := range pictures(t, write(t, render(t, r, p)), 50) {
			if red := reddish(t, picture); red > 0.02 {
				t.Errorf("%s, page %d: %.3f of a certificate looks marked", name, n+1, red)
			}
		}
	}
}

// A draft has no identifier and as many places as its certificate has codes; a draft's
// page is none that is printed or signed.
func TestPreviewRefused(t *testing.T) {
	r := renderer(t)
	for name, spoil := range map[string]func(*pdf.Draft){
		"id":           func(d *pdf.Draft) { d.Certificate.ID = "7KQ4ZPWM2XNB" },
		"id/ai":        func(d *pdf.Draft) { d.Certificate.AI = "JPN90000120261120000001" },
		"codes":        func(d *pdf.Draft) { d.Sizes = d.Sizes[:1] },
		"codes.shc":    func(d *pdf.Draft) { d.Sizes = []int{d.Sizes[0], 22} },
		"doses":        func(d *pdf.Draft) { d.Certificate.Doses = nil },
		"doses[0].lot": func(d *pdf.Draft) { d.Certificate.Doses[0].Lot = "" },
	} {
		d := draft(page(travel(2)))
		spoil(&d)
		var e *pdf.FieldError
		if _, err := r.Preview(d); !errors.As(err, &e) || e.Field != strings.TrimSuffix(name, "/ai") {
			t.Errorf("error/%s: %v", name, err)
		}
	}
	d := draft(page(travel(2)))
	unnamed := pdf.Page{Certificate: d.Certificate, Copy: 1}
	if _, err := r.Render(unnamed); err == nil {
		t.Error("error/rendered without an identifier")
	}
	if _, err := r.Prepare(newOffice(t, nil, elliptic.P256()).signatory(), unnamed); err == nil {
		t.Error("error/prepared to be signed")
	}
	file := preview(t, r, draft(page(travel(2))))
	if err := r.Verify(file, page(travel(2))); err == nil {
		t.Error("error/a preview passes as a copy")
	}
}

// reddish is the part of a picture that is painted red, palely or not.
func reddish(t *testing.T, path string) float64 {
	t.Helper()
	f, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = f.Close() }()
	img, err := png.Decode(f)
	if err != nil {
		t.Fatal(err)
	}
	red, size := 0, img.Bounds()
	for y := size.Min.Y; y < size.Max.Y; y++ {
		for x := size.Min.X; x < size.Max.X; x++ {
			if r, g, b, _ := img.At(x, y).RGBA(); r > g+0x1400 && r > b+0x1400 {
				red++
			}
		}
	}
	return float64(red) / float64(size.Dx()*size.Dy())
}
