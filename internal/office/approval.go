package office

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"time"

	"akashi/internal/actor"
	"akashi/internal/audit"
	"akashi/internal/clock"
	"akashi/internal/fault"
	"akashi/internal/idgen"
)

// ApprovalLasts is how long somebody has to approve what was asked for, and then
// how long there is to carry it out (S-029).
const ApprovalLasts = 24 * time.Hour

// ApprovalState is what an approval is worth now.
type ApprovalState string

const (
	Pending   ApprovalState = "pending"
	Approved  ApprovalState = "approved"
	Refused   ApprovalState = "refused"
	Withdrawn ApprovalState = "withdrawn"
	Used      ApprovalState = "used" // carried out
	Expired   ApprovalState = "expired"
)

// Open tells whether it may still come to something; empty is one that nobody asked for yet.
func (s ApprovalState) Open() bool { return s == "" || s == Pending || s == Approved }

// Approval lets one act be done once: this kind, on this object, with these
// parameters.
type Approval struct {
	Office, ID  string
	Kind        Kind
	Object      string
	Parameters  map[string]string // codes, counts and digests that the approver sees
	Digest      []byte            // of the parameters
	RequestedBy string
	RequestedAt time.Time
	ExpiresAt   time.Time
	DecidedBy   string
	DecidedAt   time.Time
	Outcome     ApprovalState // empty while nobody has decided
	Reason      string        // of the decision, in words
	UsedBy      string
	UsedAt      time.Time
}

// State returns what the approval is worth.
func (p Approval) State(now time.Time) ApprovalState {
	switch {
	case !p.UsedAt.IsZero():
		return Used
	case p.Outcome != "" && p.Outcome != Approved:
		return p.Outcome
	case !now.Before(p.ExpiresAt):
		return Expired
	case p.Outcome == Approved:
		return Approved
	}
	return Pending
}

// Command is who acts in an office from the machine's command line, which is nobody of the
// office: of what it asks for, one person of the office approves and another carries it out.
const Command = "operator:command"

// Digest is what an approval is bound to besides kind and object: SHA-256 of the
// parameters as JSON with sorted names.
func Digest(parameters map[string]string) []byte {
	text, _ := json.Marshal(parameters) // a map of strings
	if len(parameters) == 0 {
		text = []byte("{}")
	}
	sum := sha256.Sum256(text)
	return sum[:]
}

// ApprovalFilter selects approvals for a list; Before is the id cursor of the last page.
type ApprovalFilter struct {
	Kind   Kind
	Object string
	Before string
	Limit  int
}

// ApprovalStore keeps approvals; its methods run inside an act.
type ApprovalStore interface {
	AddApproval(ctx context.Context, p Approval) error
	Approval(ctx context.Context, office, id string) (Approval, error) // fault NotFound "approval"
	// Approvals returns them newest first.
	Approvals(ctx context.Context, office string, f ApprovalFilter) ([]Approval, error)
	// DecideApproval stores the decision on one that nobody has decided; fault
	// Conflict "approval_state" when somebody was faster.
	DecideApproval(ctx context.Context, p Approval) error
	// UseApproval marks one that was not used, and approves it at the same time
	// where it was pending; fault Conflict "approval_used" when somebody was faster.
	UseApproval(ctx context.Context, p Approval, was ApprovalState) error
}

// Approvals is the four-eyes rule (S-029): asked for by one person, approved by
// another, both stepped up, within 24 hours, carried out once.
type Approvals struct {
	Log   *audit.Log
	Store ApprovalStore
	Clock clock.Clock
	IDs   idgen.Gen
	// NotOwn refuses those whom the object of a kind concerns, where the table cannot
	// tell: to approve it and to carry it out.
	NotOwn map[Kind]func(ctx context.Context, a actor.Actor, object string) error
}

// notOwn asks who knows the object of the approval.
func (s *Approvals) notOwn(ctx context.Context, a actor.Actor, p Approval) error {
	if refuse, ok := s.NotOwn[p.Kind]; ok {
		return refuse(ctx, a, p.Object)
	}
	return nil
}

// Ask records that a person wants an act done. It runs inside the act that
// prepares it.
func (s *Approvals) Ask(ctx context.Context, a actor.Actor, kind Kind, object string, parameters map[string]string) (Approval, error) {
	d, err := kind.Act()
	if err != nil {
		return Approval{}, err
	}
	if err := d.may(a, d.Ask, object); err != nil {
		return Approval{}, err
	}
	if err := mayGrant(a, parameters); err != nil {
		return Approval{}, err
	}
	now := s.now()
	if !d.Unattended && !a.SteppedUpBy(now) {
		return Approval{}, fault.New(fault.Forbidden, "step_up", "")
	}
	p := Approval{
		Office: a.Office, ID: s.IDs.Row(), Kind: kind, Object: object, Parameters: parameters, Digest: Digest(parameters),
		RequestedBy: a.Person, RequestedAt: now, ExpiresAt: now.Add(ApprovalLasts),
	}
	return p, s.Store.AddApproval(ctx, p)
}

