package statistics_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"akashi/certificate"
	"akashi/internal/application"
	"akashi/internal/cli"
	"akashi/internal/clock"
	"akashi/internal/fault"
	"akashi/internal/statistics"
	"akashi/internal/testkit/world"
)

// what was issued and refused is counted on both databases by day of issue, kind,
// channel, state and reason, with the time per case; another office sees nothing of it.
func TestCount(t *testing.T) {
	world.Each(t, func(t *testing.T, w *world.World) {
		first := w.Clock.Today().AddDays(1)
		second := first.AddDays(1)
		now := clock.Midnight(first).Add(10 * time.Hour)
		standing := clock.Clock(func() time.Time { return now })
		w.Applications.Clock, w.Issuance.Clock = standing, standing
		issue := func(kind certificate.Kind, channel application.Channel, after time.Duration) string {
			t.Helper()
			f := world.Form(kind)
			f.Channel = channel
			id := w.ApprovedForm(t, f)
			now = now.Add(after)
			i, _, err := w.Issuance.Issue(t.Context(), w.Clerk, id)
			if err != nil {
				t.Fatal(err)
			}
			return i.Certificate.ID
		}
		issue(certificate.Domestic, application.Counter, 40*time.Second)
		issue(certificate.Domestic, application.Mail, 90*time.Minute)
		now = clock.Midnight(second).Add(10 * time.Hour)
		lost := issue(certificate.Travel, application.Counter, 2*time.Minute)
		if _, err := w.Issuance.Reissue(t.Context(), w.Clerk, lost, "lost"); err != nil {
			t.Fatal(err)
		}
		f := world.Form(certificate.Domestic)
		f.Subject.Ticket, f.Subject.Name.Family = "0000099999", "誰"
		a, err := w.Applications.Create(t.Context(), w.Clerk, f, nil)
		if err == nil {
			a, err = w.Applications.Submit(t.Context(), w.Clerk, a.ID)
		}
		if err == nil {
			_, err = w.Applications.Decide(t.Context(), w.Clerk, a.ID, application.Verdict{Outcome: "reject", Reason: "記録なし"})
		}
		if err != nil {
			t.Fatal(err)
		}

		q := statistics.Question{From: first.AddDays(-1), To: second.AddDays(1)}
		got, err := w.Statistics.Count(t.Context(), w.Officer, q)
		if err != nil {
			t.Fatal(err)
		}
		want := statistics.Figures{
			Question: q, Issued: 4, Refused: 1,
			Days:     []statistics.Cell{{string(q.From), 0}, {string(first), 2}, {string(second), 2}, {string(q.To), 0}},
			Kinds:    []statistics.Cell{{"domestic", 2}, {"travel", 2}},
			Channels: []statistics.Cell{{"counter", 3}, {"mail", 1}},
			States:   []statistics.Cell{{"issued", 3}, {"superseded", 1}},
			Refusals: []statistics.Cell{{"record_not_found", 1}},
			Cases:    []statistics.Case{{first, 2, 40, 5400}, {second, 1, 120, 120}},
			Whole:    statistics.Case{Count: 3, Median: 120, P90: 5400},
		}
		if fmt.Sprint(got) != fmt.Sprint(want) {
			t.Errorf("ok/all:\n%v\nnot\n%v", got, want)
		}
		q.Kind = certificate.Travel
		if got, err = w.Statistics.Count(t.Context(), w.Officer, q); err != nil || got.Issued != 2 || got.Refused != 0 {
			t.Errorf("ok/one kind: %v %v", got, err)
		}
		q = statistics.Question{From: second, To: second}
		if got, err = w.Statistics.Count(t.Context(), w.Officer, q); err != nil || got.Issued != 2 || len(got.Days) != 1 || got.Refused != 1 {
			t.Errorf("ok/one day: %v %v", got, err)
		}
		last := statistics.Question{From: "9999-12-31", To: "9999-12-31"} // no day follows it
		if got, err = w.Statistics.Count(t.Context(), w.Officer, last); err != nil || got.Issued != 0 || len(got.Days) != 1 {
			t.Errorf("ok/the last day: %v %v", got, err)
		}
		other := w.Officer
		other.Office = "900010"
		if got, err = w.Statistics.Count(t.Context(), other, q); err != nil || got.Issued+got.Refused != 0 {
			t.Errorf("error/another office: %v %v", got, err)
		}
	})
}

