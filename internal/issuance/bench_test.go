package issuance_test

import (
	"testing"
	"time"

	"akashi/internal/actor"
	"akashi/internal/issuance"
	"akashi/internal/testkit"
)

// BenchmarkIssue makes and prints one certificate for travel with three doses,
// without a database: as it is done, and without lint and self-check. The metric
// is su.
func BenchmarkIssue(b *testing.B) {
	s, m, a := inMemory(b)
	b.Run("whole", func(b *testing.B) {
		testkit.InSignUnits(b, func() { issueInMemory(b, s, m, a) })
	})
	b.Run("unchecked", func(b *testing.B) {
		testkit.InSignUnits(b, func() {
			m.again()
			i, err := s.IssueUnchecked(b.Context(), a, m.application.ID)
			if err != nil {
				b.Fatal(err)
			}
			printInMemory(b, s, a, i)
		})
	})
}

func issueInMemory(b *testing.B, s *issuance.Service, m *memory, a actor.Actor) {
	m.again()
	i, made, err := s.Issue(b.Context(), a, m.application.ID)
	if err != nil || !made {
		b.Fatal(made, err)
	}
	printInMemory(b, s, a, i)
}

func printInMemory(b *testing.B, s *issuance.Service, a actor.Actor, i issuance.Issue) {
	if _, _, err := s.Print(b.Context(), a, []string{i.Certificate.ID}, nil); err != nil {
		b.Fatal(err)
	}
}

// BenchmarkIssueStraight makes the same certificate as one would write it at
// first: encoding/json, jwx, JCS, skip2 and fpdf with the whole font. The metric
// times is its processor time over that of BenchmarkIssue/whole, in one run.
func BenchmarkIssueStraight(b *testing.B) {
	s, m, a := inMemory(b)
	issueInMemory(b, s, m, a)
	p := newStraight(b, m.issue)
	const rounds = 20 // of ours for each of it
	var straight, ours time.Duration
	testkit.InSignUnits(b, func() { p.issue(b) })
	for range 10 {
		at := testkit.ProcessTime(b)
		p.issue(b)
		between := testkit.ProcessTime(b)
		for range rounds {
			issueInMemory(b, s, m, a)
		}
		straight += between - at
		ours += testkit.ProcessTime(b) - between
	}
	b.ReportMetric(float64(straight)*rounds/float64(ours), "times")
}
