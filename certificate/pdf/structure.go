package pdf

import (
	"fmt"
	"slices"
	"strconv"

	"akashi/certificate"
)

// element is a node of the structure tree (ISO 32000-1, 14.7): what a screen
// reader reads, in order.
type element struct {
	role       string
	attributes string // further entries of its dictionary
	marks      []int  // MCIDs on its page
	kids       []*element
	index      int // its place in the section, in reading order
}

// outline is the tree of pages whose layers drew the same fields in the same
// order. It is made once and never changes.
type outline struct {
	fields  []string
	section *element
	size    int // number of elements
}

// maxOutlines bounds how many a form keeps: some for each number of doses.
const maxOutlines = 16

// outline returns the tree of a page; fields are those of its layer, in the
// order of their MCIDs.
func (f *form) outline(p Page, blocks []block, fields []string) *outline {
	f.mu.Lock()
	defer f.mu.Unlock()
	for _, o := range f.outlines {
		if slices.Equal(o.fields, fields) {
			return o
		}
	}
	layer := make(marks, len(fields))
	for i, field := range fields {
		layer[field] = len(f.marks) + i
	}
	o := &outline{fields: slices.Clone(fields), section: f.section(p, blocks, layer)}
	o.count(o.section)
	if len(f.outlines) == maxOutlines {
		f.outlines = f.outlines[1:]
	}
	f.outlines = append(f.outlines, o)
	return o
}

func (o *outline) count(e *element) {
	e.index = o.size
	o.size++
	for _, k := range e.kids {
		o.count(k)
	}
}

// tree makes the elements of a page from the numbers of its marked contents.
type tree struct{ form, layer marks }

func (t tree) find(keys ...string) (found []int) {
	for _, key := range keys {
		if n, ok := t.form[key]; ok {
			found = append(found, n)
		} else if n, ok := t.layer[key]; ok {
			found = append(found, n)
		}
	}
	return found
}

func (t tree) leaf(role string, keys ...string) *element {
	return &element{role: role, marks: t.find(keys...)}
}

func node(role string, kids ...*element) *element { return &element{role: role, kids: kids} }

func (t tree) heading(scope string, keys ...string) *element {
	e := t.leaf("TH", keys...)
	e.attributes = "/A<</O/Table/Scope/" + scope + ">>"
	return e
}

func (t tree) cell(b block) *element {
	var keys []string
	for _, p := range b.paragraphs {
		keys = append(keys, p.field)
	}
	return t.leaf("TD", keys...)
}

// figure is a code; the text is what is read instead of it.
func (t tree) figure(b codeBox, text string) *element {
	e := t.leaf("Figure", b.image)
	x, y := b.x*point, (pageHeight-b.y-b.w)*point
	e.attributes = fmt.Sprintf("/Alt%s/A<</O/Layout/Placement/Block/BBox[%.2f %.2f %.2f %.2f]>>", textString(text), x, y, x+b.w*point, y+b.w*point)
	return e
}

// section builds the tree of one page. layer has the MCIDs of the fields.
func (f *form) section(p Page, blocks []block, layer marks) *element {
	t := tree{f.marks, layer}
	var section *element
	if f.kind == certificate.International {
		section = f.cardSection(p, t)
	} else {
		section = f.japaneseSection(p, blocks, t)
	}
	section.kids = append(f.previewSections(p, t), section.kids...)
	section.kids = append(section.kids, t.leaf("P", "scale", "scale.en"), t.leaf("P", "layout"))
	section.kids = slices.DeleteFunc(section.kids, func(e *element) bool { return len(e.kids)+len(e.marks) == 0 })
	return section
}