// none counts nothing, and fails a test that asks it.
type none struct{ t *testing.T }

func (n none) CountIssued(context.Context, string, statistics.Question) ([]statistics.Issued, error) {
	n.t.Error("it was counted")
	return nil, nil
}
func (n none) CountRefused(context.Context, string, statistics.Question) ([]statistics.Refused, error) {
	return nil, nil
}

// A span that is none, or longer than 400 days, is refused before anything is counted.
func TestQuestion(t *testing.T) {
	w := world.New(t, cli.Config{Data: t.TempDir()})
	s := statistics.Service{Log: w.Log, Store: none{t}}
	for name, q := range map[string]statistics.Question{
		"span/backwards": {From: "2026-11-02", To: "2026-11-01"}, "span/too long": {From: "2025-01-01", To: clock.Date("2025-01-01").AddDays(statistics.MaxDays)},
		"date/partial": {From: "2026", To: "2026-11-01"}, "date/none": {From: "2026-11-01"}, "date/no day": {From: "2026-02-30", To: "2026-11-01"},
		"unknown_value/kind": {From: "2026-11-01", To: "2026-11-01", Kind: "x"},
	} {
		key, _, _ := strings.Cut(name, "/")
		var f *fault.Error
		if _, err := s.Count(t.Context(), w.Officer, q); !errors.As(err, &f) || f.Key != key {
			t.Errorf("error/%s: %v", name, err)
		}
	}
}

// the table that leaves the house tells no count from 1 to 9, neither by itself nor by the
// difference to a sum, and no time of less than ten cases.
func TestTable(t *testing.T) {
	f := statistics.Figures{
		Question: statistics.Question{From: "2026-11-01", To: "2026-11-03"}, Issued: 29, Refused: 3,
		Days:     []statistics.Cell{{"2026-11-01", 12}, {"2026-11-02", 3}, {"2026-11-03", 14}},
		Kinds:    []statistics.Cell{{"travel", 26}, {"domestic", 2}, {"icvp", 1}},
		Channels: []statistics.Cell{{"counter", 29}, {"mail", 0}},
		States:   []statistics.Cell{{"issued", 29}},
		Refusals: []statistics.Cell{{"record_not_found", 3}},
		Cases:    []statistics.Case{{"2026-11-01", 10, 60, 120}, {"2026-11-02", 3, 61, 121}},
		Whole:    statistics.Case{Count: 13, Median: 60, P90: 121},
	}
	b, err := f.Table()
	if err != nil {
		t.Fatal(err)
	}
	var lines []string
	for line := range strings.Lines(strings.TrimPrefix(string(b), "\uFEFF")) {
		lines = append(lines, strings.TrimSuffix(line, ",2026-11-01,2026-11-03,all\r\n"))
	}
	want := []string{
		"measure,key,unit,value,from,to,kind\r\n", "certificates,,count,29",
		"certificates_by_day,2026-11-01,count,withheld", "certificates_by_day,2026-11-02,count,<10", "certificates_by_day,2026-11-03,count,14",
		"certificates_by_kind,travel,count,26", "certificates_by_kind,domestic,count,<10", "certificates_by_kind,icvp,count,<10",
		"certificates_by_channel,counter,count,29", "certificates_by_channel,mail,count,0", "certificates_by_state,issued,count,29",
		"refusals,,count,<10", "refusals_by_reason,record_not_found,count,<10",
		"case_time_median,,seconds,60", "case_time_p90,,seconds,121", "case_time_median,2026-11-01,seconds,60", "case_time_p90,2026-11-01,seconds,120",
	}
	if !strings.HasPrefix(string(b), "\uFEFF") || !slices.Equal(lines, want) {
		t.Errorf("%q\nnot\n%q", lines, want)
	}
}

// S-095: where the total leaves the withheld ones one value each, a larger one is withheld, too.
func TestTableTellsNoSum(t *testing.T) {
	for _, small := range []int{1, 9} {
		f := statistics.Figures{
			Question: statistics.Question{From: "2026-11-01", To: "2026-11-01"}, Issued: 10 + 2*small,
			Kinds: []statistics.Cell{{"travel", 10}, {"domestic", small}, {"icvp", small}},
		}
		b, err := f.Table()
		if err != nil || !strings.Contains(string(b), "by_kind,travel,count,withheld") {
			t.Errorf("%d: %s %v", small, b, err)
		}
	}
}
