package issuance

import (
	"context"
	"errors"
	"time"

	"akashi/internal/actor"
	"akashi/internal/audit"
	"akashi/internal/fault"
)

var errNotPrepared = fault.New(fault.Conflict, "not_prepared", "")

// RecoverAge is how old an intent must be before another process takes it (S-060).
const RecoverAge = 60 * time.Second

// elsewhere is what another process has made of an intent that this one was at work on:
// the certificate of that very draft, or errNotPrepared where it came to nothing.
func (s *Service) elsewhere(ctx context.Context, a actor.Actor, id string) (Issue, error) {
	i, err := s.read(ctx, a, id, "certificate.read")
	if fault.CodeOf(err) == fault.NotFound || err == nil && i.State != Issued {
		err = errNotPrepared
	}
	return i, err
}

// Recovery is what one run of Recover did.
type Recovery struct{ Finished, Failed, Left int }

// Recover finishes or fails every intent that nobody has touched since age ago.
// It claims an intent before it works on it, so that of several nodes one does.
func (s *Service) Recover(ctx context.Context, age time.Duration) (Recovery, error) {
	var r Recovery
	offices, err := s.Store.Offices(ctx)
	if err != nil {
		return r, err
	}
	var errs []error
	for _, code := range offices {
		a := actor.Actor{Office: code, Person: "job:recover", Terminal: "jobs", Purpose: actor.Operate}
		ids, err := s.Store.OpenIntents(ctx, code, s.Clock.Now().Add(-age))
		errs = append(errs, err)
		for _, id := range ids {
			errs = append(errs, s.recoverOne(ctx, a, id, age, &r))
		}
	}
	return r, errors.Join(errs...)
}

func (s *Service) recoverOne(ctx context.Context, a actor.Actor, id string, age time.Duration, r *Recovery) error {
	var i Issue
	err := s.Log.Act(ctx, a, audit.Entry{Action: "certificate.recover", Object: id}, func(ctx context.Context, _ *audit.Entry) (err error) {
		if err := s.Store.Claim(ctx, a.Office, id, s.Clock.Now().Add(-age)); err != nil {
			return err
		}
		i, err = s.Store.Issue(ctx, a.Office, id)
		return err
	})
	if fault.CodeOf(err) == fault.Conflict {
		return nil // another node has it
	}
	if err != nil {
		return err
	}
	a = a.For(i.ApplicationID)
	_, err = s.finish(ctx, a, i, nil)
	switch {
	case err == nil:
		r.Finished++
	case errors.Is(err, errNotPrepared):
		// another node has ended it
	case ending(err) != "":
		r.Failed++
	default:
		r.Left++
		return err
	}
	return nil
}
