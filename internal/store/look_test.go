package store

import (
	"context"
	"errors"
	"slices"
	"testing"
	"time"

	"akashi/certificate"
	"akashi/internal/application"
	"akashi/internal/audit"
	"akashi/internal/fault"
	"akashi/internal/idgen"
	"akashi/internal/issuance"
	"akashi/internal/vaccination"
	"akashi/signing"
)

// see reads in a look of the office and ends it.
func (f *fixture) see(t *testing.T, code string, read func(ctx context.Context) error) error {
	t.Helper()
	return f.log.Look(t.Context(), who(code), audit.Entry{Action: "look"},
		func(ctx context.Context, _ *audit.Entry) error { return read(ctx) }, func(context.Context) error { return nil })
}

// approved stores an application decided for whom a ticket is of.
func (f *fixture) approved(t *testing.T, ticket string) *application.Application {
	t.Helper()
	p := f.find(t, ticket)[0]
	a := &application.Application{
		Office: here, ID: idgen.Gen{}.Row(), State: application.Approved, Record: application.Record{PersonID: p.ID},
		Form: application.Form{Kind: certificate.Domestic, Subject: application.Subject{Ticket: ticket}},
	}
	if err := f.act(t, here, func(ctx context.Context) error { return f.CreateApplication(ctx, a) }); err != nil {
		t.Fatal(err)
	}
	return a
}

// S-083: in a look nothing can be written, nobody of another office be seen, and
// after it nobody at all.
func TestLook(t *testing.T) {
	each(t, func(t *testing.T, f *fixture) {
		f.bring(t, vaccination.Subjects, sample(t, "subjects.csv"))
		a := f.approved(t, "0000000001")
		before := f.rows(t, here, "log")
		err := f.see(t, here, func(ctx context.Context) error {
			if _, err := f.NewPersonKey(ctx, here); !errors.Is(err, ErrNoAct) {
				t.Errorf("error/writing: %v", err)
			}
			if err := f.SaveApplication(ctx, a); !errors.Is(err, ErrNoAct) {
				t.Errorf("error/saving: %v", err)
			}
			if _, err := f.Application(ctx, there, a.ID); !errors.Is(err, ErrOtherOffice) {
				t.Errorf("error/another office: %v", err)
			}
			if _, err := f.Look(ctx, there, func(ctx context.Context) error { _, err := f.Application(ctx, here, a.ID); return err }); !errors.Is(err, ErrOtherOffice) {
				t.Errorf("error/from another office: %v", err)
			}
			_, err := f.Application(ctx, here, a.ID)
			return err
		})
		if err != nil || f.rows(t, here, "log") != before+1 || f.rows(t, here, "person_keys") == 0 {
			t.Errorf("ok/seen: %v, %d entries", err, f.rows(t, here, "log")-before)
		}
		if err := f.act(t, here, func(ctx context.Context) error {
			_, err := f.Look(ctx, here, func(context.Context) error { return nil })
			return err
		}); !errors.Is(err, ErrNested) {
			t.Errorf("error/within an act: %v", err)
		}
		after, err := f.Look(t.Context(), here, func(context.Context) error { return nil })
		if err != nil {
			t.Fatal(err)
		}
		if _, err := f.Application(after, here, a.ID); !errors.Is(err, ErrNoAct) {
			t.Errorf("error/after the look: %v", err)
		}
	})
}

