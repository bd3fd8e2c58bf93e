package store

import (
	"context"
	"errors"
	"sync"
	"testing"
	"time"

	"akashi/internal/actor"
	"akashi/internal/audit"
	"akashi/internal/fault"
	"akashi/internal/office"
)

func (f *fixture) approvals() *office.Approvals {
	return &office.Approvals{Log: f.log, Store: f.Store, Clock: f.clock()}
}

// member is a person of a role who has just stepped up.
func member(id string, role office.Role) actor.Actor {
	return actor.Actor{
		Office: here, Person: id, Terminal: "test", Purpose: actor.Operate, Role: string(role), Permissions: role.Permissions(),
		SteppedUp: time.Date(2026, 11, 21, 3, 0, 0, 0, time.UTC),
	}
}

func now(a actor.Actor, f *fixture) actor.Actor { a.SteppedUp = f.now; return a }

func wantKey(t *testing.T, what string, err error, key string) {
	t.Helper()
	var f *fault.Error
	if !errors.As(err, &f) || f.Key != key {
		t.Errorf("error/%s: %v, want %s", what, err, key)
	}
}

// carryOut is a dangerous act: it uses the approval and writes something.
func (f *fixture) carryOut(t *testing.T, a actor.Actor, kind office.Kind, object string, parameters map[string]string, after error) error {
	t.Helper()
	return f.log.Act(t.Context(), a, audit.Entry{Action: "test.dangerous"}, func(ctx context.Context, _ *audit.Entry) error {
		if err := f.approvals().Use(ctx, a, kind, object, office.Digest(parameters)); err != nil {
			return err
		}
		return after
	})
}

// S-029: the life of an approval, and everything that it refuses.
func TestApprovals(t *testing.T) {
	each(t, func(t *testing.T, f *fixture) {
		s, ctx := f.approvals(), t.Context()
		a, b, op := person("a"), person("b"), member("op", office.Operator)
		what := map[string]string{"key": "k1"}
		p, err := s.Request(ctx, a, office.ActivateKey, "k1", what, nil)
		if err != nil || p.State(f.now) != office.Pending {
			t.Fatalf("ok/ask: %v %v", p.State(f.now), err)
		}
		wantKey(t, "not yet approved", f.carryOut(t, op, office.ActivateKey, "k1", what, nil), "approval_needed")
		_, err = s.Approve(ctx, a, p.ID, "")
		wantKey(t, "same person", err, "second_person")
		_, err = s.Approve(ctx, member("c", office.Clerk), p.ID, "")
		wantKey(t, "without the permission", err, "permission")
		idle := b
		idle.SteppedUp = f.now.Add(-actor.StepUpLasts - time.Second)
		_, err = s.Approve(ctx, idle, p.ID, "")
		wantKey(t, "old step-up", err, "step_up")
		idle.SteppedUp = time.Time{}
		_, err = s.Request(ctx, idle, office.ActivateKey, "k1", what, nil)
		wantKey(t, "asking without step-up", err, "step_up")
		if p, err = s.Approve(ctx, b, p.ID, "seen"); err != nil || p.State(f.now) != office.Approved || p.DecidedBy != "b" {
			t.Fatalf("ok/approve: %v", err)
		}
		_, err = s.Approve(ctx, b, p.ID, "")
		wantKey(t, "approved twice", err, "approval_state")
		wantKey(t, "other parameters", f.carryOut(t, op, office.ActivateKey, "k1", map[string]string{"key": "k2"}, nil), "approval_differs")
		wantKey(t, "other object", f.carryOut(t, op, office.ActivateKey, "k2", what, nil), "approval_needed")
		wantKey(t, "other kind", f.carryOut(t, op, office.RetireKey, "k1", what, nil), "approval_needed")
		wantKey(t, "wrong person", f.carryOut(t, a, office.ActivateKey, "k1", what, nil), "permission")

		// An act that fails afterwards has not used the approval.
		failed := fault.New(fault.Unavailable, "test_failure", "")
		wantKey(t, "rolled back", f.carryOut(t, op, office.ActivateKey, "k1", what, failed), "test_failure")
		if err := f.carryOut(t, op, office.ActivateKey, "k1", what, nil); err != nil {
			t.Fatalf("ok/use: %v", err)
		}
		wantKey(t, "replayed", f.carryOut(t, op, office.ActivateKey, "k1", what, nil), "approval_used")
		if p, err = s.Get(ctx, a, p.ID); err != nil || p.State(f.now) != office.Used || p.UsedBy != "op" || p.Reason != "seen" {
			t.Errorf("ok/used: %+v %v", p, err)
		}
		if list, err := s.List(ctx, a, office.ApprovalFilter{Limit: 10}); err != nil || len(list) != 1 || list[0].ID != p.ID {
			t.Errorf("ok/listed: %v %v", list, err)
		}
	})
}

