package application

import (
	"context"

	"akashi/certificate"
	"akashi/certificate/pdf"
	"akashi/internal/actor"
	"akashi/internal/audit"
	"akashi/internal/clock"
	"akashi/internal/fault"
	"akashi/internal/paper"
)

// BlankForm is the application form (申請書) to be filled in by hand.
func BlankForm(h paper.Head, n paper.Notice) pdf.Document {
	return paper.ApplicationForm(h, choices(), n, paper.Application{})
}

func choices() paper.Choices {
	relationships, proofs, documents := Choices()
	return paper.Choices{Relationships: relationships, Proofs: proofs, Documents: documents}
}

// FilledForm is the application form with what was handed in, to be checked and signed; the
// look-up is logged.
func (s *Service) FilledForm(ctx context.Context, a actor.Actor, id string, h paper.Head, n paper.Notice) (pdf.Document, error) {
	app, err := s.read(ctx, a, id, "application-form.print", nil)
	if err != nil {
		return pdf.Document{}, err
	}
	n.Version = app.Form.NoticeVersion
	return paper.ApplicationForm(h, choices(), n, s.onPaper(app)), nil
}

func (s *Service) onPaper(app Application) paper.Application {
	f := app.Form
	p := paper.Application{
		ID: app.ID, Kind: f.Kind, Programme: f.Programme,
		Subject: f.Subject.Name, Former: f.Subject.Former, BirthDate: f.Subject.BirthDate, Ticket: f.Subject.Ticket, Elsewhere: f.Subject.Elsewhere, Guardian: f.Subject.Guardian,
		Relationship: string(f.Applicant.Relationship), Proof: f.Applicant.Proof, Documents: f.Documents,
	}
	if f.Applicant.Relationship != Self {
		p.Applicant = f.Applicant.Name
	}
	if r := f.ReadPassport(s.Clock.Today(), s.Test); r != nil {
		p.Passport = &r.Document
	}
	return p
}

// RefusalNotice tells whoever applied why no certificate is issued (不交付通知書): the reasons for
// which the application was held, not the words of the clerk. The look-up is logged. Fault
// Conflict "not_refused" for an application that was not refused.
func (s *Service) RefusalNotice(ctx context.Context, a actor.Actor, id string, h paper.Head) (pdf.Document, error) {
	app, err := s.read(ctx, a, id, "refusal.print", func(app Application) error {
		if app.State != Rejected || app.Decision == nil {
			return fault.New(fault.Conflict, "not_refused", "state").With("state", string(app.State))
		}
		return nil
	})
	if err != nil {
		return pdf.Document{}, err
	}
	h.On = clock.DateOf(app.Decision.At)
	r := paper.Refused{Application: app.ID, Kind: app.Form.Kind, To: addressee(app.Form), AppliedOn: clock.DateOf(app.CreatedAt)}
	for _, reason := range app.Reasons {
		ja, en := reason.Sentence()
		r.Reasons = append(r.Reasons, paper.Sentence{JA: ja, EN: en})
	}
	return paper.RefusalNotice(h, r), nil
}

// addressee is who applied.
func addressee(f Form) certificate.Name {
	if f.Applicant.Name.Family != "" {
		return f.Applicant.Name
	}
	return f.Subject.Name
}

// read reads an application; the look-up is logged as the action. check may refuse it.
func (s *Service) read(ctx context.Context, a actor.Actor, id, action string, check func(Application) error) (app Application, err error) {
	err = s.Log.Act(ctx, a.For(id), audit.Entry{Action: action, Object: id}, func(ctx context.Context, e *audit.Entry) (err error) {
		if app, err = s.Store.Application(ctx, a.Office, id); err != nil {
			return err
		}
		e.Person = app.Record.PersonID
		if err := app.NotOwnOf(a); err != nil || check == nil {
			return err
		}
		return check(app)
	})
	if err != nil {
		return Application{}, err
	}
	return app, nil
}
