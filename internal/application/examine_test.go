package application_test

import (
	"slices"
	"strings"
	"testing"

	"akashi/certificate"
	"akashi/internal/actor"
	"akashi/internal/application"
	"akashi/internal/fault"
	"akashi/internal/office"
	"akashi/internal/testkit/world"
	"akashi/internal/vaccination"
)

const (
	subjectColumns = "municipality_code,ticket_number,atena_number,family_name,given_name,family_kana,given_kana,birth_date,sex,status,status_date\n"
	recordColumns  = "municipality_code,ticket_number,dose_number,vaccinated_on,maker,product,lot,place,doctor,origin,source_file_line,programme\n"
)

// namesake brings somebody of the first sample person's name and date of birth, and
// one dose; of the form without a ticket both fit.
func namesake(t *testing.T, w *world.World, status string) {
	t.Helper()
	w.Bring(t, vaccination.Subjects, []byte(subjectColumns+"900001,0000000101,100101,桜井,澪,サクライ,ミオ,1991-02-18,2,"+status+",\n"))
	w.Bring(t, vaccination.Records, []byte(recordColumns+"900001,0000000101,1,2021-08-02,ファイザー,コミナティ,ZA7001,架空県証市体育館,,ledger,1,covid19\n"))
}

func unnumbered(f *application.Form) { f.Subject.Ticket = "" }

func may(a actor.Actor, r office.Role) actor.Actor {
	a.Permissions = r.Permissions()
	return a
}

// Issue 6, section 1: of several who fit a clerk chooses one, with a reason; the choice
// is what was shown, and what is issued is the record of the one chosen.
func TestChoose(t *testing.T) {
	world.Each(t, func(t *testing.T, w *world.World) {
		namesake(t, w, "resident")
		a := held(t, w, unnumbered)
		if a.State != application.Review || a.Record.Outcome != "ambiguous" || a.Record.PersonID != "" {
			t.Fatalf("held: %v %v", a.State, a.Record)
		}
		x, err := w.Applications.Examine(t.Context(), w.Clerk, a.ID)
		if err != nil || len(x.Choices) != 2 || x.Changed || x.Withheld {
			t.Fatalf("ok/candidates: %+v %v", x, err)
		}
		at := slices.IndexFunc(x.Choices, func(c application.Choice) bool { return len(c.Answer.Doses) == 1 })
		other := x.Choices[1-at]
		chosen := x.Choices[at]
		if len(chosen.Reasons) != 1 || chosen.Reasons[0].Code != "record_chosen" || chosen.Answer.Certainty != vaccination.Candidate {
			t.Errorf("ok/reasons of one: %v %v", chosen.Reasons, chosen.Answer.Certainty)
		}
		verdict := application.Verdict{Outcome: "approve", Reason: "接種済証と一致", Candidate: chosen.Answer.Mark()}
		for key_, change := range map[string]func(*application.Verdict){
			"not_approvable": func(v *application.Verdict) { v.Candidate = "" },
			"candidate":      func(v *application.Verdict) { v.Candidate = strings.Repeat("0", 32) },
			"required":       func(v *application.Verdict) { v.Reason = "" },
		} {
			v := verdict
			change(&v)
			if _, err := w.Applications.Decide(t.Context(), w.Clerk, a.ID, v); key(err) != key_ {
				t.Errorf("error/%s: %v", key_, err)
			}
		}
		kin := w.Clerk
		kin.Kin = []string{other.Answer.Person.ID}
		if _, err := w.Applications.Examine(t.Context(), kin, a.ID); key(err) != "own_case" { // S-029
			t.Errorf("error/of one's household: %v", err)
		}
		if _, err := w.Applications.Decide(t.Context(), kin, a.ID, verdict); key(err) != "own_case" {
			t.Errorf("error/decides for the household: %v", err)
		}
		if a, err = w.Applications.Decide(t.Context(), w.Clerk, a.ID, verdict); err != nil || a.State != application.Approved ||
			a.Record.PersonID != chosen.Answer.Person.ID || !a.Record.Chosen || !slices.Equal(a.Decision.Override, []string{"record_chosen"}) {
			t.Fatalf("ok/chosen: %+v %v", a.Record, err)
		}
		// The register changes: what was chosen is not what would be issued.
		w.Bring(t, vaccination.Records, []byte(recordColumns+"900001,0000000101,1,2021-08-02,ファイザー,コミナティ,ZA7009,架空県証市体育館,,ledger,1,covid19\n"))
		if _, _, err := w.Issuance.Issue(t.Context(), w.Clerk, a.ID); key(err) != "record_changed" {
			t.Errorf("error/changed since: %v", err)
		}
		if x, err = w.Applications.Examine(t.Context(), w.Clerk, a.ID); err != nil || !x.Changed {
			t.Errorf("ok/shown as changed: %v %v", x.Changed, err)
		}
		if a, err = w.Applications.Submit(t.Context(), w.Clerk, a.ID); err != nil || a.State != application.Review || a.Record.Chosen {
			t.Fatalf("ok/to be chosen again: %v %v", a.State, err)
		}
		if _, err := w.Applications.Decide(t.Context(), w.Clerk, a.ID, verdict); key(err) != "candidate" { // as it was shown before
			t.Errorf("error/an old record: %v", err)
		}
		x, err = w.Applications.Examine(t.Context(), w.Clerk, a.ID)
		if err != nil {
			t.Fatal(err)
		}
		verdict.Candidate = x.Choices[slices.IndexFunc(x.Choices, func(c application.Choice) bool { return len(c.Answer.Doses) == 1 })].Answer.Mark()
		if _, err = w.Applications.Decide(t.Context(), w.Clerk, a.ID, verdict); err != nil {
			t.Fatal(err)
		}
		i, _, err := w.Issuance.Issue(t.Context(), w.Clerk, a.ID)
		if err != nil || len(i.Certificate.Doses) != 1 || i.Certificate.Doses[0].Lot != "ZA7009" {
			t.Errorf("ok/issued: %v %v", len(i.Certificate.Doses), err)
		}
		if again, err := w.Issuance.Reissue(t.Context(), w.Clerk, i.Certificate.ID, "lost"); err != nil || len(again.Certificate.Doses) != 1 {
			t.Errorf("ok/made again: %v", err)
		}
	})
}

