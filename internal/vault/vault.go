package vault

import (
	"context"
	"errors"
	"strings"

	"akashi/internal/actor"
	"akashi/internal/audit"
	"akashi/internal/fault"
)

// Purpose of an access; these three and no other.
type Purpose string

const (
	MoveIn      Purpose = "move_in_inquiry"
	MoveOut     Purpose = "move_out_provision"
	Certificate Purpose = "certificate_application"
)

// Access says why and in which case the vault is opened. Both are needed.
type Access struct {
	Purpose Purpose
	Case    string
}

// Items are what a number is compared by, in the form that compares.
type Items struct{ Name, BirthDate, Sex, Address string }

// Differ names the items that do not agree; one that is missing does not.
func (i Items) Differ(other Items) (fields []string) {
	for _, f := range []struct{ name, a, b string }{
		{"name", i.Name, other.Name}, {"birth_date", i.BirthDate, other.BirthDate}, {"sex", i.Sex, other.Sex}, {"address", i.Address, other.Address},
	} {
		if f.a == "" || f.a != f.b {
			fields = append(fields, f.name)
		}
	}
	return fields
}

// Cases knows the cases of one purpose.
type Cases interface {
	// NumberCase refuses a case that there is not, that is closed, or in which the
	// number may not be asked for. It returns the person of the register whom the
	// case concerns, if that is known, and runs inside an act.
	NumberCase(ctx context.Context, office, id string) (personID string, err error)
}

// Store keeps numbers; its methods run inside an act and take one person or one
// number, never several.
type Store interface {
	AddNumberAccess(ctx context.Context, a actor.Actor, access Access, personID string) error
	NumberHolder(ctx context.Context, office string, n Number) (personID string, err error) // fault NotFound "number"
	RegisteredItems(ctx context.Context, office, personID string) (Items, error)            // fault NotFound "person"
	// KeepNumber stores the number of a person; again is no error. Fault Conflict
	// "number_other": the person has another one; "number_taken": it belongs to
	// somebody else; "number_household": to somebody at the same address.
	KeepNumber(ctx context.Context, office, personID string, n Number) error
	Number(ctx context.Context, office, personID string) (Number, error) // fault NotFound "number"
}

// Service is the one way to the vault.
type Service struct {
	Log   *audit.Log
	Store Store
	Cases map[Purpose]Cases // a purpose without cases is refused
}

// Answer is what entering a number led to. It holds nothing of the number.
type Answer struct {
	PersonID string // of the register; empty: nobody has this number
	Kept     bool   // it was stored for the person just now
}

// Entry is a number as shown by the person on a card, with the card's items.
type Entry struct {
	Number Number
	Items  Items
}

// Enter looks for the person of a number, or stores it for the person of the
// case, when all four items agree with those registered; fault Conflict
// "number_items_differ" names those that do not. then runs inside the same act.
func (s *Service) Enter(ctx context.Context, a actor.Actor, access Access, entry Entry, then func(context.Context, Answer) error) (answer Answer, err error) {
	if entry.Number.Zero() {
		return answer, fault.New(fault.Invalid, "number_form", "individual_number")
	}
	err = s.open(ctx, a, access, "number.enter", func(ctx context.Context, concerned string, e *audit.Entry) error {
		answer = Answer{PersonID: concerned}
		if concerned == "" {
			holder, err := s.Store.NumberHolder(ctx, a.Office, entry.Number)
			if err != nil && fault.CodeOf(err) != fault.NotFound {
				return later(err)
			}
			answer.PersonID = holder
		}
		e.Person = answer.PersonID
		if err := s.Store.AddNumberAccess(ctx, a, access, answer.PersonID); err != nil {
			return later(err)
		}
		if answer.PersonID != "" {
			if err := s.agree(ctx, a.Office, answer.PersonID, entry.Items); err != nil {
				return err
			}
		}
		if concerned != "" {
			if err := s.Store.KeepNumber(ctx, a.Office, concerned, entry.Number); err != nil {
				return later(err)
			}
			answer.Kept = true
		}
		return then(ctx, answer)
	})
	return answer, err
}

func (s *Service) agree(ctx context.Context, office, personID string, items Items) error {
	registered, err := s.Store.RegisteredItems(ctx, office, personID)
	if err != nil {
		return err
	}
	if fields := items.Differ(registered); fields != nil {
		return fault.New(fault.Conflict, "number_items_differ", "").With("fields", strings.Join(fields, ", "))
	}
	return nil
}

// Read returns the number of the person whom a case concerns, for the step that
// needs it; everywhere else Masked is shown.
func (s *Service) Read(ctx context.Context, a actor.Actor, access Access) (n Number, err error) {
	err = s.open(ctx, a, access, "number.read", func(ctx context.Context, concerned string, e *audit.Entry) (err error) {
		if concerned == "" {
			return fault.New(fault.NotFound, "number", "")
		}
		e.Person = concerned
		if err := s.Store.AddNumberAccess(ctx, a, access, concerned); err != nil {
			return later(err)
		}
		n, err = s.Store.Number(ctx, a.Office, concerned)
		return later(err)
	})
	return n, err
}

// open runs an access as an act with its purpose and case, after the case was found open.
func (s *Service) open(ctx context.Context, a actor.Actor, access Access, action string, fn func(ctx context.Context, concerned string, e *audit.Entry) error) error {
	e := audit.Entry{Action: action, Object: access.Case}
	e.Fact("purpose", string(access.Purpose))
	return s.Log.Act(ctx, a.For(access.Case), e, func(ctx context.Context, e *audit.Entry) error {
		if err := fault.OneOf("purpose", access.Purpose, MoveIn, MoveOut, Certificate); err != nil {
			return err
		}
		cases := s.Cases[access.Purpose]
		if cases == nil || access.Case == "" {
			return fault.New(fault.Forbidden, "number_case", "case")
		}
		concerned, err := cases.NumberCase(ctx, a.Office, access.Case)
		if err != nil {
			return err
		}
		return fn(ctx, concerned, e)
	})
}

// later says of the store's trouble that is no refusal that the number can be entered another
// time: the counter goes on without it (S-105).
func later(err error) error {
	var known *fault.Error
	if err == nil || errors.As(err, &known) {
		return err
	}
	return fault.New(fault.Unavailable, "vault_later", "").Because(err)
}
