package issuance_test

import (
	"context"
	"errors"
	"slices"
	"testing"

	"akashi/certificate"
	"akashi/internal/actor"
	"akashi/internal/fault"
	"akashi/internal/issuance"
	"akashi/internal/office"
	"akashi/internal/testkit/world"
)

// revocations is a store with other methods around revocations.
type revocations struct {
	issuance.BulkStore
	issuance.Store
	offices office.WorkStore
}

func (r revocations) Office(ctx context.Context, code string) (office.Office, error) {
	return r.offices.Office(ctx, code)
}

func (r revocations) Staff(ctx context.Context, code, id string) (office.Staff, error) {
	return r.offices.Staff(ctx, code, id)
}

// fading is a store whose process dies after some certificates.
type fading struct {
	issuance.BulkStore
	left int
}

var errDied = errors.New("the process died")

func (s *fading) RevokeItem(ctx context.Context, code string, item issuance.Item) (bool, error) {
	revoked, err := s.BulkStore.RevokeItem(ctx, code, item)
	if s.left--; s.left < 0 { // after it was written and before it is committed
		return false, errDied
	}
	return revoked, err
}

// S-029: many certificates are selected and counted, asked for by one approver,
// started by another, and revoked one by one, once each, though the process dies in
// the middle and some end otherwise meanwhile; no others are touched.
func TestRevokeMany(t *testing.T) {
	world.Each(t, func(t *testing.T, w *world.World) {
		ctx, s := t.Context(), w.Revocations
		one, two := approvers(t, w)
		issue := func(kind certificate.Kind, by actor.Actor) issuance.Issue {
			i, _, err := w.Issuance.Issue(ctx, by, w.Approved(t, kind))
			if err != nil {
				t.Fatal(err)
			}
			return i
		}
		var domestic []issuance.Issue
		for range 4 {
			domestic = append(domestic, issue(certificate.Domestic, w.Clerk))
		}
		travel := issue(certificate.Travel, w.Officer)
		today := w.Clock.Today()
		key, vdsnc := domestic[0].Payloads[0].KeyID, ""
		for _, p := range travel.Payloads {
			if p.Family == certificate.VDSNC {
				vdsnc = p.KeyID
			}
		}
		for name, c := range map[string]struct {
			issuance.Selection
			want int
		}{
			"key of all": {issuance.Selection{Key: key}, 5}, "key of travel": {issuance.Selection{Key: vdsnc}, 1}, "no such key": {issuance.Selection{Key: "x"}, 0},
			"today": {issuance.Selection{From: today, Until: today}, 5}, "before": {issuance.Selection{Until: today.AddDays(-1)}, 0}, "after": {issuance.Selection{From: today.AddDays(1)}, 0},
			"catalogue": {issuance.Selection{Catalogue: travel.Certificate.Catalogue}, 5}, "another catalogue": {issuance.Selection{Catalogue: "none"}, 0},
			"clerk": {issuance.Selection{Clerk: w.Clerk.Person}, 4}, "officer": {issuance.Selection{Clerk: w.Officer.Person, Key: key}, 1}, "nobody": {issuance.Selection{Clerk: "x"}, 0},
			"product": {issuance.Selection{Product: travel.Certificate.Doses[0].Product.ID}, 5}, "another product": {issuance.Selection{Product: "none"}, 0},
		} {
			if n, err := s.Select(ctx, one, c.Selection); err != nil || n != c.want {
				t.Errorf("ok/%s: %d %v, want %d", name, n, err, c.want)
			}
		}
		if _, err := s.Select(ctx, one, issuance.Selection{}); fault.CodeOf(err) != fault.Invalid {
			t.Errorf("error/everything: %v", err)
		}
		wanted := issuance.Selection{Clerk: w.Clerk.Person}
		if _, err := s.Ask(ctx, w.Clerk, wanted, "fraud", nil); fault.CodeOf(err) != fault.Forbidden {
			t.Errorf("error/a clerk asks: %v", err)
		}
		r, err := s.Ask(ctx, one, wanted, "fraud", nil)
		if err != nil || r.Count != 4 {
			t.Fatalf("ok/asked: %+v %v", r, err)
		}
		late := issue(certificate.Domestic, w.Clerk) // not what is approved
		if _, err := w.Issuance.Revoke(ctx, w.Officer, domestic[1].Certificate.ID, "holder_request"); err != nil {
			t.Fatal(err)
		}
		if n, err := s.Step(ctx, 100); n != 0 || err != nil {
			t.Errorf("error/nobody approved: %d %v", n, err)
		}
		if _, err := s.Start(ctx, one, r.ID); !errors.Is(err, fault.New(fault.Forbidden, "second_person", "")) {
			t.Errorf("error/started by the same: %v", err)
		}
		if _, err := s.Start(ctx, two, r.ID); err != nil {
			t.Fatal(err)
		}
		if _, err := s.Start(ctx, two, r.ID); fault.CodeOf(err) != fault.Conflict {
			t.Errorf("error/started twice: %v", err)
		}
		progress := func(done, revoked int) {
			t.Helper()
			list, err := s.List(ctx, two, "", 10)
			if err != nil || len(list) != 1 || list[0].Done != done || list[0].Changed != revoked || list[0].StartedBy != two.Person {
				t.Errorf("ok/progress: %+v %v, want %d done", list, err, done)
			}
		}
		if n, err := s.Step(ctx, 1); n != 1 || err != nil { // at a pace
			t.Errorf("ok/step: %d %v", n, err)
		}
		dying := *s
		dying.Store = revocations{&fading{w.Store, 1}, w.Store, w.Store}
		if n, err := dying.Step(ctx, 100); n != 1 || !errors.Is(err, errDied) {
			t.Errorf("error/died: %d %v", n, err)
		}
		if n, err := s.Step(ctx, 100); n != 2 || err != nil {
			t.Errorf("ok/goes on: %d %v", n, err)
		}
		progress(4, 3)
		if n, err := s.Step(ctx, 100); n != 0 || err != nil {
			t.Errorf("ok/finished: %d %v", n, err)
		}
		for n, i := range append(domestic, late, travel) {
			got, err := w.Issuance.Get(ctx, w.Officer, i.Certificate.ID)
			want, reason := issuance.Revoked, "fraud"
			switch {
			case n == 1:
				reason = "holder_request"
			case n >= len(domestic):
				want, reason = issuance.Issued, ""
			}
			if err != nil || got.State != want || got.Reason != reason {
				t.Errorf("%d: %s %s %v, want %s %s", n, got.State, got.Reason, err, want, reason)
			}
		}
	})
}

