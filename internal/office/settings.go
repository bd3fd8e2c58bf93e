package office

import (
	"context"
	"encoding/json"
	"slices"
	"strings"
	"time"
	"unicode"

	"akashi/certificate"
	"akashi/internal/actor"
	"akashi/internal/audit"
	"akashi/internal/clock"
	"akashi/internal/fault"
)

// Suspension stops an office: its staff can read the log, and nothing else.
type Suspension struct {
	By     string    `json:"by"`
	At     time.Time `json:"at"`
	Reason string    `json:"reason"` // in words
}

// Check refuses settings that cannot be.
func (s Settings) Check() error {
	for i, k := range s.Open {
		if k.Families() == nil || slices.Contains(s.Open[:i], k) {
			return fault.OneOf("open", k, certificate.Kinds()...)
		}
	}
	if err := fault.OneOf("number_rule", s.NumberRule, NumberWhenNeeded, NumberWithApplication); err != nil {
		return err
	}
	if l := s.Lookups; l.Soft < 1 || l.Hard < l.Soft || l.Hard > maxLookups {
		return fault.New(fault.Invalid, "lookups", "lookups")
	}
	if err := s.Keep.check(); err != nil {
		return err
	}
	return s.Hours.Check()
}

// maxLookups is as far as an office can raise its budget.
const maxLookups = 100_000

// OfficeStore keeps offices; what changes runs inside an act.
type OfficeStore interface {
	Office(ctx context.Context, code string) (Office, error) // no act needed
	SaveOffice(ctx context.Context, o Office) error          // fault Conflict "version"
}

// Offices is the use cases around an office's own rules.
type Offices struct {
	Log       *audit.Log
	Store     OfficeStore
	Approvals *Approvals
	Clock     clock.Clock
}

// Get returns the office of the actor.
func (s *Offices) Get(ctx context.Context, a actor.Actor) (Office, error) {
	return s.Store.Office(ctx, a.Office)
}

// Wanted is what an office's rules and its issuer's names are to become.
type Wanted struct {
	Settings Settings
	Issuer   certificate.Issuer // as certificates that are issued from then on print it
}

// maxIssuer bounds the lines of an issuer in a language, and each of them in letters.
const maxIssuer, maxIssuerLine = 3, 100

func (w Wanted) check() error {
	for i, lines := range [][]string{w.Issuer.Japanese, w.Issuer.English} {
		if len(lines) == 0 || len(lines) > maxIssuer || slices.ContainsFunc(lines, func(l string) bool {
			return strings.TrimSpace(l) != l || l == "" || len([]rune(l)) > maxIssuerLine || strings.ContainsFunc(l, unicode.IsControl)
		}) {
			return fault.New(fault.Invalid, "issuer_lines", []string{"issuer.ja", "issuer.en"}[i])
		}
	}
	return w.Settings.Check()
}

// parameters are what the approval is bound to: all of it, so that the second person
// sees what will be.
func (w Wanted) parameters() map[string]string {
	w.Settings.Suspended = nil
	settings, _ := json.Marshal(w.Settings) // plain values
	issuer, _ := json.Marshal(w.Issuer)
	return map[string]string{"settings": string(settings), "issuer": string(issuer)}
}

// Wanted reads what an approval of new settings is bound to.
func (p Approval) Wanted() (w Wanted, err error) {
	if err := json.Unmarshal([]byte(p.Parameters["settings"]), &w.Settings); err != nil {
		return w, err
	}
	return w, json.Unmarshal([]byte(p.Parameters["issuer"]), &w.Issuer)
}

// AskSettings asks another person to let the settings become these.
func (s *Offices) AskSettings(ctx context.Context, a actor.Actor, wanted Wanted) (p Approval, err error) {
	if err := wanted.check(); err != nil {
		return p, err
	}
	return s.Approvals.Request(ctx, a, ChangeSettings, a.Office, wanted.parameters(), nil)
}

// Set makes the settings these, as somebody else has asked or approved; a
// suspension stays.
func (s *Offices) Set(ctx context.Context, a actor.Actor, wanted Wanted) (o Office, err error) {
	if err := wanted.check(); err != nil {
		return o, err
	}
	return s.change(ctx, a, "office.set", func(ctx context.Context, o *Office) error {
		if err := s.Approvals.UseOrApprove(ctx, a, ChangeSettings, o.Code, Digest(wanted.parameters())); err != nil {
			return err
		}
		wanted.Settings.Suspended = o.Settings.Suspended
		o.Settings, o.Issuer = wanted.Settings, wanted.Issuer
		return nil
	})
}

// Suspend stops the office at once; one person is enough for that.
func (s *Offices) Suspend(ctx context.Context, a actor.Actor, reason string) (Office, error) {
	if reason = strings.TrimSpace(reason); reason == "" {
		return Office{}, fault.New(fault.Invalid, "required", "reason")
	}
	return s.change(ctx, a, "office.suspend", func(_ context.Context, o *Office) error {
		if o.Settings.Suspended != nil {
			return fault.New(fault.Conflict, "office_suspended_already", "")
		}
		o.Settings.Suspended = &Suspension{a.Person, s.Clock.Now().Truncate(time.Millisecond), reason}
		return nil
	})
}

// parameters bind the approval to this very suspension, not to the next one.
func (s Suspension) parameters() map[string]string {
	return map[string]string{"suspended_by": s.By, "suspended_at": s.At.UTC().Format(time.RFC3339Nano)}
}

// AskResume asks another person to let the suspended office work again; fault
// Conflict "office_not_suspended".
func (s *Offices) AskResume(ctx context.Context, a actor.Actor, once *audit.Once) (p Approval, err error) {
	o, err := s.Store.Office(ctx, a.Office)
	if err != nil {
		return p, err
	}
	if o.Settings.Suspended == nil {
		return p, errNotSuspended
	}
	return s.Approvals.Request(ctx, a, ResumeOffice, a.Office, o.Settings.Suspended.parameters(), once)
}

var errNotSuspended = fault.New(fault.Conflict, "office_not_suspended", "")

// Resume lets the office work again, as somebody else has asked or approved since
// it was suspended.
func (s *Offices) Resume(ctx context.Context, a actor.Actor) (Office, error) {
	return s.change(ctx, a, "office.resume", func(ctx context.Context, o *Office) error {
		suspended := o.Settings.Suspended
		if suspended == nil {
			return errNotSuspended
		}
		o.Settings.Suspended = nil
		return s.Approvals.UseOrApprove(ctx, a, ResumeOffice, o.Code, Digest(suspended.parameters()))
	})
}

func (s *Offices) change(ctx context.Context, a actor.Actor, action string, fn func(context.Context, *Office) error) (o Office, err error) {
	err = s.Log.Act(ctx, a, audit.Entry{Action: action, Object: a.Office}, func(ctx context.Context, _ *audit.Entry) (err error) {
		if o, err = s.Store.Office(ctx, a.Office); err != nil {
			return err
		}
		if err := fn(ctx, &o); err != nil {
			return err
		}
		err = s.Store.SaveOffice(ctx, o)
		o.Version++
		return err
	})
	return o, err
}
