package issuance_test

import (
	"testing"

	"akashi/internal/testkit"
)

// BenchmarkIssue makes and prints one certificate for travel with three doses
// without a database; the metric is su.
func BenchmarkIssue(b *testing.B) {
	s, m, a := inMemory(b)
	b.Run("whole", func(b *testing.B) {
		var size int
		testkit.InSignUnits(b, func() {
			m.again()
			i, made, err := s.Issue(b.Context(), a, m.application.ID)
			if err != nil || !made {
				b.Fatal(made, err)
			}
			file, _, err := s.Print(b.Context(), a, []string{i.Certificate.ID}, nil)
			if err != nil {
				b.Fatal(err)
			}
			size = len(file)
		})
		b.ReportMetric(float64(size), "bytes/page")
	})
}
