package application

import (
	"cmp"
	"context"
	"slices"

	"akashi/internal/actor"
	"akashi/internal/fault"
	"akashi/internal/office"
	"akashi/internal/vaccination"
	"akashi/internal/vault"
)

// numberStates are those of an open application whose record was asked for.
var numberStates = []State{Checking, NeedsInfo, Review, Approved}

// NumberCase implements vault.Cases: an open application of the office, in which
// the office's rule lets the number be asked for, of an applicant
// who has shown the documents for it.
func (s *Service) NumberCase(ctx context.Context, code, id string) (personID string, err error) {
	app, err := s.Store.Application(ctx, code, id)
	if err != nil {
		return "", err
	}
	o, err := s.Store.Office(ctx, code)
	if err != nil {
		return "", err
	}
	return app.Record.PersonID, app.NumberCase(o)
}

// NumberCase refuses the individual number where it may not be asked for: faults
// "number_case_closed", "number_not_needed", "number_documents".
func (a Application) NumberCase(o office.Office) error {
	switch {
	case !slices.Contains(numberStates, a.State):
		return fault.New(fault.Conflict, "number_case_closed", "state")
	case !o.Settings.NumberRule.MayAsk(a.Record.Outcome == vaccination.Found.String()):
		return fault.New(fault.Forbidden, "number_not_needed", "")
	case !numberDocuments(a.Form.Documents):
		return fault.New(fault.Conflict, "number_documents", "documents")
	}
	return nil
}

// numberDocuments: the individual number card, or the notification card with an
// identity document.
func numberDocuments(shown []string) bool {
	has := func(d string) bool { return slices.Contains(shown, d) }
	return has("my_number_card") ||
		has("notification_card") && slices.ContainsFunc(identityDocuments, has)
}

// EnterNumber looks for the record by the individual number that the applicant
// shows, with the card's four items. A record that is found so is checked like
// any other; for one that was found before the number is stored.
func (s *Service) EnterNumber(ctx context.Context, a actor.Actor, id string, entry vault.Entry) (app Application, answer vault.Answer, err error) {
	o, err := s.Store.Office(ctx, a.Office)
	if err != nil {
		return app, answer, err
	}
	answer, err = s.Vault.Enter(ctx, a, vault.Access{Purpose: vault.Certificate, Case: id}, entry, func(ctx context.Context, found vault.Answer) error {
		if app, err = s.Store.Application(ctx, a.Office, id); err != nil {
			return err
		}
		if err := cmp.Or(app.NotOwnOf(a), NotOwn(a, found.PersonID)); err != nil {
			return err
		}
		if found.PersonID == "" || app.Record.PersonID != "" {
			return nil
		}
		return s.foundByNumber(ctx, a, o, &app, found.PersonID)
	})
	return app, answer, err
}

// foundByNumber checks an application again with the identifiers of a person of the register.
func (s *Service) foundByNumber(ctx context.Context, a actor.Actor, o office.Office, app *Application, personID string) error {
	subject, err := s.Store.RegisteredPerson(ctx, app.Office, personID)
	if err != nil {
		return err
	}
	app.Form.Subject.Ticket, app.Form.Subject.Address = subject.Ticket, subject.Address
	if err := app.again(); err != nil {
		return err
	}
	before := app.Decision
	if err := s.check(ctx, a, o, app); err != nil {
		return err
	}
	app.keep(before)
	app.UpdatedAt = s.now()
	return s.Store.SaveApplication(ctx, app)
}
