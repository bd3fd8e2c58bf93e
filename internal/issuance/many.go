package issuance

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"

	"akashi/internal/actor"
	"akashi/internal/audit"
	"akashi/internal/clock"
	"akashi/internal/fault"
	"akashi/internal/office"
)

// Selection names certificates of an office that are issued or superseded: those
// for which each member that is not empty holds.
type Selection struct {
	Key       string     `json:"key,omitempty"` // signed with it
	From      clock.Date `json:"issued_from,omitempty"`
	Until     clock.Date `json:"issued_until,omitempty"` // that day too
	Product   string     `json:"product,omitempty"`      // certifies a dose of it
	Catalogue string     `json:"catalogue,omitempty"`    // version of the code lists
	Clerk     string     `json:"clerk,omitempty"`        // account that issued them, as far back as the log goes
}

func (s Selection) check() error {
	if s == (Selection{}) {
		return fault.New(fault.Invalid, "selection_empty", "selection")
	}
	for field, d := range map[string]clock.Date{"issued_from": s.From, "issued_until": s.Until} {
		if d == "" {
			continue
		}
		if _, err := clock.ParseDate(string(d)); err != nil || !d.Full() {
			return fault.New(fault.Invalid, "date", field)
		}
	}
	return nil
}

// Revocation of many certificates with one reason (S-029).
type Revocation struct {
	Office, ID  string
	Selection   Selection
	Reason      string
	Count       int
	SHA256      string // of the ids in order, one a line, hex: what was approved is what is done
	RequestedBy string
	RequestedAt time.Time
	Approval    string // id
	StartedBy   string
	StartedAt   time.Time // zero: not approved yet
	StoppedBy   string
	StoppedAt   time.Time // zero: nobody has
	Ended       string    // state of an approval that was refused or withdrawn or has expired, before it was started
	Superseded  int       // of those selected, by certificates that are issued and were not selected
	Successors  []string  // these, at most 100; not in a list
	Done        int       // looked at
	Revoked     int       // of these; the others had ended otherwise
	Failed      int       // tried RevocationTries times; Start tries them again
	Failures    []Failure // these, at most 100, by id; not in a list
}

// Failure is a certificate that could not be revoked.
type Failure struct {
	CertificateID string
	Fault         string // of the last try: a code and a key, as the log has it
}

// RevocationTries is how often one certificate is tried before the others go on without it.
const RevocationTries = 5

// maxSelected bounds one revocation.
const maxSelected = 100_000

// RevocationStore keeps revocations of many; its methods run inside an act.
type RevocationStore interface {
	// SelectIssues returns ids in order; Product is not looked at.
	SelectIssues(ctx context.Context, office string, s Selection, most int) ([]string, error)
	AddRevocation(ctx context.Context, r Revocation, ids []string) error
	Revocation(ctx context.Context, office, id string) (Revocation, error) // fault NotFound "revocation"
	// RevocationItems returns the ids of its certificates, in order.
	RevocationItems(ctx context.Context, office, id string) ([]string, error)
	// Revocations returns them newest first.
	Revocations(ctx context.Context, office, before string, limit int) ([]Revocation, error)
	StartRevocation(ctx context.Context, r Revocation) error // fault Conflict "revocation_state"
	StopRevocation(ctx context.Context, r Revocation) error  // fault Conflict "revocation_stopped"
	// OpenRevocations returns certificates still to be revoked that have not failed; needs no act.
	OpenRevocations(ctx context.Context, office string, most int) ([]ToRevoke, error)
	// RevokeItem ends a certificate, unless it has ended, and notes that it was
	// looked at; fault Conflict "revocation_state" if another node was faster.
	RevokeItem(ctx context.Context, office string, item ToRevoke) (revoked bool, err error)
	// RevocationFailed counts a try of a certificate that was not looked at.
	RevocationFailed(ctx context.Context, office string, item ToRevoke, fault string) error
	// RetryRevocation lets those that failed be tried again.
	RetryRevocation(ctx context.Context, office, id string) error
}

// ToRevoke is one certificate of a revocation that was started.
type ToRevoke struct{ Revocation, Certificate, Reason string }

// Approvals is the four-eyes rule, as office.Approvals has it.
type Approvals interface {
	Ask(ctx context.Context, a actor.Actor, kind office.Kind, object string, parameters map[string]string) (office.Approval, error)
	UseOrApprove(ctx context.Context, a actor.Actor, kind office.Kind, object string, digest []byte) error
}

// Revocations revokes many certificates: selected, counted, asked for by one person,
// approved by another, carried out one by one.
type Revocations struct {
	Log   *audit.Log
	Store interface {
		RevocationStore
		applications
		Issue(ctx context.Context, office, id string) (Issue, error)
		Offices(ctx context.Context) ([]string, error)
		Office(ctx context.Context, code string) (office.Office, error)
	}
	Approvals Approvals
	Clock     clock.Clock
	IDs       interface{ Row() string }
}

