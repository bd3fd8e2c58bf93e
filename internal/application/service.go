package application

import (
	"context"
	"slices"
	"strings"
	"time"

	"akashi/internal/actor"
	"akashi/internal/audit"
	"akashi/internal/clock"
	"akashi/internal/fault"
	"akashi/internal/idgen"
	"akashi/internal/office"
	"akashi/internal/vaccination"
	"akashi/internal/vault"
	"akashi/passport"
)

// Filter selects applications for a list; After is the ID cursor of the last page.
type Filter struct {
	States []State // any of them; none: all
	Oldest bool    // first, instead of the newest
	After  string
	Limit  int
}

// Store keeps applications; its methods run inside an act unless they say otherwise.
type Store interface {
	Office(ctx context.Context, code string) (office.Office, error) // no act needed
	CreateApplication(ctx context.Context, a *Application) error
	Application(ctx context.Context, office, id string) (Application, error)
	// SaveApplication refuses a version that is not the newest: fault Conflict "version".
	SaveApplication(ctx context.Context, a *Application) error
	Applications(ctx context.Context, office string, f Filter) ([]Application, error) // without personal parts
	Register(office string) vaccination.Register
	RegisteredPerson(ctx context.Context, office, id string) (vaccination.Subject, error) // fault NotFound "person"
}

// Service is the use cases around an application.
type Service struct {
	Log   *audit.Log
	Store Store
	Rules vaccination.Rules
	Test  bool // TEST identity: specimen passports are accepted
	Clock clock.Clock
	IDs   idgen.Gen
	Vault *vault.Service
}

// Create stores a draft; fault Conflict "kind_not_offered".
func (s *Service) Create(ctx context.Context, a actor.Actor, f Form, once *audit.Once) (Application, error) {
	return s.create(ctx, a, s.IDs.Row(), f, once)
}

// CreateAs is Create with an id that was given out for this very application before.
func (s *Service) CreateAs(ctx context.Context, a actor.Actor, id string, f Form) (Application, error) {
	return s.create(ctx, a, id, f, nil)
}

func (s *Service) create(ctx context.Context, a actor.Actor, id string, f Form, once *audit.Once) (Application, error) {
	if err := f.Check(s.Clock.Today()); err != nil {
		return Application{}, err
	}
	now := s.now()
	app := Application{Office: a.Office, ID: id, State: Draft, Form: f, CreatedAt: now, UpdatedAt: now}
	e := audit.Entry{Action: "application.create", Object: app.ID, Once: once}
	e.Fact("kind", string(f.Kind))
	e.Fact("channel", string(f.Channel))
	return app, s.Log.Act(ctx, a.For(app.ID), e, func(ctx context.Context, _ *audit.Entry) error {
		if err := app.NotOwnOf(a); err != nil {
			return err
		}
		o, err := s.Store.Office(ctx, a.Office)
		if err != nil {
			return err
		}
		if !o.Settings.IsOpen(f.Kind) {
			return fault.New(fault.Conflict, "kind_not_offered", "kind")
		}
		return s.Store.CreateApplication(ctx, &app)
	})
}

// Get reads an application; the look-up is logged.
func (s *Service) Get(ctx context.Context, a actor.Actor, id string) (Application, error) {
	return s.read(ctx, a, id, "application.read", nil)
}

// List returns applications without personal parts, newest first.
func (s *Service) List(ctx context.Context, a actor.Actor, f Filter) (list []Application, err error) {
	e := audit.Entry{Action: "application.list"}
	var states []string
	for _, state := range f.States {
		states = append(states, string(state))
	}
	e.Fact("state", strings.Join(states, " "))
	err = s.Log.Act(ctx, a, e, func(ctx context.Context, _ *audit.Entry) (err error) {
		list, err = s.Store.Applications(ctx, a.Office, f)
		return err
	})
	return list, err
}

// change loads an application, lets fn change it, and saves it. A person's decision that
// counts no more is kept with its reason.
func (s *Service) change(ctx context.Context, a actor.Actor, id, action string, fn func(context.Context, *Application, *audit.Entry) error) (app Application, err error) {
	err = s.Log.Act(ctx, a.For(id), audit.Entry{Action: action, Object: id}, func(ctx context.Context, e *audit.Entry) error {
		if app, err = s.Store.Application(ctx, a.Office, id); err != nil {
			return err
		}
		e.Person = app.Record.PersonID
		if err := app.NotOwnOf(a); err != nil {
			return err
		}
		before := app.Decision
		if err := fn(ctx, &app, e); err != nil {
			return err
		}
		if app.keep(before) {
			e.Fact("earlier_decision", before.Outcome)
		}
		app.UpdatedAt = s.now()
		e.Person = app.Record.PersonID
		e.Fact("state", string(app.State))
		for _, r := range app.Reasons {
			e.Fact("reason "+r.Code, r.Detail)
		}
		return s.Store.SaveApplication(ctx, &app)
	})
	return app, err
}

