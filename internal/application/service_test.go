package application_test

import (
	"errors"
	"slices"
	"strings"
	"testing"

	"akashi/certificate"
	"akashi/internal/application"
	"akashi/internal/fault"
	"akashi/internal/testkit/world"
)

// held returns an application that waits for a person because of its passport name.
func held(t *testing.T, w *world.World, change func(*application.Form)) application.Application {
	t.Helper()
	f := world.Form(certificate.Domestic)
	change(&f)
	a, err := w.Applications.Create(t.Context(), w.Clerk, f, nil)
	if err != nil {
		t.Fatal(err)
	}
	if a, err = w.Applications.Submit(t.Context(), w.Clerk, a.ID); err != nil {
		t.Fatal(err)
	}
	return a
}

func key(err error) string {
	var f *fault.Error
	if errors.As(err, &f) {
		return f.Key
	}
	return ""
}

// Issue 2, section 5: overriding needs a reason, and an officer where a rule blocks.
func TestDecide(t *testing.T) {
	world.Each(t, func(t *testing.T, w *world.World) {
		approve := application.Verdict{Outcome: "approve", Reason: "委任状と本人確認書類を見た"}
		soft := held(t, w, func(f *application.Form) { f.Subject.Former = "古川" })
		if soft.State != application.Review {
			t.Fatalf("held: %v %v", soft.State, soft.Reasons)
		}
		if _, err := w.Applications.Decide(t.Context(), w.Clerk, soft.ID, application.Verdict{Outcome: "approve", Reason: " 　"}); key(err) != "required" {
			t.Errorf("error/no reason: %v", err)
		}
		if _, err := w.Applications.Decide(t.Context(), w.Clerk, soft.ID, application.Verdict{Outcome: "approve", Reason: strings.Repeat("長", 501)}); key(err) != "too_long" {
			t.Errorf("error/long reason: %v", err)
		}
		if _, err := w.Applications.Decide(t.Context(), w.Clerk, soft.ID, application.Verdict{Outcome: "maybe", Reason: "x"}); key(err) != "unknown_value" {
			t.Errorf("error/outcome: %v", err)
		}
		old := approve
		old.Version = soft.Version - 1
		if _, err := w.Applications.Decide(t.Context(), w.Clerk, soft.ID, old); key(err) != "version" {
			t.Errorf("error/old version: %v", err)
		}
		if a, err := w.Applications.Decide(t.Context(), w.Clerk, soft.ID, approve); err != nil || a.State != application.Approved || a.Decision.By != w.Clerk.Person {
			t.Errorf("ok/clerk confirms: %v %v", a.State, err)
		}
		hard := held(t, w, func(f *application.Form) {
			f.Subject = application.Subject{Ticket: "0000000003", Name: certificate.Name{Family: "髙橋", Given: "一郎"}, BirthDate: "1984-06-30"}
		})
		if _, err := w.Applications.Decide(t.Context(), w.Clerk, hard.ID, approve); key(err) != "override" {
			t.Errorf("error/clerk overrides: %v", err)
		}
		if a, err := w.Applications.Decide(t.Context(), w.Officer, hard.ID, approve); err != nil || len(a.Decision.Override) == 0 {
			t.Errorf("ok/officer overrides: %v", err)
		}
		proxy := held(t, w, func(f *application.Form) {
			f.Subject.Former = "古川"
			f.Applicant = application.Applicant{Relationship: application.Parent, Name: certificate.Name{Family: "桜井", Given: "薫"}}
		})
		if _, err := w.Applications.Decide(t.Context(), w.Officer, proxy.ID, approve); key(err) != "not_approvable" {
			t.Errorf("error/what the applicant has to supply: %v", err)
		}
		none := held(t, w, func(f *application.Form) { f.Subject.Ticket, f.Subject.Name.Family = "0000099999", "誰" })
		if _, err := w.Applications.Decide(t.Context(), w.Officer, none.ID, approve); key(err) != "not_approvable" {
			t.Errorf("error/nothing to certify: %v", err)
		}
		if a, err := w.Applications.Decide(t.Context(), w.Clerk, none.ID, application.Verdict{Outcome: "reject", Reason: "記録なし"}); err != nil || a.State != application.Rejected {
			t.Errorf("ok/reject: %v %v", a.State, err)
		}
		if _, err := w.Applications.Withdraw(t.Context(), w.Clerk, none.ID); key(err) != "transition" {
			t.Errorf("error/withdraw after the end: %v", err)
		}
	})
}

