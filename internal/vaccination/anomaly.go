package vaccination

import (
	"cmp"
	"errors"
	"slices"

	"akashi/certificate/catalogue"
	"akashi/internal/clock"
)

// Severity says what follows from a finding.
type Severity string

const (
	Refusal Severity = "refusal" // the whole file is refused
	Fault   Severity = "fault"   // the line is left out
	Block   Severity = "block"   // nobody is certified before a person has looked
	Warning Severity = "warning" // shown; a person may go on
)

// Codes of conflicts between a file and what is stored.
const (
	ConflictOtherPerson = "ticket_other_person" // left out
	ConflictReplaced    = "record_replaced"     // applied as a new version; a person should look

	// Individual numbers that were not stored (R-142, L-04).
	ConflictNumberTaken     = "number_taken"     // it is somebody else's
	ConflictNumberHousehold = "number_household" // of somebody at the same address
	ConflictNumberOther     = "number_other"     // the person has another one
	ConflictNumberItems     = "number_items_differ"
)

// Anomaly is one thing that looks wrong about a person or a dose.
type Anomaly struct {
	Code     string   `json:"code"`
	Severity Severity `json:"severity"`
	Dose     int      `json:"dose,omitempty"` // dose number; 0: the person
}

// Rules are the plausibility rules (certificate-japan.md 9, S-053), with the
// catalogue that they consult.
type Rules struct{ Catalogue *catalogue.Catalogue }

// Case is what the rules look at: a person's doses of one programme.
type Case struct {
	Programme string
	Subject   Subject
	Doses     []Record
	Elsewhere bool // the applicant says that other doses lie with another municipality or abroad
}

// Check returns every anomaly of a case, by dose number. Today is Japan's date
// and the date on which vaccine codes must hold.
func (r Rules) Check(c Case, today clock.Date) []Anomaly {
	var found []Anomaly
	for _, rule := range personRules {
		if rule.broken(c.Subject) {
			found = append(found, Anomaly{rule.code, rule.severity, 0})
		}
	}
	k := r.open(c, today)
	for i, d := range k.doses {
		for _, rule := range doseRules {
			if rule.broken(k, i) {
				found = append(found, Anomaly{rule.code, rule.severity, d.DoseNumber})
			}
		}
	}
	return found
}

type personRule struct {
	code     string
	severity Severity
	column   string
	broken   func(Subject) bool
}

var personRules = []personRule{
	{"birth_date_incomplete", Block, "birth_date", func(s Subject) bool { return !s.BirthDate.Full() }},
}

// doseRule judges dose i of a case, whose doses ascend by number, then date.
type doseRule struct {
	code     string
	severity Severity
	column   string
	broken   func(k *caseView, i int) bool
}

var doseRules = []doseRule{
	{"date_missing", Block, "vaccinated_on", func(k *caseView, i int) bool { return !k.date(i).Full() }},
	{"date_future", Block, "vaccinated_on", func(k *caseView, i int) bool { return k.date(i) > k.today }},
	{"date_before_programme", Block, "vaccinated_on", func(k *caseView, i int) bool { return before(k.date(i), k.programme.FirstDose) }},
	{"date_after_programme", Block, "vaccinated_on", func(k *caseView, i int) bool { return before(k.programme.LastDose, k.date(i)) }},
	{"date_before_birth", Block, "vaccinated_on", func(k *caseView, i int) bool { return before(k.date(i), k.subject.BirthDate) }},
	{"date_after_death", Block, "vaccinated_on", func(k *caseView, i int) bool {
		return k.subject.Status == Deceased && before(k.subject.StatusDate, k.date(i))
	}},
	{"date_after_move", Warning, "vaccinated_on", func(k *caseView, i int) bool {
		return k.subject.Status == MovedOut && before(k.subject.StatusDate, k.date(i))
	}},
	{"date_order", Block, "vaccinated_on", (*caseView).outOfOrder},
	{"number_duplicate", Block, "dose_number", func(k *caseView, i int) bool { return i > 0 && k.doses[i].DoseNumber == k.doses[i-1].DoseNumber }},
	{"number_gap", Block, "dose_number", (*caseView).afterGap},
	{"interval_short", Warning, "vaccinated_on", (*caseView).tooSoon},
	{"maker_changed", Warning, "maker", func(k *caseView, i int) bool {
		return i > 0 && !catalogue.IsInternational(k.programme.ID) && k.doses[i].DoseNumber == 2 && k.known(i) && k.known(i-1) && k.products[i].MakerEN != k.products[i-1].MakerEN
	}},
	{"product_missing", Block, "product", func(k *caseView, i int) bool { return k.doses[i].Maker == "" && k.doses[i].Product == "" }},
	{string(catalogue.Unknown), Block, "product", func(k *caseView, i int) bool {
		return k.doses[i].Maker+k.doses[i].Product != "" && k.reason(i, catalogue.Unknown)
	}},
	{string(catalogue.Ambiguous), Block, "product", func(k *caseView, i int) bool { return k.reason(i, catalogue.Ambiguous) }},
	{string(catalogue.MakerMismatch), Block, "maker", func(k *caseView, i int) bool { return k.reason(i, catalogue.MakerMismatch) }},
	{string(catalogue.NotCertifiable), Block, "product", func(k *caseView, i int) bool { return k.reason(i, catalogue.NotCertifiable) }},
	{string(catalogue.NoCode), Block, "product", func(k *caseView, i int) bool { return k.reason(i, catalogue.NoCode) }},
	{"product_assumed", Block, "product", func(k *caseView, i int) bool {
		return k.hows[i] == catalogue.ByMaker && k.facts[i].RivalFrom != "" && k.date(i) >= k.facts[i].RivalFrom
	}},
	{"product_not_yet", Block, "product", func(k *caseView, i int) bool { return before(k.date(i), k.facts[i].GivenFrom) }},
	{"product_age", Block, "product", func(k *caseView, i int) bool { return k.ageFault(i) == misfit }},
	{"product_age_edge", Warning, "product", func(k *caseView, i int) bool { return k.ageFault(i) == outgrown }},
	{"lot_missing", Block, "lot", func(k *caseView, i int) bool { return k.doses[i].Lot == "" }},
	{"lot_maker", Warning, "lot", func(k *caseView, i int) bool {
		return k.doses[i].Lot != "" && k.facts[i].Lot != nil && !k.facts[i].Lot.MatchString(foldLot(k.doses[i].Lot))
	}},
}

