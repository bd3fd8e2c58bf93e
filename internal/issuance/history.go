package issuance

import (
	"context"
	"errors"
	"slices"

	"akashi/certificate"
	"akashi/internal/actor"
	"akashi/internal/application"
	"akashi/internal/audit"
	"akashi/internal/vaccination"
)

// History is every certificate that was made for the person of an application, under
// whichever ticket, the newest first.
type History struct {
	Asked    bool // the register was asked, so that Changes are told
	Versions []Version
}

// Version is one certificate with what the register says otherwise now.
type Version struct {
	Issue
	Changes []Change // of one that is issued, the gravest first
	// Held are reasons that nobody has decided about, so that it cannot be made again
	// without a new application; of the one that was asked for only.
	Held []application.Reason
}

// Change is a difference between a certificate and the record as it is now.
type Change string

const (
	RecordGone    Change = "record_gone"    // nothing is recorded any more: it cannot be made again
	DoseWithdrawn Change = "dose_withdrawn" // a dose on it is recorded no more
	DoseCorrected Change = "dose_corrected"
	BirthDate     Change = "birth_date"
	NewName       Change = "name"
	DoseAdded     Change = "dose_added"
)

// Changes lists all, the gravest first.
func Changes() []Change {
	return []Change{RecordGone, DoseWithdrawn, DoseCorrected, BirthDate, NewName, DoseAdded}
}

// Cause is the reason with which a certificate is made again for its gravest change;
// empty where it cannot be, or need not be.
func (v Version) Cause() string {
	if len(v.Changes) == 0 || len(v.Held) > 0 {
		return ""
	}
	return map[Change]string{
		DoseWithdrawn: "record_withdrawn", DoseCorrected: "correction", BirthDate: "correction", NewName: "new_name", DoseAdded: "new_dose",
	}[v.Changes[0]]
}

// maxVersions bounds a history; nobody has so many certificates.
const maxVersions = 200

// History reads the certificates of the person of an application, and compares those
// that are issued with the record as it is now. The look-up is logged. Where an
// application rests on nobody's record, it is its own certificates.
func (s *Service) History(ctx context.Context, a actor.Actor, applicationID string) (h History, err error) {
	err = s.Log.Act(ctx, a.For(applicationID), audit.Entry{Action: "history.read", Object: applicationID}, func(ctx context.Context, e *audit.Entry) error {
		app, o, reg, err := s.Store.Basis(ctx, a.Office, applicationID)
		if err != nil {
			return err
		}
		e.Person = app.Record.PersonID
		if err := app.NotOwnOf(a); err != nil {
			return err
		}
		f := Filter{Application: app.ID, Limit: maxVersions}
		var now application.Recheck
		if app.MayShowRecord() && app.Record.PersonID != "" {
			if now, err = s.Applications.Recheck(ctx, reg, o, app); err != nil {
				return err
			}
			h.Asked = now.Answer.Outcome != vaccination.Unavailable
			if err := application.NotOwnAnswer(a, now.Answer); err != nil {
				return err
			}
			f = Filter{Persons: append([]string{app.Record.PersonID}, now.Answer.Person.Same...), Limit: maxVersions}
		}
		list, err := s.Store.Issues(ctx, a.Office, f)
		if err != nil {
			return err
		}
		for _, i := range list {
			v, err := s.version(ctx, i, app, now)
			if err != nil {
				return err
			}
			h.Versions = append(h.Versions, v)
		}
		return nil
	})
	if err != nil {
		return History{}, err
	}
	return h, nil
}

// version compares a certificate of the programme that the register was asked about.
func (s *Service) version(ctx context.Context, i Issue, app application.Application, now application.Recheck) (Version, error) {
	v := Version{Issue: i}
	if i.State != Issued || i.Certificate.Programme != app.Form.Programme || now.Answer.Outcome == vaccination.Unavailable {
		return v, nil
	}
	full, err := s.Store.Issue(ctx, i.Certificate.Office, i.Certificate.ID)
	if errors.Is(err, errErased) {
		return v, nil
	}
	if err == nil {
		v.Changes = changed(full, app.Record.PersonID, now.Answer)
	}
	if len(v.Changes) > 0 && i.ApplicationID == app.ID {
		v.Held = now.Uncleared
	}
	return v, err
}

// changed tells what a certificate says otherwise than the register now.
func changed(i Issue, personID string, answer vaccination.Answer) []Change {
	same := answer.Person.ID == personID || slices.Contains(answer.Person.Same, personID)
	if answer.Outcome != vaccination.Found || !same {
		return []Change{RecordGone}
	}
	is := map[Change]bool{}
	all := application.Refs(answer.Doses)
	for _, d := range i.Doses {
		at := slices.IndexFunc(all, func(now application.DoseRef) bool { return now.ID == d.ID })
		is[DoseWithdrawn] = is[DoseWithdrawn] || at < 0
		is[DoseCorrected] = is[DoseCorrected] || at >= 0 && all[at].Version != d.Version
	}
	for _, d := range all[max(0, len(all)-certificate.MaxDoses):] {
		is[DoseAdded] = is[DoseAdded] || !slices.ContainsFunc(i.Doses, func(on application.DoseRef) bool { return on.ID == d.ID })
	}
	s, p := i.Certificate.Subject, answer.Person.Subject
	is[NewName] = s.Name != certificate.Name{Family: p.Family, Given: p.Given}
	is[BirthDate] = s.BirthDate != p.BirthDate
	return slices.DeleteFunc(Changes(), func(c Change) bool { return !is[c] })
}
