package office

import (
	"context"
	"slices"
	"strconv"

	"akashi/internal/actor"
	"akashi/internal/audit"
	"akashi/internal/clock"
	"akashi/internal/fault"
)

// maxKin bounds a household.
const maxKin = 30

// AddKin notes that the cases of a registered person are a member of staff's own:
// oneself, or somebody of one's household (S-029), under all tickets. One person is enough, as it
// only takes away what the member may do.
func (a *Accounts) AddKin(ctx context.Context, by actor.Actor, staff, ticket string, birth clock.Date) error {
	return a.kin(ctx, by, "account.add_kin", staff, func(ctx context.Context, s Staff, e *audit.Entry) ([]string, error) {
		person, err := a.Store.PersonByTicket(ctx, s.Office, ticket, birth)
		if err != nil {
			return nil, err
		}
		e.Person = person[0]
		kin := slices.Clone(s.Kin)
		for _, id := range person {
			if !slices.Contains(kin, id) {
				kin = append(kin, id)
			}
		}
		if len(kin) > maxKin {
			return nil, fault.New(fault.Conflict, "too_many_kin", "").With("max", strconv.Itoa(maxKin))
		}
		return kin, nil
	})
}

// ClearKin forgets the household of a member of staff, who has moved; nobody does
// so for oneself.
func (a *Accounts) ClearKin(ctx context.Context, by actor.Actor, staff string) error {
	return a.kin(ctx, by, "account.clear_kin", staff, func(_ context.Context, s Staff, e *audit.Entry) ([]string, error) {
		if s.ID == by.Person {
			return nil, fault.New(fault.Forbidden, "own_case", "")
		}
		for i, person := range s.Kin {
			e.Fact("kin "+strconv.Itoa(i+1), person)
		}
		return []string{}, nil
	})
}

func (a *Accounts) kin(ctx context.Context, by actor.Actor, action, staff string, change func(context.Context, Staff, *audit.Entry) ([]string, error)) error {
	return a.Log.Act(ctx, by, audit.Entry{Action: action, Object: staff}, func(ctx context.Context, e *audit.Entry) error {
		s, err := a.Store.Staff(ctx, by.Office, staff)
		if err != nil {
			return err
		}
		kin, err := change(ctx, s, e)
		if err != nil {
			return err
		}
		return a.Store.SetKin(ctx, s, kin)
	})
}