// keep keeps a person's decision that does not count any more.
func (a *Application) keep(before *Decision) bool {
	if before == nil || before.Reason == "" || a.Decision == before {
		return false
	}
	a.Earlier = append(a.Earlier, *before)
	return true
}

// Submit hands an application in and checks it: passport, record, decision by
// rule. One that stayed in checking because the register could not be asked, and
// an approved one whose record changed, are checked again.
func (s *Service) Submit(ctx context.Context, a actor.Actor, id string) (Application, error) {
	o, err := s.Store.Office(ctx, a.Office)
	if err != nil {
		return Application{}, err
	}
	return s.change(ctx, a, id, "application.submit", func(ctx context.Context, app *Application, _ *audit.Entry) error {
		if err := app.again(); err != nil {
			return err
		}
		return s.check(ctx, a, o, app)
	})
}

// again hands an application in, to be checked.
func (a *Application) again() error {
	if a.State == Checking {
		return nil
	}
	if err := a.Move(Submitted); err != nil {
		return err
	}
	return a.Move(Checking)
}

// check asks passport and record and decides by rule. Whom the register names may
// be the actor, also where the form did not tell.
func (s *Service) check(ctx context.Context, a actor.Actor, o office.Office, app *Application) error {
	app.Record.Chosen = false
	e, err := s.gather(ctx, s.Store.Register(app.Office), o, *app)
	if err != nil {
		return err
	}
	if err := s.rest(a, app, e); err != nil {
		return err
	}
	if err := app.Move(next(app.Reasons)); err != nil {
		return err
	}
	app.Decision, app.Another = nil, ""
	if app.State == Approved {
		app.Decision = &Decision{Outcome: "approve", By: "rule:automatic", At: s.now()}
	}
	return nil
}

// rest lets an application rest on what was found out about it.
func (s *Service) rest(a actor.Actor, app *Application, e evidence) error {
	if err := NotOwnAnswer(a, e.answer); err != nil {
		return err
	}
	app.Record = recordOf(e.answer, s.Clock.Today())
	app.Record.MayAskNo = e.office.Settings.NumberRule.MayAsk(e.answer.Outcome == vaccination.Found)
	app.Reasons = e.reasons()
	return nil
}

// Judge judges a form as Create and Submit would, without asking the register: what they
// would refuse is an error, what would hold it are reasons.
func (s *Service) Judge(o office.Office, a actor.Actor, f Form) ([]Reason, error) {
	today := s.Clock.Today()
	if err := f.Check(today); err != nil {
		return nil, err
	}
	if err := (Application{Form: f}).NotOwnOf(a); err != nil {
		return nil, err
	}
	return evidence{office: o, form: f, reading: f.ReadPassport(today, s.Test), today: today}.formal(), nil
}

// Recheck is what passport and register say now about an application that was
// decided before.
type Recheck struct {
	Passport  *passport.Reading // nil without one
	Answer    vaccination.Answer
	Uncleared []Reason // would hold it now, and nobody has cleared them in its decision
}

// Recheck reads the passport and asks the register again. It runs inside an act or a look.
func (s *Service) Recheck(ctx context.Context, reg vaccination.Register, o office.Office, app Application) (Recheck, error) {
	e, err := s.gather(ctx, reg, o, app)
	if err != nil {
		return Recheck{}, err
	}
	uncleared := slices.DeleteFunc(e.reasons(), func(r Reason) bool { return slices.Contains(app.Reasons, r) || r.atTheDesk() })
	return Recheck{e.reading, e.answer, uncleared}, nil
}

// gather reads the passport and asks the register, as of now.
func (s *Service) gather(ctx context.Context, reg vaccination.Register, o office.Office, app Application) (evidence, error) {
	today := s.Clock.Today()
	reading := app.Form.ReadPassport(today, s.Test)
	f := app.Form.Subject
	q := vaccination.Enquiry{
		Programme: app.Form.Programme, Ticket: f.Ticket, Address: f.Address,
		Family: f.Name.Family, Given: f.Name.Given, BirthDate: f.BirthDate, Elsewhere: f.Elsewhere,
	}
	if app.Record.Chosen {
		q.Chosen = app.Record.PersonID
	}
	if reading != nil && !reading.Refused() {
		q.Sex = map[string]vaccination.Sex{"M": vaccination.Male, "F": vaccination.Female}[reading.Document.Sex]
	}
	answer, err := vaccination.Match(ctx, reg, q, s.Rules, today)
	return evidence{office: o, form: app.Form, reading: reading, answer: answer, today: today}, err
}

