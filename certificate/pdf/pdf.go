// Package pdf prints certificates: one A4 page each, as a PDF file. A yellow card of
// many doses has further sheets, each complete in itself.
//
// A page is a form and a layer. The form (labels, rules, issuer) is laid out
// once per kind, office and layout version; the layer (names, doses, codes) is
// written for each certificate, with exact characters. The file is tagged and
// has the shape of PDF/A-2u. The same pages give the same bytes. An office may
// sign the file: Prepare leaves room for a signature (PAdES) made elsewhere.
package pdf

import (
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"fmt"
	"hash"
	"os"
	"slices"
	"strings"
	"sync"
	"time"

	"akashi/certificate"
	"akashi/certificate/font"
	"akashi/templates"
)

// Page is one certificate to be printed.
type Page struct {
	Certificate certificate.Certificate
	Codes       []Code    // those of Certificate.Codes
	Copy        int       // number of the copy, from 1
	RenewBy     time.Time // when the first of its codes expires, as a yellow card says; zero: it says nothing about that

	sheet, sheets int   // of a yellow card: this one, from 1, and how many there are
	before        int   // doses on the sheets before this one
	sizes         []int // of a draft: those of its codes
}

// Renderer prints pages. It is safe for concurrent use.
type Renderer struct {
	fonts   []font.Faces // in the order they are asked; each entry is one font object in a file
	program []byte       // the first face's file, for composing forms
	labels  map[string]*labels
	table   bool // classic cross-reference table, for outside checkers

	memo memo

	mu    sync.Mutex
	forms map[formKey]func() (*form, error)
}

// maxForms bounds the cache of forms: kinds and offices in use on one server.
const maxForms = 256

// New reads the fonts and labels. One Renderer serves a whole process. The paths
// of further TrueType files, such as IPAmj Mincho, may follow: they are asked for
// characters that the fonts that ship do not have.
func New(further ...string) (*Renderer, error) {
	r := &Renderer{labels: map[string]*labels{}, forms: map[formKey]func() (*form, error){}}
	var fonts []*font.Font
	for _, name := range []string{"NotoSansJP-Regular", "NotoSans-Regular"} {
		data, err := templates.Fonts.ReadFile("fonts/" + name + ".ttf")
		if err != nil {
			return nil, err
		}
		f, err := font.Parse(name, data)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", name, err)
		}
		if r.program == nil {
			r.program = data
		}
		fonts = append(fonts, f)
	}
	shipped, err := font.NewFaces(fonts...)
	if err != nil {
		return nil, err
	}
	r.fonts = []font.Faces{shipped}
	if len(further) >= len(layerFonts) {
		return nil, fmt.Errorf("pdf: more than %d further fonts", len(layerFonts)-1)
	}
	for _, path := range further {
		data, err := os.ReadFile(path)
		if err != nil {
			return nil, fmt.Errorf("pdf: further font: %w", err)
		}
		f, err := font.Parse("", data)
		if err != nil {
			return nil, fmt.Errorf("pdf: further font %s: %w", path, err)
		}
		r.fonts = append(r.fonts, font.Faces{f})
	}
	for _, version := range Layouts() {
		for _, kind := range []certificate.Kind{certificate.Travel, certificate.International} {
			if r.labels[labelsOf(version, kind)], err = readLabels(version, kind); err != nil {
				return nil, err
			}
		}
	}
	return r, nil
}

// Fonts names the fonts that are asked for a character, in order.
func (r *Renderer) Fonts() []string { return fontNames(r.fonts) }

func fontNames(fonts []font.Faces) (names []string) {
	for _, faces := range fonts {
		for _, f := range faces {
			names = append(names, f.Name)
		}
	}
	return names
}

// Missing returns the characters that cannot be printed, by field; nothing when
// the certificate can be printed as written. It is meant to be asked before signing.
func (r *Renderer) Missing(c certificate.Certificate) []Missing {
	s := newShaper(r.fonts)
	defer s.free()
	return missing(c, s)
}

func missing(c certificate.Certificate, s *shaper) []Missing {
	var all []Missing
	for _, v := range values(c) {
		if len(v.text) > maxBytes {
			continue // refused by Check for its length
		}
		if m := s.missing(v.text); m != nil {
			all = append(all, Missing{v.path(), m})
		}
	}
	return all
}

// Check tells whether a certificate can be printed: known layout and kind, all
// characters in the fonts, every field within its place. Errors are a
// *MissingError or a *FieldError.
func (r *Renderer) Check(c certificate.Certificate) error {
	if err := r.checkValues(c); err != nil {
		return err
	}
	s := newShaper(r.fonts)
	defer s.free()
	for _, p := range (Page{Certificate: c, Copy: 1, RenewBy: c.IssuedAt}).split() {
		f, err := r.form(p)
		if err != nil {
			return err
		}
		for _, b := range f.blocks(p) {
			if _, err := b.place(s); err != nil {
				return explain(err, c, s)
			}
		}
	}
	return nil
}

