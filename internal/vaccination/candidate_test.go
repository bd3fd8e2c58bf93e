package vaccination

import (
	"slices"
	"testing"
)

// Each of several who fit has its own evidence, and the answer for the one who is
// chosen is that person's alone.
func TestCandidates(t *testing.T) {
	other := Subject{Ticket: "0000000002", Address: "100002", Family: "桜井", Given: "凪", FamilyKana: "サクライ", GivenKana: "ナギ", BirthDate: "1991-02-18", Sex: Female, Status: Resident}
	second := other
	second.Ticket = "0000000022" // another ticket of the same person, with doses of its own
	reg := register(Person{Subject: person(), Doses: doses()}, Person{Subject: other}, Person{Subject: second, Doses: doses()[:1]})
	e := asked()
	e.Ticket = "0000000002" // of one, with the name of the other
	a, err := Match(t.Context(), reg, e, rules, today)
	if err != nil || a.Outcome != Ambiguous || len(a.Candidates) != 2 || a.Chosen {
		t.Fatalf("%v %d %v", a.Outcome, len(a.Candidates), err)
	}
	for _, c := range a.Candidates {
		want, recorded := []string{"birth_date", "name_differs", "sex", "ticket"}, 1
		if c.Person.Subject.Ticket == person().Ticket {
			want, recorded = []string{"birth_date", "name_exact", "sex", "ticket_differs"}, len(doses())
		}
		if !slices.Equal(slices.Sorted(slices.Values(c.Evidence)), want) || len(c.Doses) != recorded || !c.Chosen || c.Certainty != Candidate ||
			!slices.Contains(c.Anomalies, Anomaly{"identity_mismatch", Block, 0}) {
			t.Errorf("ok/%v, %d doses, %v", c.Evidence, len(c.Doses), c.Anomalies)
		}
		e.Chosen = c.Person.ID
		one, err := Match(t.Context(), reg, e, rules, today)
		if err != nil || one.Outcome != Found || one.Mark() != c.Mark() || one.Automatic() {
			t.Errorf("ok/chosen: %v %v", one.Outcome, err)
		}
	}
	if a.Candidates[0].Mark() == a.Candidates[1].Mark() {
		t.Error("error/one mark for two")
	}
	e.Chosen = "nobody"
	if a, err := Match(t.Context(), reg, e, rules, today); err != nil || a.Outcome != Ambiguous {
		t.Errorf("error/chosen, but does not fit: %v %v", a.Outcome, err)
	}
}
