package store

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"akashi/internal/audit"
	"akashi/internal/fault"
	"akashi/internal/office"
)

// accountKeeper stands in for the accounts and how they sign in.
type accountKeeper struct {
	list []office.Staff
	fail error
}

func (k *accountKeeper) Make(_ context.Context, s office.Staff) (office.Staff, string, error) {
	if k.fail != nil {
		return s, "", k.fail
	}
	s.ID, s.State = fmt.Sprintf("s%d", len(k.list)+1), office.NewAccount
	k.list = append(k.list, s)
	return s, "link-" + s.ID, nil
}

func (k *accountKeeper) Change(_ context.Context, code, id string, change func(*office.Staff)) (office.Staff, error) {
	for i := range k.list {
		if k.list[i].ID == id && k.list[i].Office == code {
			change(&k.list[i])
			k.list[i].Epoch++
			return k.list[i], nil
		}
	}
	return office.Staff{}, fault.New(fault.NotFound, "account", "")
}

func (k *accountKeeper) Suspend(ctx context.Context, code, id string) error {
	_, err := k.Change(ctx, code, id, func(s *office.Staff) { s.State = office.SuspendedAccount })
	return err
}

func (k *accountKeeper) Enable(ctx context.Context, code, id string) error {
	_, err := k.Change(ctx, code, id, func(s *office.Staff) { s.State = office.ActiveAccount })
	return err
}

func (k *accountKeeper) Staff(ctx context.Context, code, id string) (office.Staff, error) {
	return k.Change(ctx, code, id, func(s *office.Staff) { s.Epoch-- })
}

func (k *accountKeeper) ListStaff(context.Context, string) ([]office.Staff, error) {
	return slices.Clone(k.list), nil
}

func (k *accountKeeper) StaffHistory(context.Context, string, string) ([]office.Held, error) {
	return nil, nil
}

func (k *accountKeeper) StaffAt(context.Context, string, time.Time) ([]office.Staff, error) {
	return slices.Clone(k.list), nil
}

func wanted(role office.Role) office.AccountRequest {
	return office.AccountRequest{
		User: here + "-hanako", Name: "窓口 花子", Unit: "健康推進課", Role: role, Ends: "2027-03-31", Trained: "2026-11-01",
		SectionHead: "健康推進課長", SystemOwner: "情報政策課長",
	}
}