// What is read ahead answers as the register itself does, and where it cannot be read
// the register says so.
func TestBasis(t *testing.T) {
	each(t, func(t *testing.T, f *fixture) {
		f.bring(t, vaccination.Subjects, append(sample(t, "subjects.csv"),
			"900001,0000000091,100001,桜井,澪,サクライ,ミオ,1991-02-18,2,resident,\n"...)) // issued anew
		f.bring(t, vaccination.Records, sample(t, "records.csv"))
		a := f.approved(t, "0000000001")
		basis := func(ctx context.Context) (household, error) {
			got, o, reg, err := f.Basis(ctx, here, a.ID)
			if err == nil && (got.ID != a.ID || got.Form.Subject.Ticket != "0000000001" || o.Code != here) {
				t.Errorf("ok/basis: %+v %+v", got, o)
			}
			home, _ := reg.(household)
			return home, err
		}
		err := f.see(t, here, func(ctx context.Context) error {
			home, err := basis(ctx)
			if err != nil || len(home.rows) < 4 {
				t.Fatalf("ok/read ahead: %d rows, %v", len(home.rows), err)
			}
			for name, ask := range map[string]func(r vaccination.Register) ([]vaccination.Person, error){
				"ticket":         func(r vaccination.Register) ([]vaccination.Person, error) { return r.FindByTicket(ctx, "0000000001") },
				"address":        func(r vaccination.Register) ([]vaccination.Person, error) { return r.FindByAddress(ctx, "100001") },
				"another ticket": func(r vaccination.Register) ([]vaccination.Person, error) { return r.FindByTicket(ctx, "0000000002") },
				"nobody":         func(r vaccination.Register) ([]vaccination.Person, error) { return r.FindByAddress(ctx, "999999") },
			} {
				got, err1 := ask(home)
				want, err2 := ask(f.Register(here))
				if err := errors.Join(err1, err2); err != nil || !slices.EqualFunc(got, want, same) {
					t.Errorf("ok/%s: %d people, want %d; %v", name, len(got), len(want), err)
				}
			}
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
		if _, _, _, err := f.Basis(t.Context(), here, a.ID); !errors.Is(err, ErrNoAct) {
			t.Errorf("error/outside a look: %v", err)
		}
		if err := f.owner(t).write.Exec("ALTER TABLE doses RENAME TO gone").Error; err != nil {
			t.Fatal(err)
		}
		if err := f.see(t, here, func(ctx context.Context) error {
			home, err := basis(ctx)
			if _, err := home.FindByTicket(ctx, "0000000001"); !errors.Is(err, vaccination.ErrUnavailable) {
				t.Errorf("error/no table: %v", err)
			}
			return err
		}); err != nil {
			t.Errorf("ok/the application is there: %v", err)
		}
	})
}

func same(a, b vaccination.Person) bool {
	return a.ID == b.ID && a.Subject == b.Subject && slices.Equal(a.Doses, b.Doses)
}

// The intent is stored for the application as it was read, with its key, and while
// nobody else has one; or nothing is.
func TestPrepare(t *testing.T) {
	each(t, func(t *testing.T, f *fixture) {
		f.bring(t, vaccination.Subjects, sample(t, "subjects.csv"))
		f.bring(t, vaccination.Records, sample(t, "records.csv"))
		dose := f.find(t, "0000000001")[0].Doses[0].Ref
		if err := f.act(t, here, func(ctx context.Context) error {
			return f.RegisterKeys(ctx, here, []signing.Key{{ID: "k", Public: []byte{1}}})
		}); err != nil {
			t.Fatal(err)
		}
		issue := func(a *application.Application, id string) issuance.Issue {
			return issuance.Issue{
				Certificate:   certificate.Certificate{Office: here, ID: id, AI: id, Kind: certificate.Domestic, IssuedAt: time.Unix(1, 0).UTC()},
				ApplicationID: a.ID, PersonKey: a.PersonKey, Payloads: []issuance.Payload{{Number: 1, KeyID: "k", ToSign: []byte{1}, Text: "x"}},
				Doses: []application.DoseRef{{ID: dose.ID, Version: dose.Version}},
			}
		}
		prepare := func(a *application.Application, id string) error {
			return f.act(t, here, func(ctx context.Context) error { return f.Prepare(ctx, issue(a, id), a.Version) })
		}
		key := func(err error) string {
			var f *fault.Error
			if errors.As(err, &f) {
				return f.Key
			}
			return ""
		}
		a := f.approved(t, "0000000001")
		newer := *a
		newer.Version++
		if err := prepare(&newer, "2"); key(err) != "version" {
			t.Errorf("error/another version: %v", err)
		}
		if err := prepare(a, "3"); err != nil {
			t.Fatal(err)
		}
		if err := prepare(a, "4"); key(err) != "issue_in_progress" {
			t.Errorf("error/an open intent: %v", err)
		}
		commit := func() error {
			return f.act(t, here, func(ctx context.Context) error { return f.Commit(ctx, issue(a, "3")) })
		}
		if err := commit(); err != nil {
			t.Fatal(err)
		}
		if err := commit(); key(err) != "not_prepared" {
			t.Errorf("error/committed twice: %v", err)
		}
		if err := prepare(a, "5"); key(err) != "issue_in_progress" {
			t.Errorf("error/a live certificate: %v", err)
		}
		for name, column := range map[string]string{"data": "applications", "wrapped": "person_keys"} {
			b := f.approved(t, "0000000001")
			id := map[string]string{"applications": b.ID, "person_keys": b.PersonKey}[column]
			err := f.log.Look(t.Context(), who(here), audit.Entry{Action: "look"}, func(ctx context.Context, _ *audit.Entry) error {
				_, err := f.Application(ctx, here, b.ID)
				return err
			}, func(ctx context.Context) error {
				if err := f.act(t, here, func(ctx context.Context) error { // in the middle of an issue
					db, err := act(ctx, here)
					if err != nil {
						return err
					}
					return emptied(db.Table(column).Where("office = ? AND id = ?", here, id), name)
				}); err != nil {
					t.Fatal(err)
				}
				return f.log.Act(ctx, who(here), audit.Entry{Action: "test"}, func(ctx context.Context, _ *audit.Entry) error {
					return f.Prepare(ctx, issue(b, "6"+name), b.Version)
				})
			})
			if key(err) != "version" {
				t.Errorf("error/%s erased: %v", name, err)
			}
			if err := f.act(t, here, func(ctx context.Context) error { return f.SaveApplication(ctx, b) }); name == "data" && key(err) != "version" {
				t.Errorf("error/saved after it was erased: %v", err)
			}
		}
		if n := f.rows(t, here, "certificates"); n != 1 {
			t.Errorf("%d certificates, want 1", n)
		}
	})
}
