package watch

import (
	"context"
	"time"

	"akashi/internal/actor"
	"akashi/internal/audit"
	"akashi/internal/clock"
	"akashi/internal/fault"
	"akashi/internal/office"
)

var errPermission = fault.New(fault.Forbidden, "permission", "")

// ListStore reads alerts.
type ListStore interface {
	// Alerts returns those of an office, or of the installation, newest first; of
	// ids below before, where that is not empty.
	Alerts(ctx context.Context, office, before string, limit int) ([]Alert, error)
	// Acknowledge notes, in an act of the office, who has seen to an alert of it or of
	// the installation that nobody acknowledged since its last event; fault NotFound
	// "alert", Forbidden "own_case" where it is about the very person.
	Acknowledge(ctx context.Context, office, of, id, by string, at time.Time) error
}

// Lists lets those who may look at alerts, and say that they have seen to one.
type Lists struct {
	Log   *audit.Log
	Store ListStore
	Clock clock.Clock
}

// List returns alerts of the actor's own office, or those of the installation.
func (l *Lists) List(ctx context.Context, a actor.Actor, installation bool, before string, limit int) (list []Alert, err error) {
	err = l.Log.Act(ctx, a, audit.Entry{Action: "alert.list"}, func(ctx context.Context, e *audit.Entry) (err error) {
		of := a.Office
		if installation {
			of = Installation
			e.Fact("scope", "installation")
		} else if !a.May(string(office.OfficeAlerts)) {
			return errPermission
		}
		list, err = l.Store.Alerts(ctx, of, before, limit)
		return err
	})
	return list, err
}

// Acknowledge says that the actor has seen to an alert of the own office that is not
// about the actor, or to one of the installation, which is the operator's work. What happens again is open again.
func (l *Lists) Acknowledge(ctx context.Context, a actor.Actor, installation bool, id string) error {
	e := audit.Entry{Action: "alert.acknowledge", Object: id}
	of, needed := a.Office, office.OfficeAlerts
	if installation {
		of, needed = Installation, office.InstallationAlerts
		e.Fact("scope", "installation")
	}
	return l.Log.Act(ctx, a, e, func(ctx context.Context, _ *audit.Entry) error {
		if !a.May(string(needed)) {
			return errPermission
		}
		return l.Store.Acknowledge(ctx, a.Office, of, id, a.Person, l.Clock.Now())
	})
}