// choosy is a store that cannot revoke one certificate.
type choosy struct {
	issuance.BulkStore
	refused string
	cause   error
}

func (s *choosy) RevokeItem(ctx context.Context, code string, item issuance.Item) (bool, error) {
	if item.Certificate == s.refused {
		return false, s.cause
	}
	return s.BulkStore.RevokeItem(ctx, code, item)
}

// S-029: a certificate that cannot be revoked keeps no other from being, and while
// an office is suspended nothing of it is revoked.
func TestRevokeManyGoesOnAndStops(t *testing.T) {
	world.Each(t, func(t *testing.T, w *world.World) {
		ctx, s := t.Context(), w.Revocations
		one, two := approvers(t, w)
		for range 3 {
			if _, _, err := w.Issuance.Issue(ctx, w.Clerk, w.Approved(t, certificate.Domestic)); err != nil {
				t.Fatal(err)
			}
		}
		r, err := s.Ask(ctx, one, issuance.Selection{Clerk: w.Clerk.Person}, "fraud", nil)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := s.Start(ctx, two, r.ID); err != nil {
			t.Fatal(err)
		}
		selected, err := w.Issuance.List(ctx, w.Officer, issuance.Filter{Limit: 10})
		if err != nil {
			t.Fatal(err)
		}
		made, err := w.Issuance.Reissue(ctx, w.Officer, selected[0].Certificate.ID, "lost")
		if err != nil {
			t.Fatal(err)
		}
		if got, err := s.Get(ctx, two, r.ID); err != nil || got.Superseded != 1 || !slices.Equal(got.Successors, []string{made.Certificate.ID}) {
			t.Errorf("ok/what was made again since: %+v %v", got, err)
		}
		items, err := w.Store.OpenItems(ctx, w.Clerk.Office, issuance.RevokeMany, 10)
		if err != nil || len(items) != 3 {
			t.Fatal(items, err)
		}
		failing := *s
		failing.Store = revocations{&choosy{w.Store, items[0].Certificate, errDied}, w.Store, w.Store}
		if n, err := failing.Step(ctx, 2); n != 1 || !errors.Is(err, errDied) {
			t.Errorf("ok/the others: %d %v", n, err)
		}
		if _, err := w.Offices.Suspend(ctx, w.Officer, "端末の盗難"); err != nil {
			t.Fatal(err)
		}
		if n, err := s.Step(ctx, 10); n != 0 || err != nil {
			t.Errorf("error/revoked while suspended: %d %v", n, err)
		}
		if got, err := s.Get(ctx, two, r.ID); err != nil || got.Done != 1 || got.Changed != 1 {
			t.Errorf("ok/the rest stays: %+v %v", got, err)
		}
	})
}

