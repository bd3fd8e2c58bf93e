package server

import (
	"context"
	"sync"
	"time"

	"akashi/internal/fault"
	"akashi/internal/office"
)

// rulesLast is how long the rules of an office are kept: a suspension counts at
// once on the node that it was asked of, and on the others after this time.
const rulesLast = time.Second

// officeRules keeps the offices of those who called lately.
type officeRules struct {
	mu    sync.Mutex
	known map[string]keptOffice
}

type keptOffice struct {
	office.Office
	until time.Time
}

func (s *Server) office(ctx context.Context, code string) (office.Office, error) {
	now := s.Clock.Now()
	s.rules.mu.Lock()
	kept, ok := s.rules.known[code]
	s.rules.mu.Unlock()
	if ok && now.Before(kept.until) {
		return kept.Office, nil
	}
	o, err := s.Offices.Store.Office(ctx, code)
	if err == nil {
		s.rules.keep(o, now.Add(rulesLast))
	}
	return o, err
}

func (r *officeRules) keep(o office.Office, until time.Time) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.known == nil {
		r.known = map[string]keptOffice{}
	}
	r.known[o.Code] = keptOffice{o, until}
}

// bounds refuses what the office's own rules do not allow at the moment, though
// the person has the permission: suspension, opening hours, the budget of
// look-ups (L-09, L-10).
func (s *Server) bounds(c *call) error {
	if !s.unhurried(c) {
		return s.refusal(c, fault.New(fault.Unavailable, "too_many_requests", ""))
	}
	o, err := s.office(c.ctx, c.actor.Office)
	if err != nil {
		return err
	}
	if o.Settings.Suspended != nil && !c.route.whileSuspended {
		return s.refusal(c, fault.New(fault.Forbidden, "office_suspended", ""))
	}
	if !o.Settings.Lets(c.actor, c.route.permission, s.Clock.Now()) {
		return s.refusal(c, fault.New(fault.Forbidden, "office_closed_now", ""))
	}
	if c.route.looksUp {
		return s.lookUp(c, 1)
	}
	return nil
}

// unhurried tells whether the office, and everybody together about the one that is
// asked for, keep to the rates of S-043.
func (s *Server) unhurried(c *call) bool {
	now, target := s.Clock.Now(), c.param("id")
	return s.offices.allow(c.actor.Office, now) && (target == "" || s.targets.allow(c.actor.Office+"/"+target, now))
}

// lookUp takes n look-ups from the budget of the person.
func (s *Server) lookUp(c *call, n int) error {
	o, err := s.office(c.ctx, c.actor.Office)
	if err != nil {
		return err
	}
	err = s.Budget.Take(c.ctx, c.actor, o.Settings.Lookups, n)
	if err != nil && fault.CodeOf(err) == fault.Unavailable {
		return s.refusal(c, err)
	}
	return err
}
