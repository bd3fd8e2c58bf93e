package issuance

import (
	"context"
	"errors"

	"akashi/internal/actor"
	"akashi/internal/audit"
	"akashi/internal/fault"
	"akashi/internal/office"
)

// Step does at most so many certificates of each office that is not suspended, one by
// one, so that a process that dies has left each of them done or not, or an intent
// that Recover ends. What fails is tried again at the next steps, Tries times where it
// may help. It returns how many it did, and the faults of the others (office.Work).
func (s *Many) Step(ctx context.Context, most int) (int, error) {
	return office.Work[Item]{
		Log: s.Log, Clock: s.Clock, Store: s.Store, Job: "job:" + string(s.Act),
		Open: func(ctx context.Context, code string, _ []string, most int) ([]Item, error) {
			return s.Store.OpenItems(ctx, code, s.Act, most)
		},
		Of:    func(item Item) office.Item { return office.Item{Case: item.Run, Try: s.entry("try", item.Certificate)} },
		Do:    map[Act]func(context.Context, actor.Actor, Item) error{RevokeMany: s.revoke, ReissueMany: s.reissue}[s.Act],
		Again: errEnded, Tries: Tries, Fail: s.Store.ItemFailed,
	}.Each(ctx, most)
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
		return office.ErrTaken
	}
	if due {
		if _, err := s.Issuance.reissue(ctx, a, item.Certificate, item.Reason); underWay(err) {
			return office.ErrTaken // looked at again at the next step
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
	for _, e := range []error{errInProgress, errVersion, errNotPrepared, errState, errReissued} {
		if errors.Is(err, e) {
			return true
		}
	}
	return false
}

var (
	errErased = fault.New(fault.NotFound, "erased", "")
	errState  = fault.New(fault.Conflict, "certificate_state", "")
	errEnded  = fault.New(fault.Conflict, "issue_ended", "")
)