// Select counts what a selection holds; nothing is changed.
func (s *Revocations) Select(ctx context.Context, a actor.Actor, sel Selection) (n int, err error) {
	if err := sel.check(); err != nil {
		return 0, err
	}
	err = s.Log.Act(ctx, a, audit.Entry{Action: "revocation.select"}, func(ctx context.Context, e *audit.Entry) error {
		ids, err := s.ids(ctx, a.Office, sel)
		n = len(ids)
		e.Fact("certificates", strconv.Itoa(n))
		return err
	})
	return n, err
}

func (s *Revocations) ids(ctx context.Context, code string, sel Selection) ([]string, error) {
	ids, err := s.Store.SelectIssues(ctx, code, sel, maxSelected+1)
	if err != nil || sel.Product == "" {
		return ids, tooMany(ids, err)
	}
	var with []string
	for _, id := range ids {
		i, err := s.Store.Issue(ctx, code, id)
		if errors.Is(err, errErased) { // nobody can read what it certified
			continue
		}
		if err != nil {
			return nil, err
		}
		for _, d := range i.Certificate.Doses {
			if d.Product.ID == sel.Product {
				with = append(with, id)
				break
			}
		}
	}
	return with, tooMany(ids, nil)
}

func tooMany(ids []string, err error) error {
	if err == nil && len(ids) > maxSelected {
		err = fault.New(fault.Conflict, "selection_too_large", "selection").With("max", strconv.Itoa(maxSelected))
	}
	return err
}

// parameters bind the approval to these very certificates.
func (r Revocation) parameters() map[string]string {
	p := map[string]string{"reason": r.Reason, "count": strconv.Itoa(r.Count), "ids_sha256": r.SHA256}
	for name, value := range map[string]string{
		"key": r.Selection.Key, "issued_from": string(r.Selection.From), "issued_until": string(r.Selection.Until),
		"product": r.Selection.Product, "catalogue": r.Selection.Catalogue, "clerk": r.Selection.Clerk,
	} {
		if value != "" {
			p[name] = value
		}
	}
	return p
}

// Ask selects and asks another person to approve.
func (s *Revocations) Ask(ctx context.Context, a actor.Actor, sel Selection, reason string, once *audit.Once) (r Revocation, err error) {
	if err := errors.Join(sel.check(), fault.OneOf("reason", reason, revokeReasons...)); err != nil {
		return r, err
	}
	r = Revocation{
		Office: a.Office, ID: s.IDs.Row(), Selection: sel, Reason: reason, RequestedBy: a.Person, RequestedAt: s.now(),
	}
	err = s.Log.Act(ctx, a, audit.Entry{Action: "revocation.request", Object: r.ID, Once: once}, func(ctx context.Context, e *audit.Entry) error {
		ids, err := s.ids(ctx, a.Office, sel)
		if err != nil {
			return err
		}
		if len(ids) == 0 {
			return fault.New(fault.Conflict, "selection_empty", "selection")
		}
		sum := sha256.Sum256([]byte(strings.Join(ids, "\n")))
		r.Count, r.SHA256 = len(ids), hex.EncodeToString(sum[:])
		e.Fact("certificates", strconv.Itoa(r.Count))
		if err := s.notOwnAny(ctx, a, ids); err != nil {
			return err
		}
		p, err := s.Approvals.Ask(ctx, a, office.RevokeBulk, r.ID, r.parameters())
		if err != nil {
			return err
		}
		r.Approval = p.ID
		return s.Store.AddRevocation(ctx, r, ids)
	})
	return r, err
}

// NotOwn refuses a revocation with a certificate of the actor's own case: who may not
// revoke that one may not do so among others either (S-029).
func (s *Revocations) NotOwn(ctx context.Context, a actor.Actor, id string) error {
	ids, err := s.Store.RevocationItems(ctx, a.Office, id)
	if err != nil {
		return err
	}
	return s.notOwnAny(ctx, a, ids)
}

func (s *Revocations) notOwnAny(ctx context.Context, a actor.Actor, ids []string) error {
	for _, id := range ids {
		i, err := s.Store.Issue(ctx, a.Office, id)
		if err != nil && !errors.Is(err, errErased) {
			return err
		}
		if err := notOwn(ctx, s.Store, a, i); err != nil {
			return err
		}
	}
	return nil
}

