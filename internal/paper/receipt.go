package paper

import (
	"strconv"

	"akashi/certificate"
	"akashi/certificate/pdf"
)

// Handover is one certificate that is handed over.
type Handover struct {
	Application string
	Certificate string
	Kind        certificate.Kind
	Copy        int // number of the copy; 0: none was printed yet
	Sheets      int
	Name        certificate.Name // on the collection list only
}

// Receipt is the receipt (受領書) that whoever gets a certificate signs. The fee is left for a pen:
// offices take none, or their own.
func Receipt(h Head, o Handover) pdf.Document {
	s := &sheet{}
	s.title("receipt.title")
	s.to(h)
	s.y += 16
	s.prose("receipt.text", 1)
	s.y += 2
	s.rule(left, s.y, right, s.y, thick)
	copied := ""
	if o.Copy > 0 {
		copied = strconv.Itoa(o.Copy)
	}
	const label = 52
	for _, f := range []field{
		{key: "application", name: "application.number", text: o.Application},
		{key: "certificate", name: "certificate.id", text: o.Certificate},
		{key: "kind", name: "certificate.kind", text: words["kind."+string(o.Kind)][0] + " / " + words["kind."+string(o.Kind)][1]},
		{key: "copy", name: "certificate.copy", text: copied},
		{key: "sheets", name: "certificate.sheets", text: strconv.Itoa(o.Sheets)},
		{key: "fee", name: "certificate.fee"},
		{key: "receipt.date", name: "receipt.on", text: day(h.On)},
		{key: "receipt.office", name: "office", text: h.Office.NameJA + " / " + h.Office.NameEN},
	} {
		f.label, f.width = label, width
		s.fields(10, f)
	}
	s.y += 4
	s.heading("receipt.as")
	s.choices("", 2, choice{key: "receipt.self"}, choice{key: "receipt.proxy"})
	s.fields(22, field{key: "receipt.signature", label: label, width: width, name: "signature"})
	return h.document("receipt.title", s.Sheet)
}
