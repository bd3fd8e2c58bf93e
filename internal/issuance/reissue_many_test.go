package issuance_test

import (
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"akashi/certificate"
	"akashi/internal/actor"
	"akashi/internal/clock"
	"akashi/internal/fault"
	"akashi/internal/issuance"
	"akashi/internal/office"
	"akashi/internal/testkit/world"
	"akashi/internal/vaccination"
)

// approvers are two who may ask for acts on many certificates and start them.
func approvers(t *testing.T, w *world.World) (one, two actor.Actor) {
	t.Helper()
	as := func(name string) actor.Actor {
		return w.Person(t, w.Clerk.Office+"-"+name, office.Approver).Actor(actor.Operate, "test", "", w.Clock.Now())
	}
	return as("approver1"), as("approver2")
}

// issuedTo is a certificate of a sample person.
func issuedTo(t *testing.T, w *world.World, kind certificate.Kind, change ...string) issuance.Issue {
	t.Helper()
	form := world.Form(kind)
	if len(change) > 0 {
		form.Subject.Ticket, form.Subject.Name.Family, form.Subject.Name.Given, form.Subject.BirthDate = change[0], change[1], change[2], clock.Date(change[3])
	}
	app, err := w.Applications.Create(t.Context(), w.Clerk, form, nil)
	if err == nil {
		app, err = w.Applications.Submit(t.Context(), w.Clerk, app.ID)
	}
	if err != nil {
		t.Fatal(err)
	}
	i, _, err := w.Issuance.Issue(t.Context(), w.Clerk, app.ID)
	if err != nil {
		t.Fatal(app.State, app.Reasons, err)
	}
	return i
}

// stateOf reads a certificate as an officer sees it.
func stateOf(t *testing.T, w *world.World, id string) issuance.Issue {
	t.Helper()
	i, err := w.Issuance.Get(t.Context(), w.Officer, id)
	if err != nil {
		t.Fatal(err)
	}
	return i
}