// S-029: refused, withdrawn, expired, one's own case, a third person.
func TestApprovalEnds(t *testing.T) {
	each(t, func(t *testing.T, f *fixture) {
		s, ctx := f.approvals(), t.Context()
		a, b, op := person("a"), person("b"), member("op", office.Operator)
		ask := func(kind office.Kind, object string) string {
			t.Helper()
			p, err := s.Request(ctx, now(a, f), kind, object, nil, nil)
			if err != nil {
				t.Fatal(err)
			}
			return p.ID
		}
		approved := func(kind office.Kind, object string) string {
			t.Helper()
			id := ask(kind, object)
			if _, err := s.Approve(ctx, now(b, f), id, ""); err != nil {
				t.Fatal(err)
			}
			return id
		}
		if _, err := s.Refuse(ctx, b, ask(office.RekeyVault, "1"), "no"); err != nil {
			t.Errorf("ok/refuse: %v", err)
		}
		wantKey(t, "refused", f.carryOut(t, op, office.RekeyVault, "1", nil, nil), "approval_state")

		id := approved(office.RekeyVault, "2")
		_, err := s.Withdraw(ctx, b, id)
		wantKey(t, "withdrawn by another", err, "approval_of_others")
		if _, err := s.Withdraw(ctx, a, id); err != nil {
			t.Errorf("ok/withdraw: %v", err)
		}
		wantKey(t, "withdrawn", f.carryOut(t, op, office.RekeyVault, "2", nil, nil), "approval_state")

		id = ask(office.RekeyVault, "3")
		approved(office.RekeyVault, "4")
		f.now = f.now.Add(office.ApprovalLasts)
		_, err = s.Approve(ctx, now(b, f), id, "")
		wantKey(t, "approved too late", err, "approval_expired")
		wantKey(t, "carried out too late", f.carryOut(t, op, office.RekeyVault, "4", nil, nil), "approval_expired")

		_, err = s.Request(ctx, now(a, f), office.RecoverAccount, "a", nil, nil)
		wantKey(t, "own case asked", err, "own_case")
		id = ask(office.RecoverAccount, "b")
		_, err = s.Approve(ctx, now(b, f), id, "")
		wantKey(t, "own case approved", err, "own_case")
		if _, err := s.Approve(ctx, now(person("d"), f), id, ""); err != nil {
			t.Fatal(err)
		}
		wantKey(t, "own case carried out", f.carryOut(t, b, office.RecoverAccount, "b", nil, nil), "own_case")
		id = ask(office.Erase, "own child")
		parent := now(b, f)
		parent.Kin = []string{"own child"}
		_, err = s.Request(ctx, parent, office.Erase, "own child", nil, nil)
		wantKey(t, "own household asked", err, "own_case")
		_, err = s.Approve(ctx, parent, id, "")
		wantKey(t, "own household approved", err, "own_case")
		if err := f.carryOut(t, a, office.RecoverAccount, "b", nil, nil); err != nil {
			t.Errorf("ok/two officers recover a third one's account: %v", err)
		}

		// asked, approved, carried out by three people.
		approved(office.MakeAccount, "r1")
		for _, id := range []string{"a", "b"} {
			wantKey(t, "not a third person", f.carryOut(t, member(id, office.Operator), office.MakeAccount, "r1", nil, nil), "third_person")
		}
		if err := f.carryOut(t, op, office.MakeAccount, "r1", nil, nil); err != nil {
			t.Errorf("ok/three people: %v", err)
		}

		// S-025: an approval of one office is nothing to another.
		stranger := now(person("b"), f)
		stranger.Office = there
		_, err = s.Approve(ctx, stranger, ask(office.RekeyVault, "5"), "")
		wantKey(t, "another office", err, "approval")
	})
}

// S-029: of many that use one approval at once, or decide on it, one wins.
func TestApprovalsAtOnce(t *testing.T) {
	each(t, func(t *testing.T, f *fixture) {
		s := f.approvals()
		p, err := s.Request(t.Context(), person("a"), office.RekeyVault, "1", nil, nil)
		if err != nil {
			t.Fatal(err)
		}
		atOnce := func(what string, do func(n int) error) {
			t.Helper()
			var all sync.WaitGroup
			results := make([]error, 8)
			for i := range results {
				all.Go(func() { results[i] = do(i) })
			}
			all.Wait()
			won := 0
			for _, err := range results {
				switch {
				case err == nil:
					won++
				case fault.CodeOf(err) != fault.Conflict:
					t.Errorf("error/%s: %v", what, err)
				}
			}
			if won != 1 {
				t.Errorf("error/%s: %d won", what, won)
			}
		}
		atOnce("approve", func(int) error { _, err := s.Approve(t.Context(), person("b"), p.ID, ""); return err })
		atOnce("use", func(int) error { return f.carryOut(t, member("op", office.Operator), office.RekeyVault, "1", nil, nil) })
	})
}
