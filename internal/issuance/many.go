package issuance

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"slices"
	"strconv"
	"strings"
	"time"

	"akashi/internal/actor"
	"akashi/internal/audit"
	"akashi/internal/clock"
	"akashi/internal/fault"
	"akashi/internal/office"
	"akashi/signing"
)

// Act is what a run does with each of its certificates.
type Act string

const (
	RevokeMany  Act = "revoke"
	ReissueMany Act = "reissue"
)

// terms of an act: its name in the log, what two people approve, and why it is done.
type terms struct {
	log     string
	kind    office.Kind
	reasons []string
}

func (a Act) terms() terms {
	if a == ReissueMany {
		return terms{"reissue", office.ReissueBulk, reissueReasons}
	}
	return terms{"revocation", office.RevokeBulk, revokeReasons}
}

// Reasons are the codes that the act takes.
func (a Act) Reasons() []string { return slices.Clone(a.terms().reasons) }

// Selection names certificates of an office: those for which each member that is not
// empty holds, and which are issued or superseded, to be revoked, or which have no
// newer one, to be made again (Issue.Reissuable).
type Selection struct {
	Key       string     `json:"key,omitempty"` // signed with it
	From      clock.Date `json:"issued_from,omitempty"`
	Until     clock.Date `json:"issued_until,omitempty"`  // that day too
	Expires   clock.Date `json:"expires_until,omitempty"` // issued, and a code of it expires then or before
	Product   string     `json:"product,omitempty"`       // certifies a dose of it
	Catalogue string     `json:"catalogue,omitempty"`     // version of the code lists
	Clerk     string     `json:"clerk,omitempty"`         // account that issued them, as far back as the log goes
}

// Check refuses a selection of nothing, what is no day, and days the wrong way round.
func (s Selection) Check() error {
	if s == (Selection{}) {
		return fault.New(fault.Invalid, "selection_empty", "selection")
	}
	for i, d := range []clock.Date{s.From, s.Until, s.Expires} {
		if d == "" {
			continue
		}
		if _, err := clock.ParseDate(string(d)); err != nil || !d.Full() {
			return fault.New(fault.Invalid, "date", []string{"issued_from", "issued_until", "expires_until"}[i])
		}
	}
	if s.From != "" && s.Until != "" && s.Until < s.From {
		return fault.New(fault.Invalid, "days_reversed", "issued_until")
	}
	return nil
}

// Bulk does one act on many certificates with one reason (S-029).
type Bulk struct {
	Office, ID  string
	Act         Act
	Selection   Selection
	Reason      string
	Count       int
	SHA256      string // of the ids in order, one a line, hex: what was approved is what is done
	RequestedBy string
	RequestedAt time.Time
	Approval    string // id
	StartedBy   string
	StartedAt   time.Time // zero: not yet
	StoppedBy   string
	StoppedAt   time.Time            // zero: nobody has
	Asked       office.ApprovalState // what its approval is worth, until it is started
	DecidedBy   string               // who approved or refused, until it is started
	Superseded  int                  // of those to be revoked, by certificates that are issued and were not selected
	Successors  []string             // these, at most 100; not in a list
	Done        int                  // looked at
	Changed     int                  // of these revoked, or with a newer one; the others had ended otherwise
	Failed      int                  // left for a person; Start tries them again
	Failures    []Failure            // these, at most 100, by id; not in a list
}

// State tells how far a run is (office.Progress).
func (r Bulk) State() string {
	return office.Progress{Count: r.Count, Done: r.Done, Failed: r.Failed, Started: r.StartedAt, Stopped: r.StoppedAt, Asked: r.Asked}.State()
}

// Failure is a certificate that a run left for a person.
type Failure struct {
	CertificateID string
	Fault         string // of the last try: a code and a key, as the log has it
}

// Tries is how often one certificate is tried before the others go on without it.
const Tries = 5

// maxSelected bounds one run.
const maxSelected = 100_000