// S-068, S-029: many certificates are made again by the same mechanism as they are
// revoked. One that was revoked for its key is among them and stays revoked; one that
// ended otherwise is not made again; what only a person can decide is left with its code,
// at the first try, and done when it can be.
func TestReissueMany(t *testing.T) {
	world.Each(t, func(t *testing.T, w *world.World) {
		ctx, s := t.Context(), w.Reissues
		one, two := approvers(t, w)
		plain, compromised, fraud := issuedTo(t, w, certificate.Domestic), issuedTo(t, w, certificate.Domestic), issuedTo(t, w, certificate.Domestic)
		ends, again := issuedTo(t, w, certificate.Domestic), issuedTo(t, w, certificate.Domestic)
		travel := issuedTo(t, w, certificate.Travel)
		erased := issuedTo(t, w, certificate.Domestic, "0000000002", "見本", "太郎", "1958-11-03")
		protected := issuedTo(t, w, certificate.Domestic, "0000000004", "𠮷野", "花子", "1949-01-08")
		for i, reason := range map[string]string{compromised.Certificate.ID: issuance.KeyCompromised, fraud.Certificate.ID: "fraud"} {
			if _, err := w.Issuance.Revoke(ctx, w.Officer, i, reason); err != nil {
				t.Fatal(err)
			}
		}
		key := plain.Payloads[0].KeyID
		if _, err := s.Ask(ctx, one, issuance.Selection{Key: key}, issuance.KeyCompromised, nil); !errors.Is(err, fault.New(fault.Conflict, "key_state", "")) {
			t.Errorf("error/its key signs still: %v", err)
		}
		wanted := issuance.Selection{Clerk: w.Clerk.Person}
		if n, err := s.Select(ctx, one, wanted); err != nil || n != 7 {
			t.Errorf("ok/counted: %d %v", n, err)
		}
		if _, err := s.Ask(ctx, one, wanted, "fraud", nil); fault.CodeOf(err) != fault.Invalid {
			t.Errorf("error/no reason to make again: %v", err)
		}
		if _, err := s.Ask(ctx, w.Clerk, wanted, issuance.KeyCompromised, nil); fault.CodeOf(err) != fault.Forbidden {
			t.Errorf("error/a clerk asks: %v", err)
		}
		r, err := s.Ask(ctx, one, wanted, issuance.KeyCompromised, nil)
		if err != nil || r.Count != 7 {
			t.Fatalf("ok/asked: %+v %v", r, err)
		}
		if n, err := s.Step(ctx, 100); n != 0 || err != nil {
			t.Errorf("error/nobody approved: %d %v", n, err)
		}
		if _, err := s.Start(ctx, one, r.ID); !errors.Is(err, fault.New(fault.Forbidden, "second_person", "")) {
			t.Errorf("error/started by the same: %v", err)
		}
		if _, err := w.Revocations.Start(ctx, two, r.ID); fault.CodeOf(err) != fault.NotFound {
			t.Errorf("error/started as a revocation: %v", err)
		}
		if _, err := s.Start(ctx, two, r.ID); err != nil {
			t.Fatal(err)
		}
		if n, err := w.Revocations.Step(ctx, 100); n != 0 || err != nil {
			t.Errorf("error/revoked: %d %v", n, err)
		}

		// Meanwhile one ends, one is made again at the counter, a person is erased, another
		// protected, and a passport expires.
		if _, err := w.Issuance.Revoke(ctx, w.Officer, ends.Certificate.ID, "fraud"); err != nil {
			t.Fatal(err)
		}
		if _, err := w.Issuance.Reissue(ctx, w.Officer, again.Certificate.ID, "lost"); err != nil {
			t.Fatal(err)
		}
		app, err := w.Applications.Get(ctx, w.Clerk, erased.ApplicationID)
		if err != nil {
			t.Fatal(err)
		}
		w.Approve(t, office.Erase, app.Record.PersonID)
		operator := actor.Actor{Office: w.Clerk.Office, Person: "job:test", Purpose: actor.Operate, Permissions: map[string]bool{string(office.CarryOutErasure): true}}
		if _, err := w.Custody.Erase(ctx, operator, app.Record.PersonID); err != nil {
			t.Fatal(err)
		}
		status := func(status string) {
			w.Bring(t, vaccination.Subjects, []byte("municipality_code,ticket_number,atena_number,family_name,given_name,family_kana,given_kana,birth_date,sex,status,status_date\n"+
				"900001,0000000004,100004,𠮷野,花子,ヨシノ,ハナコ,1949-01-08,2,"+status+",2026-11-01\n"))
		}
		status("protected")
		now := w.Applications.Clock
		w.Applications.Clock = func() time.Time { return time.Date(2033, 1, 1, 0, 0, 0, 0, time.UTC) }

		if n, err := s.Step(ctx, 100); n != 4 || err == nil {
			t.Errorf("ok/step: %d %v", n, err)
		}
		if n, err := s.Step(ctx, 100); n != 0 || err != nil {
			t.Errorf("error/tried though only a person can help: %d %v", n, err)
		}
		got, err := s.Get(ctx, two, r.ID)
		if err != nil || got.Done != 4 || got.Changed != 3 || got.Failed != 3 || got.Superseded != 0 {
			t.Errorf("ok/progress: %+v %v", got, err)
		}
		left := map[string]string{erased.Certificate.ID: "not_found:erased", protected.Certificate.ID: "conflict:needs_decision"}
		for _, f := range got.Failures {
			if want, ok := left[f.CertificateID]; ok && f.Fault != want || !ok && (f.CertificateID != travel.Certificate.ID || !strings.HasPrefix(f.Fault, "conflict:")) {
				t.Errorf("ok/left for a person: %+v", f)
			}
		}
		if i := stateOf(t, w, compromised.Certificate.ID); i.State != issuance.Revoked || i.Reason != issuance.KeyCompromised || i.SupersededBy == "" {
			t.Errorf("ok/stays revoked, with a newer one: %+v", i)
		} else if made := stateOf(t, w, i.SupersededBy); made.State != issuance.Issued || made.Certificate.Supersedes != i.Certificate.ID {
			t.Errorf("ok/the newer one: %+v", made)
		}
		if _, err := w.Issuance.Reissue(ctx, w.Officer, compromised.Certificate.ID, "lost"); fault.CodeOf(err) != fault.Conflict {
			t.Errorf("error/made again twice: %v", err)
		}
		if i := stateOf(t, w, ends.Certificate.ID); i.State != issuance.Revoked || i.SupersededBy != "" {
			t.Errorf("error/made again though revoked for fraud: %+v", i)
		}

		// A person has decided: what is left is tried again.
		w.Applications.Clock = now
		status("resident")
		if _, err := s.Start(ctx, one, r.ID); err != nil {
			t.Fatal(err)
		}
		if n, err := s.Step(ctx, 100); n != 2 || err == nil {
			t.Errorf("ok/tried again: %d %v", n, err)
		}
		got, err = s.Get(ctx, two, r.ID)
		if err != nil || got.Done != 6 || got.Changed != 5 || !slices.Equal(got.Failures, []issuance.Failure{{CertificateID: erased.Certificate.ID, Fault: "not_found:erased"}}) {
			t.Errorf("ok/the erased one is left: %+v %v", got, err)
		}
		oneLive(t, w, plain, compromised, again, travel, protected)
		for _, none := range []issuance.Issue{fraud, ends} {
			if live := liveOf(t, w, none.ApplicationID); len(live) != 0 {
				t.Errorf("error/live: %v", live)
			}
		}
		if n, err := s.Select(ctx, one, wanted); err != nil || n != 1 { // of the clerk's, that of the erased
			t.Errorf("ok/left to be made again: %d %v", n, err)
		}
	})
}

func liveOf(t *testing.T, w *world.World, application string) (ids []string) {
	t.Helper()
	for _, i := range certificates(t, w, application) {
		if i.State == issuance.Issued {
			ids = append(ids, i.Certificate.ID)
		}
	}
	return ids
}