// S-011, R-016, R-159: an account is asked for, approved and carried out by three people.
func TestAccountRequests(t *testing.T) {
	each(t, func(t *testing.T, f *fixture) {
		k := &accountKeeper{}
		s := &office.AccountRequests{Log: f.log, Store: f.Store, Staff: k, Keeper: k, Approvals: f.approvals(), Clock: f.clock()}
		ctx, head, other, op := t.Context(), person("a"), person("b"), member("op", office.Operator)
		for field, spoil := range map[string]func(*office.AccountRequest){
			"required user":         func(r *office.AccountRequest) { r.User = "" },
			"user_id form":          func(r *office.AccountRequest) { r.User = "hanako" },
			"user_id elsewhere":     func(r *office.AccountRequest) { r.User = there + "-hanako" },
			"required unit":         func(r *office.AccountRequest) { r.Unit = "" },
			"too_long unit":         func(r *office.AccountRequest) { r.Unit = strings.Repeat("課", 101) },
			"required section head": func(r *office.AccountRequest) { r.SectionHead = "" },
			"required system owner": func(r *office.AccountRequest) { r.SystemOwner = "" },
			"unknown_value role":    func(r *office.AccountRequest) { r.Role = "king" },
			"end_date none":         func(r *office.AccountRequest) { r.Ends = "" },
			"end_date past":         func(r *office.AccountRequest) { r.Ends = "2026-11-21" },
			"end_date far":          func(r *office.AccountRequest) { r.Ends = "2036-11-21" },
			"training_date":         func(r *office.AccountRequest) { r.Trained = "2026-11-22" },
		} {
			r := wanted(office.Clerk)
			spoil(&r)
			if _, err := s.Ask(ctx, head, r, nil); fault.CodeOf(err) != fault.Invalid {
				t.Errorf("error/%s: %v", field, err)
			}
		}
		_, err := s.Ask(ctx, member("c", office.Clerk), wanted(office.Clerk), nil)
		wantKey(t, "a clerk asks", err, "permission")
		_, err = s.Ask(ctx, member("c", office.Approver), wanted(office.RegisterClerk), nil)
		wantKey(t, "what one may not grant", err, "granting")
		_, err = s.Ask(ctx, member("c", office.Approver), wanted(office.Officer), nil)
		wantKey(t, "an officer by an approver", err, "permission")

		r, err := s.Ask(ctx, head, wanted(office.Clerk), nil)
		if err != nil {
			t.Fatal(err)
		}
		_, _, err = s.CarryOut(ctx, op, r.ID)
		wantKey(t, "not approved", err, "approval_needed")
		_, err = f.approvals().Approve(ctx, head, r.Approval, "")
		wantKey(t, "approved by the same", err, "second_person")
		if _, err := f.approvals().Approve(ctx, other, r.Approval, ""); err != nil {
			t.Fatal(err)
		}
		_, _, err = s.CarryOut(ctx, other, r.ID)
		wantKey(t, "carried out by the head", err, "permission")
		k.fail = fault.New(fault.Conflict, "user_taken", "user_id")
		_, _, err = s.CarryOut(ctx, op, r.ID)
		wantKey(t, "not made", err, "user_taken")
		k.fail = nil
		done, link, err := s.CarryOut(ctx, op, r.ID)
		if err != nil || link != "link-s1" || done.Staff != "s1" || k.list[0].Role != office.Clerk || k.list[0].Unit != "健康推進課" {
			t.Fatalf("ok/made: %+v %q %v", done, link, err)
		}
		if want := time.Date(2027, 3, 31, 15, 0, 0, 0, time.UTC); !k.list[0].Ends.Equal(want) { // the end of the last day in Japan
			t.Errorf("ok/ends %v", k.list[0].Ends)
		}
		_, _, err = s.CarryOut(ctx, op, r.ID)
		wantKey(t, "carried out twice", err, "approval_used")
		if list, err := s.List(ctx, head, "", 10); err != nil || len(list) != 1 || list[0].DoneBy != "op" || list[0].SectionHead != "健康推進課長" {
			t.Errorf("ok/listed: %+v %v", list, err)
		}

		_, err = s.Ask(ctx, head, wanted(office.Clerk), nil)
		wantKey(t, "asked for again", err, "user_taken")

		// What was approved is what is carried out, whoever changes the row.
		another := wanted(office.Clerk)
		another.User = here + "-taro"
		r, err = s.Ask(ctx, head, another, nil)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := f.approvals().Approve(ctx, other, r.Approval, ""); err != nil {
			t.Fatal(err)
		}
		if err := f.act(t, here, func(ctx context.Context) error {
			db, err := act(ctx, here)
			if err != nil {
				return err
			}
			return db.Model(&accountRequestRow{}).Where("office = ? AND id = ?", here, r.ID).Update("role", "officer").Error
		}); err != nil {
			t.Fatal(err)
		}
		_, _, err = s.CarryOut(ctx, op, r.ID)
		wantKey(t, "changed after it was approved", err, "approval_differs")
		accountChanges(t, f, s, k)
	})
}

// S-011: of two requests for one user id the second is refused, also when both come
// at once; one that was refused, withdrawn or not approved in time is in nobody's way.
func TestAccountAskedForTwice(t *testing.T) {
	each(t, func(t *testing.T, f *fixture) {
		k := &accountKeeper{}
		s := &office.AccountRequests{Log: f.log, Store: f.Store, Staff: k, Keeper: k, Approvals: f.approvals(), Clock: f.clock()}
		ctx, head, other := t.Context(), person("a"), person("b")
		const together = 8
		faults := make(chan error, together)
		first := make(chan office.AccountRequest, together)
		for range together {
			go func() {
				r, err := s.Ask(ctx, head, wanted(office.Clerk), nil)
				if err == nil {
					first <- r
				}
				faults <- err
			}()
		}
		made := 0
		for range together {
			switch err := <-faults; {
			case err == nil:
				made++
			default:
				wantKey(t, "asked for at once", err, "user_asked")
			}
		}
		if made != 1 {
			t.Fatalf("error/%d requests for one user id", made)
		}
		open := <-first
		again := func(name string) {
			t.Helper()
			_, err := s.Ask(ctx, other, wanted(office.RegisterClerk), nil)
			wantKey(t, name+" asked for", err, "user_asked")
		}
		ask := func(name string) {
			t.Helper()
			var err error
			if open, err = s.Ask(ctx, head, wanted(office.Clerk), nil); err != nil {
				t.Fatalf("ok/%s: %v", name, err)
			}
		}
		if _, err := f.approvals().Refuse(ctx, other, open.Approval, ""); err != nil {
			t.Fatal(err)
		}
		ask("after a refusal")
		if _, err := f.approvals().Approve(ctx, other, open.Approval, ""); err != nil {
			t.Fatal(err)
		}
		again("approved")
		if _, err := f.approvals().Withdraw(ctx, head, open.Approval); err != nil {
			t.Fatal(err)
		}
		ask("after it was withdrawn")
		f.now = f.now.Add(office.ApprovalLasts)
		head, other = now(head, f), now(other, f)
		ask("after its day")
		k.list = append(k.list, office.Staff{User: here + "-taro"})
		taken := wanted(office.Clerk)
		taken.User = here + "-taro"
		_, err := s.Ask(ctx, head, taken, nil)
		wantKey(t, "somebody has it", err, "user_taken")
		if e := (&fault.Error{}); !errors.As(err, &e) || e.Field != "user_id" {
			t.Errorf("error/field: %v", err)
		}
	})
}

