package issuance_test

import (
	"errors"
	"testing"
	"time"

	"akashi/certificate"
	"akashi/internal/fault"
	"akashi/internal/issuance"
	"akashi/internal/testkit/world"
)

// S-104, S-105: a step of the clock loses nothing. Behind the beginning of the keys
// nothing is signed; forward, work goes on; what was prepared before a step is
// finished after it; and back at the right time everything is as it was.
func TestClockStep(t *testing.T) {
	world.Each(t, func(t *testing.T, w *world.World) {
		var step time.Duration
		w.Issuance.Clock = func() time.Time { return time.Now().Add(step).UTC() }
		before, _, err := w.Issuance.Issue(t.Context(), w.Clerk, w.Approved(t, certificate.Travel))
		if err != nil {
			t.Fatal(err)
		}
		step = -24 * time.Hour
		var f *fault.Error
		if _, _, err := w.Issuance.Issue(t.Context(), w.Clerk, w.Approved(t, certificate.Travel)); !errors.As(err, &f) || f.Key != "no_active_key" {
			t.Errorf("error/a day back: %v", err)
		}
		step = 0
		open := prepared(t, w)
		step = 36 * time.Hour
		if r, err := w.Issuance.Recover(t.Context(), time.Minute); err != nil || r.Finished != 1 || r.Left != 0 {
			t.Errorf("ok/recovered forward: %+v %v", r, err)
		}
		if _, made, err := w.Issuance.Issue(t.Context(), w.Clerk, w.Approved(t, certificate.Travel)); err != nil || !made {
			t.Errorf("ok/forward: %v", err)
		}
		step = 0
		for _, id := range []string{before.Certificate.ID, open.Certificate.ID} {
			i, err := w.Issuance.Codes(t.Context(), w.Clerk, id)
			if err != nil || i.State != issuance.Issued || w.Issuance.SelfCheck(t.Context(), i) != nil {
				t.Errorf("ok/afterwards: %s %v %v", id, i.State, err)
			}
		}
		again, made, err := w.Issuance.Issue(t.Context(), w.Clerk, before.ApplicationID)
		if err != nil || made || again.Certificate.ID != before.Certificate.ID {
			t.Errorf("ok/the same: %v %v", made, err)
		}
	})
}