// Whoever decided has said why, and that stays when the application is checked or
// decided again.
func TestEarlierDecisions(t *testing.T) {
	world.Each(t, func(t *testing.T, w *world.World) {
		ctx, s := t.Context(), w.Applications
		a := held(t, w, func(f *application.Form) { f.Subject.Former = "古川" })
		for n, v := range []application.Verdict{{Outcome: "ask", Reason: "戸籍を持参"}, {Outcome: "approve", Reason: "戸籍で確認"}, {Outcome: "reject", Reason: "取り違え"}} {
			if v.Outcome == "approve" {
				if _, err := s.Submit(ctx, w.Clerk, a.ID); err != nil {
					t.Fatal(err)
				}
			}
			if _, err := s.Decide(ctx, w.Clerk, a.ID, v); err != nil {
				t.Fatal(err)
			}
			if v.Outcome == "approve" { // checked again: the decision counts no more
				if got, err := s.Submit(ctx, w.Clerk, a.ID); err != nil || got.Decision != nil {
					t.Errorf("error/checked again: %+v %v", got.Decision, err)
				}
			}
			got, err := s.Get(ctx, w.Clerk, a.ID)
			if err != nil {
				t.Fatal(err)
			}
			var reasons []string
			for _, d := range got.Earlier {
				reasons = append(reasons, d.Reason)
				if d.By != w.Clerk.Person || d.At.IsZero() {
					t.Errorf("error/whose it was: %+v", d)
				}
			}
			if want := [][]string{nil, {"戸籍を持参", "戸籍で確認"}, {"戸籍を持参", "戸籍で確認"}}[n]; !slices.Equal(reasons, want) {
				t.Errorf("error/earlier decisions: %q, want %q", reasons, want)
			}
		}
	})
}

func TestAnswer(t *testing.T) {
	world.Each(t, func(t *testing.T, w *world.World) {
		a := held(t, w, func(f *application.Form) {
			f.Applicant = application.Applicant{Relationship: application.Parent, Name: certificate.Name{Family: "桜井", Given: "薫"}}
		})
		if a.State != application.NeedsInfo {
			t.Fatalf("held: %v %v", a.State, a.Reasons)
		}
		f := a.Form
		f.Kind = certificate.Travel
		if _, err := w.Applications.Answer(t.Context(), w.Clerk, a.ID, f, 0); key(err) != "kind_fixed" {
			t.Errorf("error/other kind: %v", err)
		}
		f = a.Form
		f.Applicant.Proof = "power_of_attorney"
		if a, err := w.Applications.Answer(t.Context(), w.Clerk, a.ID, f, 0); err != nil || a.State != application.Approved {
			t.Errorf("ok/supplied: %v %v %v", a.State, a.Reasons, err)
		}
	})
}

// whether the individual number may be asked for follows the office's rule.
func TestNumberMayBeAsked(t *testing.T) {
	world.Each(t, func(t *testing.T, w *world.World) {
		found := held(t, w, func(*application.Form) {})
		unknown := held(t, w, func(f *application.Form) { f.Subject.Ticket, f.Subject.Name.Family = "0000099999", "誰" })
		if found.Record.MayAskNo || !unknown.Record.MayAskNo {
			t.Errorf("found %v, not found %v", found.Record.MayAskNo, unknown.Record.MayAskNo)
		}
	})
}

// S-031: a list shows no person.
func TestList(t *testing.T) {
	world.Each(t, func(t *testing.T, w *world.World) {
		held(t, w, func(*application.Form) {})
		list, err := w.Applications.List(t.Context(), w.Clerk, application.Filter{Limit: 10})
		if err != nil || len(list) != 1 || list[0].Form.Subject.Name.Family != "" || list[0].State != application.Approved {
			t.Errorf("ok/list: %d %v", len(list), err)
		}
		other := w.Clerk
		other.Office = "900010"
		if list, err := w.Applications.List(t.Context(), other, application.Filter{Limit: 10}); err != nil || len(list) != 0 {
			t.Errorf("error/other office sees %d, %v", len(list), err)
		}
		if _, err := w.Applications.Get(t.Context(), other, "00000000-0000-7000-8000-000000000000"); fault.CodeOf(err) != fault.NotFound {
			t.Errorf("error/unknown: %v", err)
		}
	})
}
