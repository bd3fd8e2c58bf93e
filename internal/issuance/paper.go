package issuance

import (
	"context"
	"errors"
	"strconv"

	"akashi/certificate/pdf"
	"akashi/internal/actor"
	"akashi/internal/application"
	"akashi/internal/audit"
	"akashi/internal/clock"
	"akashi/internal/fault"
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

// maxCollected is how many certificates one collection list has, maxParts how many lists a day.
const maxCollected, maxParts = 100, 1000

// ToCollect returns the ids of the certificates that were issued on a day and are valid, a hundred
// at a time; part counts from 1. Nobody is named.
func (s *Service) ToCollect(ctx context.Context, a actor.Actor, day clock.Date, part int) (ids []string, err error) {
	switch {
	case !day.Full():
		return nil, fault.New(fault.Invalid, "date", "day")
	case part < 1 || part > maxParts:
		return nil, fault.New(fault.Invalid, "unknown_value", "part")
	}
	e := audit.Entry{Action: "collection-list.print", Object: string(day)}
	e.Fact("part", strconv.Itoa(part))
	err = s.Log.Act(ctx, a, e, func(ctx context.Context, e *audit.Entry) (err error) {
		ids, err = s.Store.IssuedOn(ctx, a.Office, day, (part-1)*maxCollected, maxCollected)
		e.Fact("count", strconv.Itoa(len(ids)))
		return err
	})
	return ids, err
}

// CollectionList is the list (受渡簿) of what ToCollect named: each certificate is read, and logged,
// by itself. The actor's own stands there without its name, and what ended meanwhile not at all.
func (s *Service) CollectionList(ctx context.Context, a actor.Actor, h paper.Head, day clock.Date, part int, ids []string) (pdf.Document, error) {
	var rows []paper.Handover
	for _, id := range ids {
		i, err := s.read(ctx, a, id, "certificate.read")
		var f *fault.Error
		switch {
		case err == nil && i.State == Issued:
			row := handover(i)
			row.Name = i.Certificate.Subject.Name
			rows = append(rows, row)
		case errors.As(err, &f) && f.Key == "own_case":
			rows = append(rows, paper.Handover{Certificate: id})
		case err != nil:
			return pdf.Document{}, err
		}
	}
	return paper.CollectionList(h, day, (part-1)*maxCollected, rows), nil
}

// handover is what a paper says of a certificate; without the name.
func handover(i Issue) paper.Handover {
	c := i.Certificate
	return paper.Handover{Application: i.ApplicationID, Certificate: c.ID, Kind: c.Kind, Copy: i.Copies, Sheets: pdf.Sheets(c)}
}
