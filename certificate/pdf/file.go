package pdf

import (
	"bytes"
	"crypto/sha256"
	"fmt"
	"strconv"
	"time"

	"akashi/certificate"
)

// file puts pages together into one PDF file.
type file struct {
	w        *writer
	renderer *Renderer
	by       *Signatory // nil for a file that nobody signs
	id       []byte
	title    string
	at       time.Time // it says that it was made then

	catalog, tree, metadata, info, profile int // object numbers
	structure                              int // StructTreeRoot
	signed                                 int // first object of the signature

	shaper    *shaper
	typefaces []*typeface          // of all layers
	letters   [len(layerFonts)]int // first object of each; 0 for one without letters
	forms     map[*form]formObjects
	kids      []int
	outlines  []*outline // by page
	marked    []int      // number of MCIDs by page

	batch   bool
	said    [][sha256.Size]byte // of a batch: digests of the texts of the layers, by page
	scratch []byte
}

func newFile(r *Renderer, by *Signatory, title string, at time.Time, id []byte) *file {
	w := newWriter(r.table, &r.memo)
	d := &file{w: w, renderer: r, title: title, at: at.UTC(), by: by, id: id, shaper: newShaper(r.fonts), forms: map[*form]formObjects{}}
	for _, faces := range r.fonts {
		d.typefaces = append(d.typefaces, newTypeface(faces))
	}
	d.catalog, d.tree, d.metadata, d.info, d.profile = w.reserve(1), w.reserve(1), w.reserve(1), w.reserve(1), w.reserve(1)
	d.letters[0] = w.reserve(typefaceObjects)
	d.structure = w.reserve(1)
	if by != nil {
		d.signed = w.reserve(signatureObjects)
	}
	return d
}

func (d *file) free() {
	d.shaper.free()
	d.w.free()
}

// formObjects are the numbers of a form's content and of the first object of its typeface.
type formObjects struct{ content, typeface int }

// form writes a form's objects once per file. The sheets of a yellow card say the same with
// the same letters: their forms share a typeface.
func (d *file) form(f *form) formObjects {
	at, ok := d.forms[f]
	if ok {
		return at
	}
	if f.kind == certificate.International {
		for other, its := range d.forms {
			if other.kind == f.kind && bytes.Equal(other.sealed.program, f.sealed.program) && bytes.Equal(other.sealed.toUnicode, f.sealed.toUnicode) {
				at.typeface = its.typeface
			}
		}
	}
	if at.typeface != 0 {
		at.content = d.w.reserve(1)
	} else {
		at.content = d.w.reserve(1 + typefaceObjects)
		at.typeface = at.content + 1
	}
	d.forms[f] = at
	d.w.stream(at.content, "/Filter/FlateDecode", f.content)
	if at.typeface == at.content+1 {
		f.sealed.write(d.w, d.w.object, at.typeface)
	}
	return at
}

// page writes one page: its layer, its codes, and notes its structure.
func (d *file) page(f *form, p Page) error {
	formAt := d.form(f)
	place := len(d.kids)
	d.leave()
	symbols := d.w.reserve(len(p.Codes))
	l := newLayer(d, f)
	blocks := f.blocks(p)
	for i, modules := range p.sizes {
		l.frame(f.geometry.boxes[i], modules)
	}
	said, err := d.draw(l, blocks)
	if err != nil {
		return err
	}
	images := []byte(nil)
	for i, code := range p.Codes {
		b := f.geometry.boxes[i]
		l.image(b)
		writeSymbol(d.w, symbols+i, code.Matrix)
		images = fmt.Appendf(images, "/%s %d 0 R", b.name, symbols+i)
	}
	d.put(f, l, place, formAt, images)
	d.outlines[place], d.said[place] = f.outline(p, blocks, l.fields), said
	return nil
}

