package custody_test

import (
	"context"
	"errors"
	"maps"
	"slices"
	"testing"
	"time"

	"akashi/internal/actor"
	"akashi/internal/custody"
	"akashi/internal/fault"
	"akashi/internal/issuance"
	"akashi/internal/office"
	"akashi/internal/testkit/world"
)

// dying is a store whose process dies at the n-th thing of a list.
type dying struct {
	custody.RetentionStore
	left *int
}

var errDied = errors.New("the process died")

func (s dying) Handled(ctx context.Context, office, run string, d custody.Due) error {
	if *s.left--; *s.left < 0 {
		return errDied
	}
	return s.RetentionStore.Handled(ctx, office, run, d)
}

// S-077, R-230, R-232: with a moved clock, what was kept long enough is listed, and
// erased when two people have approved the list: not who is held, not whom
// something happened to since; after a stop from where it stood.
func TestRetention(t *testing.T) {
	world.Each(t, func(t *testing.T, w *world.World) {
		now := w.Clock.Now()
		r := w.Retention
		r.Now = func() time.Time { return now }
		later := func(years int) { now = w.Clock.Now().AddDate(years, 0, 2) }
		by := func(code string) actor.Actor {
			a := w.Officer
			a.Office, a.Person, a.Purpose, a.Permissions = code, "job:retention", actor.Operate, office.Operator.Permissions()
			return a
		}
		applicationID, certificateID := issued(t, w)
		people, err := register(t, w, "0000000002")
		if err != nil || len(people) != 1 {
			t.Fatal(err)
		}
		held := people[0].ID
		if err := w.Custody.Hold(t.Context(), w.Officer, held, "係争中"); err != nil {
			t.Fatal(err)
		}
		listed := func(years int) (run custody.Run, of map[custody.Class]int) {
			t.Helper()
			later(years)
			run, err := r.List(t.Context(), by(w.Clerk.Office))
			if err != nil {
				t.Fatal(err)
			}
			of = map[custody.Class]int{}
			for _, d := range run.Items {
				of[d.Class]++
			}
			return run, of
		}
		if _, of := listed(4); len(of) != 0 {
			t.Errorf("ok/after 4 years: %v", of)
		}
		run, of := listed(5)
		if of[custody.Applications] != 1 || of[custody.Persons] != 0 || run.Items[0].Object != applicationID {
			t.Errorf("ok/after 5 years: %v", of)
		}
		if run, of = listed(20); of[custody.Applications] != 1 || of[custody.Persons] != 12 {
			t.Fatalf("ok/after 20 years: %v", of)
		}
		if _, err := w.Issuance.Get(t.Context(), w.Clerk, certificateID); err != nil {
			t.Errorf("ok/a list erases nothing: %v", err)
		}
		if err := r.Erase(t.Context(), by(w.Clerk.Office), run.ID); fault.CodeOf(err) != fault.Forbidden {
			t.Errorf("error/no approval: %v", err)
		}
		officer := func(id string) actor.Actor {
			return actor.Actor{Office: w.Officer.Office, Person: id, Terminal: "test", Purpose: actor.Operate, Permissions: office.Officer.Permissions(), SteppedUp: w.Clock.Now()}
		}
		if _, err := r.Step(t.Context(), by); err != nil { // the job does nothing yet
			t.Fatal(err)
		}
		p, err := w.Approvals.Request(t.Context(), officer("one"), office.EraseDue, run.ID, nil, nil)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := w.Approvals.Approve(t.Context(), officer("one"), p.ID, ""); fault.CodeOf(err) != fault.Forbidden {
			t.Errorf("error/approved by the same person: %v", err)
		}
		if _, err := w.Approvals.Approve(t.Context(), officer("two"), p.ID, ""); err != nil {
			t.Fatal(err)
		}
		store, left := r.Kept, 5
		r.Kept = dying{store, &left}
		if _, err := r.Step(t.Context(), by); !errors.Is(err, errDied) {
			t.Errorf("error/stopped: %v", err)
		}
		r.Kept = store
		later(19) // the rest is not due any more
		left = 3
		r.Kept = dying{store, &left}
		if _, err := r.Step(t.Context(), by); !errors.Is(err, errDied) {
			t.Errorf("error/stopped again: %v", err)
		}
		r.Kept = store
		later(20)
		if done, err := r.Step(t.Context(), by); err != nil || len(done) != 1 || done[0].ID != run.ID {
			t.Fatalf("ok/goes on: %v %v", done, err)
		}
		items, err := w.Store.RunItems(t.Context(), w.Clerk.Office, run.ID, false, 100)
		if err != nil {
			t.Fatal(err)
		}
		outcomes := map[string]int{}
		for _, d := range items {
			outcomes[d.Outcome]++
			if d.Object == held && d.Outcome == custody.Erased {
				t.Error("error/who is held is erased")
			}
		}
		if outcomes[custody.Changed] != 3 || outcomes[custody.Held]+outcomes[custody.Erased] != 10 {
			t.Errorf("ok/outcomes: %v", outcomes)
		}
		if people, err := register(t, w, "0000000002"); err != nil || len(people) != 1 {
			t.Errorf("error/held: %d people, %v", len(people), err)
		}
		if _, err := w.Issuance.Get(t.Context(), w.Clerk, certificateID); fault.CodeOf(err) != fault.NotFound {
			t.Errorf("ok/certificate: %v", err)
		}
		if list, err := w.Issuance.List(t.Context(), w.Clerk, issuance.Filter{Limit: 10}); err != nil || len(list) != 1 {
			t.Errorf("ok/what stays of a certificate: %v %v", list, err)
		}
		if err := r.Erase(t.Context(), by(w.Clerk.Office), run.ID); fault.CodeOf(err) != fault.NotFound {
			t.Errorf("error/twice: %v", err)
		}
		runs, err := r.Runs(t.Context(), w.Officer, "", 10)
		if err != nil || len(runs) != 3 || runs[0].State() != "erased" || runs[1].State() != "replaced" || runs[2].State() != "empty" {
			t.Errorf("ok/lists: %+v %v", runs, err)
		}
		told := map[string]int{}
		for _, c := range runs[0].Tally {
			told[c.Outcome] += c.Count
		}
		if !maps.Equal(told, outcomes) {
			t.Errorf("ok/counts: %v, want %v", told, outcomes)
		}
		// What was held or changed comes with a later list.
		if _, of := listed(20); of[custody.Persons] != outcomes[custody.Changed]+outcomes[custody.Held] || of[custody.Applications] != 0 {
			t.Errorf("ok/next list: %v, %v", of, outcomes)
		}
		if items = slices.DeleteFunc(items, func(d custody.Due) bool { return d.Outcome == custody.Erased }); len(items) == 0 {
			t.Error("the test held nothing")
		}
	})
}
