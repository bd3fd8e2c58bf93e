package issuance_test

import (
	"context"
	"os"
	"path/filepath"
	"testing"
	"time"

	"akashi/certificate"
	"akashi/certificate/catalogue"
	"akashi/certificate/pdf"
	"akashi/certificate/trust"
	"akashi/internal/actor"
	"akashi/internal/application"
	"akashi/internal/audit"
	"akashi/internal/clock"
	"akashi/internal/fault"
	"akashi/internal/issuance"
	"akashi/internal/office"
	"akashi/internal/testkit/world"
	"akashi/internal/vaccination"
	"akashi/signing"
)

// memory keeps one office with one application in memory: what issuing costs
// without a database. It is for one caller at a time.
type memory struct {
	issuance.Store // methods that issuing does not call
	office         office.Office
	keys           []signing.Key
	person         vaccination.Person
	application    application.Application
	issue          issuance.Issue
	number         int
}

// applications and register are the parts of it that applications ask.
type applications struct {
	application.Store
	register register
}

func (a applications) Register(string) vaccination.Register { return a.register }

type register struct {
	vaccination.Register
	memory *memory
}

func (r register) FindByTicket(context.Context, string) ([]vaccination.Person, error) {
	return []vaccination.Person{r.memory.person}, nil
}

func (r register) FindByName(context.Context, vaccination.SearchKey, clock.Date) ([]vaccination.Person, error) {
	return []vaccination.Person{r.memory.person}, nil
}

func (m *memory) Act(ctx context.Context, _ string, fn func(context.Context) ([]audit.Record, *audit.Once, error)) error {
	_, _, err := fn(ctx)
	return err
}

func (m *memory) Look(ctx context.Context, _ string, fn func(context.Context) error) (context.Context, error) {
	return ctx, fn(ctx)
}

func (m *memory) Basis(context.Context, string, string) (application.Application, office.Office, vaccination.Register, error) {
	return m.application, m.office, register{memory: m}, nil
}

func (m *memory) Application(context.Context, string, string) (application.Application, error) {
	return m.application, nil
}

func (m *memory) SaveApplication(_ context.Context, a *application.Application) error {
	a.Version++
	m.application = *a
	return nil
}

func (m *memory) Prepare(_ context.Context, i issuance.Issue, _ int) error { m.issue = i; return nil }

func (m *memory) Commit(_ context.Context, i issuance.Issue) error {
	m.issue, m.issue.State = i, issuance.Issued
	return nil
}

func (m *memory) Issue(context.Context, string, string) (issuance.Issue, error) { return m.issue, nil }

func (m *memory) LiveIssue(context.Context, string, string) (issuance.Issue, error) {
	if m.issue.State != issuance.Issued {
		return issuance.Issue{}, fault.New(fault.NotFound, "certificate", "")
	}
	return m.issue, nil
}

func (m *memory) IssuedOn(context.Context, string, clock.Date, int, int) ([]string, error) {
	return nil, nil
}

func (m *memory) AddCopy(context.Context, string, issuance.Copy, string) error {
	m.issue.Copies++
	return nil
}

func (m *memory) TakeNumbers(_ context.Context, _, _ string, n int) (int, error) {
	m.number += n
	return (m.number - n) % 900_000, nil
}

func (m *memory) SigningKeys(context.Context) ([]signing.Key, error) { return m.keys, nil }

func (m *memory) key(_ context.Context, id string) (signing.Key, error) {
	for _, k := range m.keys {
		if k.ID == id {
			return k, nil
		}
	}
	return signing.Key{}, fault.New(fault.NotFound, "signing_key", "")
}

func (m *memory) ToSign(context.Context, string, string) (list []signing.ToSign, err error) {
	for _, p := range m.issue.Payloads {
		list = append(list, signing.ToSign{Number: p.Number, Purpose: signing.PurposeOf(string(p.Family)), KeyID: p.KeyID, Bytes: p.ToSign})
	}
	return list, nil
}

// again makes the application approved and without a certificate.
func (m *memory) again() {
	m.application.State, m.issue = application.Approved, issuance.Issue{}
}

// inMemory assembles issuing over an approved application for travel with three doses.
func inMemory(t testing.TB) (*issuance.Service, *memory, actor.Actor) {
	t.Helper()
	dir := filepath.Join(t.TempDir(), "keys")
	keys, err := signing.MakeTestIdentity(dir, time.Now())
	if err != nil {
		t.Fatal(err)
	}
	files, err := signing.OpenFiles(dir, keys)
	if err != nil {
		t.Fatal(err)
	}
	crl, err := os.ReadFile(filepath.Join(dir, signing.CRLFile))
	if err != nil {
		t.Fatal(err)
	}
	own := &trust.Own{Lists: func() ([][]byte, error) { return [][]byte{crl}, nil }}
	renderer, err := pdf.New()
	if err != nil {
		t.Fatal(err)
	}
	m := &memory{keys: keys, person: sakurai()}
	if m.office, err = office.New("900001", "架空県証市", "Akashi City"); err != nil {
		t.Fatal(err)
	}
	m.application = application.Application{
		Office: m.office.Code, ID: "00000000-0000-7000-8000-000000000001", Version: 3, State: application.Approved,
		Form: world.Form(certificate.Travel), Record: application.Record{PersonID: m.person.ID},
	}
	for _, d := range m.person.Doses {
		m.application.Record.Doses = append(m.application.Record.Doses, application.DoseRef{ID: d.Ref.ID, Version: 1, Number: d.DoseNumber})
	}
	log := &audit.Log{Book: m}
	products := catalogue.Default()
	s := &issuance.Service{
		Log: log, Store: m,
		Applications: &application.Service{Log: log, Store: applications{register: register{memory: m}}, Rules: vaccination.Rules{Catalogue: products}, Test: true},
		Signer:       signing.NewSigner(files, m, m.key, nil),
		Published: func(context.Context) (*trust.Bundle, error) {
			return own.Bundle(m.keys, time.Now())
		},
		Catalogue: products, Renderer: renderer,
		Identity: issuance.Identity{SHCIssuer: signing.TestIssuer, VDSNCIssuer: signing.TestState, Test: true},
	}
	return s, m, actor.Actor{Office: m.office.Code, Person: "clerk", Terminal: "test", Purpose: actor.Certificate}
}

// sakurai is the first sample person.
func sakurai() vaccination.Person {
	p := vaccination.Person{ID: "person", Source: "memory", AsOf: time.Now(), Subject: vaccination.Subject{
		Ticket: "0000000001", Family: "桜井", Given: "澪", FamilyKana: "サクライ", GivenKana: "ミオ",
		BirthDate: "1991-02-18", Sex: vaccination.Female, Status: vaccination.Resident,
	}}
	for n, d := range [][4]string{
		{"2021-06-21", "ファイザー", "コミナティ", "ZA1001"},
		{"2021-07-12", "ファイザー", "コミナティ", "ZA1002"},
		{"2022-02-14", "モデルナ", "スパイクバックス", "900012A"},
	} {
		p.Doses = append(p.Doses, vaccination.Record{
			Ref: vaccination.Ref{ID: d[3], Version: 1}, Programme: "covid19", Ticket: p.Subject.Ticket, DoseNumber: n + 1,
			VaccinatedOn: clock.Date(d[0]), Maker: d[1], Product: d[2], Lot: d[3], Place: "架空県証市保健センター", Origin: "ledger",
		})
	}
	return p
}