// Who contradicts the entries is for an approver to choose, and a protected one is
// not even shown to a clerk.
func TestChooseWeighs(t *testing.T) {
	world.Each(t, func(t *testing.T, w *world.World) {
		namesake(t, w, "protected")
		choices := func(by actor.Actor, id string) []application.Choice {
			x, err := w.Applications.Examine(t.Context(), by, id)
			if err != nil {
				t.Fatal(err)
			}
			return x.Choices
		}
		a := held(t, w, unnumbered)
		for by, want := range map[office.Role]bool{office.Clerk: true, office.Officer: false} {
			list := choices(may(w.Clerk, by), a.ID)
			if len(list) != 2 || slices.ContainsFunc(list, func(c application.Choice) bool { return c.Withheld }) != want {
				t.Errorf("ok/protected, to %s: %d", by, len(list))
			}
		}
		for _, c := range choices(w.Officer, a.ID) {
			protected := c.Answer.Person.Subject.Status == vaccination.Protected
			v := application.Verdict{Outcome: "approve", Reason: "確認", Candidate: c.Answer.Mark()}
			if protected {
				if _, err := w.Applications.Decide(t.Context(), w.Clerk, a.ID, v); key(err) != "override" {
					t.Errorf("error/a clerk chooses a protected person: %v", err)
				}
			}
		}
		// The ticket of one and the name of another: both contradict something.
		mixed := held(t, w, func(f *application.Form) { f.Subject.Ticket = "0000000002" })
		list := choices(w.Clerk, mixed.ID)
		if len(list) < 2 {
			t.Fatalf("mixed: %v %d", mixed.Record.Outcome, len(list))
		}
		for _, c := range list {
			if c.Withheld {
				continue
			}
			v := application.Verdict{Outcome: "approve", Reason: "確認", Candidate: c.Answer.Mark()}
			if _, err := w.Applications.Decide(t.Context(), w.Clerk, mixed.ID, v); key(err) != "override" {
				t.Errorf("error/a clerk chooses who contradicts: %v %v", err, c.Reasons)
			}
		}
	})
}

