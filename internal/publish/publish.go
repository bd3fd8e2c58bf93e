// Package publish is what strangers get: the keys to verify with, the log of
// what was issued with them, and the lists of what has ended.
//
// It reads the published half of the signing keys, digests and finished lists, and nothing else: no file key,
// no private key, no person. What makes the lists (Maker) runs elsewhere. The public face stands on it, so that a process that
// serves only that face can have a database role that can do nothing more (S-002).
package publish

import (
	"context"
	"errors"
	"os"

	"akashi/certificate/trust"
	"akashi/internal/clock"
	"akashi/signing"
)

// Keys gives all registered keys, oldest first.
type Keys interface {
	SigningKeys(ctx context.Context) ([]signing.Key, error)
}

// Service publishes the keys of this installation.
type Service struct {
	keys  Keys
	own   *trust.Own
	clock clock.Clock

	Issuances *Issuances  // nil: there is no issuance log here
	Lists     *Lists      // nil: there are no lists of what has ended here
	Problem   func(error) // is told of a list that is not taken; may be nil
}

// New makes the service over the registered keys and the revocation list of the
// authority that certifies them, a file as DER that may be missing. It is read
// again each minute.
func New(keys Keys, revocationList string, c clock.Clock) *Service {
	lists := func() ([][]byte, error) {
		list, err := os.ReadFile(revocationList)
		if errors.Is(err, os.ErrNotExist) {
			return nil, nil
		}
		return [][]byte{list}, err
	}
	return &Service{keys: keys, own: &trust.Own{Lists: lists}, clock: c}
}

// Bundle is what verifiers get at this moment.
func (s *Service) Bundle(ctx context.Context) (*trust.Bundle, error) {
	known, err := s.keys.SigningKeys(ctx)
	if err != nil {
		return nil, err
	}
	return s.own.Bundle(known, s.clock.Now())
}

// Whole is what verifiers get: the keys with the issuance log and the lists of what
// has ended. While lists cannot be read, those of before are given: they say
// themselves how old they are.
func (s *Service) Whole(ctx context.Context) (*trust.Bundle, error) {
	b, err := s.Bundle(ctx)
	if err != nil || s.Issuances == nil && s.Lists == nil {
		return b, err
	}
	known, err := s.keys.SigningKeys(ctx)
	if err != nil {
		return nil, err
	}
	var covered []string
	for _, k := range known {
		if k.Certifies() {
			covered = append(covered, k.ID)
		}
	}
	if s.Lists != nil {
		var problem error
		if b, problem = s.Lists.Add(ctx, b, covered); problem != nil && s.Problem != nil {
			s.Problem(problem)
		}
	}
	if s.Issuances == nil {
		return b, nil
	}
	log, err := s.Issuances.Log(ctx, covered)
	if err != nil || log == nil {
		return b, err
	}
	return b.WithIssuances(log), nil
}