// caseView is a case prepared for the rules.
type caseView struct {
	programme catalogue.Programme
	subject   Subject
	doses     []Record // ascending by number, then date
	products  []catalogue.Product
	hows      []catalogue.How   // by what they were found
	reasons   []error           // why a product could not be resolved
	facts     []catalogue.Rules // of each dose's product
	elsewhere bool
	today     clock.Date
}

func (r Rules) open(c Case, today clock.Date) *caseView {
	k := &caseView{subject: c.Subject, doses: ascending(c.Doses), elsewhere: c.Elsewhere, today: today}
	k.programme, _ = r.Catalogue.Programme(c.Programme)
	for _, d := range k.doses {
		p, how, err := r.Catalogue.Resolve(d.Programme, d.Maker, d.Product, today)
		facts, _ := r.Catalogue.Rules(p.ID)
		k.products, k.hows = append(k.products, p), append(k.hows, how)
		k.reasons, k.facts = append(k.reasons, err), append(k.facts, facts)
	}
	return k
}

// ascending returns a copy of the doses ordered by number, then date.
func ascending(doses []Record) []Record {
	sorted := slices.Clone(doses)
	slices.SortStableFunc(sorted, func(a, b Record) int {
		return cmp.Or(cmp.Compare(a.DoseNumber, b.DoseNumber), cmp.Compare(a.VaccinatedOn, b.VaccinatedOn))
	})
	return sorted
}

func (k *caseView) date(i int) clock.Date { return k.doses[i].VaccinatedOn }

func (k *caseView) known(i int) bool { return k.products[i].ID != "" }

func (k *caseView) reason(i int, want catalogue.Reason) bool { return errors.Is(k.reasons[i], want) }

// outOfOrder: a dose of a lower number lies on the same day or later.
func (k *caseView) outOfOrder(i int) bool {
	for j := range i {
		if k.doses[j].DoseNumber < k.doses[i].DoseNumber && k.date(j).Full() && k.date(i).Full() && k.date(j) >= k.date(i) {
			return true
		}
	}
	return false
}

// afterGap: a number before this one is missing and nobody said that it lies elsewhere.
func (k *caseView) afterGap(i int) bool {
	last := 0
	if i > 0 {
		last = k.doses[i-1].DoseNumber
	}
	return !k.elsewhere && k.doses[i].DoseNumber > last+1
}

// tooSoon: fewer days than usual since the dose before.
func (k *caseView) tooSoon(i int) bool {
	if i == 0 || !k.date(i).Full() || !k.date(i-1).Full() || k.date(i) <= k.date(i-1) {
		return false
	}
	return k.date(i-1).DaysUntil(k.date(i)) < k.facts[i].MinDays
}

type ageFault int

const (
	fits     ageFault = iota
	outgrown          // less than a year too old: begun with the children's product
	misfit
)

func (k *caseView) ageFault(i int) ageFault {
	born, on, f := k.subject.BirthDate, k.date(i), k.facts[i]
	if !born.Full() || !on.Full() || on < born {
		return fits
	}
	switch age := monthsOld(born, on); {
	case age < f.AgeFromMonths, f.AgeBelowMonths > 0 && age >= f.AgeBelowMonths+12:
		return misfit
	case f.AgeBelowMonths > 0 && age >= f.AgeBelowMonths:
		return outgrown
	}
	return fits
}

// monthsOld counts completed months as Japanese law does: an age is reached on the
// day before the birthday (年齢計算ニ関スル法律).
func monthsOld(born, on clock.Date) int {
	b, o := born.Time(), on.AddDays(1).Time()
	months := (o.Year()-b.Year())*12 + int(o.Month()) - int(b.Month())
	if o.Day() < b.Day() {
		months--
	}
	return months
}

// before compares two dates of which either may be partial or unknown: true only
// when the first surely lies before the second.
func before(a, b clock.Date) bool {
	n := min(len(a), len(b))
	return n > 0 && a[:n] < b[:n]
}
