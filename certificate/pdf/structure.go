package pdf

import (
	"fmt"
	"slices"
	"strconv"
)

// element is a node of the structure tree (ISO 32000-1, 14.7): what a screen
// reader reads, in order.
type element struct {
	role       string
	attributes string // further entries of its dictionary
	page       int    // object number of its page
	marks      []int  // MCIDs on that page
	kids       []*element
	number     int
}

// section builds the tree of one page. layer has the MCIDs of the fields.
func (f *form) section(page int, p Page, blocks []block, layer marks) *element {
	find := func(keys ...string) (found []int) {
		for _, key := range keys {
			if n, ok := f.marks[key]; ok {
				found = append(found, n)
			} else if n, ok := layer[key]; ok {
				found = append(found, n)
			}
		}
		return found
	}
	leaf := func(role string, keys ...string) *element {
		return &element{role: role, page: page, marks: find(keys...)}
	}
	node := func(role string, kids ...*element) *element { return &element{role: role, page: page, kids: kids} }
	heading := func(scope, label string) *element {
		e := leaf("TH", label, label+".en")
		e.attributes = "/A<</O/Table/Scope/" + scope + ">>"
		return e
	}
	cell := func(b block) *element {
		var keys []string
		for _, p := range b.paragraphs {
			keys = append(keys, p.field)
		}
		return leaf("TD", keys...)
	}

	person, doses, certificate := node("Table"), node("Table", node("TR")), node("Table")
	for i, r := range f.geometry.rows {
		person.kids = append(person.kids, node("TR", heading("Row", r.label), cell(blocks[i])))
	}
	blocks = blocks[len(f.geometry.rows):]
	for _, col := range columns {
		doses.kids[0].kids = append(doses.kids[0].kids, heading("Column", col.label))
	}
	for range p.Certificate.Doses {
		row := node("TR")
		for _, b := range blocks[:len(columns)] {
			row.kids = append(row.kids, cell(b))
		}
		doses.kids = append(doses.kids, row)
		blocks = blocks[len(columns):]
	}
	for _, label := range facts {
		value := leaf("TD", "fact."+label)
		certificate.kids = append(certificate.kids, node("TR", heading("Row", label), value))
	}
	kind := "kind." + string(p.Certificate.Kind)
	issuer := leaf("P", "issuer", "issuer.en")
	for _, q := range f.issuerBlock(p.Certificate.Issuer).paragraphs {
		issuer.marks = append(issuer.marks, find(q.field)...)
	}
	section := node("Sect",
		leaf("H1", "title", "title.en"), leaf("P", kind, kind+".en"), leaf("P", "test", "test.en"),
		person, doses, leaf("P", "end_of_doses", "end_of_doses.en", "more_doses"), leaf("P", "meaning", "meaning.en"), certificate, issuer)
	for _, b := range f.geometry.boxes {
		figure := leaf("Figure", "image."+b.caption)
		caption := f.labels.Labels[b.caption]
		x, y := b.x*point, (pageHeight-b.y-b.w)*point
		figure.attributes = fmt.Sprintf("/Alt%s/A<</O/Layout/Placement/Block/BBox[%.2f %.2f %.2f %.2f]>>",
			textString(caption.JA+" / "+caption.EN), x, y, x+b.w*point, y+b.w*point)
		section.kids = append(section.kids, leaf("P", b.caption, b.caption+".en"), figure)
	}
	section.kids = append(section.kids, leaf("P", "scale", "scale.en"), leaf("P", "layout"))
	section.kids = slices.DeleteFunc(section.kids, func(e *element) bool { return len(e.kids)+len(e.marks) == 0 })
	return section
}

// writeStructure writes the tree of all pages with its way back from the
// marked content (ParentTree).
func (d *file) writeStructure() {
	root := &element{role: "Document", kids: d.sections}
	d.number(root)
	parents := make([][]int, len(d.sections))
	for i := range parents {
		parents[i] = make([]int, d.marked[i])
		d.sections[i].parents(parents[i])
	}
	d.element(root, d.structure)
	b := fmt.Appendf(nil, "<</Type/StructTreeRoot/K %d 0 R/ParentTreeNextKey %d/ParentTree<</Nums[", root.number, len(parents))
	for i, list := range parents {
		b = append(strconv.AppendInt(b, int64(i), 10), '[')
		for _, n := range list {
			b = append(strconv.AppendInt(b, int64(n), 10), " 0 R "...)
		}
		b = append(b, ']')
	}
	d.w.object(d.structure, append(b, "]>>>>"...))
}

func (d *file) number(e *element) {
	e.number = d.w.reserve(1)
	for _, k := range e.kids {
		d.number(k)
	}
}

// parents notes which element each MCID of a page belongs to.
func (e *element) parents(list []int) {
	for _, mcid := range e.marks {
		list[mcid] = e.number
	}
	for _, k := range e.kids {
		k.parents(list)
	}
}

func (d *file) element(e *element, parent int) {
	b := make([]byte, 0, 128)
	b = append(append(b, "<</Type/StructElem/S/"...), e.role...)
	b = strconv.AppendInt(append(b, "/P "...), int64(parent), 10)
	b = append(b, " 0 R"...)
	if e.page != 0 {
		b = strconv.AppendInt(append(b, "/Pg "...), int64(e.page), 10)
		b = append(b, " 0 R"...)
	}
	b = append(append(b, e.attributes...), "/K["...)
	for _, mcid := range e.marks {
		b = append(strconv.AppendInt(b, int64(mcid), 10), ' ')
	}
	for _, k := range e.kids {
		b = append(strconv.AppendInt(b, int64(k.number), 10), " 0 R "...)
	}
	d.w.object(e.number, append(b, "]>>"...))
	for _, k := range e.kids {
		d.element(k, e.number)
	}
}