// BulkStore keeps runs; its methods run inside an act unless they say otherwise.
type BulkStore interface {
	// SelectIssues returns ids in order; Product is not looked at.
	SelectIssues(ctx context.Context, office string, act Act, s Selection, most int) ([]string, error)
	AddBulk(ctx context.Context, r Bulk, ids []string) error
	Bulk(ctx context.Context, office string, act Act, id string) (Bulk, error) // fault NotFound "bulk"
	// BulkItems returns the ids of its certificates, in order.
	BulkItems(ctx context.Context, office, id string) ([]string, error)
	// Runs returns them newest first.
	Bulks(ctx context.Context, office string, act Act, before string, limit int) ([]Bulk, error)
	StartBulk(ctx context.Context, r Bulk) error // fault Conflict "bulk_state"
	StopBulk(ctx context.Context, r Bulk) error  // fault Conflict "bulk_stopped"
	// OpenItems returns certificates still to be looked at that have not failed; needs no act.
	OpenItems(ctx context.Context, office string, act Act, most int) ([]Item, error)
	// RevokeItem ends a certificate, unless it has ended, and notes that it was
	// looked at; fault Conflict "bulk_state" if another node was faster.
	RevokeItem(ctx context.Context, office string, item Item) (revoked bool, err error)
	// ItemState tells whether the item is still to be looked at and its run not
	// stopped, and whether its certificate is still to be made again; needs no act.
	ItemState(ctx context.Context, office string, item Item) (open, due bool, err error)
	// ReissuedItem notes that a certificate was looked at, and returns the newer one
	// that it has, if any; fault Conflict "bulk_state" if another node was faster.
	ReissuedItem(ctx context.Context, office string, item Item) (successor string, err error)
	// ItemFailed counts so many tries of a certificate that was not looked at.
	ItemFailed(ctx context.Context, office string, item Item, fault string, tries int) error
	// RetryBulk lets those that failed be tried again.
	RetryBulk(ctx context.Context, office, id string) error
}

// Item is one certificate of a run that was started.
type Item struct{ Run, Certificate, Reason string }

// Approvals is the four-eyes rule, as office.Approvals has it.
type Approvals interface {
	Ask(ctx context.Context, a actor.Actor, kind office.Kind, object string, parameters map[string]string) (office.Approval, error)
	UseOrApprove(ctx context.Context, a actor.Actor, kind office.Kind, object string, digest []byte) error
}

// Many does one act on many certificates: selected, counted, asked for by one person,
// approved by another, carried out one by one.
type Many struct {
	Act   Act
	Log   *audit.Log
	Store interface {
		BulkStore
		applications
		Issue(ctx context.Context, office, id string) (Issue, error)
		office.WorkStore
	}
	Issuance  *Service // makes certificates again
	Approvals Approvals
	Clock     clock.Clock
	IDs       interface{ Row() string }
}

// Select counts what a selection holds; nothing is changed.
func (s *Many) Select(ctx context.Context, a actor.Actor, sel Selection) (n int, err error) {
	if err := sel.Check(); err != nil {
		return 0, err
	}
	err = s.Log.Act(ctx, a, s.entry("select", ""), func(ctx context.Context, e *audit.Entry) error {
		ids, err := s.ids(ctx, a.Office, sel)
		n = len(ids)
		e.Fact("certificates", strconv.Itoa(n))
		return err
	})
	return n, err
}

func (s *Many) entry(what, object string) audit.Entry {
	return audit.Entry{Action: s.Act.terms().log + "." + what, Object: object}
}