// Start lets the jobs revoke what somebody else has asked for, and try again what
// failed since: these very certificates were approved.
func (s *Revocations) Start(ctx context.Context, a actor.Actor, id string) (r Revocation, err error) {
	err = s.Log.Act(ctx, a, audit.Entry{Action: "revocation.start", Object: id}, func(ctx context.Context, e *audit.Entry) error {
		if r, err = s.Store.Revocation(ctx, a.Office, id); err != nil {
			return err
		}
		if r.Failed > 0 && r.StoppedAt.IsZero() {
			e.Fact("again", strconv.Itoa(r.Failed))
			r.Failed, r.Failures = 0, nil
			if err := s.NotOwn(ctx, a, id); err != nil {
				return err
			}
			return s.Store.RetryRevocation(ctx, a.Office, id)
		}
		e.Fact("certificates", strconv.Itoa(r.Count))
		if err := s.Approvals.UseOrApprove(ctx, a, office.RevokeBulk, id, office.Digest(r.parameters())); err != nil {
			return err
		}
		r.StartedBy, r.StartedAt = a.Person, s.now()
		return s.Store.StartRevocation(ctx, r)
	})
	return r, err
}

// Stop lets what is not revoked yet stay, whoever asked or started; it may be asked
// for anew. One person is enough, as for a suspension.
func (s *Revocations) Stop(ctx context.Context, a actor.Actor, id string) (r Revocation, err error) {
	err = s.Log.Act(ctx, a, audit.Entry{Action: "revocation.stop", Object: id}, func(ctx context.Context, e *audit.Entry) error {
		if r, err = s.Store.Revocation(ctx, a.Office, id); err != nil {
			return err
		}
		e.Fact("left", strconv.Itoa(r.Count-r.Done))
		if r.Done == r.Count {
			return fault.New(fault.Conflict, "revocation_stopped", "")
		}
		r.StoppedBy, r.StoppedAt = a.Person, s.now()
		return s.Store.StopRevocation(ctx, r)
	})
	return r, err
}

// Get reads a revocation with its progress.
func (s *Revocations) Get(ctx context.Context, a actor.Actor, id string) (r Revocation, err error) {
	err = s.Log.Act(ctx, a, audit.Entry{Action: "revocation.read", Object: id}, func(ctx context.Context, _ *audit.Entry) (err error) {
		r, err = s.Store.Revocation(ctx, a.Office, id)
		return err
	})
	return r, err
}

// List returns revocations, newest first.
func (s *Revocations) List(ctx context.Context, a actor.Actor, before string, limit int) (list []Revocation, err error) {
	err = s.Log.Act(ctx, a, audit.Entry{Action: "revocation.list"}, func(ctx context.Context, _ *audit.Entry) (err error) {
		list, err = s.Store.Revocations(ctx, a.Office, before, limit)
		return err
	})
	return list, err
}

// Step revokes at most so many certificates of each office that is not suspended, one
// act each, so that a process that dies has left each of them done or not. What fails
// is tried again at the next steps, RevocationTries times where it is not the service
// that is away, and keeps nothing else from being done. It returns how many it looked
// at, and the faults of the others.
func (s *Revocations) Step(ctx context.Context, most int) (n int, err error) {
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

func (s *Revocations) stepOffice(ctx context.Context, code string, most int) (n int, err error) {
	items, err := s.Store.OpenRevocations(ctx, code, most)
	if err != nil || len(items) == 0 {
		return 0, err
	}
	for _, item := range items {
		// Looked up for each: who suspends an office stops what is going on.
		o, failed := s.Store.Office(ctx, code)
		if failed != nil || o.Settings.Suspended != nil {
			return n, errors.Join(err, failed)
		}
		if failed := s.revoke(ctx, code, item); failed != nil {
			err = errors.Join(err, fmt.Errorf("revoke %s: %w", item.Certificate, failed))
			continue
		}
		n++
	}
	return n, err
}

func (s *Revocations) revoke(ctx context.Context, code string, item ToRevoke) error {
	a := actor.Actor{Office: code, Person: "job:revoke", Terminal: "jobs", Purpose: actor.Operate, Case: item.Revocation}
	e := audit.Entry{Action: "certificate.revoke", Object: item.Certificate}
	e.Fact("reason", item.Reason)
	err := s.Log.Act(ctx, a, e, func(ctx context.Context, e *audit.Entry) error {
		revoked, err := s.Store.RevokeItem(ctx, code, item)
		if !revoked {
			e.Fact("ended_before", "true")
		}
		return err
	})
	if err == nil || errors.Is(err, errRevocation) { // another node has it
		return nil
	}
	if fault.CodeOf(err) == fault.Unavailable {
		return err
	}
	failed := audit.Entry{Action: "revocation.try", Object: item.Certificate}
	return errors.Join(err, s.Log.Act(ctx, a, failed, func(ctx context.Context, _ *audit.Entry) error {
		return s.Store.RevocationFailed(ctx, code, item, audit.Result(err))
	}))
}

var (
	errErased     = fault.New(fault.NotFound, "erased", "")
	errRevocation = fault.New(fault.Conflict, "revocation_state", "")
)

func (s *Revocations) now() time.Time { return s.Clock.Now().Truncate(time.Millisecond) }
