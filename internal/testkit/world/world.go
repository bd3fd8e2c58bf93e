// Package world is the assembled service with the sample people in it, for tests
// that need the whole way.
package world

import (
	"context"
	"testing"

	"akashi/certificate"
	"akashi/certificate/catalogue"
	"akashi/internal/actor"
	"akashi/internal/application"
	"akashi/internal/audit"
	"akashi/internal/cli"
	"akashi/internal/clock"
	"akashi/internal/idgen"
	"akashi/internal/office"
	"akashi/internal/seal"
	"akashi/internal/store"
	"akashi/internal/testkit"
	"akashi/internal/vaccination"
	"akashi/passport"
	"akashi/samples"
)

// World is the assembled service over one database, with the sample people, a
// clerk and an officer.
type World struct {
	*cli.App
	Config         cli.Config
	Clerk, Officer actor.Actor
}

// OpenStore opens a database for cli.Open.
func OpenStore(ctx context.Context, d cli.Database, ring *seal.Ring, c clock.Clock, ids idgen.Gen) (cli.Store, error) {
	return store.Open(ctx, store.Config{URL: d.URL, MigrateURL: d.MigrateURL, SignerURL: d.SignerURL, Ring: ring, Clock: c, IDs: ids})
}

// Each runs a test on SQLite and on PostgreSQL.
func Each(t *testing.T, test func(t *testing.T, w *World)) {
	EachWith(t, func(*testing.T, *cli.Config) {}, test)
}

// EachWith does so with settings of its own.
func EachWith(t *testing.T, set func(t *testing.T, c *cli.Config), test func(t *testing.T, w *World)) {
	run := func(t *testing.T, c cli.Config) {
		c.Data = t.TempDir()
		set(t, &c)
		test(t, New(t, c))
	}
	t.Run("sqlite", func(t *testing.T) { run(t, cli.Config{}) })
	t.Run("postgres", func(t *testing.T) {
		d := testkit.Postgres(t)
		run(t, cli.Config{DatabaseURL: cli.Secret(d.StaffURL), MigrateURL: cli.Secret(d.OwnerURL), DatabaseURLSigner: cli.Secret(d.SignerURL)})
	})
}

// New assembles the service with settings of which data directory and database count.
func New(t testing.TB, c cli.Config) *World {
	t.Helper()
	c.SHCIssuer, c.VDSNCIssuer, c.StaffOrigin = "https://issuer.akashi.test", "UTO", Origin
	w := &World{Config: c}
	w.Open(t)
	w.BringSamples(t)
	return w
}

// BringSamples brings the sample people and their doses.
func (w *World) BringSamples(t testing.TB) {
	t.Helper()
	for _, kind := range []vaccination.Kind{vaccination.Subjects, vaccination.Records} {
		file, err := samples.Files.ReadFile(string(kind) + ".csv")
		if err != nil {
			t.Fatal(err)
		}
		w.Bring(t, kind, file)
	}
}

// BringInternational brings the sample doses against yellow fever and polio.
func (w *World) BringInternational(t testing.TB) {
	t.Helper()
	file, err := samples.Files.ReadFile("records-international.csv")
	if err != nil {
		t.Fatal(err)
	}
	w.Bring(t, vaccination.Records, file)
}

// SetOffice changes the settings of the office, as a command does.
func (w *World) SetOffice(t testing.TB, change func(*office.Settings)) {
	t.Helper()
	if _, err := w.ChangeOffice(t.Context(), w.Officer.Office, change); err != nil {
		t.Fatal(err)
	}
}

// Approve lets two officers of the office approve an act.
func (w *World) Approve(t testing.TB, kind office.Kind, object string) {
	t.Helper()
	officer := func(id string) actor.Actor {
		return actor.Actor{Office: w.Officer.Office, Person: id, Terminal: "test", Purpose: actor.Operate,
			Permissions: office.Officer.Permissions(), SteppedUp: w.Clock.Now()}
	}
	p, err := w.Approvals.Request(t.Context(), officer("one"), kind, object, nil, nil)
	if err == nil {
		_, err = w.Approvals.Approve(t.Context(), officer("two"), p.ID, "")
	}
	if err != nil {
		t.Fatal(err)
	}
}

// The two people of every world, by user id.
const (
	ClerkUser   = cli.TestOffice + "-clerk"
	OfficerUser = cli.TestOffice + "-officer1"
)

// Open assembles the service once more over the same database, with the same two people.
func (w *World) Open(t testing.TB) {
	t.Helper()
	app, err := cli.Open(t.Context(), w.Config, OpenStore)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = app.Close() })
	w.App = app
	if _, err := app.FirstStart(t.Context()); err != nil {
		t.Fatal(err)
	}
	w.Clerk = w.Person(t, ClerkUser, office.Clerk).Actor(actor.Certificate, "test", "", app.Clock.Now())
	w.Officer = w.Person(t, OfficerUser, office.Officer).Actor(actor.Certificate, "test", "", app.Clock.Now())
}

// OpenJobs assembles the service of the jobs over the same database, with their role alone (S-002).
func (w *World) OpenJobs(t testing.TB, d testkit.Database) *cli.App {
	t.Helper()
	jobs, err := cli.Open(t.Context(), cli.Config{
		Data: w.Config.Data, DatabaseURL: cli.Secret(d.JobsURL), DatabaseURLSigner: cli.Secret(d.SignerURL),
		SHCIssuer: w.Config.SHCIssuer, VDSNCIssuer: w.Config.VDSNCIssuer, StaffOrigin: w.Config.StaffOrigin,
	}, OpenStore)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = jobs.Close() })
	return jobs
}

