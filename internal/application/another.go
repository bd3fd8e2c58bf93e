package application

import (
	"context"

	"akashi/internal/actor"
	"akashi/internal/audit"
	"akashi/internal/fault"
)

// whyAnother are the reasons for another certificate beside a valid one of the same kind,
// holder and passport; the first stays valid.
var whyAnother = []string{"several_places", "not_at_hand", "wish"}

// WhyAnother lists the reasons for which another certificate is made beside a valid one.
func WhyAnother() []string { return append([]string{}, whyAnother...) }

// Justify records why an approved application is to have another certificate though one
// like it is valid; checking the application anew forgets it. version is that of the
// application that was looked at, as for Answer. Nothing is issued, and issuing does not ask for it.
func (s *Service) Justify(ctx context.Context, a actor.Actor, id, why string, version int) (Application, error) {
	if err := fault.OneOf("why", why, whyAnother...); err != nil {
		return Application{}, err
	}
	return s.change(ctx, a, id, "application.justify", func(_ context.Context, app *Application, e *audit.Entry) error {
		if version != 0 && version != app.Version {
			return errVersion
		}
		if app.State != Approved {
			return fault.New(fault.Conflict, "not_approved", "state").With("state", string(app.State))
		}
		app.Another = why
		e.Fact("another", why)
		return nil
	})
}