// Request is Ask as an act of its own.
func (s *Approvals) Request(ctx context.Context, a actor.Actor, kind Kind, object string, parameters map[string]string, once *audit.Once) (p Approval, err error) {
	err = s.Log.Act(ctx, a, audit.Entry{Action: "approval.ask", Once: once}, func(ctx context.Context, e *audit.Entry) (err error) {
		if p, err = s.Ask(ctx, a, kind, object, parameters); err != nil {
			return err
		}
		e.Object = p.ID
		e.Fact("kind", string(kind))
		e.Fact("object", object)
		return nil
	})
	return p, err
}

// Get reads one approval.
func (s *Approvals) Get(ctx context.Context, a actor.Actor, id string) (p Approval, err error) {
	err = s.Log.Act(ctx, a, audit.Entry{Action: "approval.read", Object: id}, func(ctx context.Context, _ *audit.Entry) (err error) {
		p, err = s.Store.Approval(ctx, a.Office, id)
		return err
	})
	return p, err
}

// List returns approvals, newest first.
func (s *Approvals) List(ctx context.Context, a actor.Actor, f ApprovalFilter) (list []Approval, err error) {
	err = s.Log.Act(ctx, a, audit.Entry{Action: "approval.list"}, func(ctx context.Context, _ *audit.Entry) (err error) {
		list, err = s.Store.Approvals(ctx, a.Office, f)
		return err
	})
	return list, err
}

// Approve lets an act be done, within a day from now.
func (s *Approvals) Approve(ctx context.Context, a actor.Actor, id, reason string) (Approval, error) {
	return s.decide(ctx, a, id, "approval.approve", func(ctx context.Context, p *Approval) error {
		if err := s.approve(a, p, reason); err != nil {
			return err
		}
		return s.notOwn(ctx, a, *p)
	})
}

// Refuse ends a request that somebody else made.
func (s *Approvals) Refuse(ctx context.Context, a actor.Actor, id, reason string) (Approval, error) {
	return s.decide(ctx, a, id, "approval.refuse", func(_ context.Context, p *Approval) error {
		d, err := p.Kind.Act()
		if err != nil {
			return err
		}
		if err := d.may(a, d.Approve, p.Object); err != nil {
			return err
		}
		return s.settle(a, p, Refused, reason)
	})
}

// Withdraw ends a request that the same person made, also after it was approved.
func (s *Approvals) Withdraw(ctx context.Context, a actor.Actor, id string) (Approval, error) {
	return s.decide(ctx, a, id, "approval.withdraw", func(_ context.Context, p *Approval) error {
		if p.RequestedBy != a.Person {
			return fault.New(fault.Forbidden, "approval_of_others", "")
		}
		return s.settle(a, p, Withdrawn, "")
	})
}

func (s *Approvals) decide(ctx context.Context, a actor.Actor, id, action string, fn func(context.Context, *Approval) error) (p Approval, err error) {
	err = s.Log.Act(ctx, a, audit.Entry{Action: action, Object: id}, func(ctx context.Context, e *audit.Entry) (err error) {
		if p, err = s.Store.Approval(ctx, a.Office, id); err != nil {
			return err
		}
		e.Fact("kind", string(p.Kind))
		e.Fact("object", p.Object)
		if err := fn(ctx, &p); err != nil {
			return err
		}
		return s.Store.DecideApproval(ctx, p)
	})
	return p, err
}

// approve refuses whoever may not: the one who asked, the person concerned, and
// who has not just stepped up.
func (s *Approvals) approve(a actor.Actor, p *Approval, reason string) error {
	d, err := p.Kind.Act()
	if err != nil {
		return err
	}
	if err := d.may(a, d.Approve, p.Object); err != nil {
		return err
	}
	if err := mayGrant(a, p.Parameters); err != nil {
		return err
	}
	switch {
	case p.RequestedBy == a.Person:
		return fault.New(fault.Forbidden, "second_person", "")
	case !a.SteppedUpBy(s.now()):
		return fault.New(fault.Forbidden, "step_up", "")
	}
	if err := s.settle(a, p, Approved, reason); err != nil {
		return err
	}
	p.ExpiresAt = p.DecidedAt.Add(ApprovalLasts)
	return nil
}

