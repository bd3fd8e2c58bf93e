package pdf

import (
	"fmt"
	"strconv"
)

// file puts pages together into one PDF file.
type file struct {
	w        *writer
	renderer *Renderer
	pages    []Page
	id       []byte

	catalog, tree, metadata, info, profile int // object numbers
	letters                                int // first object of the layers' typeface
	structure                              int // StructTreeRoot

	shaper   *shaper
	typeface *typeface // of all layers
	forms    map[*form]int
	kids     []int
	sections []*element
	marked   []int // number of MCIDs by page
}

func newFile(r *Renderer, pages []Page) *file {
	w := newWriter(r.table, &r.memo)
	d := &file{w: w, renderer: r, pages: pages, id: fileID(pages), shaper: newShaper(r.faces), typeface: newTypeface(r.faces), forms: map[*form]int{}}
	d.catalog, d.tree, d.metadata, d.info, d.profile = w.reserve(1), w.reserve(1), w.reserve(1), w.reserve(1), w.reserve(1)
	d.letters = w.reserve(typefaceObjects)
	d.structure = w.reserve(1)
	return d
}

func (d *file) free() {
	d.shaper.free()
	d.w.free()
}

// form writes a form's objects once per file. The content stream has the number
// returned, the typeface the numbers after it.
func (d *file) form(f *form) int {
	n, ok := d.forms[f]
	if !ok {
		n = d.w.reserve(1 + typefaceObjects)
		d.forms[f] = n
		d.w.stream(n, "/Filter/FlateDecode", f.content)
		f.sealed.write(d.w, d.w.object, n+1)
	}
	return n
}

// page writes one page: its layer, its codes, and notes its structure.
func (d *file) page(index int, f *form, p Page) error {
	formAt := d.form(f)
	at := d.w.reserve(2 + len(f.geometry.boxes))
	l := newLayer(d.shaper, f, d.typeface)
	blocks := f.blocks(p)
	for _, b := range blocks {
		if err := l.draw(b); err != nil {
			return err
		}
	}
	images := []byte(nil)
	for i, b := range f.geometry.boxes {
		l.image(b)
		writeSymbol(d.w, at+2+i, p.code(b.family))
		images = fmt.Appendf(images, "/%s %d 0 R", imageName(b), at+2+i)
	}
	d.w.stream(at+1, "/Filter/FlateDecode", deflate(l.out))
	d.w.object(at, fmt.Appendf(nil, "<</Type/Page/Parent %d 0 R/MediaBox[0 0 595.28 841.89]/Contents[%d 0 R %d 0 R]/StructParents %d/Tabs/S"+
		"/Resources<</Font<</%s %d 0 R/%s %d 0 R>>/XObject<<%s>>>>>>",
		d.tree, formAt, at+1, index, formFont, formAt+1, layerFont, d.letters, images))
	d.kids = append(d.kids, at)
	d.marked = append(d.marked, l.next)
	d.sections = append(d.sections, f.section(at, p, blocks, l.marks))
	return nil
}

// finish writes what belongs to the whole file.
func (d *file) finish() ([]byte, error) {
	face := d.renderer.faces[0]
	letters, err := d.typeface.seal(subsetTag(d.id), face.Name, face.Metrics, false)
	if err != nil {
		return nil, err
	}
	letters.write(d.w, d.w.plain, d.letters)
	d.writeStructure()
	kids := []byte("<</Type/Pages/Kids[")
	for _, n := range d.kids {
		kids = append(strconv.AppendInt(kids, int64(n), 10), " 0 R "...)
	}
	d.w.object(d.tree, fmt.Appendf(kids, "]/Count %d>>", len(d.kids)))
	d.w.object(d.catalog, fmt.Appendf(nil, "<</Type/Catalog/Pages %d 0 R/Lang(ja)/MarkInfo<</Marked true>>/StructTreeRoot %d 0 R/Metadata %d 0 R"+
		"/ViewerPreferences<</DisplayDocTitle true/PrintScaling/None>>"+
		"/OutputIntents[<</Type/OutputIntent/S/GTS_PDFA1/OutputConditionIdentifier(sRGB)/Info(sRGB IEC61966-2-1)/DestOutputProfile %d 0 R>>]>>",
		d.tree, d.structure, d.metadata, d.profile))
	d.writeMetadata()
	d.w.stream(d.profile, "/N 3/Filter/FlateDecode", sRGB())
	if !d.w.fits() {
		return nil, &FieldError{"pages", TooMany}
	}
	return d.w.finish(d.catalog, d.info, d.id), nil
}
