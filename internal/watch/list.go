package watch

import (
	"context"

	"akashi/internal/actor"
	"akashi/internal/audit"
)

// ListStore reads alerts.
type ListStore interface {
	// Alerts returns those of an office, or of the installation, newest first; of
	// ids below before, where that is not empty.
	Alerts(ctx context.Context, office, before string, limit int) ([]Alert, error)
}

// Lists lets those who may look at alerts.
type Lists struct {
	Log   *audit.Log
	Store ListStore
}

// List returns alerts of the actor's own office, or those of the installation.
func (l *Lists) List(ctx context.Context, a actor.Actor, installation bool, before string, limit int) (list []Alert, err error) {
	err = l.Log.Act(ctx, a, audit.Entry{Action: "alert.list"}, func(ctx context.Context, e *audit.Entry) (err error) {
		of := a.Office
		if installation {
			of = Installation
			e.Fact("scope", "installation")
		}
		list, err = l.Store.Alerts(ctx, of, before, limit)
		return err
	})
	return list, err
}
