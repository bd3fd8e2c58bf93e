package vaccination

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"testing"
	"time"

	"akashi/internal/clock"
	"akashi/internal/fault"
)

// memory is a register in memory; with err set it cannot be asked.
type memory struct {
	people []Person
	err    error
}

func (m *memory) find(fits func(Subject) bool) ([]Person, error) {
	var found []Person
	for _, p := range m.people {
		if fits(p.Subject) {
			found = append(found, p)
		}
	}
	return found, m.err
}

func (m *memory) FindByTicket(_ context.Context, ticket string) ([]Person, error) {
	return m.find(func(s Subject) bool { return s.Ticket == ticket })
}

func (m *memory) FindByAddress(_ context.Context, address string) ([]Person, error) {
	return m.find(func(s Subject) bool { return s.Address == address })
}

func (m *memory) FindByName(_ context.Context, key SearchKey, birth clock.Date) ([]Person, error) {
	return m.find(func(s Subject) bool { return s.BirthDate == birth && slices.Contains(s.SearchKeys(), key) })
}

var asOf = time.Date(2026, 11, 20, 3, 0, 0, 0, time.UTC)

func register(people ...Person) *memory {
	for i := range people {
		people[i].ID, people[i].Source, people[i].AsOf = fmt.Sprint(i+1), "ledger", asOf
	}
	return &memory{people: people}
}

func asked() Enquiry {
	return Enquiry{Programme: "covid19", Ticket: "0000000001", Family: "桜井", Given: "澪", BirthDate: "1991-02-18", Sex: Female}
}

