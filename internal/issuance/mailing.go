package issuance

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"slices"
	"strconv"
	"strings"
	"time"

	"akashi/internal/actor"
	"akashi/internal/audit"
	"akashi/internal/clock"
	"akashi/internal/fault"
	"akashi/internal/office"
)

// Mailing is the certificates of many applications, issued and printed into one file that
// is sent by mail: the applications are named one by one when it is asked for.
type Mailing struct {
	Office, ID  string
	Count       int
	SHA256      string // of the ids in order, one a line, hex: what was approved is what is done
	RequestedBy string
	RequestedAt time.Time
	Approval    string // id; empty: few enough for one person
	StartedBy   string
	StartedAt   time.Time // zero: not yet
	StoppedBy   string
	StoppedAt   time.Time            // zero: nobody has
	Asked       office.ApprovalState // what its approval is worth, until it is started
	Done        int                  // with a copy
	Failed      int                  // left for a person: they stand in the list with the reason, and may go with the next
	Items       []MailingItem        // in order; not in a list
}

// MailingItem is one application of a mailing.
type MailingItem struct {
	Number      int // from 1
	Application string
	Certificate string // empty until it is printed
	Copy        int
	Fault       string // of the last try: a code and a key, as the log has it
}

// Limits of one mailing (adr/0033).
const (
	MaxMailing = 1000
	// FewMailing is how many one person may have printed without a second one.
	FewMailing = 100
	// MailingLasts is how long its file can be had; then each copy is had alone.
	MailingLasts = 30 * 24 * time.Hour
)

// Open tells whether something is still to be done.
func (m Mailing) Open() bool {
	return m.StoppedAt.IsZero() && m.Asked.Open() && m.Done+m.Failed < m.Count
}

// State tells how far a mailing is (office.Progress).
func (m Mailing) State() string {
	return office.Progress{Count: m.Count, Done: m.Done, Failed: m.Failed, Started: m.StartedAt, Stopped: m.StoppedAt, Asked: m.Asked}.State()
}

// MailingStore keeps mailings; its methods run inside an act unless they say otherwise.
type MailingStore interface {
	// ReadyToMail returns approved applications that came by mail and that no open mailing
	// has, oldest first.
	ReadyToMail(ctx context.Context, office string, most int) ([]string, error)
	// AddMailing keeps one; faults NotFound "application", Conflict "mailing_taken" where an open
	// mailing has one of them, though it was asked for at the same moment.
	AddMailing(ctx context.Context, m Mailing, applications []string) error
	Mailing(ctx context.Context, office, id string) (Mailing, error) // fault NotFound "mailing"
	Mailings(ctx context.Context, office, before string, limit int) ([]Mailing, error)
	StartMailing(ctx context.Context, m Mailing) error // fault Conflict "bulk_state"
	StopMailing(ctx context.Context, m Mailing) error  // fault Conflict "bulk_stopped"
	// ToMail returns applications still to be printed, in order, but of those who wait; needs no act.
	ToMail(ctx context.Context, office string, waiting []string, most int) ([]ToMail, error)
	// Mailed notes the copy of one; fault Conflict "bulk_state" if another node was faster.
	Mailed(ctx context.Context, office string, item ToMail, c Copy) error
	// MailFailed counts so many tries of one that has no copy.
	MailFailed(ctx context.Context, office string, item ToMail, fault string, tries int) error
}

// ToMail is one application of a mailing that was started, and who asked for it.
type ToMail struct {
	Mailing             string
	Number              int
	Application, Person string
}

// Mailings issues and prints for many applications (adr/0033): the acts are of the person
// who asked, one after the other, so that nobody gets by it what he would not get alone.
type Mailings struct {
	Log   *audit.Log
	Store interface {
		MailingStore
		Store
		office.WorkStore
	}
	Issuance  *Service
	Approvals Approvals
	Clock     clock.Clock
	IDs       interface{ Row() string }
}

// Ready counts the applications that Ask would take when it is given none, at most MaxMailing.
func (s *Mailings) Ready(ctx context.Context, a actor.Actor) (n int, err error) {
	err = s.Log.Act(ctx, a, audit.Entry{Action: "mailing.count"}, func(ctx context.Context, e *audit.Entry) error {
		ids, err := s.Store.ReadyToMail(ctx, a.Office, MaxMailing)
		n = len(ids)
		e.Fact("applications", strconv.Itoa(n))
		return err
	})
	return n, err
}

// parameters bind the approval to these very applications.
func (m Mailing) parameters() map[string]string {
	return map[string]string{"count": strconv.Itoa(m.Count), "ids_sha256": m.SHA256}
}

