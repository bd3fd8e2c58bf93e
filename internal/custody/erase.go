package custody

import (
	"context"
	"strconv"
	"strings"

	"akashi/internal/actor"
	"akashi/internal/audit"
	"akashi/internal/fault"
)

// Erasure reports what an erasure took; its log entry is the proof of it.
type Erasure struct {
	PersonID     string
	Keys         int // destroyed: the person's and those of applications
	Rows         int // deleted or emptied
	Certificates int // of which only id, kind, state, dates, key and status ids and digests are left
}

// Erase destroys the keys of a person of the register and everything that they
// sealed (S-076), in the actor's own office only. The dead are treated
// like the living. Fault Conflict "person_held" while a hold is set.
func (s *Service) Erase(ctx context.Context, a actor.Actor, personID string) (r Erasure, err error) {
	err = s.Log.Act(ctx, a, audit.Entry{Action: "person.erase", Object: personID, Person: personID}, func(ctx context.Context, e *audit.Entry) error {
		if err := s.use(ctx, a, ErasePerson, personID, nil); err != nil {
			return err
		}
		if r, err = s.Store.ErasePerson(ctx, a.Office, personID); err != nil {
			return err
		}
		e.Fact("keys", strconv.Itoa(r.Keys))
		e.Fact("rows", strconv.Itoa(r.Rows))
		e.Fact("certificates", strconv.Itoa(r.Certificates))
		return nil
	})
	return r, err
}

const maxHoldReason = 200

// Hold keeps a person from being erased, for a reason in words without personal data.
func (s *Service) Hold(ctx context.Context, a actor.Actor, personID, reason string) error {
	if reason = strings.TrimSpace(reason); reason == "" {
		return fault.New(fault.Invalid, "required", "reason")
	}
	if len([]rune(reason)) > maxHoldReason {
		return fault.New(fault.Invalid, "too_long", "reason")
	}
	return s.Log.Act(ctx, a, audit.Entry{Action: "person.hold", Object: personID, Person: personID}, func(ctx context.Context, _ *audit.Entry) error {
		return s.Store.Hold(ctx, a.Office, personID, reason, a.Person)
	})
}

// EndHolds lets a person be erased again.
func (s *Service) EndHolds(ctx context.Context, a actor.Actor, personID string) error {
	return s.Log.Act(ctx, a, audit.Entry{Action: "person.unhold", Object: personID, Person: personID}, func(ctx context.Context, _ *audit.Entry) error {
		return s.Store.EndHolds(ctx, a.Office, personID, a.Person)
	})
}
