package cli_test

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"akashi/certificate"
	logbook "akashi/internal/audit"
	"akashi/internal/cli"
	"akashi/internal/custody"
	"akashi/internal/fault"
	"akashi/internal/office"
	"akashi/internal/testkit/world"
	"akashi/internal/watch"
)

// threats-and-protection.md 5: from the log, all of a planted leak of 37 people are
// named and nobody else, among hundreds of accesses of the same people and of
// others, by others, elsewhere and at other times.
func TestLeak(t *testing.T) {
	world.Each(t, func(t *testing.T, w *world.World) {
		now := time.Date(2026, 1, 5, 0, 0, 0, 0, time.UTC)
		w.Log.Clock = func() time.Time { return now }
		person := func(n int) string { return fmt.Sprintf("00000000-0000-7000-8000-%012d", n) }
		thief := w.Clerk
		thief.Person, thief.Terminal = person(900001), "t-7"
		act := func(by func() (staff, terminal string), e logbook.Entry, refused error) {
			t.Helper()
			a := thief
			a.Person, a.Terminal = by()
			_ = w.Log.Act(t.Context(), a, e, func(context.Context, *logbook.Entry) error { return refused })
			now = now.Add(time.Second)
		}
		at := func(staff, terminal string) func() (string, string) {
			return func() (string, string) { return staff, terminal }
		}
		mine, other, elsewhere := at(thief.Person, "t-7"), at(person(900002), "t-7"), at(thief.Person, "t-8")
		read := func(n int) logbook.Entry {
			return logbook.Entry{Action: "application.read", Object: fmt.Sprint("a", n), Person: person(n)}
		}
		notFound := fault.New(fault.NotFound, "application", "")
		for n := range 120 { // before the time
			act(mine, read(n), nil)
		}
		began := now
		var want []string
		for n := range 37 {
			want = append(want, person(1000+n))
			switch n % 4 {
			case 0:
				act(mine, read(1000+n), nil)
				act(mine, read(1000+n), nil)
			case 1:
				act(mine, logbook.Entry{Action: "certificate.codes", Object: fmt.Sprint("C", n), Person: person(1000 + n)}, nil)
			case 2:
				act(mine, logbook.Entry{Action: "number.read", Object: fmt.Sprint("a", n), Person: person(1000 + n)}, nil)
			case 3: // made before its person was found; the log says later who it was
				act(mine, logbook.Entry{Action: "application.create", Object: fmt.Sprint("late", n)}, nil)
				act(other, logbook.Entry{Action: "application.submit", Object: fmt.Sprint("late", n), Person: person(1000 + n)}, nil)
			}
			for k := range 8 {
				act(other, read(2000+8*n+k), nil)
				if k%4 == 0 {
					act(elsewhere, read(3000+8*n+k), nil)
					act(mine, read(4000+8*n+k), notFound)
				}
			}
			if n == 20 {
				if err := w.Notaries[0].Checkpoint(t.Context()); err != nil {
					t.Fatal(err)
				}
			}
		}
		act(mine, logbook.Entry{Action: "application.create", Object: "nobody"}, nil)
		act(mine, logbook.Entry{Action: "import.stage", Object: "i1"}, nil)
		ended := now
		for n := range 120 { // and after it
			act(mine, read(5000+n), nil)
		}
		args := []string{
			"leak", "--office", w.Clerk.Office, "--staff", thief.Person, "--terminal", "t-7",
			"--from", began.Format(time.RFC3339), "--to", ended.Format(time.RFC3339),
		}
		status, out, errs := audit(t, w, append(args, "--json")...)
		var r watch.LeakReport
		if err := json.Unmarshal([]byte(out), &r); status != 0 || err != nil {
			t.Fatalf("%d %s %v", status, errs, err)
		}
		var got []string
		for _, p := range r.Persons {
			got = append(got, p.Key)
		}
		if !slices.Equal(got, want) {
			t.Errorf("ok/persons: %d %v", len(got), got)
		}
		first := r.Persons[0]
		if first.Acts != 2 || !first.First.Equal(began) || !first.Last.Equal(began.Add(time.Second)) || !slices.Equal(first.Data, []string{"identity", "passport", "vaccination"}) {
			t.Errorf("ok/first person: %+v", first)
		}
		if second, third := r.Persons[1], r.Persons[2]; !slices.Equal(second.Certificates, []string{"C1"}) || !slices.Contains(second.Data, "certificate") || !slices.Contains(third.Data, "individual_number") {
			t.Errorf("ok/data: %+v %+v", second, third)
		}
		if len(r.Unidentified) != 1 || r.Unidentified[0].Key != "nobody" || len(r.Bulk) != 1 || len(r.Certificates) != 9 || r.Refused != 37*2 ||
			len(r.Accounts) != 1 || len(r.Terminals) != 1 || !r.First.Equal(began) || r.Acts != 37+10+2 {
			t.Errorf("ok/report: %s", out)
		}
		if p := r.Proof; p.Size == 0 || p.Root == "" || p.Covered == 0 || p.NotYet == 0 || p.Covered+p.NotYet != r.Acts+r.Refused {
			t.Errorf("ok/proof: %+v", p)
		}
		if status, out, _ = audit(t, w, args...); status != 0 || !strings.Contains(out, "affected persons: 37\n") || !strings.Contains(out, "影響を受けた人") {
			t.Errorf("ok/text: %d %s", status, out)
		}
		// By day and office alone, everything real counts, too.
		w.Log.Clock = nil
		w.Approved(t, certificate.Domestic)
		status, out, _ = audit(t, w, "leak", "--office", w.Clerk.Office, "--from", time.Now().AddDate(0, 0, -2).Format(time.DateOnly))
		if status != 0 || !strings.Contains(out, "affected persons: 1\n") {
			t.Errorf("ok/real acts: %d %s", status, out)
		}
		for _, bad := range [][]string{{"leak"}, {"leak", "--office", "900002"}, {"leak", "--office", w.Clerk.Office, "--from", "yesterday"}} {
			if status, _, _ := audit(t, w, bad...); status != 64 {
				t.Errorf("error/%v: %d", bad, status)
			}
		}
	})
}

