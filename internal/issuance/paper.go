package issuance

import (
	"context"

	"akashi/certificate/pdf"
	"akashi/internal/actor"
	"akashi/internal/application"
	"akashi/internal/audit"
	"akashi/internal/paper"
)

// Receipt is what whoever gets the certificate of an application signs (受領書); the look-up is
// logged. Fault NotFound "certificate" where none is valid.
func (s *Service) Receipt(ctx context.Context, a actor.Actor, applicationID string, h paper.Head) (pdf.Document, error) {
	var i Issue
	err := s.Log.Act(ctx, a.For(applicationID), audit.Entry{Action: "receipt.print", Object: applicationID}, func(ctx context.Context, e *audit.Entry) error {
		app, err := s.Store.Application(ctx, a.Office, applicationID)
		if err != nil {
			return err
		}
		e.Person = app.Record.PersonID
		if err := app.NotOwnOf(a); err != nil {
			return err
		}
		if i, err = s.Store.LiveIssue(ctx, a.Office, applicationID); err != nil {
			return err
		}
		e.Fact("certificate", i.Certificate.ID)
		return application.NotOwn(a, "", i.Certificate.Subject.Name)
	})
	if err != nil {
		return pdf.Document{}, err
	}
	return paper.Receipt(h, handover(i)), nil
}

// handover is what a paper says of a certificate; without the name.
func handover(i Issue) paper.Handover {
	c := i.Certificate
	return paper.Handover{Application: i.ApplicationID, Certificate: c.ID, Kind: c.Kind, Copy: i.Copies, Sheets: pdf.Sheets(c)}
}