// Person returns somebody who may sign in, and makes the account where there is
// none; the office stands in the user id. Nobody has credentials: see SignIn.
func (w *World) Person(t testing.TB, user string, role office.Role) office.Staff {
	t.Helper()
	ctx := t.Context()
	s, err := w.Store.StaffByUser(ctx, user[:6], user)
	if err == nil && s.State == office.ActiveAccount {
		return s
	}
	w.Act(t, user[:6], func(ctx context.Context) error {
		if s.ID == "" {
			s = office.Staff{Office: user[:6], User: user, Name: "試験 人", Unit: "試験課", Role: role, Ends: w.Clock.Now().AddDate(1, 0, 0)}
			if s, _, err = w.Accounts.Make(ctx, s); err != nil {
				return err
			}
		}
		s, err = w.Accounts.Change(ctx, s.Office, s.ID, func(s *office.Staff) { s.State = office.ActiveAccount })
		return err
	})
	return s
}

// SignIn returns the value of the session cookie of somebody who may sign in. No
// password is hashed and no passkey asked.
func (w *World) SignIn(t testing.TB, user string, role office.Role) (cookie string) {
	t.Helper()
	p := w.Person(t, user, role)
	w.Act(t, p.Office, func(ctx context.Context) error {
		session, err := w.Accounts.Sessions.Begin(ctx, p, "")
		if err == nil {
			cookie = w.Accounts.Sessions.Cookie(session)
		}
		return err
	})
	return cookie
}

// SessionCookie is the name of the cookie of a session.
const SessionCookie = "__Host-akashi"

// Act runs something inside an act of the office.
func (w *World) Act(t testing.TB, code string, fn func(ctx context.Context) error) {
	t.Helper()
	by := actor.Actor{Office: code, Person: "job:test", Terminal: "test", Purpose: actor.Operate}
	err := w.Log.Act(t.Context(), by, audit.Entry{Action: "test"}, func(ctx context.Context, _ *audit.Entry) error { return fn(ctx) })
	if err != nil {
		t.Fatal(err)
	}
}

// Bring stages a file by the clerk and commits it by the officer.
func (w *World) Bring(t testing.TB, kind vaccination.Kind, file []byte) vaccination.Import {
	t.Helper()
	i, err := w.Imports.Stage(t.Context(), w.Clerk, kind, file, nil)
	if err != nil {
		t.Fatal(err)
	}
	if i, err = w.Imports.Commit(t.Context(), w.Officer, i.ID); err != nil {
		t.Fatal(err)
	}
	return i
}

// Origin is where the staff of a world reach the service, for their passkeys.
const Origin = "http://localhost:8080"

// Zone is the machine readable zone of the first sample person.
const Zone = "PPJPNSAKURAI<<MIO<<<<<<<<<<<<<<<<<<<<<<<<<<<\nTK00000003JPN9102181F3206308<<<<<<<<<<<<<<00"

// Form is an application of the first sample person that is approved by rule.
func Form(kind certificate.Kind) application.Form {
	f := application.Form{
		Kind: kind, Channel: application.Counter, NoticeVersion: "2026-11",
		Applicant: application.Applicant{Relationship: application.Self},
		Subject: application.Subject{
			Ticket: "0000000001", Name: certificate.Name{Family: "桜井", Given: "澪"}, BirthDate: "1991-02-18",
		},
	}
	f.Programme = application.Programmes(kind)[0]
	if kind.ShowsPassport() {
		f.Passport = &application.Passport{Zone: application.NewZone(Zone), DataPageName: passport.Name{Primary: "SAKURAI", Secondary: "MIO"}}
	}
	return f
}

// ChildForm is an application for the sample child's doses against polio, which a parent hands in.
func ChildForm() application.Form {
	f := Form(certificate.International)
	f.Programme = catalogue.PolioProgramme
	f.Applicant = application.Applicant{Relationship: application.Parent, Name: certificate.Name{Family: "池田", Given: "純"}, Proof: "family_register"}
	f.Subject = application.Subject{Ticket: "0000000009", Name: certificate.Name{Family: "池田", Given: "陽菜"}, BirthDate: "2014-08-17", Guardian: "IKEDA Jun"}
	f.Passport.DataPageName = passport.Name{Primary: "IKEDA", Secondary: "HINA"}
	f.Passport.Zone = application.NewZone("PPJPNIKEDA<<HINA<<<<<<<<<<<<<<<<<<<<<<<<<<<<\nTK00000014JPN1408175F2805058<<<<<<<<<<<<<<04")
	return f
}

// Approved returns the id of an application that was approved by rule.
func (w *World) Approved(t testing.TB, kind certificate.Kind) string {
	t.Helper()
	return w.ApprovedForm(t, Form(kind))
}

// ApprovedForm is Approved with a form.
func (w *World) ApprovedForm(t testing.TB, f application.Form) string {
	t.Helper()
	a, err := w.Applications.Create(t.Context(), w.Clerk, f, nil)
	if err != nil {
		t.Fatal(err)
	}
	if a, err = w.Applications.Submit(t.Context(), w.Clerk, a.ID); err != nil || a.State != application.Approved {
		t.Fatalf("submit: %v %v %v", a.State, a.Reasons, err)
	}
	return a.ID
}
