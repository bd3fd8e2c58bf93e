package issuance_test

import (
	"context"
	"encoding/json"
	"errors"
	"slices"
	"testing"
	"time"

	"akashi/certificate"
	"akashi/internal/application"
	"akashi/internal/audit"
	"akashi/internal/fault"
	"akashi/internal/issuance"
	"akashi/internal/testkit/world"
)

// full is a log without room for entries.
type full struct{ audit.Book }

func (f full) Act(ctx context.Context, office string, fn func(context.Context) ([]audit.Record, *audit.Once, error)) error {
	return f.Book.Act(ctx, office, func(ctx context.Context) ([]audit.Record, *audit.Once, error) {
		_, _, err := fn(ctx)
		return nil, nil, errors.Join(err, errFull)
	})
}

var errFull = fault.New(fault.Unavailable, "log", "")

// entries are those about an object, as "action result", without those of applications.
func entries(t *testing.T, w *world.World, object string) (list []string) {
	t.Helper()
	found, err := w.Store.(logReader).LogEntries(t.Context(), w.Clerk.Office, object)
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range found {
		var r struct{ Action, Result string }
		if err := json.Unmarshal(e, &r); err != nil {
			t.Fatal(err)
		}
		if r.Action[:len("certificate")] == "certificate" {
			list = append(list, r.Action+" "+r.Result)
		}
	}
	return list
}

// S-083, S-084: nobody is looked at without an entry, whatever becomes of the issue,
// and without a log there is neither a certificate nor an answer.
func TestLookIsLogged(t *testing.T) {
	world.Each(t, func(t *testing.T, w *world.World) {
		issue := func(id string) error {
			i, made, err := w.Issuance.Issue(t.Context(), w.Clerk, id)
			if err != nil && (made || i.Certificate.ID != "" || i.Certificate.Subject.Name.Family != "") {
				t.Errorf("error/%v: an answer comes with it", err)
			}
			return err
		}
		id := w.Approved(t, certificate.Travel)
		log := w.Issuance.Log
		w.Issuance.Log = &audit.Log{Book: full{log.Book}, Clock: log.Clock, IDs: log.IDs}
		err := issue(id)
		w.Issuance.Log = log
		if list := certificates(t, w, id); !errors.Is(err, errFull) || len(list) != 0 {
			t.Errorf("error/no log: %v, %d certificates", err, len(list))
		}
		w.Issuance.Clock = func() time.Time { return time.Now().AddDate(20, 0, 0) } // no passport is valid then
		if err := issue(id); fault.CodeOf(err) != fault.Invalid {
			t.Errorf("error/no passport: %v", err)
		}
		w.Issuance.Clock = nil
		if got := entries(t, w, id); !slices.Equal(got, []string{"certificate.compose ok", "certificate.prepare invalid:content"}) {
			t.Errorf("error/no passport: %v", got)
		}
		if err := issue(id); err != nil {
			t.Fatal(err)
		}
		w.Issuance.Log = &audit.Log{Book: full{log.Book}, Clock: log.Clock, IDs: log.IDs}
		if err := issue(id); !errors.Is(err, errFull) { // the certificate that there is
			t.Errorf("error/no log, live: %v", err)
		}
		w.Issuance.Log = log
		if _, err := w.Issuance.Reissue(t.Context(), w.Clerk, certificates(t, w, id)[0].Certificate.ID, "lost"); err != nil {
			t.Errorf("ok/made again: %v", err)
		}
	})
}

// What happens to an application between look and intent, and between intent and
// commit, decides.
func TestChangedMeanwhile(t *testing.T) {
	world.Each(t, func(t *testing.T, w *world.World) {
		issueAt := func(point string, then func(id string) error) (string, error) {
			id := w.Approved(t, certificate.Domestic)
			once := true
			w.Issuance.Point = func(name string) {
				if name == point && once {
					once = false
					if err := then(id); err != nil {
						t.Error(err)
					}
				}
			}
			_, _, err := w.Issuance.Issue(t.Context(), w.Clerk, id)
			w.Issuance.Point = nil
			return id, err
		}
		withdraw := func(id string) error { _, err := w.Applications.Withdraw(t.Context(), w.Clerk, id); return err }
		again := func(id string) error { _, err := w.Applications.Submit(t.Context(), w.Clerk, id); return err }
		var f *fault.Error

		id, err := issueAt("before_intent", withdraw)
		want := []string{"certificate.compose ok", "certificate.prepare conflict:version", "certificate.compose conflict:not_approved"}
		if got := entries(t, w, id); !errors.As(err, &f) || f.Key != "not_approved" || len(certificates(t, w, id)) != 0 || !slices.Equal(got[:1], want[:1]) || got[len(got)-1] != want[2] {
			t.Errorf("error/withdrawn before the intent: %v %v", err, got)
		}
		id, err = issueAt("checked", withdraw)
		if list := certificates(t, w, id); err == nil || len(list) != 1 || list[0].State != issuance.Failed {
			t.Errorf("error/withdrawn before the commit: %v %+v", err, list)
		}
		for _, point := range []string{"before_intent", "checked"} {
			id, err = issueAt(point, again)
			list := certificates(t, w, id)
			if err != nil || len(list) != 1 || list[0].State != issuance.Issued {
				t.Errorf("ok/checked again at %s: %v %+v", point, err, list)
			}
			if a, err := w.Applications.Get(t.Context(), w.Clerk, id); err != nil || a.State != application.Fulfilled {
				t.Errorf("ok/checked again at %s: %s %v", point, a.State, err)
			}
		}
	})
}