// accountChanges goes on with changes: to an officer, of oneself, disabled and enabled.
func accountChanges(t *testing.T, f *fixture, s *office.AccountRequests, k *accountKeeper) {
	t.Helper()
	ctx, head, other, op := t.Context(), person("a"), person("b"), member("op", office.Operator)
	change := wanted(office.Officer)
	_, err := s.AskChange(ctx, member("c", office.Approver), "s1", change, nil)
	wantKey(t, "to officer by an approver", err, "permission")
	_, err = s.AskChange(ctx, person("s1"), "s1", change, nil)
	wantKey(t, "of one's own", err, "own_case")
	r, err := s.AskChange(ctx, head, "s1", change, nil)
	if err != nil || r.Kind != office.MakeOfficer || r.Was != office.Clerk {
		t.Fatalf("ok/ask for an officer: %v %v", r.Kind, err)
	}
	_, err = f.approvals().Approve(ctx, person("s1"), r.Approval, "")
	wantKey(t, "approved by oneself", err, "own_case")
	if _, err := f.approvals().Approve(ctx, other, r.Approval, ""); err != nil {
		t.Fatal(err)
	}
	if _, link, err := s.CarryOut(ctx, op, r.ID); err != nil || link != "" || k.list[0].Role != office.Officer || k.list[0].Epoch == 0 {
		t.Errorf("ok/officer: %+v %v", k.list[0], err)
	}
	if err := s.Disable(ctx, head, "s1"); err != nil || k.list[0].State != office.SuspendedAccount {
		t.Errorf("ok/disable: %v", err)
	}
	r, err = s.AskEnable(ctx, head, "s1", wanted(""), nil)
	if err != nil || r.Role != office.Officer {
		t.Fatalf("ok/ask to enable: %v", err)
	}
	if _, err := f.approvals().Approve(ctx, other, r.Approval, ""); err != nil {
		t.Fatal(err)
	}
	if _, _, err := s.CarryOut(ctx, op, r.ID); err != nil || k.list[0].State != office.ActiveAccount {
		t.Errorf("ok/enabled: %v", err)
	}
}