func TestMatch(t *testing.T) {
	other := Subject{Ticket: "0000000002", Address: "100002", Family: "森", Given: "翠", FamilyKana: "モリ", GivenKana: "ミドリ", BirthDate: "1980-01-01", Sex: Male, Status: Resident}
	twin := person()
	twin.Ticket, twin.Address, twin.Sex = "0000000003", "100003", Male
	reg := register(Person{Subject: person(), Doses: doses()}, Person{Subject: other})
	for name, c := range map[string]struct {
		reg       *memory
		ask       func(*Enquiry)
		outcome   LookUp
		certainty Certainty
		automatic bool
		anomalies []string
		evidence  []string // each must be there
	}{
		"ok/ticket, name, birth date": {reg, func(*Enquiry) {}, Found, Exact, true, nil, []string{"ticket", "birth_date", "name_exact", "sex"}},
		"ok/address number":           {reg, func(e *Enquiry) { e.Ticket, e.Address = "", "100001" }, Found, Exact, true, nil, []string{"address"}},
		"ok/both numbers":             {reg, func(e *Enquiry) { e.Address = "100001" }, Found, Exact, true, nil, []string{"ticket", "address"}},
		"ok/name, birth date, sex":    {reg, func(e *Enquiry) { e.Ticket = "" }, Found, Exact, true, nil, []string{"name_exact", "birth_date", "sex"}},
		"ok/other width and blanks":   {reg, func(e *Enquiry) { e.Given = "　澪 " }, Found, Exact, true, nil, nil},
		"ok/name without sex":         {reg, func(e *Enquiry) { e.Ticket, e.Sex = "", "" }, Found, Loose, false, nil, nil},
		"ok/variant of the name":      {reg, func(e *Enquiry) { e.Family = "櫻井" }, Found, Loose, false, nil, []string{"name_loose"}},
		"ok/variant, by name":         {reg, func(e *Enquiry) { e.Ticket, e.Family = "", "櫻井" }, Found, Loose, false, nil, []string{"name_loose"}},
		"ok/ticket only":              {reg, func(e *Enquiry) { *e = Enquiry{Programme: "covid19", Ticket: e.Ticket} }, Found, Loose, false, nil, nil},
		"ok/kana only": {reg, func(e *Enquiry) {
			*e = Enquiry{Programme: "covid19", FamilyKana: "ｻｸﾗｲ", GivenKana: "みお", BirthDate: "1991-02-18", Sex: Female}
		}, Found, Candidate, false, nil, []string{"kana_loose"}},

		"error/birth date differs":         {reg, func(e *Enquiry) { e.BirthDate = "1991-02-19" }, Found, Candidate, false, []string{"identity_mismatch"}, []string{"birth_date_differs"}},
		"error/name differs":               {reg, func(e *Enquiry) { e.Given = "凪" }, Found, Candidate, false, []string{"identity_mismatch"}, []string{"name_differs"}},
		"error/names swapped":              {reg, func(e *Enquiry) { e.Family, e.Given = e.Given, e.Family }, Found, Candidate, false, []string{"identity_mismatch"}, nil},
		"error/sex differs":                {reg, func(e *Enquiry) { e.Sex = Male }, Found, Candidate, false, []string{"identity_mismatch"}, []string{"sex_differs"}},
		"error/ticket unknown, name found": {reg, func(e *Enquiry) { e.Ticket = "0000000009" }, Found, Candidate, false, []string{"identity_mismatch"}, []string{"ticket_unknown"}},
		"error/ticket of somebody else":    {reg, func(e *Enquiry) { e.Ticket = "0000000002" }, Ambiguous, "", false, []string{"identity_mismatch"}, nil},
		"error/numbers of two people":      {reg, func(e *Enquiry) { e.Address = "100002" }, Ambiguous, "", false, []string{"identity_mismatch"}, []string{"identifiers_differ"}},
		"error/address number unknown":     {reg, func(e *Enquiry) { e.Address = "999999" }, Found, Candidate, false, []string{"identity_mismatch"}, []string{"address_unknown"}},
		"error/two people of one name": {register(Person{Subject: person(), Doses: doses()}, Person{Subject: twin, Doses: doses()}), func(e *Enquiry) { e.Ticket = "" },
			Ambiguous, "", false, nil, nil},
		"error/one ticket, two people": {register(Person{Subject: person(), Doses: doses()}, Person{Subject: Subject{Ticket: "0000000001", Family: "森", BirthDate: "1980-01-01"}}), func(*Enquiry) {},
			Ambiguous, "", false, []string{"ticket_shared"}, nil},
		"error/somebody else without record": {reg, func(e *Enquiry) {
			e.Ticket, e.Family, e.Given, e.BirthDate = "0000000002", "架空", "一", "1970-01-01"
		},
			Ambiguous, "", false, []string{"identity_mismatch"}, []string{"person_without_record"}},

		"ok/person unknown": {reg, func(e *Enquiry) { e.Ticket, e.Given = "", "凪" }, None, "", false, nil, []string{"person_unknown"}},
		"ok/no record": {reg, func(e *Enquiry) {
			*e = Enquiry{Programme: "covid19", Ticket: "0000000002", Family: "森", Given: "翠", BirthDate: "1980-01-01"}
		}, None, "", false, nil, []string{"person_without_record"}},
		"ok/no record of this programme":            {reg, func(e *Enquiry) { e.Programme = "routine" }, None, "", false, nil, []string{"person_without_record"}},
		"error/cannot be asked":                     {&memory{err: fmt.Errorf("line cut: %w", ErrUnavailable)}, func(*Enquiry) {}, Unavailable, "", false, nil, nil},
		"error/too late":                            {&memory{err: context.DeadlineExceeded}, func(*Enquiry) {}, Unavailable, "", false, nil, nil},
		"error/cannot be asked although rows stand": {&memory{people: reg.people, err: ErrUnavailable}, func(*Enquiry) {}, Unavailable, "", false, nil, nil},
	} {
		t.Run(name, func(t *testing.T) {
			e := asked()
			c.ask(&e)
			a, err := Match(t.Context(), c.reg, e, rules, today)
			if err != nil || a.Outcome != c.outcome || a.Certainty != c.certainty || a.Automatic() != c.automatic {
				t.Errorf("%v %q automatic %v, evidence %v, %v", a.Outcome, a.Certainty, a.Automatic(), a.Evidence, err)
			}
			var got []string
			for _, x := range a.Anomalies {
				got = append(got, x.Code)
			}
			if !slices.Equal(got, c.anomalies) {
				t.Errorf("anomalies %v, want %v", got, c.anomalies)
			}
			for _, want := range c.evidence {
				if !slices.Contains(a.Evidence, want) {
					t.Errorf("evidence %v lacks %s", a.Evidence, want)
				}
			}
			for _, code := range a.Evidence {
				if _, ok := Sentence(code); !ok {
					t.Errorf("no sentence for %s", code)
				}
			}
			if c.outcome == Unavailable && (len(a.Doses) != 0 || a.Person.ID != "") {
				t.Error("an unavailable register answered")
			}
			if c.outcome == Found && (a.Source != "ledger" || !a.AsOf.Equal(asOf)) {
				t.Error("no source or as-of time")
			}
		})
	}
}

