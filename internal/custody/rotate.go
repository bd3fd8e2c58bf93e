package custody

import (
	"context"
	"errors"
	"slices"
	"strconv"

	"akashi/internal/actor"
	"akashi/internal/audit"
	"akashi/internal/fault"
	"akashi/internal/seal"
)

// Rotation reports what became of a rotation.
type Rotation struct {
	Office  string
	Purpose seal.Purpose
	Version int // that is active now
	Rows    int // brought to it by this run
	Retired int // versions that were destroyed
}

// Rotating lists the purposes of which a new version can take over.
func Rotating() []seal.Purpose {
	return slices.DeleteFunc(seal.Purposes(), func(p seal.Purpose) bool { return !p.Rotates() })
}

// Rotate makes a new version of a data key of the actor's office and brings
// everything to it. A rotation that was begun goes on instead, without another
// approval.
func (s *Service) Rotate(ctx context.Context, a actor.Actor, p seal.Purpose) (Rotation, error) {
	if err := fault.OneOf("purpose", p, Rotating()...); err != nil {
		return Rotation{}, err
	}
	runs, err := s.unfinished(ctx, a.Office)
	if err != nil {
		return Rotation{}, err
	}
	if !slices.Contains(runs, p) {
		err := s.Log.Act(ctx, a, audit.Entry{Action: "seal.rotate", Object: string(p)}, func(ctx context.Context, e *audit.Entry) error {
			if err := s.use(ctx, a, Rekey, string(p), nil); err != nil {
				return err
			}
			version, err := s.Store.NextKey(ctx, a.Office, p)
			e.Fact("version", strconv.Itoa(version))
			return err
		})
		if err != nil {
			return Rotation{}, err
		}
	}
	return s.finish(ctx, a, p)
}

// Resume finishes the rotations of all offices that a process left unfinished.
func (s *Service) Resume(ctx context.Context, job func(office string) actor.Actor) (done []Rotation, err error) {
	offices, err := s.Store.Offices(ctx)
	if err != nil {
		return nil, err
	}
	for _, code := range offices {
		purposes, err := s.unfinished(ctx, code)
		if err != nil {
			return done, err
		}
		for _, p := range purposes {
			r, err := s.finish(ctx, job(code), p)
			if err != nil {
				return done, err
			}
			done = append(done, r)
		}
	}
	return done, nil
}

// unfinished lists the purposes of which a next version waits, or an old one is
// still there: of a rotation that was begun, of a key that was used up, or from
// before there were data keys.
func (s *Service) unfinished(ctx context.Context, office string) (purposes []seal.Purpose, err error) {
	keys, err := s.Store.DataKeys(ctx, office)
	for _, k := range keys {
		if (k.State == seal.Next || k.State == seal.Old) && !slices.Contains(purposes, k.Purpose) {
			purposes = append(purposes, k.Purpose)
		}
	}
	return purposes, err
}

// maxSweeps bounds how often a sweep begins again because acts under way sealed
// with the version before.
const maxSweeps = 5

// finish carries a rotation to its end from wherever it stands.
func (s *Service) finish(ctx context.Context, a actor.Actor, p seal.Purpose) (r Rotation, err error) {
	r = Rotation{Office: a.Office, Purpose: p}
	if err := s.activate(ctx, a, p); err != nil {
		return r, err
	}
	if err := s.settle(ctx); err != nil { // now nobody seals with the version before
		return r, err
	}
	for range maxSweeps {
		for more := true; more; {
			var done int
			if done, more, err = s.Store.Reseal(ctx, a.Office, p, s.batch()); err != nil {
				return r, err
			}
			r.Rows += done
		}
		if err = s.retire(ctx, a, p, &r); !used(err) {
			return r, err
		}
		if err := s.Store.SweepAgain(ctx, a.Office, p); err != nil {
			return r, err
		}
	}
	return r, err
}

func used(err error) bool {
	var f *fault.Error
	return errors.As(err, &f) && f.Key == "data_key_used"
}

func (s *Service) batch() int {
	if s.Batch > 0 {
		return s.Batch
	}
	return 500
}

// activate makes a version that waits the one that seals, when every process
// knows it: search keys are looked for under both from then on.
func (s *Service) activate(ctx context.Context, a actor.Actor, p seal.Purpose) error {
	keys, err := s.Store.DataKeys(ctx, a.Office)
	if err != nil {
		return err
	}
	if !slices.ContainsFunc(keys, func(k seal.DataKey) bool { return k.Purpose == p && k.State == seal.Next }) {
		return nil
	}
	if err := s.settle(ctx); err != nil {
		return err
	}
	return s.Log.Act(ctx, a, audit.Entry{Action: "seal.activate", Object: string(p)}, func(ctx context.Context, _ *audit.Entry) error {
		return s.Store.ActivateKey(ctx, a.Office, p)
	})
}

func (s *Service) retire(ctx context.Context, a actor.Actor, p seal.Purpose, r *Rotation) error {
	return s.Log.Act(ctx, a, audit.Entry{Action: "seal.retire", Object: string(p)}, func(ctx context.Context, e *audit.Entry) (err error) {
		if r.Retired, r.Version, err = s.Store.RetireKey(ctx, a.Office, p); err != nil {
			return err
		}
		e.Fact("version", strconv.Itoa(r.Version))
		e.Fact("rows", strconv.Itoa(r.Rows))
		e.Fact("retired", strconv.Itoa(r.Retired))
		return nil
	})
}

// Rewrapping reports what became of a change of the file key.
type Rewrapping struct {
	Keys int // data keys that were wrapped again
}

// Rewrap changes the file key: every data key is wrapped by the next one, to
// which the database belongs from then on; the present one opens nothing any more.
func (s *Service) Rewrap(ctx context.Context, a actor.Actor) (r Rewrapping, err error) {
	next, err := s.Store.NextRing()
	if err != nil {
		return r, err
	}
	err = s.Log.Act(ctx, a, audit.Entry{Action: "seal.rewrap"}, func(ctx context.Context, e *audit.Entry) error {
		if err := s.use(ctx, a, Rekey, "file-key", nil); err != nil {
			return err
		}
		if r.Keys, err = s.Store.RewrapKeys(ctx, a.Office, next); err != nil {
			return err
		}
		e.Fact("keys", strconv.Itoa(r.Keys))
		e.Fact("file key", next.KeeperID())
		return nil
	})
	if err != nil {
		return r, err
	}
	return r, s.Store.FollowRing(next)
}