// a record is shown to whoever works on the application, while it is of use.
func TestExamine(t *testing.T) {
	world.Each(t, func(t *testing.T, w *world.World) {
		asked := func(by actor.Actor, id string) application.Examination {
			t.Helper()
			x, err := w.Applications.Examine(t.Context(), by, id)
			if err != nil {
				t.Fatal(err)
			}
			return x
		}
		a := held(t, w, func(*application.Form) {})
		if x := asked(w.Clerk, a.ID); !x.Asked || len(x.Answer.Doses) != 3 || x.Changed || x.Withheld {
			t.Errorf("ok/found: %+v", x)
		}
		if x := asked(may(w.Clerk, office.Auditor), a.ID); x.Asked || len(x.Answer.Doses) != 0 {
			t.Error("error/an auditor sees doses")
		}
		if _, _, err := w.Issuance.Issue(t.Context(), w.Clerk, a.ID); err != nil {
			t.Fatal(err)
		}
		if x := asked(w.Clerk, a.ID); !x.Asked {
			t.Error("ok/issued, may be made again")
		}
		w.Bring(t, vaccination.Records, []byte(recordColumns+"900001,0000000001,4,2022-09-05,モデルナ,スパイクバックス,900099A,架空県証市保健センター,,ledger,9,covid19\n"))
		if x := asked(w.Clerk, a.ID); !x.Changed || len(x.Answer.Doses) != 4 {
			t.Error("ok/a dose more is told")
		}
		b := held(t, w, func(*application.Form) {})
		if _, err := w.Applications.Withdraw(t.Context(), w.Clerk, b.ID); err != nil {
			t.Fatal(err)
		}
		if asked(w.Clerk, b.ID).Asked {
			t.Error("error/asked for what was withdrawn")
		}
		hidden := held(t, w, func(f *application.Form) {
			f.Subject = application.Subject{Ticket: "0000000006", Name: certificate.Name{Family: "森", Given: "千尋"}, BirthDate: "1995-04-21"}
		})
		if !asked(w.Clerk, hidden.ID).Withheld || asked(w.Officer, hidden.ID).Withheld {
			t.Error("error/protected")
		}
		none := held(t, w, func(f *application.Form) { f.Subject.Ticket, f.Subject.Name.Family = "0000099999", "誰" })
		if asked(w.Clerk, none.ID).Asked {
			t.Error("error/asked where nothing was found")
		}
		other := w.Clerk
		other.Office = "900010"
		if _, err := w.Applications.Examine(t.Context(), other, a.ID); fault.CodeOf(err) != fault.NotFound {
			t.Error("error/another office")
		}
	})
}

// An application that is held is corrected as long as nothing was made of it, and
// whoever has to act is named.
func TestWaiting(t *testing.T) {
	world.Each(t, func(t *testing.T, w *world.World) {
		review := held(t, w, func(f *application.Form) { f.Subject.Former = "古川" })
		approver := held(t, w, func(f *application.Form) {
			f.Subject = application.Subject{Ticket: "0000000003", Name: certificate.Name{Family: "髙橋", Given: "一郎"}, BirthDate: "1984-06-30"}
		})
		held(t, w, func(f *application.Form) {
			f.Applicant = application.Applicant{Relationship: application.Parent, Name: certificate.Name{Family: "桜井", Given: "薫"}}
		})
		held(t, w, func(*application.Form) {}) // approved: waits for nobody's judgement
		list, err := w.Applications.List(t.Context(), w.Clerk, application.Filter{States: application.Waiting(), Oldest: true, Limit: 10})
		var got []application.Party
		for _, a := range list {
			got = append(got, a.WaitsFor())
		}
		if err != nil || !slices.Equal(got, []application.Party{application.ByClerk, application.ByApprover, application.ByApplicant}) {
			t.Errorf("ok/oldest first: %v %v", got, err)
		}
		if next, err := w.Applications.List(t.Context(), w.Clerk, application.Filter{States: application.Waiting(), Oldest: true, After: review.ID, Limit: 1}); err != nil || len(next) != 1 || next[0].ID != approver.ID {
			t.Errorf("ok/next page: %v", err)
		}
		f := review.Form
		f.Subject.Former = ""
		if a, err := w.Applications.Answer(t.Context(), w.Clerk, review.ID, f, review.Version); err != nil || a.State != application.Approved {
			t.Errorf("ok/held, corrected: %v %v", a.State, err)
		}
		if !application.Approved.Correctable() || application.Fulfilled.Correctable() || application.Rejected.Correctable() {
			t.Error("error/what may be corrected")
		}
	})
}