func (s *Many) ids(ctx context.Context, code string, sel Selection) ([]string, error) {
	ids, err := s.Store.SelectIssues(ctx, code, s.Act, sel, maxSelected+1)
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
func (r Bulk) parameters() map[string]string {
	p := map[string]string{"reason": r.Reason, "count": strconv.Itoa(r.Count), "ids_sha256": r.SHA256}
	for name, value := range map[string]string{
		"key": r.Selection.Key, "issued_from": string(r.Selection.From), "issued_until": string(r.Selection.Until), "expires_until": string(r.Selection.Expires),
		"product": r.Selection.Product, "catalogue": r.Selection.Catalogue, "clerk": r.Selection.Clerk,
	} {
		if value != "" {
			p[name] = value
		}
	}
	return p
}

// Ask selects and asks another person to approve.
func (s *Many) Ask(ctx context.Context, a actor.Actor, sel Selection, reason string, once *audit.Once) (r Bulk, err error) {
	t := s.Act.terms()
	if err := errors.Join(sel.Check(), fault.OneOf("reason", reason, t.reasons...)); err != nil {
		return r, err
	}
	r = Bulk{
		Office: a.Office, ID: s.IDs.Row(), Act: s.Act, Selection: sel, Reason: reason, RequestedBy: a.Person, RequestedAt: s.now(),
	}
	e := s.entry("request", r.ID)
	e.Once = once
	err = s.Log.Act(ctx, a, e, func(ctx context.Context, e *audit.Entry) error {
		if err := s.notBySame(ctx, sel.Key); err != nil {
			return err
		}
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
		p, err := s.Approvals.Ask(ctx, a, t.kind, r.ID, r.parameters())
		if err != nil {
			return err
		}
		r.Approval = p.ID
		return s.Store.AddBulk(ctx, r, ids)
	})
	return r, err
}

// notBySame refuses to make again what a key signed while it would sign the new ones too.
func (s *Many) notBySame(ctx context.Context, key string) error {
	if s.Act != ReissueMany || key == "" {
		return nil
	}
	keys, err := s.Issuance.Store.SigningKeys(ctx)
	if err == nil && slices.ContainsFunc(keys, func(k signing.Key) bool { return k.ID == key && k.State == signing.Active }) {
		err = fault.New(fault.Conflict, "key_state", "selection").With("state", string(signing.Active))
	}
	return err
}

// NotOwn refuses a run with a certificate of the actor's own case: who may not touch
// that one may not do so among others either (S-029).
func (s *Many) NotOwn(ctx context.Context, a actor.Actor, id string) error {
	ids, err := s.Store.BulkItems(ctx, a.Office, id)
	if err != nil {
		return err
	}
	return s.notOwnAny(ctx, a, ids)
}

func (s *Many) notOwnAny(ctx context.Context, a actor.Actor, ids []string) error {
	if isNobody(a) {
		return nil
	}
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

// Start lets the jobs do what somebody else has asked for, and try again what failed
// since: these very certificates were approved.
func (s *Many) Start(ctx context.Context, a actor.Actor, id string) (r Bulk, err error) {
	err = s.Log.Act(ctx, a, s.entry("start", id), func(ctx context.Context, e *audit.Entry) error {
		if r, err = s.Store.Bulk(ctx, a.Office, s.Act, id); err != nil {
			return err
		}
		if r.Failed > 0 && r.StoppedAt.IsZero() {
			e.Fact("again", strconv.Itoa(r.Failed))
			r.Failed, r.Failures = 0, nil
			if err := s.NotOwn(ctx, a, id); err != nil {
				return err
			}
			return s.Store.RetryBulk(ctx, a.Office, id)
		}
		e.Fact("certificates", strconv.Itoa(r.Count))
		if err := s.Approvals.UseOrApprove(ctx, a, s.Act.terms().kind, id, office.Digest(r.parameters())); err != nil {
			return err
		}
		r.StartedBy, r.StartedAt = a.Person, s.now()
		return s.Store.StartBulk(ctx, r)
	})
	return r, err
}

// Stop lets what is not done yet stay, whoever asked or started; it may be asked for
// anew. One person is enough, as for a suspension.
func (s *Many) Stop(ctx context.Context, a actor.Actor, id string) (r Bulk, err error) {
	err = s.Log.Act(ctx, a, s.entry("stop", id), func(ctx context.Context, e *audit.Entry) error {
		if r, err = s.Store.Bulk(ctx, a.Office, s.Act, id); err != nil {
			return err
		}
		e.Fact("left", strconv.Itoa(r.Count-r.Done))
		if r.Done == r.Count {
			return fault.New(fault.Conflict, "bulk_stopped", "")
		}
		r.StoppedBy, r.StoppedAt = a.Person, s.now()
		return s.Store.StopBulk(ctx, r)
	})
	return r, err
}

// Get reads a run with its progress.
func (s *Many) Get(ctx context.Context, a actor.Actor, id string) (r Bulk, err error) {
	err = s.Log.Act(ctx, a, s.entry("read", id), func(ctx context.Context, _ *audit.Entry) (err error) {
		r, err = s.Store.Bulk(ctx, a.Office, s.Act, id)
		return err
	})
	return r, err
}

// List returns runs, newest first.
func (s *Many) List(ctx context.Context, a actor.Actor, before string, limit int) (list []Bulk, err error) {
	err = s.Log.Act(ctx, a, s.entry("list", ""), func(ctx context.Context, _ *audit.Entry) (err error) {
		list, err = s.Store.Bulks(ctx, a.Office, s.Act, before, limit)
		return err
	})
	return list, err
}

func (s *Many) now() time.Time { return s.Clock.Now().Truncate(time.Millisecond) }