func recordOf(a vaccination.Answer, today clock.Date) Record {
	r := Record{
		Outcome: a.Outcome.String(), Source: a.Source, AsOf: a.AsOf, Certainty: string(a.Certainty),
		Evidence: a.Evidence, CheckedOn: today, Chosen: a.Chosen,
	}
	if a.Outcome == vaccination.Found {
		r.PersonID = a.Person.ID
		r.Doses = Refs(a.Doses)
	}
	return r
}

var errVersion = fault.New(fault.Conflict, "version", "version")

// Answer supplies what was missing and checks again. version is that of the application
// that was looked at: fault Conflict "version" if it is another one by now; 0 skips the check.
func (s *Service) Answer(ctx context.Context, a actor.Actor, id string, f Form, version int) (Application, error) {
	o, err := s.Store.Office(ctx, a.Office)
	if err != nil {
		return Application{}, err
	}
	if err := f.Check(s.Clock.Today()); err != nil {
		return Application{}, err
	}
	return s.change(ctx, a, id, "application.answer", func(ctx context.Context, app *Application, _ *audit.Entry) error {
		if version != 0 && version != app.Version {
			return errVersion
		}
		if app.State == Draft {
			app.Form = f
			return app.NotOwnOf(a)
		}
		if f.Kind != app.Form.Kind || f.Programme != app.Form.Programme {
			return fault.New(fault.Invalid, "kind_fixed", "kind")
		}
		if err := app.again(); err != nil {
			return err
		}
		app.Form = f
		if err := app.NotOwnOf(a); err != nil {
			return err
		}
		return s.check(ctx, a, o, app)
	})
}

// Withdraw ends an application at the applicant's wish.
func (s *Service) Withdraw(ctx context.Context, a actor.Actor, id string) (Application, error) {
	return s.change(ctx, a, id, "application.withdraw", func(_ context.Context, app *Application, _ *audit.Entry) error {
		return app.Move(Withdrawn)
	})
}

// Verdict is a person's decision about a held application.
type Verdict struct {
	Outcome string // approve, reject or ask
	Reason  string // always needed: why the reasons are cleared, or not
	// Candidate is the mark of the one among several who fit whose record it is
	// (vaccination.Answer.Mark); it counts for approve only.
	Candidate string
	Version   int // of the application that was looked at; 0 skips the check
}

const maxReason = 500

// Decide records a person's decision. Approving what is held needs a reason in
// words; what only an officer may override needs that permission too, also what is
// known only once a candidate is chosen.
func (s *Service) Decide(ctx context.Context, a actor.Actor, id string, v Verdict) (Application, error) {
	if err := fault.OneOf("outcome", v.Outcome, "approve", "reject", "ask"); err != nil {
		return Application{}, err
	}
	to := map[string]State{"approve": Approved, "reject": Rejected, "ask": NeedsInfo}[v.Outcome]
	v.Reason = strings.Trim(v.Reason, " \t\r\n\u3000\u2800") // the last is a blank of braille
	switch {
	case v.Reason == "":
		return Application{}, fault.New(fault.Invalid, "required", "reason")
	case len([]rune(v.Reason)) > maxReason:
		return Application{}, fault.New(fault.Invalid, "too_long", "reason")
	}
	o, err := s.Store.Office(ctx, a.Office)
	if err != nil {
		return Application{}, err
	}
	return s.change(ctx, a, id, "application.decide", func(ctx context.Context, app *Application, e *audit.Entry) error {
		if v.Version != 0 && v.Version != app.Version {
			return errVersion
		}
		if to == Approved && v.Candidate != "" {
			if err := s.choose(ctx, a, o, app, v.Candidate); err != nil {
				return err
			}
			e.Fact("candidate", "chosen")
		}
		d := &Decision{Outcome: v.Outcome, By: a.Person, At: s.now(), Reason: v.Reason}
		if to == Approved {
			for _, r := range app.Reasons {
				if r.Weight == Final || r.Weight == Supply { // nobody can clear what is not there
					return fault.New(fault.Conflict, "not_approvable", "outcome").With("reason", r.Code).With("detail", r.Detail)
				}
				if r.Weight != Confirm && !a.May(string(office.Override)) {
					return fault.New(fault.Forbidden, "override", "outcome").With("reason", r.Code).With("detail", r.Detail)
				}
				d.Override = append(d.Override, r.Code)
			}
		}
		e.Fact("outcome", v.Outcome)
		app.Decision = d
		return app.Move(to)
	})
}

func (s *Service) now() time.Time { return s.Clock.Now().Truncate(time.Millisecond) }
