package server

import (
	"slices"
	"time"

	"akashi/certificate"
	"akashi/internal/application"
	"akashi/internal/vaccination"
)

// examinedBody is one application for whoever works on it.
type examinedBody struct {
	applicationBody
	Now *nowBody `json:"now,omitempty" doc:"what the register says now, where it has anything, for somebody who may see records"`
}

// nowBody is what the register says of an application now, for whoever works on it.
// It is asked anew for each look: the doses are not kept with an application.
type nowBody struct {
	Outcome      string          `json:"outcome" doc:"as that of the record; unavailable says nothing about doses"`
	AsOf         time.Time       `json:"as_of,omitzero"`
	Changed      bool            `json:"changed,omitempty" doc:"it is not the record that was checked: check again, or make the certificate again"`
	Withheld     bool            `json:"withheld,omitempty" doc:"for somebody who may override only"`
	Municipality text            `json:"municipality" doc:"whose register it is"`
	Person       *personBody     `json:"person,omitempty"`
	Doses        []doseBody      `json:"doses,omitempty" doc:"of the programme, ascending"`
	Findings     []anomalyBody   `json:"findings,omitempty" doc:"what looks wrong about the person"`
	Candidates   []candidateBody `json:"candidates,omitempty" doc:"the people who fit, at most ten; each is a look-up of the budget"`
}

// personBody is who is registered.
type personBody struct {
	Family    string `json:"family"`
	Given     string `json:"given,omitempty"`
	BirthDate string `json:"birth_date"`
}

// doseBody is one recorded dose.
type doseBody struct {
	Number       int           `json:"dose_number"`
	VaccinatedOn string        `json:"vaccinated_on,omitempty"`
	Product      text          `json:"product" doc:"as the code lists name it, or as recorded"`
	Maker        text          `json:"maker"`
	Listed       bool          `json:"listed" doc:"whether the code lists know the product"`
	Lot          string        `json:"lot,omitempty"`
	Place        string        `json:"place,omitempty"`
	Origin       string        `json:"origin,omitempty" doc:"where the register has it from, in its own words"`
	OnPaper      string        `json:"on_certificate" enum:"printed,older,in_the_way" doc:"printed; older: only the latest five are; in_the_way: it cannot be certified, and no certificate is made"`
	Findings     []anomalyBody `json:"findings,omitempty"`
}

// anomalyBody is one thing that looks wrong.
type anomalyBody struct {
	Code     string               `json:"code"`
	Severity vaccination.Severity `json:"severity"`
	text
}

// candidateBody is one of several people who fit: what of the application agrees with
// the register and what does not. Numbers are compared and not shown.
type candidateBody struct {
	Mark      string       `json:"candidate,omitempty" doc:"names this person and this record in a decision"`
	Withheld  bool         `json:"withheld,omitempty"`
	Name      fitBody      `json:"name"`
	Kana      fitBody      `json:"kana"`
	BirthDate fitBody      `json:"birth_date"`
	Sex       fitBody      `json:"sex"`
	Ticket    fitBody      `json:"ticket"`
	Address   fitBody      `json:"address"`
	Doses     []doseBody   `json:"doses,omitempty"`
	Reasons   []reasonBody `json:"reasons,omitempty" doc:"that would have to be cleared for this person, besides the choice itself"`
}

// fitBody is what is registered of a field and how it fits what was handed in.
type fitBody struct {
	Registered string `json:"registered,omitempty"`
	Evidence   string `json:"evidence,omitempty" doc:"code; absent: it was not given, or is not registered"`
}

// recordNow is what an examination tells; nil where the register was not asked.
func (s *Server) recordNow(x application.Examination, municipality text) *nowBody {
	if !x.Asked {
		return nil
	}
	a := x.Answer
	b := &nowBody{Outcome: a.Outcome.String(), AsOf: a.AsOf, Changed: x.Changed, Withheld: x.Withheld, Municipality: municipality}
	for _, c := range x.Choices {
		b.Candidates = append(b.Candidates, s.candidateOf(c))
	}
	if a.Outcome == vaccination.Found && x.Record.Outcome == b.Outcome && !x.Withheld {
		p := a.Person.Subject
		b.Person = &personBody{p.Family, p.Given, string(p.BirthDate)}
		b.Doses, b.Findings = s.dosesOf(a), findingsOf(a.Anomalies, 0)
	}
	return b
}

func findingsOf(list []vaccination.Anomaly, dose int) (out []anomalyBody) {
	for _, a := range list {
		if a.Dose == dose {
			sentence, _ := vaccination.Sentence(a.Code)
			out = append(out, anomalyBody{a.Code, a.Severity, text(sentence)})
		}
	}
	return out
}

func (s *Server) dosesOf(a vaccination.Answer) []doseBody {
	var out []doseBody
	for i, d := range a.Doses {
		b := doseBody{
			Number: d.DoseNumber, VaccinatedOn: string(d.VaccinatedOn), Product: text{d.Product, d.Product}, Maker: text{d.Maker, d.Maker},
			Lot: d.Lot, Place: d.Place, Origin: d.Origin, OnPaper: "printed", Findings: findingsOf(a.Anomalies, d.DoseNumber),
		}
		if p, _, err := s.Applications.Rules.Catalogue.Resolve(d.Programme, d.Maker, d.Product, s.Clock.Today()); err == nil {
			b.Product, b.Maker, b.Listed = text{p.NameJA, p.NameEN}, text{p.MakerJA, p.MakerEN}, true
		}
		switch {
		case slices.ContainsFunc(b.Findings, func(f anomalyBody) bool { return !application.Certifiable(f.Code) }):
			b.OnPaper = "in_the_way"
		case len(a.Doses)-i > certificate.MaxDoses:
			b.OnPaper = "older"
		}
		out = append(out, b)
	}
	return out
}

func (s *Server) candidateOf(c application.Choice) candidateBody {
	if c.Withheld {
		return candidateBody{Withheld: true}
	}
	p, found := c.Answer.Person.Subject, c.Answer.Evidence
	fit := func(registered string, codes ...string) fitBody {
		b := fitBody{Registered: registered}
		for _, code := range codes {
			if slices.Contains(found, code) {
				b.Evidence = code
			}
		}
		return b
	}
	b := candidateBody{
		Mark: c.Answer.Mark(), Name: fit(p.Family+"　"+p.Given, "name_exact", "name_loose", "name_differs"),
		Kana: fit(p.FamilyKana+"　"+p.GivenKana, "kana_loose"), BirthDate: fit(string(p.BirthDate), "birth_date", "birth_date_partly", "birth_date_differs"),
		Sex: fit(string(p.Sex), "sex", "sex_differs"), Ticket: fit("", "ticket", "ticket_differs"), Address: fit("", "address", "address_differs"),
		Doses: s.dosesOf(c.Answer), Reasons: reasonsOf(slices.DeleteFunc(slices.Clone(c.Reasons), application.Reason.OfChoice)),
	}
	for i := range b.Doses {
		b.Doses[i].Place, b.Doses[i].Origin = "", ""
	}
	return b
}
