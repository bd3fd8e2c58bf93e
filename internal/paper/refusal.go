package paper

import (
	"akashi/certificate"
	"akashi/certificate/pdf"
	"akashi/internal/clock"
)

// Refused is an application that was refused.
type Refused struct {
	Application string
	Kind        certificate.Kind
	To          certificate.Name // who applied
	AppliedOn   clock.Date
	Reasons     []Sentence // why, in plain words
}

// Sentence is a text in both languages.
type Sentence struct{ JA, EN string }

// reasonHeight is the room of a reason, closingHeight that of what stands below them.
const (
	reasonHeight  = 15.0
	closingHeight = 69.0
)

// RefusalNotice is the notice of refusal (不交付通知書): the reasons in plain words, how to apply again and how to object.
// Head.On is the day of the decision. Reasons that have no room go on on further sheets.
func RefusalNotice(h Head, r Refused) pdf.Document {
	s := &sheet{}
	s.title("refusal.title")
	s.add(pdf.Box{X: left, Y: s.y, W: 92, H: 14, Role: "P", Paragraphs: []pdf.Paragraph{{Field: "applicant.name", Text: fullName(r.To) + " 様", Size: 13, Min: 6}}})
	s.from(h)
	s.y += 18
	s.prose("refusal.text", 1)
	s.rule(left, s.y, right, s.y, thick)
	const label = 44
	s.fields(9, field{key: "application", label: label, width: width, name: "application.number", text: r.Application})
	s.fields(9, field{key: "kind", label: label, width: width, name: "kind.of", text: words["kind."+string(r.Kind)][0] + " / " + words["kind."+string(r.Kind)][1]})
	s.fields(9, field{key: "refusal.received", label: label, width: width, name: "application.on", text: day(r.AppliedOn)})
	s.fields(9, field{key: "refusal.date", label: label, width: width, name: "decision.on", text: day(h.On)})
	s.heading("refusal.reasons")
	var sheets []pdf.Sheet
	turn := func(room float64) {
		if s.y+room > bottom {
			sheets = append(sheets, s.Sheet)
			s = &sheet{}
			s.title("refusal.title")
			s.number(r.Application)
			s.y += 4
		}
	}
	for i, reason := range r.Reasons {
		turn(reasonHeight)
		s.sentences(called("reason", i), reason.JA, reason.EN, left+1, width-2, 2, false)
		s.rule(left, s.y, right, s.y, thin)
	}
	turn(closingHeight)
	s.heading("refusal.next")
	s.prose("refusal.next_text", 2)
	s.heading("refusal.objection")
	s.prose("refusal.objection_text", 2)
	s.y += 3
	s.rule(left, s.y, right, s.y, thick)
	s.fields(16, field{key: "refusal.office", label: label, width: width, name: "office", text: h.Office.NameJA + " / " + h.Office.NameEN})
	return h.document("refusal.title", append(sheets, s.Sheet)...)
}
