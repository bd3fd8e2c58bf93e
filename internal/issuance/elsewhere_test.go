package issuance_test

import (
	"context"
	"errors"
	"sync"
	"testing"

	"akashi/certificate"
	"akashi/internal/fault"
	"akashi/internal/issuance"
	"akashi/internal/testkit/world"
)

// recoverFirst lets Recover finish the next intent just before its own process does.
func recoverFirst(t *testing.T, w *world.World) {
	t.Helper()
	done := false
	w.Issuance.Point = func(name string) {
		if name != "checked" || done {
			return
		}
		done = true
		if r, err := w.Issuance.Recover(t.Context(), 0); err != nil || r.Finished != 1 {
			t.Errorf("recovered %+v %v", r, err)
		}
	}
}

// S-060: where Recover is faster than the process that stored the intent, that process
// answers with the certificate that was made of it, and there is one.
func TestRecoverIsFaster(t *testing.T) {
	world.Each(t, func(t *testing.T, w *world.World) {
		id := w.Approved(t, certificate.Travel)
		recoverFirst(t, w)
		first, made, err := w.Issuance.Issue(t.Context(), w.Clerk, id)
		if err != nil || !made || first.State != issuance.Issued {
			t.Fatalf("ok/issue: %v %v %v", first.State, made, err)
		}
		recoverFirst(t, w)
		second, err := w.Issuance.Reissue(t.Context(), w.Clerk, first.Certificate.ID, "lost")
		if err != nil || second.State != issuance.Issued || second.Certificate.Supersedes != first.Certificate.ID {
			t.Fatalf("ok/reissue: %v %v", second.State, err)
		}
		w.Issuance.Point = nil
		list, err := w.Issuance.List(t.Context(), w.Clerk, issuance.Filter{Application: id, Limit: 10})
		if err != nil || len(list) != 2 {
			t.Errorf("ok/one of each: %d %v", len(list), err)
		}
		w.Issuance.Point = func(name string) { // another process finds that it comes to nothing
			if name != "checked" {
				return
			}
			open, err := w.Store.OpenIntents(t.Context(), w.Clerk.Office, w.Clock.Now())
			if err != nil || len(open) != 1 {
				t.Fatalf("%v %v", open, err)
			}
			w.Act(t, w.Clerk.Office, func(ctx context.Context) error {
				return w.Store.CloseIssue(ctx, w.Clerk.Office, open[0], []issuance.State{issuance.Prepared}, issuance.Failed, "test")
			})
		}
		_, err = w.Issuance.Reissue(t.Context(), w.Clerk, second.Certificate.ID, "lost")
		var f *fault.Error
		if !errors.As(err, &f) || f.Key != "not_prepared" {
			t.Errorf("error/failed elsewhere: %v", err)
		}
	})
}

// Issue 6: of two who make the same certificate again at once, one does, and the other is
// told which there is now.
func TestReissueAtOnce(t *testing.T) {
	world.Each(t, func(t *testing.T, w *world.World) {
		old, _, err := w.Issuance.Issue(t.Context(), w.Clerk, w.Approved(t, certificate.Travel))
		if err != nil {
			t.Fatal(err)
		}
		var both sync.WaitGroup
		var made [4]issuance.Issue
		var failed [4]error
		for n := range made {
			both.Go(func() { made[n], failed[n] = w.Issuance.Reissue(t.Context(), w.Clerk, old.Certificate.ID, "lost") })
		}
		both.Wait()
		one := ""
		for n, err := range failed {
			if err == nil && one == "" {
				one = made[n].Certificate.ID
			} else if err == nil {
				t.Error("error/made twice")
			}
		}
		for _, err := range failed {
			var f *fault.Error
			if err != nil && (!errors.As(err, &f) || f.Key != "reissued" || f.Args["instead"] != one) {
				t.Errorf("error/the others: %v, want %s", err, one)
			}
		}
	})
}
