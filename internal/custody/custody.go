// Package custody looks after what is sealed: it changes data keys and the file
// key, and erases persons.
//
// These are dangerous acts (S-029): each uses an approval that two people gave
// before, inside its own act. What takes long goes in batches and goes on where
// it ended, in whatever process (S-074).
package custody

import (
	"context"
	"time"

	"akashi/internal/actor"
	"akashi/internal/audit"
	"akashi/internal/fault"
	"akashi/internal/seal"
)

// Kinds of approvals.
const (
	Rekey       = "numbers.rekey"
	ErasePerson = "person.erase"
)

// Approvals is the four-eyes rule. Use consumes the approval of exactly this act
// and runs inside it; without one it is a fault.
type Approvals interface {
	Use(ctx context.Context, a actor.Actor, kind, object string, parameters map[string]string) error
}

// Store keeps data keys and what they seal.
type Store interface {
	Offices(ctx context.Context) ([]string, error)
	DataKeys(ctx context.Context, office string) ([]seal.DataKey, error)
	NextKey(ctx context.Context, office string, p seal.Purpose) (version int, err error) // in an act
	ActivateKey(ctx context.Context, office string, p seal.Purpose) error                // in an act
	Reseal(ctx context.Context, office string, p seal.Purpose, limit int) (done int, more bool, err error)
	RetireKey(ctx context.Context, office string, p seal.Purpose) (retired, version int, err error) // in an act; fault Conflict "data_key_used"
	SweepAgain(ctx context.Context, office string, p seal.Purpose) error
	NextRing() (*seal.Ring, error)
	RewrapKeys(ctx context.Context, office string, next *seal.Ring) (done int, err error) // in an act
	FollowRing(next *seal.Ring) error

	// The following run in an act.
	ErasePerson(ctx context.Context, office, personID string) (Erasure, error) // fault NotFound "person"; Conflict "person_held", "issue_in_progress"
	Hold(ctx context.Context, office, personID, reason, by string) error
	EndHolds(ctx context.Context, office, personID, by string) error // fault NotFound "hold"
}

// Service is the use cases.
type Service struct {
	Log       *audit.Log
	Store     Store
	Approvals Approvals // nil: every dangerous act is refused
	// Settle waits until every process has seen what was committed; nil waits 35 s.
	Settle func(ctx context.Context) error
	// Batch is how many rows one transaction changes; 0 means 500.
	Batch int
}

// settleTime is longer than any process keeps data keys as it read them (store.dataKeyLife).
const settleTime = 35 * time.Second

func (s *Service) settle(ctx context.Context) error {
	if s.Settle != nil {
		return s.Settle(ctx)
	}
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-time.After(settleTime):
		return nil
	}
}

func (s *Service) use(ctx context.Context, a actor.Actor, kind, object string, parameters map[string]string) error {
	if s.Approvals == nil {
		return fault.New(fault.Forbidden, "approval_needed", "")
	}
	return s.Approvals.Use(ctx, a, kind, object, parameters)
}