// S-029: a certificate that can never be revoked is tried five times, then shown with
// why, and keeps no other waiting; while the database is away nothing is counted; to
// start it again tries again.
func TestRevokeManyFailures(t *testing.T) {
	world.Each(t, func(t *testing.T, w *world.World) {
		ctx, s := t.Context(), w.Revocations
		one, two := approvers(t, w)
		for range 3 {
			if _, _, err := w.Issuance.Issue(ctx, w.Clerk, w.Approved(t, certificate.Domestic)); err != nil {
				t.Fatal(err)
			}
		}
		r, err := s.Ask(ctx, one, issuance.Selection{Clerk: w.Clerk.Person}, "fraud", nil)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := s.Start(ctx, two, r.ID); err != nil {
			t.Fatal(err)
		}
		open, err := w.Store.OpenItems(ctx, w.Clerk.Office, issuance.RevokeMany, 10)
		if err != nil || len(open) != 3 {
			t.Fatal(open, err)
		}
		bad := open[0].Certificate
		failing := func(cause error) *issuance.Many {
			f := *s
			f.Store = revocations{&choosy{w.Store, bad, cause}, w.Store, w.Store}
			return &f
		}
		for range issuance.Tries + 1 {
			if n, err := failing(fault.New(fault.Unavailable, "store", "")).Step(ctx, 1); n != 0 || fault.CodeOf(err) != fault.Unavailable {
				t.Errorf("ok/away: %d %v", n, err)
			}
		}
		for range issuance.Tries {
			if n, err := failing(errDied).Step(ctx, 1); n != 0 || !errors.Is(err, errDied) {
				t.Errorf("ok/tried: %d %v", n, err)
			}
		}
		for range 2 {
			if n, err := failing(errDied).Step(ctx, 1); n != 1 || err != nil {
				t.Errorf("error/the others wait: %d %v", n, err)
			}
		}
		if n, err := s.Step(ctx, 10); n != 0 || err != nil {
			t.Errorf("error/tried for ever: %d %v", n, err)
		}
		got, err := s.Get(ctx, two, r.ID)
		if err != nil || got.Done != 2 || got.Changed != 2 || got.Failed != 1 || !slices.Equal(got.Failures, []issuance.Failure{{CertificateID: bad, Fault: "internal"}}) {
			t.Errorf("ok/shown: %+v %v", got, err)
		}
		if list, err := s.List(ctx, two, "", 10); err != nil || len(list) != 1 || list[0].Failed != 1 || list[0].Done != 2 {
			t.Errorf("ok/counted: %+v %v", list, err)
		}
		if again, err := s.Start(ctx, one, r.ID); err != nil || again.Failed != 0 || again.StartedBy != two.Person {
			t.Errorf("ok/started again: %+v %v", again, err)
		}
		if _, err := s.Start(ctx, one, r.ID); fault.CodeOf(err) != fault.Conflict {
			t.Errorf("error/nothing has failed: %v", err)
		}
		if n, err := s.Step(ctx, 10); n != 1 || err != nil {
			t.Errorf("ok/tried again: %d %v", n, err)
		}
		if got, err = s.Get(ctx, two, r.ID); err != nil || got.Done != 3 || got.Changed != 3 || got.Failed != 0 || got.Failures != nil {
			t.Errorf("ok/all: %+v %v", got, err)
		}
	})
}
