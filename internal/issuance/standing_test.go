package issuance_test

import (
	"strings"
	"testing"

	"akashi/certificate"
	"akashi/internal/application"
	"akashi/internal/fault"
	"akashi/internal/issuance"
	"akashi/internal/testkit/world"
)

// A preview names the valid certificates of the same kind, holder and passport that the new
// one would stand beside, so that a clerk can print or make one of them again instead
// (certificate-japan.md 7: whether one was issued before); nobody is kept from another.
func TestStanding(t *testing.T) {
	world.Each(t, func(t *testing.T, w *world.World) {
		ctx := t.Context()
		beside := func(f application.Form) (ids []string) {
			p, err := w.Issuance.Preview(ctx, w.Clerk, w.ApprovedForm(t, f))
			if err != nil {
				t.Fatal(err)
			}
			for _, s := range p.Standing {
				if s.IssuedOn != w.Clock.Today() {
					t.Errorf("ok/issued on %s", s.IssuedOn)
				}
				ids = append(ids, s.ID)
			}
			return ids
		}
		issued := func(f application.Form) issuance.Issue {
			i, _, err := w.Issuance.Issue(ctx, w.Clerk, w.ApprovedForm(t, f))
			if err != nil {
				t.Fatal(err)
			}
			return i
		}
		travel := world.Form(certificate.Travel)
		renewed := world.Form(certificate.Travel) // with a new passport
		renewed.Passport.Zone = application.NewZone(strings.Split(world.Zone, "\n")[0] + "\nTK00000999JPN9102181F3206308<<<<<<<<<<<<<<08")
		if got := beside(travel); len(got) != 0 {
			t.Errorf("ok/the first: %v", got)
		}
		first := issued(travel)
		if got := beside(travel); len(got) != 1 || got[0] != first.Certificate.ID {
			t.Errorf("ok/the second: %v", got)
		}
		for name, f := range map[string]application.Form{"another kind": world.Form(certificate.Domestic), "another passport": renewed} {
			if got := beside(f); len(got) != 0 {
				t.Errorf("error/%s: %v", name, got)
			}
		}
		domestic := issued(world.Form(certificate.Domestic))
		if got := beside(world.Form(certificate.Domestic)); len(got) != 1 || got[0] != domestic.Certificate.ID {
			t.Errorf("ok/domestic: %v", got)
		}
		second := issued(travel) // an API that says no reason is not kept from it
		if got := beside(travel); len(got) != 2 || got[0] != second.Certificate.ID || got[1] != first.Certificate.ID {
			t.Errorf("ok/two: %v", got)
		}
		anew, err := w.Issuance.Reissue(ctx, w.Clerk, first.Certificate.ID, "lost")
		if err != nil {
			t.Fatal(err)
		}
		if _, err := w.Issuance.Revoke(ctx, w.Officer, second.Certificate.ID, "fraud"); err != nil {
			t.Fatal(err)
		}
		if got := beside(travel); len(got) != 1 || got[0] != anew.Certificate.ID {
			t.Errorf("error/ended ones count: %v", got)
		}
	})
}

// The reason is kept with the application and logged as a code; checking anew forgets it.
func TestJustify(t *testing.T) {
	world.Each(t, func(t *testing.T, w *world.World) {
		ctx := t.Context()
		id := w.Approved(t, certificate.Travel)
		if _, err := w.Applications.Justify(ctx, w.Clerk, id, "桜井さんの希望", 0); fault.CodeOf(err) != fault.Invalid {
			t.Errorf("error/words of one's own: %v", err)
		}
		app, err := w.Applications.Justify(ctx, w.Clerk, id, "several_places", 0)
		if err != nil || app.Another != "several_places" {
			t.Fatalf("ok/kept: %v %q", err, app.Another)
		}
		if _, err := w.Applications.Justify(ctx, w.Clerk, id, "wish", app.Version-1); fault.CodeOf(err) != fault.Conflict {
			t.Errorf("error/another version: %v", err)
		}
		if app, err = w.Applications.Get(ctx, w.Clerk, id); err != nil || app.Another != "several_places" {
			t.Errorf("ok/read again: %v %q", err, app.Another)
		}
		if app, err = w.Applications.Submit(ctx, w.Clerk, id); err != nil || app.Another != "" || app.State != application.Approved {
			t.Errorf("ok/checked anew: %v %q", err, app.Another)
		}
		if _, _, err := w.Issuance.Issue(ctx, w.Clerk, id); err != nil {
			t.Fatal(err)
		}
		if _, err := w.Applications.Justify(ctx, w.Clerk, id, "wish", 0); fault.CodeOf(err) != fault.Conflict {
			t.Errorf("error/after it was issued: %v", err)
		}
	})
}
