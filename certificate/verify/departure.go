package verify

import (
	"akashi/certificate/catalogue"
	"akashi/certificate/hcert"
	"akashi/internal/clock"
)

// Departure judges yellow cards against polio for a journey that begins on a day, one facet
// for each verdict: WHO's standing recommendation asks residents of infected States for
// a dose 4 weeks to 12 months before, and where the journey is urgent for one by then (spec
// who-icvp-gdhcn, 4). It is a rule of the destination and changes no outcome, like Rules.
// One dose of a person is enough: it settles that person's others among the verdicts.
func Departure(verdicts []Verdict, day clock.Date) []Facet {
	type person struct{ name, born, document string }
	of := func(v Verdict) person {
		c := v.health.ICVP
		return person{c.Name, string(c.BirthDate), c.DocumentNumber.Reveal()}
	}
	facets, best := make([]Facet, len(verdicts)), map[person]Result{}
	for i, v := range verdicts {
		f := v.departure(day)
		facets[i] = f
		if f.Result == OK || f.Code == PolioIfUrgent && best[of(v)] != OK {
			best[of(v)] = f.Result
		}
	}
	for i, v := range verdicts {
		if f := &facets[i]; f.Result == Failed && best[of(v)] != "" || f.Code == PolioIfUrgent && best[of(v)] == OK {
			f.Result, f.Code = NotApplicable, PolioOtherDose
		}
	}
	return facets
}

// departure judges one dose alone. What is not valid is not looked at.
func (v Verdict) departure(day clock.Date) Facet {
	f := Facet{Name: "departure", Result: NotApplicable, Code: NoDepartureRule}
	if v.health == nil || v.health.ICVP == nil {
		return f
	}
	dose := v.health.ICVP.Date
	product, _, known := catalogue.ICVPProducts().Find(v.health.ICVP.Product)
	switch {
	case known && product.Disease != catalogue.Polio:
	case v.Outcome != Valid:
		f.Result, f.Code = Unknown, NotChecked
	case hcert.PolioForDeparture(dose, day, false):
		f.Result, f.Code = OK, PolioInWindow
	case hcert.PolioForDeparture(dose, day, true):
		f.Result, f.Code = Unknown, PolioIfUrgent
	case dose > day:
		f.Result, f.Code = Failed, PolioAfterDeparture
	default:
		f.Result, f.Code = Failed, PolioTooOld
	}
	return f
}