// mayGrant refuses to ask for, or to approve, a role that the person may not
// grant; that which an account has now counts as well.
func mayGrant(a actor.Actor, parameters map[string]string) error {
	for _, name := range []string{"role", "was"} {
		if role, ok := parameters[name]; ok && !Role(a.Role).MayGrant(Role(role)) {
			return fault.New(fault.Forbidden, "granting", "role")
		}
	}
	return nil
}

func (s *Approvals) settle(a actor.Actor, p *Approval, outcome ApprovalState, reason string) error {
	state := p.State(s.now())
	if state != Pending && (outcome != Withdrawn || state != Approved) {
		return stateFault(state)
	}
	p.Outcome, p.DecidedBy, p.DecidedAt, p.Reason = outcome, a.Person, s.now(), reason
	return nil
}

func stateFault(state ApprovalState) error {
	switch state {
	case Expired:
		return fault.New(fault.Conflict, "approval_expired", "")
	case Used:
		return fault.New(fault.Conflict, "approval_used", "")
	}
	return fault.New(fault.Conflict, "approval_state", "")
}

// Use consumes the approval of an act. It runs inside that act's transaction: an
// act that is rolled back has not used it, and of two at once one is refused.
func (s *Approvals) Use(ctx context.Context, a actor.Actor, kind Kind, object string, digest []byte) error {
	p, err := s.find(ctx, a, kind, object, digest, Approved)
	if err != nil {
		return err
	}
	return s.use(ctx, a, p, Approved)
}

// UseOrApprove is Use, by which the second person may also approve what is
// still pending: approving and carrying out in one act.
func (s *Approvals) UseOrApprove(ctx context.Context, a actor.Actor, kind Kind, object string, digest []byte) error {
	p, err := s.find(ctx, a, kind, object, digest, Approved, Pending)
	if err != nil {
		return err
	}
	was := p.State(s.now())
	if was == Pending {
		if p.RequestedBy == Command { // who carries it out does not approve it as well
			return errApprovalNeeded
		}
		if err := s.approve(a, &p, ""); err != nil {
			return err
		}
	}
	return s.use(ctx, a, p, was)
}

func (s *Approvals) use(ctx context.Context, a actor.Actor, p Approval, was ApprovalState) error {
	d, err := p.Kind.Act()
	if err != nil {
		return err
	}
	if err := d.may(a, d.CarryOut, p.Object); err != nil {
		return err
	}
	if d.ByThird(p.RequestedBy) && (a.Person == p.RequestedBy || a.Person == p.DecidedBy) {
		return fault.New(fault.Forbidden, "third_person", "")
	}
	if err := s.notOwn(ctx, a, p); err != nil {
		return err
	}
	p.UsedBy, p.UsedAt = a.Person, s.now()
	return s.Store.UseApproval(ctx, p, was)
}

var errApprovalNeeded = fault.New(fault.Forbidden, "approval_needed", "")

// remembered bounds how many earlier approvals of one object are looked at.
const remembered = 20

// Drop ends what the person asked for on an object that is given up. It runs inside
// the act that does so.
func (s *Approvals) Drop(ctx context.Context, a actor.Actor, kind Kind, object string) error {
	list, err := s.Store.Approvals(ctx, a.Office, ApprovalFilter{Kind: kind, Object: object, Limit: remembered})
	for _, p := range list {
		if p.RequestedBy == a.Person && s.settle(a, &p, Withdrawn, "") == nil {
			err = errors.Join(err, s.Store.DecideApproval(ctx, p))
		}
	}
	return err
}

// find returns an approval of exactly this act in the first of the states that
// there is one in, or says why there is none.
func (s *Approvals) find(ctx context.Context, a actor.Actor, kind Kind, object string, digest []byte, states ...ApprovalState) (Approval, error) {
	list, err := s.Store.Approvals(ctx, a.Office, ApprovalFilter{Kind: kind, Object: object, Limit: remembered})
	if err != nil {
		return Approval{}, err
	}
	for _, wanted := range states {
		for _, p := range list {
			if p.State(s.now()) == wanted && bytes.Equal(p.Digest, digest) {
				return p, nil
			}
		}
	}
	switch {
	case len(list) == 0 || list[0].State(s.now()) == Pending:
		return Approval{}, errApprovalNeeded
	case !bytes.Equal(list[0].Digest, digest):
		return Approval{}, fault.New(fault.Conflict, "approval_differs", "")
	}
	return Approval{}, stateFault(list[0].State(s.now()))
}

func (s *Approvals) now() time.Time { return s.Clock.Now().Truncate(time.Millisecond) }