// put writes a page whose layer is drawn, at its place.
func (d *file) put(f *form, l *layer, place int, formAt formObjects, images []byte) {
	at := d.kids[place]
	d.w.deflated(at+1, l.out)
	annotations := ""
	if d.by != nil && place == 0 {
		annotations = fmt.Sprintf("/Annots[%d 0 R]", d.signed+widget)
	}
	d.w.plain(at, fmt.Appendf(nil, "<</Type/Page/Parent %d 0 R/MediaBox[0 0 595.28 841.89]/Contents[%d 0 R %d 0 R]/StructParents %d/Tabs/S%s"+
		"/Resources<</Font<</%s %d 0 R%s>>/XObject<<%s>>>>>>",
		d.tree, formAt.content, at+1, place, annotations, formFont, formAt.typeface, d.layerFonts(), images))
	d.marked[place] = len(f.marks) + len(l.fields)
	d.w.content, d.w.fields = l.out, l.fields
}

// draw writes blocks; in a batch it returns the digest of what they say.
func (d *file) draw(l *layer, blocks []block) (said [sha256.Size]byte, err error) {
	for _, b := range blocks {
		if err := l.draw(b); err != nil {
			return said, err
		}
	}
	if !d.batch {
		return said, nil
	}
	h := sha256.New()
	for _, b := range blocks {
		for _, p := range b.paragraphs {
			h.Write(append([]byte(p.text), 0))
		}
	}
	return [sha256.Size]byte(h.Sum(nil)), nil
}

// layerFonts lists the typefaces that the layers have used so far, as resources.
func (d *file) layerFonts() (list []byte) {
	for i, t := range d.typefaces {
		if d.letters[i] == 0 && len(t.texts) > 1 {
			d.letters[i] = d.w.reserve(typefaceObjects)
		}
		if d.letters[i] != 0 {
			list = fmt.Appendf(list, "/%s %d 0 R", layerFonts[i], d.letters[i])
		}
	}
	return list
}

// finish writes what belongs to the whole file. In a file to be signed, room is
// where the digits of the signature go.
func (d *file) finish() (file []byte, room int, err error) {
	for i, t := range d.typefaces {
		if d.letters[i] == 0 {
			continue
		}
		letters, err := t.seal(d.id, false)
		if err != nil {
			return nil, 0, err
		}
		letters.write(d.w, d.w.plain, d.letters[i])
	}
	d.writeStructure()
	kids := []byte("<</Type/Pages/Kids[")
	for _, n := range d.kids {
		kids = append(strconv.AppendInt(kids, int64(n), 10), " 0 R "...)
	}
	d.w.plain(d.tree, fmt.Appendf(kids, "]/Count %d>>", len(d.kids)))
	fields := ""
	if d.by != nil {
		room = d.signature(d.signed, d.kids[0], d.by)
		fields = fmt.Sprintf("/AcroForm<</Fields[%d 0 R]/SigFlags 3>>", d.signed+widget)
	}
	d.w.plain(d.catalog, fmt.Appendf(nil, "<</Type/Catalog/Pages %d 0 R/Lang(ja)/MarkInfo<</Marked true>>/StructTreeRoot %d 0 R/Metadata %d 0 R"+
		"/ViewerPreferences<</DisplayDocTitle true/PrintScaling/None>>"+
		"/OutputIntents[<</Type/OutputIntent/S/GTS_PDFA1/OutputConditionIdentifier(sRGB)/Info(sRGB IEC61966-2-1)/DestOutputProfile %d 0 R>>]%s>>",
		d.tree, d.structure, d.metadata, d.profile, fields))
	d.writeMetadata()
	d.w.stream(d.profile, "/N 3/Filter/FlateDecode", sRGB())
	if !d.w.fits() {
		return nil, 0, &FieldError{"pages", TooMany}
	}
	file = d.w.finish(d.catalog, d.info, d.id)
	if d.by != nil {
		closeRange(file, room)
	}
	return file, room, nil
}