// Ask names the applications: those given, or the approved ones that came by mail. More
// than FewMailing wait for another person, the others are begun.
func (s *Mailings) Ask(ctx context.Context, a actor.Actor, applications []string, once *audit.Once) (m Mailing, err error) {
	if len(applications) > MaxMailing {
		return m, fault.New(fault.Invalid, "count", "applications").With("max", strconv.Itoa(MaxMailing))
	}
	if len(slices.Compact(slices.Sorted(slices.Values(applications)))) < len(applications) {
		return m, fault.New(fault.Invalid, "repeated_value", "applications")
	}
	m = Mailing{Office: a.Office, ID: s.IDs.Row(), RequestedBy: a.Person, RequestedAt: s.now()}
	e := audit.Entry{Action: "mailing.request", Object: m.ID, Once: once}
	err = s.Log.Act(ctx, a, e, func(ctx context.Context, e *audit.Entry) (err error) {
		if len(applications) == 0 {
			if applications, err = s.Store.ReadyToMail(ctx, a.Office, MaxMailing); err != nil {
				return err
			}
		}
		if len(applications) == 0 {
			return fault.New(fault.Conflict, "mailing_empty", "applications")
		}
		sum := sha256.Sum256([]byte(strings.Join(applications, "\n")))
		m.Count, m.SHA256 = len(applications), hex.EncodeToString(sum[:])
		e.Fact("applications", strconv.Itoa(m.Count))
		if m.Count <= FewMailing {
			m.StartedBy, m.StartedAt = a.Person, m.RequestedAt
		} else {
			p, err := s.Approvals.Ask(ctx, a, office.MailBulk, m.ID, m.parameters())
			if err != nil {
				return err
			}
			m.Approval = p.ID
		}
		return s.Store.AddMailing(ctx, m, applications)
	})
	return m, err
}

// NotOwn refuses a mailing with an application of the actor's own case (S-029).
func (s *Mailings) NotOwn(ctx context.Context, a actor.Actor, id string) error {
	m, err := s.Store.Mailing(ctx, a.Office, id)
	if err != nil {
		return err
	}
	for _, i := range m.Items {
		app, err := s.Store.Application(ctx, a.Office, i.Application)
		if fault.CodeOf(err) == fault.NotFound { // erased
			continue
		}
		if err != nil {
			return err
		}
		if err := app.NotOwnOf(a); err != nil {
			return err
		}
	}
	return nil
}

// Start lets the jobs do what somebody else has asked for: these very applications were
// approved.
func (s *Mailings) Start(ctx context.Context, a actor.Actor, id string) (m Mailing, err error) {
	err = s.Log.Act(ctx, a, audit.Entry{Action: "mailing.start", Object: id}, func(ctx context.Context, e *audit.Entry) error {
		if m, err = s.Store.Mailing(ctx, a.Office, id); err != nil {
			return err
		}
		e.Fact("applications", strconv.Itoa(m.Count))
		if err := s.Approvals.UseOrApprove(ctx, a, office.MailBulk, id, office.Digest(m.parameters())); err != nil {
			return err
		}
		m.StartedBy, m.StartedAt = a.Person, s.now()
		return s.Store.StartMailing(ctx, m)
	})
	return m, err
}

// Stop leaves what is not printed yet; it may be asked for anew. The file has what is done.
func (s *Mailings) Stop(ctx context.Context, a actor.Actor, id string) (m Mailing, err error) {
	err = s.Log.Act(ctx, a, audit.Entry{Action: "mailing.stop", Object: id}, func(ctx context.Context, e *audit.Entry) error {
		if m, err = s.Store.Mailing(ctx, a.Office, id); err != nil {
			return err
		}
		e.Fact("left", strconv.Itoa(m.Count-m.Done))
		if !m.Open() {
			return fault.New(fault.Conflict, "bulk_stopped", "")
		}
		m.StoppedBy, m.StoppedAt = a.Person, s.now()
		return s.Store.StopMailing(ctx, m)
	})
	return m, err
}

// Get reads a mailing with its items.
func (s *Mailings) Get(ctx context.Context, a actor.Actor, id string) (m Mailing, err error) {
	err = s.Log.Act(ctx, a, audit.Entry{Action: "mailing.read", Object: id}, func(ctx context.Context, _ *audit.Entry) (err error) {
		m, err = s.Store.Mailing(ctx, a.Office, id)
		return err
	})
	return m, err
}

// List returns mailings, newest first.
func (s *Mailings) List(ctx context.Context, a actor.Actor, before string, limit int) (list []Mailing, err error) {
	err = s.Log.Act(ctx, a, audit.Entry{Action: "mailing.list"}, func(ctx context.Context, _ *audit.Entry) (err error) {
		list, err = s.Store.Mailings(ctx, a.Office, before, limit)
		return err
	})
	return list, err
}

func (s *Mailings) now() time.Time { return s.Clock.Now().Truncate(time.Millisecond) }