// checkValues refuses what no page can show; it comes before anything is drawn.
func (r *Renderer) checkValues(c certificate.Certificate) error {
	l := r.labels[labelsOf(c.Layout, c.Kind)]
	switch {
	case l == nil:
		return &FieldError{"layout", UnknownValue}
	case !slices.Contains(l.Programmes, c.Programme):
		return &FieldError{"programme", UnknownValue}
	case c.Kind.Families() == nil:
		return &FieldError{"kind", UnknownValue}
	case c.Kind.ShowsPassport() && c.Subject.Passport == nil:
		return &FieldError{"subject.passport", Wrong}
	case len(c.Doses) == 0 || len(c.Doses) > certificate.MaxDoses:
		return &FieldError{"doses", Wrong}
	case len(c.Issuer.Japanese) > maxLines || len(c.Issuer.English) > maxLines:
		return &FieldError{"issuer", TooMany}
	}
	for i, d := range c.Doses {
		if d.Number < 1 {
			return &FieldError{fmt.Sprintf("doses[%d].number", i), Wrong}
		}
	}
	if c.Kind == certificate.International {
		if err := l.checkCard(c); err != nil {
			return err
		}
	}
	for _, v := range values(c) {
		if v.text == "" && required[v.field] {
			return &FieldError{v.path(), Required}
		}
		most := maxClusters
		if strings.HasPrefix(v.field, ".product.") {
			most = maxProduct
		}
		if len(v.text) > maxBytes || len(v.text) > most && clusters(v.text) > most {
			return &FieldError{v.path(), TooLong}
		}
	}
	return nil
}

// explain names the fields of a *MissingError as the certificate has them; a
// page's texts are put together from several.
func explain(err error, c certificate.Certificate, s *shaper) error {
	var e *MissingError
	if errors.As(err, &e) {
		if m := missing(c, s); m != nil {
			return &MissingError{m, fontNames(s.fonts)}
		}
	}
	return err
}

func clusters(text string) (n int) {
	for range font.Clusters(text) {
		n++
	}
	return n
}

// form returns the form of a page whose values were checked, composing it at first use.
func (r *Renderer) form(p Page) (*form, error) {
	c := p.Certificate
	key := formKey{
		layout: c.Layout, kind: c.Kind, codes: len(c.Codes()), test: c.Test, preview: p.isPreview(),
		renewed: c.Kind == certificate.International && !p.RenewBy.IsZero(),
	}
	copy(key.japanese[:], c.Issuer.Japanese)
	copy(key.english[:], c.Issuer.English)
	return r.cached(key, func() (*form, error) {
		return newForm(r.fonts, r.program, r.labels[labelsOf(key.layout, key.kind)], key, c.Issuer)
	})()
}

// Render returns the file with one page per certificate. Errors are a
// *MissingError or a *FieldError where the certificate is at fault.
func (r *Renderer) Render(pages ...Page) ([]byte, error) {
	file, _, err := r.render(nil, pages)
	return file, err
}

// render makes a file of certificates, with room for a signature if somebody is to sign it.
func (r *Renderer) render(by *Signatory, pages []Page) (file []byte, room int, err error) {
	for _, p := range pages {
		if err := r.checkPage(p); err != nil {
			return nil, 0, err
		}
	}
	return r.draw(by, pages)
}

func (r *Renderer) draw(by *Signatory, pages []Page) (file []byte, room int, err error) {
	if len(pages) == 0 || len(pages) > maxPages {
		return nil, 0, &FieldError{"pages", TooMany}
	}
	first := pages[0].Certificate
	d := newFile(r, by, r.labels[labelsOf(first.Layout, first.Kind)].title(pages[0].isPreview()), first.IssuedAt, fileID(pages))
	defer d.free()
	for _, p := range pages {
		if err := d.certificate(p); err != nil {
			return nil, 0, err
		}
	}
	return d.finish()
}

// certificate writes the sheets of one certificate that was checked.
func (d *file) certificate(p Page) error {
	for _, sheet := range p.split() {
		f, err := d.renderer.form(sheet)
		if err != nil {
			return err
		}
		if err := d.page(f, sheet); err != nil {
			return explain(err, p.Certificate, d.shaper)
		}
	}
	return nil
}

func (r *Renderer) checkPage(p Page) error {
	if err := r.checkValues(p.Certificate); err != nil {
		return err
	}
	if p.Copy < 1 {
		return &FieldError{"copy", Wrong}
	}
	return checkCodes(p)
}

// Sheets is how many sheets of paper a certificate has.
func Sheets(c certificate.Certificate) int { return len(Page{Certificate: c}.split()) }

// split makes the sheets of a page: a yellow card has only so many doses on each.
func (p Page) split() []Page {
	c := p.Certificate
	if c.Kind != certificate.International {
		return []Page{p}
	}
	p.sheets = (len(c.Doses) + cardRows - 1) / cardRows
	var sheets []Page
	for p.sheet = 1; p.sheet <= p.sheets; p.sheet++ {
		n := (len(c.Doses) - p.before + p.sheets - p.sheet) / (p.sheets - p.sheet + 1)
		one := p
		one.Certificate.Doses = c.Doses[p.before : p.before+n]
		if p.Codes != nil {
			one.Codes = p.Codes[p.before : p.before+n]
		}
		if p.isPreview() {
			one.sizes = p.sizes[p.before : p.before+n]
		}
		sheets, p.before = append(sheets, one), p.before+n
	}
	return sheets
}

// fileID identifies the printed copy: the same certificates and copy numbers
// have the same one.
func fileID(pages []Page) []byte {
	h := sha256.New()
	for _, p := range pages {
		p.identify(h)
	}
	return h.Sum(nil)[:16]
}

func (p Page) identify(h hash.Hash) {
	c := p.Certificate
	fmt.Fprintf(h, "%s %s %s %d\n", c.Office, c.ID, c.Layout, p.Copy)
	_ = binary.Write(h, binary.BigEndian, c.IssuedAt.Unix())
}
