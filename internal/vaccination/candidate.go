package vaccination

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
)

// maxCandidates is the largest number of people shown for a choice.
const maxCandidates = 10

func (m *matcher) ambiguous(evidence []string) (Answer, error) {
	a := Answer{Outcome: Ambiguous, Evidence: evidence, Source: m.people[0].Source, AsOf: m.people[0].AsOf}
	if len(m.people) > maxCandidates {
		a.Evidence = append(a.Evidence, tooManyFit)
	} else {
		for _, p := range m.people {
			c, err := m.candidate(p)
			if err != nil {
				return Answer{}, err
			}
			a.Candidates = append(a.Candidates, c)
		}
	}
	if m.shared {
		a.Anomalies = append(a.Anomalies, Anomaly{"ticket_shared", Block, 0})
	}
	if m.part || len(m.people) == 1 {
		a.Anomalies = append(a.Anomalies, Anomaly{"identity_mismatch", Block, 0})
	}
	return a, nil
}

// candidate is the answer if this one of several is the person meant.
func (m *matcher) candidate(p Person) (Answer, error) {
	evidence, differs := m.e.compare(p.Subject)
	number := func(given, registered, same, other string) {
		switch given {
		case "":
		case registered:
			evidence = append(evidence, same)
		default:
			evidence = append(evidence, other) // that contradicts: whoever has another number fits by name only
		}
	}
	number(m.e.Ticket, p.Subject.Ticket, byTicket, ticketDiffers)
	number(m.e.Address, p.Subject.Address, byAddress, addressDiffers)
	a, err := m.judge(p, evidence, differs || m.part)
	if err != nil {
		return Answer{}, err
	}
	a.Chosen = true
	if a.Outcome == Found {
		a.Certainty = Candidate
	}
	if m.shared {
		a.Anomalies = append(a.Anomalies, Anomaly{"ticket_shared", Block, 0})
	}
	return a, nil
}

// Mark names the person and the very versions of the record of an answer: a clerk
// who chooses a candidate chooses what was shown.
func (a Answer) Mark() string {
	sum := sha256.New()
	_, _ = fmt.Fprintln(sum, a.Person.ID, a.Person.Subject.Ref.Version)
	for _, d := range a.Doses {
		_, _ = fmt.Fprintln(sum, d.Ref.ID, d.Ref.Version)
	}
	return hex.EncodeToString(sum.Sum(nil)[:16])
}
