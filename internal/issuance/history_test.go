package issuance_test

import (
	"errors"
	"slices"
	"testing"

	"akashi/certificate"
	"akashi/internal/fault"
	"akashi/internal/issuance"
	"akashi/internal/testkit/world"
	"akashi/internal/vaccination"
)

// Issue 6, section 1: when the record of a person was corrected, the affected
// certificates are told, with the reason to make each again; the history has every
// version of that person and nobody else's.
func TestHistory(t *testing.T) {
	world.Each(t, func(t *testing.T, w *world.World) {
		ctx := t.Context()
		issue := func(kind certificate.Kind) issuance.Issue {
			t.Helper()
			i, _, err := w.Issuance.Issue(ctx, w.Clerk, w.Approved(t, kind))
			if err != nil {
				t.Fatal(err)
			}
			return i
		}
		read := func(application string) issuance.History {
			t.Helper()
			h, err := w.Issuance.History(ctx, w.Clerk, application)
			if err != nil || !h.Asked {
				t.Fatalf("%+v %v", h.Asked, err)
			}
			return h
		}
		first := issue(certificate.Domestic)
		second, err := w.Issuance.Reissue(ctx, w.Clerk, first.Certificate.ID, "lost")
		if err != nil {
			t.Fatal(err)
		}
		travel := issue(certificate.Travel) // by another application
		h := read(first.ApplicationID)
		var ids, causes []string
		for _, v := range h.Versions {
			ids, causes = append(ids, v.Certificate.ID), append(causes, v.Issue.Cause)
			if len(v.Changes) != 0 || v.Corrected || v.Cause() != "" {
				t.Errorf("ok/nothing changed: %v", v.Changes)
			}
		}
		if !slices.Equal(ids, []string{travel.Certificate.ID, second.Certificate.ID, first.Certificate.ID}) || !slices.Equal(causes, []string{"", "lost", ""}) {
			t.Errorf("ok/every version: %v %q", ids, causes)
		}
		if h.Versions[2].State != issuance.Superseded || h.Versions[2].SupersededBy != second.Certificate.ID {
			t.Errorf("ok/chain: %+v", h.Versions[2].State)
		}

		corrected := func() (ids []string) {
			list, err := w.Issuance.List(ctx, w.Clerk, issuance.Filter{Corrected: true, Limit: 10})
			if err != nil {
				t.Fatal(err)
			}
			for _, i := range list {
				ids = append(ids, i.Certificate.ID)
				if !i.Corrected {
					t.Errorf("error/%s is not said to be corrected", i.Certificate.ID)
				}
			}
			return ids
		}
		if n := corrected(); len(n) != 0 {
			t.Errorf("ok/none corrected: %v", n)
		}
		w.Bring(t, vaccination.Records, []byte(recordsHeader+"900001,0000000001,3,2022-02-14,モデルナ,スパイクバックス,900013A,架空県証市保健センター,,ledger,3,covid19\n"))
		if got := corrected(); !slices.Equal(got, []string{travel.Certificate.ID, second.Certificate.ID}) { // not the superseded one
			t.Errorf("ok/corrected: %v", got)
		}
		if i, err := w.Issuance.Get(ctx, w.Clerk, second.Certificate.ID); err != nil || !i.Corrected || i.Cause != "lost" {
			t.Errorf("ok/read alone: %v %v", i.Corrected, err)
		}
		for _, v := range read(travel.ApplicationID).Versions {
			if v.State == issuance.Issued && (!slices.Equal(v.Changes, []issuance.Change{issuance.DoseCorrected}) || v.Cause() != "correction") {
				t.Errorf("ok/corrected dose: %v %q", v.Changes, v.Cause())
			}
		}
		third, err := w.Issuance.Reissue(ctx, w.Clerk, second.Certificate.ID, "correction")
		if err != nil || third.Certificate.Doses[2].Lot != "900013A" {
			t.Fatalf("ok/made again: %v", err)
		}
		if got := corrected(); !slices.Equal(got, []string{travel.Certificate.ID}) {
			t.Errorf("ok/one is left: %v", got)
		}
		// A name and a dose more; the new name and the new dose are told together.
		w.Bring(t, vaccination.Subjects, []byte("municipality_code,ticket_number,atena_number,family_name,given_name,family_kana,given_kana,birth_date,sex,status,status_date\n"+
			"900001,0000000001,100001,桜田,澪,サクライ,ミオ,1991-02-18,2,resident,\n"))
		w.Bring(t, vaccination.Records, []byte(recordsHeader+"900001,0000000001,4,2022-09-05,モデルナ,スパイクバックス,900099A,架空県証市保健センター,,ledger,9,covid19\n"))
		v := read(first.ApplicationID).Versions
		at := slices.IndexFunc(v, func(v issuance.Version) bool { return v.Certificate.ID == third.Certificate.ID })
		if !slices.Equal(v[at].Changes, []issuance.Change{issuance.NewName, issuance.DoseAdded}) || len(v[at].Held) == 0 || v[at].Cause() != "" { // the name that was handed in is not the registered one
			t.Errorf("ok/name and dose: %v %q", v[at].Changes, v[at].Cause())
		}
		// The household's own, and another office.
		kin := w.Clerk
		kin.Kin = []string{mustPerson(t, w, first.ApplicationID)}
		if _, err := w.Issuance.History(ctx, kin, first.ApplicationID); keyOf(err) != "own_case" {
			t.Errorf("error/own household: %v", err)
		}
		other := w.Clerk
		other.Office = "900010"
		if _, err := w.Issuance.History(ctx, other, first.ApplicationID); fault.CodeOf(err) != fault.NotFound {
			t.Errorf("error/another office: %v", err)
		}
	})
}

func keyOf(err error) string {
	var f *fault.Error
	if errors.As(err, &f) {
		return f.Key
	}
	return ""
}

func mustPerson(t *testing.T, w *world.World, application string) string {
	t.Helper()
	a, err := w.Applications.Get(t.Context(), w.Clerk, application)
	if err != nil {
		t.Fatal(err)
	}
	return a.Record.PersonID
}