// leavers and people who moved are disabled, by two people or from a file.
func TestRoster(t *testing.T) {
	each(t, func(t *testing.T, f *fixture) {
		staff := func(n int, unit string, role office.Role) office.Staff {
			return office.Staff{
				Office: here, ID: fmt.Sprintf("s%d", n), User: fmt.Sprintf("%s-u%d", here, n), Unit: unit, Role: role,
				State: office.ActiveAccount, Ends: f.now.AddDate(1, 0, 0),
			}
		}
		k := &accountKeeper{list: []office.Staff{staff(1, "課", office.Officer), staff(2, "課", office.Clerk), staff(3, "課", office.Clerk), staff(4, "課", office.Clerk)}}
		s := &office.Rosters{Log: f.log, Store: f.Store, Staff: k, Keeper: k, Approvals: f.approvals(), Clock: f.clock()}
		ctx := t.Context()
		const head = "user_id,name,unit\n"
		line := func(n int, unit string) string { return fmt.Sprintf("%s-u%d,氏名,%s\n", here, n, unit) }
		for name, bad := range map[string]string{
			"empty": "", "head only": head, "other columns": "id,name,unit\n1,2,3\n", "short line": head + "1,2\n",
			"twice": head + line(1, "課") + line(1, "課"), "no unit": head + line(1, ""), "cut off": head + "900001-u1,\"氏", "not UTF-8": head + "\x8e\x81,a,b\n",
		} {
			if _, err := s.Stage(ctx, person("a"), []byte(bad), nil); fault.CodeOf(err) != fault.Invalid {
				t.Errorf("error/%s: %v", name, err)
			}
		}
		// Two people: 3 has left, 4 has moved, somebody new has no account.
		r, err := s.Stage(ctx, person("a"), []byte("\ufeff"+head+line(1, "課")+line(2, "課")+line(4, "別の課")+line(9, "課")), nil)
		if err != nil || !slices.Equal(r.Result.Leavers, []string{"s3"}) || !slices.Equal(r.Result.Moved, []string{"s4"}) || r.Result.WithoutAccount != 1 {
			t.Fatalf("ok/staged: %+v %v", r.Result, err)
		}
		if k.list[2].State != office.ActiveAccount {
			t.Error("error/staging disabled somebody")
		}
		_, err = s.Commit(ctx, person("a"), r.ID)
		wantKey(t, "same person", err, "second_person")
		if r, err = s.Commit(ctx, person("b"), r.ID); err != nil || r.State != office.RosterCommitted {
			t.Fatalf("ok/commit: %v", err)
		}
		if k.list[1].State != office.ActiveAccount || k.list[2].State != office.SuspendedAccount || k.list[3].State != office.SuspendedAccount || k.list[2].Epoch != 1 {
			t.Errorf("ok/disabled: %+v", k.list)
		}
		_, err = s.Commit(ctx, person("b"), r.ID)
		wantKey(t, "twice", err, "roster_state")
		if r, err = s.Get(ctx, person("b"), r.ID); err != nil || r.Result.Rows != 4 || r.Result.Listed != 2 || r.CommittedBy != "b" {
			t.Errorf("ok/record: %+v %v", r, err)
		}

		// From a file: applied at once, and once.
		job := person("job:roster")
		r, err = s.Arrive(ctx, job, []byte(head+line(1, "課")))
		if err != nil || r.State != office.RosterCommitted || k.list[1].State != office.SuspendedAccount || !slices.Equal(r.Result.DisabledBefore, []string{"s3", "s4"}) {
			t.Errorf("ok/arrived: %+v %v", r, err)
		}
		again, err := s.Arrive(ctx, job, []byte(head+line(1, "課")))
		if err != nil || again.ID != r.ID {
			t.Errorf("ok/arrived again: %v", err)
		}
		// A file that would leave nobody to approve is not applied by anybody.
		r, err = s.Arrive(ctx, job, []byte(head+line(2, "課")))
		if err != nil || r.State != office.RosterStaged || k.list[0].State != office.ActiveAccount {
			t.Errorf("ok/waits: %+v %v", r, err)
		}
		_, err = s.Commit(ctx, person("b"), r.ID)
		wantKey(t, "nobody left", err, "roster_no_officer")
		if list, err := s.List(ctx, person("b"), "", 10); err != nil || len(list) != 3 {
			t.Errorf("ok/listed: %d %v", len(list), err)
		}
	})
}

// R-161, S-083: what is done to accounts stands in the log without a name.
func TestAccountsInTheLog(t *testing.T) {
	each(t, func(t *testing.T, f *fixture) {
		k := &accountKeeper{}
		s := &office.AccountRequests{Log: f.log, Store: f.Store, Staff: k, Keeper: k, Approvals: f.approvals(), Clock: f.clock()}
		r, err := s.Ask(t.Context(), person("a"), wanted(office.Clerk), &audit.Once{Route: "r", Key: "k", Body: []byte("b")})
		if err != nil {
			t.Fatal(err)
		}
		entries, err := f.LogEntries(t.Context(), here, r.ID)
		if err != nil || len(entries) != 1 || contains(entries[0], "花子") || !contains(entries[0], "account.make") {
			t.Errorf("%s %v", entries, err)
		}
	})
}

// who had what at a date, also after it changed.
func TestStaffAt(t *testing.T) {
	each(t, func(t *testing.T, f *fixture) {
		start := f.now
		p := office.Staff{Office: here, ID: "s1", User: here + "-u1", Name: "氏名", Unit: "課", Role: office.Clerk, State: office.ActiveAccount, Ends: start.AddDate(1, 0, 0), Epoch: 1}
		if err := f.act(t, here, func(ctx context.Context) error { return f.AddStaff(ctx, p) }); err != nil {
			t.Fatal(err)
		}
		f.now = start.Add(24 * time.Hour)
		p.Role, p.Unit = office.Officer, "別の課"
		if err := f.act(t, here, func(ctx context.Context) error { return f.SaveStaff(ctx, p) }); err != nil {
			t.Fatal(err)
		}
		for at, want := range map[time.Duration]office.Role{-time.Second: "", 0: office.Clerk, 23 * time.Hour: office.Clerk, 24 * time.Hour: office.Officer} {
			list, err := f.StaffAt(t.Context(), here, start.Add(at))
			if err != nil || (want == "") != (len(list) == 0) || want != "" && list[0].Role != want {
				t.Errorf("%v later: %+v %v", at, list, err)
			}
		}
	})
}
