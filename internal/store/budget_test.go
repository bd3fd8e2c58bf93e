package store

import (
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"akashi/internal/audit"
	"akashi/internal/office"
)

// L-10: 200 look-ups in an hour raise an alert, the 501st is refused, also when
// several nodes count, and the hour slides.
func TestBudget(t *testing.T) {
	each(t, func(t *testing.T, f *fixture) {
		f.now = time.Date(2026, 11, 21, 3, 30, 0, 0, time.UTC)
		second, err := Open(t.Context(), f.config) // another node on the same database
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = second.Close() })
		nodes := []*office.Budget{{Log: f.log, Store: f.Store, Clock: f.clock()}, {Log: f.log, Store: second, Clock: f.clock()}}
		take := func(who string, times, n int) (refused int) {
			for i := range times {
				if nodes[i%2].Take(t.Context(), member(who, office.Clerk), office.DefaultLookups, n) != nil {
					refused++
				}
			}
			return refused
		}
		before := f.rows(t, here, "log")
		if refused := take("a", 200, 1); refused != 0 || f.rows(t, here, "log") != before {
			t.Errorf("ok/200: %d refused, or in the log", refused)
		}
		if refused := take("a", 300, 1); refused != 0 {
			t.Errorf("ok/500: %d refused", refused)
		}
		// What watch makes an alert of (S-089).
		told, err := (&audit.Reviews{Log: f.log, Store: f.Store}).Read(t.Context(), person("auditor"), audit.Query{Action: "lookup.many", Limit: 10})
		if err != nil || len(told) != 1 || told[0].Record.Person != "a" || told[0].Facts["within_hour"] != "201" {
			t.Errorf("ok/soft: %+v %v, want one entry", told, err)
		}
		if refused := take("a", 50, 1); refused != 50 {
			t.Errorf("error/501: %d refused", refused)
		}
		wantKey(t, "501", nodes[0].Take(t.Context(), member("a", office.Clerk), office.DefaultLookups, 1), "budget")
		if refused := take("b", 1, 1); refused != 0 {
			t.Error("ok/another account was refused")
		}
		f.now = f.now.Add(30*time.Minute + time.Second) // 4:00: nearly all of it is still within the hour
		if refused := take("a", 50, 1); refused < 45 {
			t.Errorf("error/next clock hour: only %d of 50 refused", refused)
		}
		f.now = f.now.Add(30 * time.Minute) // half of it has passed
		if refused := take("a", 100, 1); refused != 0 {
			t.Errorf("ok/an hour later: %d refused", refused)
		}
		f.now = f.now.Add(2 * time.Hour)
		if refused := take("a", 10, 50); refused != 0 { // several people at once
			t.Errorf("ok/ten prints of fifty: %d refused", refused)
		}
		if take("a", 1, 1) != 1 {
			t.Error("error/one more: not refused")
		}
	})
}

// L-10: 16 at once on two nodes get no more than the budget.
func TestBudgetAtOnce(t *testing.T) {
	each(t, func(t *testing.T, f *fixture) {
		f.now = time.Date(2026, 11, 21, 3, 0, 0, 0, time.UTC)
		second, err := Open(t.Context(), f.config)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = second.Close() })
		var passed atomic.Int64
		var all sync.WaitGroup
		for i := range 16 {
			b := &office.Budget{Log: f.log, Store: []*Store{f.Store, second}[i%2], Clock: f.clock()}
			all.Go(func() {
				for range 10 {
					if b.Take(t.Context(), member("a", office.Clerk), office.Lookups{Soft: 1, Hard: 40}, 1) == nil {
						passed.Add(1)
					}
				}
			})
		}
		all.Wait()
		if passed.Load() != 40 {
			t.Errorf("%d passed, want 40", passed.Load())
		}
	})
}