// oneLive demands that each application has one live certificate, which is not that one.
func oneLive(t *testing.T, w *world.World, old ...issuance.Issue) {
	t.Helper()
	for _, o := range old {
		if live := liveOf(t, w, o.ApplicationID); len(live) != 1 || live[0] == o.Certificate.ID {
			t.Errorf("%s: live are %v", o.Certificate.ID, live)
		}
	}
}

// S-060, S-068: a run that makes certificates again goes on after kill -9 at every named
// point: each is made once, and what was made before the death counts.
func TestKillReissueMany(t *testing.T) {
	world.Each(t, func(t *testing.T, w *world.World) {
		ctx, s := t.Context(), w.Reissues
		one, two := approvers(t, w)
		var old []issuance.Issue
		for range points {
			old = append(old, issuedTo(t, w, certificate.Domestic))
		}
		r, err := s.Ask(ctx, one, issuance.Selection{Clerk: w.Clerk.Person}, "correction", nil)
		if err == nil {
			_, err = s.Start(ctx, two, r.ID)
		}
		if err != nil {
			t.Fatal(err)
		}
		for _, point := range points {
			out, err := childOf(w, reissueStep, point).CombinedOutput()
			if err == nil || !strings.Contains(err.Error(), "killed") {
				t.Fatalf("%s: the child was not killed: %v %s", point, err, out)
			}
			n, err := s.Step(ctx, 1)
			if n == 0 && err == nil { // an open intent is waited for
				if _, err = w.Issuance.Recover(ctx, 0); err == nil {
					n, err = s.Step(ctx, 1)
				}
			}
			if n != 1 || err != nil {
				t.Errorf("%s: went on with %d: %v", point, n, err)
			}
		}
		if n, err := s.Step(ctx, 100); n != 0 || err != nil {
			t.Errorf("error/done twice: %d %v", n, err)
		}
		got, err := s.Get(ctx, two, r.ID)
		if err != nil || got.Done != len(old) || got.Changed != len(old) || got.Failed != 0 {
			t.Errorf("ok/all: %+v %v", got, err)
		}
		oneLive(t, w, old...)
		for _, o := range old {
			all := certificates(t, w, o.ApplicationID)
			if len(all) != 2 {
				t.Errorf("%s: %d certificates", o.Certificate.ID, len(all))
			}
		}
	})
}

// Spec who-icvp-gdhcn, 4, with S-029: what expires is selected by the day, counted, and made again by two people.
func TestRenewMany(t *testing.T) {
	world.Each(t, func(t *testing.T, w *world.World) {
		ctx, s := t.Context(), w.Reissues
		one, two := approvers(t, w)
		w.BringInternational(t)
		i, _, err := w.Issuance.Issue(ctx, w.Clerk, w.Approved(t, certificate.International))
		if err != nil {
			t.Fatal(err)
		}
		lasting := issuedTo(t, w, certificate.Domestic) // its codes do not expire
		end := clock.DateOf(i.RenewBy)
		for name, c := range map[string]struct {
			until clock.Date
			want  int
		}{"the day before": {end.AddDays(-1), 0}, "that day": {end, 1}, "in a hundred years": {end.AddDays(36500), 1}} {
			if n, err := s.Select(ctx, one, issuance.Selection{Expires: c.until}); err != nil || n != c.want {
				t.Errorf("ok/%s: %d %v", name, n, err)
			}
		}
		if _, err := s.Select(ctx, one, issuance.Selection{Expires: "2027"}); !errors.Is(err, fault.New(fault.Invalid, "date", "expires_until")) {
			t.Errorf("error/no day: %v", err)
		}
		r, err := s.Ask(ctx, one, issuance.Selection{Expires: end}, issuance.Renewal, nil)
		if err != nil || r.Count != 1 {
			t.Fatal(r.Count, err)
		}
		if _, err := s.Start(ctx, one, r.ID); !errors.Is(err, fault.New(fault.Forbidden, "second_person", "")) {
			t.Errorf("error/the same person: %v", err)
		}
		if _, err := s.Start(ctx, two, r.ID); err != nil {
			t.Fatal(err)
		}
		if n, err := s.Step(ctx, 10); n != 1 || err != nil {
			t.Errorf("ok/made again: %d %v", n, err)
		}
		old, kept := stateOf(t, w, i.Certificate.ID), stateOf(t, w, lasting.Certificate.ID)
		if renewed := stateOf(t, w, old.SupersededBy); old.State != issuance.Superseded || renewed.Cause != issuance.Renewal || kept.State != issuance.Issued {
			t.Errorf("ok/superseded: %s by %q for %q, other %s", old.State, old.SupersededBy, renewed.Cause, kept.State)
		}
		if got, err := s.Get(ctx, one, r.ID); err != nil || got.Selection.Expires != end || got.Changed != 1 {
			t.Errorf("ok/told: %+v %v", got.Selection, err)
		}
	})
}
