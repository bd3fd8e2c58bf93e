package paper

import (
	"strings"

	"akashi/certificate"
	"akashi/certificate/catalogue"
	"akashi/certificate/pdf"
	"akashi/internal/clock"
	"akashi/passport"
)

// Choices are the closed lists of an application, in their order.
type Choices struct{ Relationships, Proofs, Documents []string }

// Notice tells what the data of an applicant are used for.
type Notice struct{ Version, JA, EN string }

// Application is what somebody applied for; the zero value leaves every place for a pen.
type Application struct {
	ID        string
	Kind      certificate.Kind
	Programme string

	Subject   certificate.Name
	Former    string
	BirthDate clock.Date
	Ticket    string
	Elsewhere bool
	Guardian  string
	Passport  *passport.Document // what its zone and data page say; nil: none, or none that can be read

	Relationship, Proof string
	Applicant           certificate.Name // empty where it is the subject
	Documents           []string
}

// ApplicationForm is the application form (申請書), blank or filled in for the applicant to check
// and sign. It asks for nothing that is not needed.
func ApplicationForm(h Head, c Choices, n Notice, a Application) pdf.Document {
	s := &sheet{}
	s.title("form.title")
	s.to(h)
	s.add(pdf.Box{X: left + 92, Y: s.y, W: width - 92, H: 10, Align: 1, Role: "P", Fixed: true, Paragraphs: both("form.date", 10, 7, 6.5, 6)})
	s.y += 10
	s.number(a.ID)
	s.wanted(a)
	s.person(a)
	s.passport(a)
	s.applicant(c, a)
	s.heading("form.documents")
	s.choices("", 3, list("document.", c.Documents, a.Documents...)...)
	s.notice(n)
	s.signature()
	return h.document("form.title", s.Sheet)
}

// number writes the number of an application that there is already.
func (s *sheet) number(id string) {
	if id == "" {
		return
	}
	s.add(pdf.Box{X: left, Y: s.y, W: width, H: 4, Align: 1, Role: "P", Paragraphs: []pdf.Paragraph{
		{Field: "application", Text: words["application"][0] + " / " + words["application"][1] + " " + id, Size: 7.5, Min: 6},
	}})
	s.y += 3
}

func list(prefix string, all []string, ticked ...string) []choice {
	var choices []choice
	for _, one := range all {
		c := choice{key: prefix + one}
		for _, t := range ticked {
			c.ticked = c.ticked || t == one
		}
		choices = append(choices, c)
	}
	return choices
}

func (s *sheet) wanted(a Application) {
	s.heading("form.kind")
	kinds := []choice{{"kind.travel", a.Kind == certificate.Travel}, {"kind.domestic", a.Kind == certificate.Domestic}, {"kind.icvp", a.Kind == certificate.International}}
	s.choices("", 5, append(kinds, choice{"programme.yellow_fever", a.Programme == catalogue.YellowFeverProgramme}, choice{"programme.polio", a.Programme == catalogue.PolioProgramme})...)
}

func (s *sheet) person(a Application) {
	s.heading("form.person")
	s.fields(10, field{key: "person.name", label: 44, width: width, name: "subject.name", text: fullName(a.Subject)})
	s.fields(8, field{key: "person.former", label: 44, width: 98, name: "subject.former_name", text: a.Former},
		field{key: "person.birth", label: 26, width: width - 98, name: "subject.birth_date", text: string(a.BirthDate)})
	s.fields(8, field{key: "person.ticket", label: 44, width: width, name: "subject.ticket_number", text: a.Ticket})
	s.choices("", 1, choice{"person.elsewhere", a.Elsewhere})
}

func (s *sheet) passport(a Application) {
	var d passport.Document
	if a.Passport != nil {
		d = *a.Passport
	}
	name := d.DataPageName
	if name == (passport.Name{}) {
		name = d.MRZName
	}
	var brackets []string
	for _, b := range []string{d.Alternative.FormerSurname, d.Alternative.Surname, d.Alternative.GivenName} {
		if b != "" {
			brackets = append(brackets, "("+b+")")
		}
	}
	s.heading("form.passport")
	s.fields(8.5, field{key: "passport.name", label: 44, width: width, name: "passport.name", text: strings.TrimSpace(name.Primary + " " + name.Secondary), lang: english})
	s.fields(8.5, field{key: "passport.brackets", label: 58, width: width, name: "passport.alternative", text: strings.Join(brackets, " "), lang: english})
	s.fields(8.5, field{key: "passport.number", label: 24, width: 62, name: "passport.number", text: d.Number.Reveal(), lang: english},
		field{key: "passport.nationality", label: 30, width: 54, name: "passport.nationality", text: d.Nationality, lang: english},
		field{key: "passport.expiry", label: 26, width: width - 116, name: "passport.expiry", text: string(d.Expiry)})
	s.fields(8.5, field{key: "passport.guardian", label: 66, width: width, name: "subject.guardian", text: a.Guardian, lang: english})
}

func (s *sheet) applicant(c Choices, a Application) {
	s.heading("form.applicant")
	s.choices("relationship", 4, list("relationship.", c.Relationships, a.Relationship)...)
	s.fields(8.5, field{key: "applicant.name", label: 44, width: 108, name: "applicant.name", text: fullName(a.Applicant)},
		field{key: "applicant.telephone", label: 26, width: width - 108, name: "applicant.telephone"})
	s.fields(8.5, field{key: "applicant.address", label: 44, width: width, name: "applicant.address"})
	s.choices("proof", 3, list("proof.", c.Proofs, a.Proof)...)
}

func (s *sheet) notice(n Notice) {
	s.heading("form.notice")
	s.sentences("notice", n.JA+"（"+words["form.notice_version"][0]+" "+n.Version+"）", n.EN+" ("+words["form.notice_version"][1]+" "+n.Version+")", left+1, width-2, 2, false)
	s.y -= 1
	s.add(pdf.Box{X: left + 1, Y: s.y, W: width - 2, H: 7, Role: "P", Fixed: true, Paragraphs: both("form.only", 8, 6.5, 6.5, 5.5)})
	s.y += 7
}

func (s *sheet) signature() {
	s.y += 1
	s.rule(left, s.y, right, s.y, thick)
	s.add(pdf.Box{X: left + 1, Y: s.y, W: 84, H: 13, Role: "P", Fixed: true, Paragraphs: both("form.sign", labelSize, labelMin, smallSize, smallMin)})
	s.add(pdf.Box{X: left + 88, Y: s.y, W: 18, H: 13, Role: "P", Fixed: true, Paragraphs: both("form.signature", labelSize, labelMin, smallSize, smallMin)})
	s.rule(left+86, s.y, left+86, s.y+13, thin)
	s.y += 13
	s.rule(left, s.y, right, s.y, thick)
	s.y += 2.5
	x := left
	for i, key := range []string{"form.office", "form.received", "form.checked", "form.stored"} {
		w := width / 4
		s.add(pdf.Box{X: x + 1, Y: s.y, W: w - 2, H: 6.5, Role: "P", Fixed: true, Paragraphs: both(key, 7.5, 6, 6, 5)})
		if i > 0 {
			s.rule(x, s.y, x, s.y+13, thin)
		}
		x += w
	}
	for _, y := range []float64{s.y, s.y + 13} {
		s.rule(left, y, right, y, thin)
	}
	for _, x := range []float64{left, right} {
		s.rule(x, s.y, x, s.y+13, thin)
	}
	s.y += 13
}

// fullName writes a name as registered.
func fullName(n certificate.Name) string {
	if n.Given == "" {
		return n.Family
	}
	return n.Family + "\u3000" + n.Given
}
