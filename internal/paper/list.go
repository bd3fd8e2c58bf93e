package paper

import (
	"strconv"

	"akashi/certificate/pdf"
	"akashi/internal/clock"
)

// rowsOfList is how many certificates a sheet of the list has.
const rowsOfList = 15

// listColumns of the collection list: label and width.
var listColumns = []struct {
	key string
	w   float64
}{{"list.number", 12}, {"certificate", 36}, {"copy", 18}, {"name", 52}, {"list.signature", width - 118}}

// CollectionList is the list (受渡簿) of certificates issued on a day, with room for the signature
// of whoever fetches each. So many of the day stand on lists before this one.
func CollectionList(h Head, issued clock.Date, before int, all []Handover) pdf.Document {
	pages := max(1, (len(all)+rowsOfList-1)/rowsOfList)
	var sheets []pdf.Sheet
	for page := range pages {
		rows := all[page*rowsOfList : min(len(all), (page+1)*rowsOfList)]
		sheets = append(sheets, listSheet(h, issued, before, rows, page, pages))
	}
	return h.document("list.title", sheets...)
}

func listSheet(h Head, issued clock.Date, before int, rows []Handover, page, pages int) pdf.Sheet {
	s := &sheet{}
	s.title("list.title")
	w, of := words["list.day"], words["list.page"]
	s.add(pdf.Box{X: left, Y: s.y, W: 92, H: 14, Role: "P", Paragraphs: []pdf.Paragraph{
		{Field: "issued", Text: w[0] + " / " + w[1] + ": " + day(issued), Size: 10, Min: 7},
		{Field: "page", Text: of[0] + " / " + of[1] + ": " + strconv.Itoa(page+1) + " / " + strconv.Itoa(pages), Size: 9, Min: 7},
	}})
	s.from(h)
	s.y += 18
	s.rule(left, s.y, right, s.y, thick)
	s.row++
	x := left
	for _, c := range listColumns {
		s.add(pdf.Box{X: x + 1, Y: s.y, W: c.w - 2, H: 9, Role: "TH", Row: s.row, Column: true, Fixed: true, Paragraphs: both(c.key, labelSize, labelMin, smallSize, smallMin)})
		x += c.w
	}
	top := s.y
	s.y += 9
	s.rule(left, s.y, right, s.y, thick)
	for i, r := range rows {
		s.row++
		copied := ""
		if r.Copy > 0 {
			copied = strconv.Itoa(r.Copy)
		}
		x := left
		for k, text := range []string{strconv.Itoa(before + page*rowsOfList + i + 1), r.Certificate, copied, fullName(r.Name), ""} {
			s.add(pdf.Box{X: x + 1, Y: s.y, W: listColumns[k].w - 2, H: 13.5, Role: "TD", Row: s.row,
				Paragraphs: []pdf.Paragraph{{Field: called(listColumns[k].key, i), Text: text, Size: 10.5, Min: valueMin}}})
			x += listColumns[k].w
		}
		s.y += 13.5
		s.rule(left, s.y, right, s.y, thin)
	}
	x = left
	for _, c := range listColumns[:len(listColumns)-1] {
		x += c.w
		s.rule(x, top, x, s.y, thin)
	}
	if len(rows) == 0 {
		s.prose("list.none", 1)
	}
	return s.Sheet
}
