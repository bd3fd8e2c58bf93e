package server

import (
	"cmp"
	"context"
	"errors"
	"io"
	"net/http"
	"sync"
	"time"

	"akashi/internal/exchange"
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

// What files that arrive may take of the memory at once on one process, and as much again
// those that are made, in bytes as they come or are given; what is made of them while they
// are read is a few times as much (S-043). Files that come on slow lines keep out
// others that come, and nothing that is made.
const (
	filesAtOnce   = 2 * filesOfOffice
	filesOfOffice = 2 * (maxImport + maxUpload) // of one office, so that it takes two to keep a third out
)

// holds is what operations hold besides their body, in bytes at most, by the name in the log.
var holds = map[string]int64{
	"commit-import":    maxImport,
	"get-mailing-file": 50 << 20, // 1,000 copies (issuance.MaxMailing)
	"export-log":       50 << 20, // audit.MaxExport entries with their paths
	"get-batch-file":   2 * exchange.MaxFile,
}

// hold takes what the call holds of the memory for files; fault Unavailable "files_busy".
func (s *Server) hold(c *call) error {
	var body int64
	if limit := c.limit(); limit > maxBody && !c.isPicture() {
		body = limit
		if length := c.request.ContentLength; length >= 0 {
			body = min(limit, length)
		}
	}
	if err := c.keep(s.arriving, body); err != nil {
		return err
	}
	return c.keep(s.making, holds[cmp.Or(c.route.logged, c.route.id)])
}

// keep takes places until the call is over; none for nothing.
func (c *call) keep(of *places, n int64) error {
	if n == 0 {
		return nil
	}
	back, err := of.take(c.actor.Office, n)
	if err == nil {
		c.back = append(c.back, back)
	}
	return err
}

// slowest is how many bytes a second a large file comes with at least, after the time that
// any body has.
const slowest = 64 << 10

// steady ends a body that comes too slowly: whoever sends it keeps a place (S-008, S-043).
type steady struct {
	io.ReadCloser
	control     *http.ResponseController
	began       time.Time
	first, most time.Duration
	came        int64
}

// Read implements io.Reader. What is done with the whole body has its full time again.
func (s *steady) Read(b []byte) (int, error) {
	due := min(s.first+time.Duration(s.came)*time.Second/slowest, s.most)
	_ = s.control.SetReadDeadline(s.began.Add(due))
	n, err := s.ReadCloser.Read(b)
	s.came += int64(n)
	if errors.Is(err, io.EOF) {
		_ = s.control.SetReadDeadline(s.began.Add(s.most))
	}
	return n, err
}

func (c *call) release() {
	for _, back := range c.back {
		back()
	}
}

// places are how much may be taken at once of a thing, and how much of it for one.
type places struct {
	busy       string // key of the refusal
	most, each int64
	mu         sync.Mutex
	taken      int64
	of         map[string]int64
}

func newPlaces(busy string, most, each int64) *places {
	return &places{busy: busy, most: most, each: each, of: map[string]int64{}}
}

// take gives n, which must be given back, or refuses.
func (p *places) take(who string, n int64) (back func(), err error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.taken+n > p.most || p.of[who]+n > p.each {
		return nil, fault.New(fault.Unavailable, p.busy, "")
	}
	p.taken += n
	p.of[who] += n
	return func() { p.leave(who, n) }, nil
}

func (p *places) leave(who string, n int64) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.taken -= n
	if p.of[who] -= n; p.of[who] == 0 {
		delete(p.of, who)
	}
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