// The outcomes are written and read back apart; nothing said is "cannot be asked".
func TestLookUp(t *testing.T) {
	var forgotten Answer
	if forgotten.Outcome != Unavailable {
		t.Error("a forgotten answer reads as no record")
	}
	seen := map[string]bool{}
	for _, o := range []LookUp{Unavailable, None, Found, Ambiguous} {
		b, err := json.Marshal(o)
		var back LookUp
		if err != nil || json.Unmarshal(b, &back) != nil || back != o || seen[string(b)] {
			t.Errorf("%v does not come back from %s", o, b)
		}
		seen[string(b)] = true
	}
	if json.Unmarshal([]byte(`"perhaps"`), new(LookUp)) == nil || LookUp(9).String() != "unavailable" {
		t.Error("an unknown outcome is taken")
	}
}

func TestMatchRefuses(t *testing.T) {
	for name, e := range map[string]Enquiry{
		"nothing": {}, "name only": {Family: "桜井"}, "birth date only": {BirthDate: "1991-02-18"}, "partial birth date": {Family: "桜井", BirthDate: "1991-02"},
	} {
		if a, err := Match(t.Context(), register(), e, rules, today); fault.CodeOf(err) != fault.Invalid || a.Outcome != Unavailable {
			t.Errorf("error/%s: %v %v", name, a.Outcome, err)
		}
	}
	broken := errors.New("disk")
	if a, err := Match(t.Context(), &memory{err: broken}, asked(), rules, today); !errors.Is(err, broken) || a.Outcome != Unavailable {
		t.Errorf("%v %v", a.Outcome, err)
	}
}

// Two tickets of one address number are one person; the doses belong together.
func TestMatchReissuedTicket(t *testing.T) {
	again := person()
	again.Ticket, again.Family = "0000000007", "森" // a new name since
	reg := register(Person{Subject: person(), Doses: doses()[:2]}, Person{Subject: again, Doses: doses()[2:]})
	for _, ask := range []func(*Enquiry){func(*Enquiry) {}, func(e *Enquiry) { e.Address = "100001" }, func(e *Enquiry) { e.Ticket = "" }} {
		e := asked()
		ask(&e)
		if a, err := Match(t.Context(), reg, e, rules, today); err != nil || a.Outcome != Found || len(a.Doses) != 3 || a.Certainty != Exact || len(a.Anomalies) != 0 {
			t.Errorf("%v %v %d doses %v %v", a.Outcome, a.Certainty, len(a.Doses), a.Anomalies, err)
		}
	}
}

// A register that knows only part of the birth date can be asked by number, and never answers exactly.
func TestMatchPartialBirthDate(t *testing.T) {
	s := person()
	s.BirthDate = "1991"
	a, err := Match(t.Context(), register(Person{Subject: s, Doses: doses()}), asked(), rules, today)
	if err != nil || a.Outcome != Found || a.Certainty != Loose || !slices.Contains(a.Evidence, "birth_date_partly") || !slices.Contains(a.Anomalies, Anomaly{"birth_date_incomplete", Block, 0}) {
		t.Errorf("%+v %v", a, err)
	}
}

func TestMatchTooMany(t *testing.T) {
	var people []Person
	for i := range 12 {
		s := person()
		s.Ticket, s.Address = fmt.Sprintf("%010d", i+100), fmt.Sprint(i+100)
		people = append(people, Person{Subject: s})
	}
	e := asked()
	e.Ticket = ""
	a, err := Match(t.Context(), register(people...), e, rules, today)
	if err != nil || a.Outcome != Ambiguous || a.Candidates != nil || !slices.Contains(a.Evidence, "too_many_fit") {
		t.Errorf("%+v %v", a, err)
	}
}

// Protected and deceased people are found, and never without a person who looks.
func TestMatchStatus(t *testing.T) {
	for status, automatic := range map[Status]bool{Resident: true, MovedOut: true, Protected: false, Deceased: false, "": false} {
		s := person()
		s.Status = status
		a, err := Match(t.Context(), register(Person{Subject: s, Doses: doses()}), asked(), rules, today)
		if err != nil || a.Outcome != Found || a.Automatic() != automatic {
			t.Errorf("%s: %v automatic %v %v", status, a.Outcome, a.Automatic(), err)
		}
	}
}
