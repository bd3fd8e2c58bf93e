package watch

import (
	"context"

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
	Alerts(ctx context.Context, office string, which Seen, before string, limit int) ([]Alert, error)
	Alert(ctx context.Context, office, id string) (Alert, error) // fault NotFound "alert"
	// Acknowledge notes, in an act of the office, who has seen to an alert of it or of
	// the installation that nobody acknowledged since its last event, when, and with
	// which note; fault NotFound "alert", Forbidden "own_case" where it is about the
	// very person.
	Acknowledge(ctx context.Context, office, of, id string, seen Alert) error
}

// Seen selects alerts by whether somebody acknowledged them; empty: all.
type Seen string

const (
	Open         Seen = "open"
	Acknowledged Seen = "acknowledged"
)

// Lists lets those who may look at alerts, and say that they have seen to one.
type Lists struct {
	Log   *audit.Log
	Store ListStore
	Clock clock.Clock
}

// List returns alerts of the actor's own office, or those of the installation.
func (l *Lists) List(ctx context.Context, a actor.Actor, installation bool, which Seen, before string, limit int) (list []Alert, err error) {
	err = l.read(ctx, a, audit.Entry{Action: "alert.list"}, installation, func(ctx context.Context, of string) (err error) {
		list, err = l.Store.Alerts(ctx, of, which, before, limit)
		return err
	})
	return list, err
}

// Get reads one alert.
func (l *Lists) Get(ctx context.Context, a actor.Actor, installation bool, id string) (found Alert, err error) {
	err = l.read(ctx, a, audit.Entry{Action: "alert.read", Object: id}, installation, func(ctx context.Context, of string) (err error) {
		found, err = l.Store.Alert(ctx, of, id)
		return err
	})
	return found, err
}

func (l *Lists) read(ctx context.Context, a actor.Actor, e audit.Entry, installation bool, fn func(ctx context.Context, of string) error) error {
	return l.Log.Act(ctx, a, e, func(ctx context.Context, e *audit.Entry) error {
		switch {
		case installation:
			e.Fact("scope", "installation")
			return fn(ctx, Installation)
		case !a.May(string(office.OfficeAlerts)):
			return errPermission
		}
		return fn(ctx, a.Office)
	})
}

// Acknowledge says that the actor has seen to an alert of the own office that is not
// about the actor, or to one of the installation, which is the operator's work. What happens again is open again.
func (l *Lists) Acknowledge(ctx context.Context, a actor.Actor, installation bool, id, note string) error {
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
		return l.Store.Acknowledge(ctx, a.Office, of, id, Alert{SeenBy: a.Person, SeenAt: l.Clock.Now(), Note: note})
	})
}