func (f *form) japaneseSection(p Page, blocks []block, t tree) *element {
	person, doses, about := node("Table"), node("Table", node("TR")), node("Table")
	for i, r := range f.geometry.rows {
		person.kids = append(person.kids, node("TR", t.heading("Row", r.label, r.label+".en"), t.cell(blocks[i])))
	}
	blocks = blocks[len(f.geometry.rows):]
	for _, col := range columns {
		doses.kids[0].kids = append(doses.kids[0].kids, t.heading("Column", col.label, col.label+".en"))
	}
	for range p.Certificate.Doses {
		row := node("TR")
		for _, b := range blocks[:len(columns)] {
			row.kids = append(row.kids, t.cell(b))
		}
		doses.kids = append(doses.kids, row)
		blocks = blocks[len(columns):]
	}
	for _, label := range facts {
		about.kids = append(about.kids, node("TR", t.heading("Row", label, label+".en"), t.leaf("TD", "fact."+label)))
	}
	kind := "kind." + string(p.Certificate.Kind)
	issuer := t.leaf("P", "issuer", "issuer.en")
	for _, q := range f.issuerBlock(p.Certificate.Issuer).paragraphs {
		issuer.marks = append(issuer.marks, t.find(q.field)...)
	}
	section := node("Sect",
		t.leaf("H1", "title", "title.en"), t.leaf("P", kind, kind+".en"), t.leaf("P", "test", "test.en"),
		person, doses, t.leaf("P", "end_of_doses", "end_of_doses.en", "more_doses"), t.leaf("P", "meaning", "meaning.en"), about, issuer)
	for _, b := range f.geometry.boxes {
		caption := f.labels.Labels[b.label]
		section.kids = append(section.kids, t.leaf("P", b.label, b.label+".en"), t.figure(b, f.alt(p, caption.JA+" / "+caption.EN)))
	}
	return section
}

// writeStructure writes the tree of all pages with its way back from the
// marked content (ParentTree).
func (d *file) writeStructure() {
	root := d.w.reserve(1)
	first := make([]int, len(d.outlines)) // numbers of the sections
	for i, o := range d.outlines {
		first[i] = d.w.reserve(o.size)
	}
	kids := []byte("<</Type/StructElem/S/Document/P ")
	kids = append(strconv.AppendInt(kids, int64(d.structure), 10), " 0 R/K["...)
	tree := fmt.Appendf(nil, "<</Type/StructTreeRoot/K %d 0 R/ParentTreeNextKey %d/ParentTree<</Nums[", root, len(d.outlines))
	for i, o := range d.outlines {
		kids = append(strconv.AppendInt(kids, int64(first[i]), 10), " 0 R "...)
		tree = append(strconv.AppendInt(tree, int64(i), 10), '[')
		for _, n := range o.section.parents(make([]int, d.marked[i])) {
			tree = append(strconv.AppendInt(tree, int64(first[i]+n), 10), " 0 R "...)
		}
		tree = append(tree, ']')
	}
	d.w.object(root, append(kids, "]>>"...))
	for i, o := range d.outlines {
		d.element(o.section, root, first[i], d.kids[i])
	}
	d.w.object(d.structure, append(tree, "]>>>>"...))
}

// parents notes which element each MCID of a page belongs to.
func (e *element) parents(list []int) []int {
	for _, mcid := range e.marks {
		list[mcid] = e.index
	}
	for _, k := range e.kids {
		k.parents(list)
	}
	return list
}

// element writes e and what is below it; the section has the number first.
func (d *file) element(e *element, parent, first, page int) {
	b := append(append(d.scratch[:0], "<</Type/StructElem/S/"...), e.role...)
	b = strconv.AppendInt(append(b, "/P "...), int64(parent), 10)
	b = strconv.AppendInt(append(b, " 0 R/Pg "...), int64(page), 10)
	b = append(append(append(b, " 0 R"...), e.attributes...), "/K["...)
	for _, mcid := range e.marks {
		b = append(strconv.AppendInt(b, int64(mcid), 10), ' ')
	}
	for _, k := range e.kids {
		b = append(strconv.AppendInt(b, int64(first+k.index), 10), " 0 R "...)
	}
	d.scratch = append(b, "]>>"...)
	d.w.object(first+e.index, d.scratch)
	for _, k := range e.kids {
		d.element(k, first+e.index, first, page)
	}
}