// threats-and-protection.md 5: nobody is told that no data was touched because of
// a name that means nothing, a span that is none, or entries that are gone.
func TestLeakIsNoFalseAllClear(t *testing.T) {
	world.Each(t, func(t *testing.T, w *world.World) {
		now := time.Now()
		long := now.AddDate(-3, 0, 0)
		clockOf := func(at time.Time) {
			w.Log.Clock = func() time.Time { return at }
			w.Notaries[0].Clock = func() time.Time { return at }
		}
		clockOf(long)
		for n := range 9 {
			e := logbook.Entry{Action: "application.read", Object: fmt.Sprint("a", n), Person: fmt.Sprintf("00000000-0000-7000-8000-%012d", n)}
			if err := w.Log.Act(t.Context(), w.Clerk, e, func(context.Context, *logbook.Entry) error { return nil }); err != nil {
				t.Fatal(err)
			}
		}
		for _, at := range []time.Time{long.Add(time.Second), now} {
			clockOf(at)
			if err := w.Notaries[0].Checkpoint(t.Context()); err != nil {
				t.Fatal(err)
			}
		}
		leak := func(args ...string) (int, string) {
			t.Helper()
			status, out, errs := audit(t, w, append([]string{"leak", "--office", w.Clerk.Office}, args...)...)
			return status, out + errs
		}
		for _, name := range []string{world.ClerkUser, w.Clerk.Person} {
			if status, out := leak("--staff", name); status != 0 || !strings.Contains(out, "affected persons: 9\n") {
				t.Errorf("ok/%s: %d %s", name, status, out)
			}
		}
		w.Person(t, world.ClerkUser+"9", office.Clerk)
		if status, out := leak("--staff", world.ClerkUser+"9"); status != 0 || !strings.Contains(out, "affected persons: 0\n") {
			t.Errorf("ok/did nothing: %d %s", status, out)
		}
		if status, out := leak("--staff", "job:audit", "--terminal", "command"); status != 0 {
			t.Errorf("ok/only the log knows it: %d %s", status, out)
		}
		for name, args := range map[string][]string{
			"account":       {"--staff", cli.TestOffice + "-nobody"},
			"account key":   {"--staff", "00000000-0000-7000-8000-000000000001"},
			"terminal":      {"--terminal", "t-unknown"},
			"office":        {"--office", "131016"},
			"reversed span": {"--from", "2026-11-20", "--to", "2026-11-01"},
		} {
			if status, out := leak(args...); status != 64 || strings.Contains(out, "affected") {
				t.Errorf("error/%s: %d %s", name, status, out)
			}
		}

		jobs := asJobs(t, w)
		if n, err := jobs.PruneLog(t.Context(), w.Clerk.Office, now.AddDate(-2, 0, 0), 0, 1000); err != nil || n != 9 {
			t.Fatalf("pruned %d, %v", n, err)
		}
		day := func(years int) string { return now.AddDate(-years, 0, 0).Format(time.DateOnly) }
		for name, c := range map[string]struct {
			args   []string
			status int
		}{
			"error/all":       {nil, 4},
			"error/that time": {[]string{"--from", day(4), "--to", day(2)}, 4},
			"ok/later":        {[]string{"--from", day(1)}, 0},
		} {
			status, out := leak(append(c.args, "--staff", world.ClerkUser)...)
			if status != c.status || strings.Contains(out, "NOT COMPLETE: 9 entries") != (c.status == 4) {
				t.Errorf("%s: %d %s", name, status, out)
			}
		}
		if status, out := leak("--json"); status != 4 || !strings.Contains(out, `"gone":9`) {
			t.Errorf("error/json: %d %s", status, out)
		}
	})
}

// asJobs is the world's database as the role of the jobs has it.
func asJobs(t *testing.T, w *world.World) custody.RetentionStore {
	t.Helper()
	if w.Config.DatabaseURL == "" {
		return w.Retention.Kept
	}
	c := w.Config
	c.DatabaseURL = cli.Secret(strings.Replace(string(c.DatabaseURL), "akashi_staff", "akashi_jobs", 1))
	app, err := cli.Open(t.Context(), c, world.OpenStore)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = app.Close() })
	return app.Retention.Kept
}
