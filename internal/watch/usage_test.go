package watch_test

import (
	"errors"
	"testing"
	"time"

	"akashi/certificate"
	"akashi/internal/actor"
	"akashi/internal/audit"
	"akashi/internal/audit/tree"
	"akashi/internal/clock"
	"akashi/internal/fault"
	"akashi/internal/office"
	"akashi/internal/testkit/world"
	"akashi/internal/watch"
)

// look-ups are counted from the log by account and day, with what
// a head of section has to ask about, and how far that is proven.
func TestUsage(t *testing.T) {
	world.Each(t, func(t *testing.T, w *world.World) {
		f := newTown(t, w)
		week := map[string]office.Span{}
		for _, day := range []string{"mon", "tue", "wed", "thu", "fri", "sat", "sun"} {
			week[day] = office.Span{From: "08:45", To: "17:15"}
		}
		w.SetOffice(t, func(s *office.Settings) { s.Hours = office.Hours{Week: week} })
		second := clock.DateOf(time.Now()).Begins().Add(9 * time.Hour) // today at nine: ids are made by the real clock
		first := second.AddDate(0, 0, -1)
		f.now = first
		own := fault.New(fault.Forbidden, "own_case", "")
		f.act(t, f.Clerk.For("a"), "application.read", nil)
		f.act(t, f.Clerk.For("a"), "application.read", own)
		f.act(t, f.Clerk.For("a"), "application.submit", fault.New(fault.NotFound, "application", ""))
		f.act(t, f.Clerk, "application.list", nil) // nothing personal
		f.act(t, f.Clerk, "certificate.read", nil) // the application stands behind it
		f.act(t, f.Clerk, "account.add_kin", nil)  // asks the register without one
		f.act(t, f.Clerk.For("a"), "application.withdraw", nil)
		f.act(t, f.Officer, "account.list", nil) // nobody of the register
		f.act(t, actor.Actor{Office: f.Clerk.Office, Person: "job:recover", Purpose: actor.Operate}, "certificate.read", nil)
		f.now = second.Add(12 * time.Hour) // 21:00 in Japan
		f.act(t, f.Officer.For("a"), "application.read", nil)
		if _, _, err := f.sequencer.Step(t.Context()); err != nil {
			t.Fatal(err)
		}
		day := func(at time.Time) clock.Date { return clock.DateOf(at) }
		told, err := w.Usage.Read(t.Context(), f.Officer, day(first), day(second), nil)
		if err != nil || len(told.Rows) != 2 {
			t.Fatalf("%+v %v", told, err)
		}
		late, clerk := told.Rows[0], told.Rows[1]
		if late.Day != day(second) || late.Staff != f.Officer.Person || late.Lookups != 1 || late.Closed != 1 {
			t.Errorf("ok/outside hours: %+v", late)
		}
		want := watch.Usage{Day: day(first), Staff: f.Clerk.Person, Lookups: 3, Loose: 1, Refused: 2, Own: 1, TakenBack: 1}
		if clerk.Purposes[string(actor.Certificate)] != 3 {
			t.Errorf("ok/purposes: %+v", clerk)
		}
		if clerk.Purposes = nil; clerk.Day != want.Day || clerk.Staff != want.Staff || clerk.Lookups != 3 || clerk.Loose != 1 || clerk.Closed != 0 || clerk.Refused != 2 || clerk.Own != 1 || clerk.TakenBack != 1 {
			t.Errorf("ok/clerk: %+v, want %+v", clerk, want)
		}
		if told.Entries < 10 || told.Proven != 0 {
			t.Errorf("error/proven without a checkpoint: %+v", told)
		}
		unit, err := w.Usage.Read(t.Context(), f.Officer, day(first), day(second), []string{f.Officer.Person})
		if err != nil || len(unit.Rows) != 1 || unit.Rows[0].Staff != f.Officer.Person {
			t.Errorf("ok/of a unit: %+v %v", unit, err)
		}
		for _, until := range []clock.Date{day(first).AddDays(-1), day(first).AddDays(watch.MaxDays)} {
			var e *fault.Error
			if _, err := w.Usage.Read(t.Context(), f.Officer, day(first), until, nil); !errors.As(err, &e) || e.Key != "days" {
				t.Errorf("error/until %s: %v", until, err)
			}
		}
		f.testCover(t)
	})
}

// An entry waits for its place, then for a checkpoint, and is covered by the first one
// from then on.
func (f *town) testCover(t *testing.T) {
	if now := time.Now(); now.After(f.now) { // a checkpoint is looked for from the time in the entry's id on
		f.now = now
	}
	issued := f.Approved(t, certificate.Domestic)
	entries, err := f.Reviews.Read(t.Context(), f.Officer, audit.Query{Object: issued, Limit: 1})
	if err != nil || len(entries) != 1 {
		t.Fatal(entries, err)
	}
	id := entries[0].ID
	cover := func() (tree.Cover, bool) {
		all, err := f.Store.Covers(t.Context(), f.Clerk.Office, []string{id})
		if err != nil {
			t.Fatal(err)
		}
		c, ok := all[id]
		return c, ok
	}
	if _, placed := cover(); placed {
		t.Error("error/placed before the sequencer came")
	}
	if _, _, err := f.sequencer.Step(t.Context()); err != nil {
		t.Fatal(err)
	}
	notary := *f.Notaries[0]
	notary.Sequencer = *f.sequencer
	if c, placed := cover(); !placed || c.Size != 0 {
		t.Errorf("ok/waits for a checkpoint: %+v %v", c, placed)
	}
	if err := notary.Checkpoint(t.Context()); err != nil {
		t.Fatal(err)
	}
	first, _ := cover()
	f.now = f.now.Add(time.Minute)
	f.act(t, f.Clerk, "application.read", nil)
	if err := notary.Checkpoint(t.Context()); err != nil {
		t.Fatal(err)
	}
	if c, _ := cover(); c != first || c.Size <= c.Place {
		t.Errorf("ok/covered: %+v, first %+v", c, first)
	}
	told, err := f.Usage.Read(t.Context(), f.Officer, clock.DateOf(f.now), clock.DateOf(f.now), nil)
	if err != nil || told.Proven == 0 {
		t.Errorf("ok/proven: %+v %v", told, err)
	}
}
