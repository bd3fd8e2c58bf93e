package issuance

import (
	"context"
	"errors"
	"fmt"

	"akashi/internal/actor"
	"akashi/internal/audit"
	"akashi/internal/fault"
)

// Step does at most so many certificates of each office that is not suspended, one by
// one, so that a process that dies has left each of them done or not, or an intent
// that Recover ends. What fails is tried again at the next steps, Tries times where it
// may help, and keeps nothing else from being done; while the service is away nothing is
// counted. It returns how many it looked at, and the faults of the others.
func (s *Many) Step(ctx context.Context, most int) (n int, err error) {
	offices, err := s.Store.Offices(ctx)
	if err != nil {
		return 0, err
	}
	for _, code := range offices {
		done, failed := s.stepOffice(ctx, code, most)
		n, err = n+done, errors.Join(err, failed)
	}
	return n, err
}

func (s *Many) stepOffice(ctx context.Context, code string, most int) (n int, err error) {
	items, err := s.Store.OpenItems(ctx, code, s.Act, most)
	if err != nil || len(items) == 0 {
		return 0, err
	}
	do := map[Act]func(context.Context, actor.Actor, Item) error{RevokeMany: s.revoke, ReissueMany: s.reissue}[s.Act]
	for _, item := range items {
		// Looked up for each: who suspends an office stops what is going on.
		o, failed := s.Store.Office(ctx, code)
		if failed != nil || o.Settings.Suspended != nil {
			return n, errors.Join(err, failed)
		}
		a := actor.Actor{Office: code, Person: "job:" + string(s.Act), Terminal: "jobs", Purpose: actor.Operate, Case: item.Run}
		switch failed := do(ctx, a, item); {
		case failed == nil:
			n++
		case errors.Is(failed, errBulk): // another node has it
		default:
			err = errors.Join(err, fmt.Errorf("%s %s: %w", s.Act, item.Certificate, failed), s.failed(ctx, a, item, failed))
			if fault.CodeOf(failed) == fault.Unavailable {
				return n, err // so would be the others
			}
		}
	}
	return n, err
}

func (s *Many) revoke(ctx context.Context, a actor.Actor, item Item) error {
	e := audit.Entry{Action: "certificate.revoke", Object: item.Certificate}
	e.Fact("reason", item.Reason)
	return s.Log.Act(ctx, a, e, func(ctx context.Context, e *audit.Entry) error {
		revoked, err := s.Store.RevokeItem(ctx, a.Office, item)
		if !revoked {
			e.Fact("ended_before", "true")
		}
		return err
	})
}

// reissue makes a certificate again unless it has ended, or was made by a process that
// died before it noted so.
func (s *Many) reissue(ctx context.Context, a actor.Actor, item Item) error {
	open, due, err := s.Store.ItemState(ctx, a.Office, item)
	if err != nil {
		return err
	}
	if !open {
		return errBulk
	}
	if due {
		if _, err := s.Issuance.Reissue(ctx, a, item.Certificate, item.Reason); underWay(err) {
			return errBulk // looked at again at the next step
		} else if err != nil {
			return err
		}
	}
	return s.Log.Act(ctx, a, s.entry("item", item.Certificate), func(ctx context.Context, e *audit.Entry) error {
		successor, err := s.Store.ReissuedItem(ctx, a.Office, item)
		if successor == "" {
			e.Fact("ended_before", "true")
		} else {
			e.Fact("superseded_by", successor)
		}
		return err
	})
}

// underWay tells that another node, a person or a process that died is making the
// certificate again, or has done so since it was looked at.
func underWay(err error) bool {
	for _, e := range []error{errInProgress, errVersion, errNotPrepared, errState} {
		if errors.Is(err, e) {
			return true
		}
	}
	return false
}

// failed counts a try, and all of them where only a person can help: the record, the
// passport or the person is not what it was.
func (s *Many) failed(ctx context.Context, a actor.Actor, item Item, err error) error {
	tries := 1
	switch fault.CodeOf(err) {
	case fault.Unavailable:
		return nil
	case fault.Conflict, fault.NotFound, fault.Invalid:
		if !errors.Is(err, errEnded) {
			tries = Tries
		}
	}
	return s.Log.Act(ctx, a, s.entry("try", item.Certificate), func(ctx context.Context, _ *audit.Entry) error {
		return s.Store.ItemFailed(ctx, a.Office, item, audit.Result(err), tries)
	})
}

var (
	errErased = fault.New(fault.NotFound, "erased", "")
	errBulk   = fault.New(fault.Conflict, "bulk_state", "")
	errState  = fault.New(fault.Conflict, "certificate_state", "")
	errEnded  = fault.New(fault.Conflict, "issue_ended", "")
)
