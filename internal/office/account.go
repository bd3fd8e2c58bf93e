package office

import (
	"cmp"
	"context"
	"regexp"
	"time"

	"akashi/internal/actor"
	"akashi/internal/audit"
	"akashi/internal/clock"
	"akashi/internal/fault"
)

// AccountState says whether a person may sign in, and why not.
type AccountState string

const (
	// NewAccount has no credentials yet: its set-up link leads to them.
	NewAccount AccountState = "new"
	// ActiveAccount may sign in until its end, unless it was not used for 60 days.
	ActiveAccount AccountState = "active"
	// SuspendedAccount waits for an officer to enable it.
	SuspendedAccount AccountState = "suspended"
	// LockedAccount had 100 failures in a row and waits for an officer (S-015).
	LockedAccount AccountState = "locked"
)

// unusedLimit after which an account sleeps (S-019, R-162).
const unusedLimit = 60 * 24 * time.Hour

// Staff is one named person with one account.
type Staff struct {
	ID     string // row id
	Office string
	User   string // what is typed to sign in: "900001-officer1"; the office stands in it
	Name   string
	Unit   string // organisation unit, such as 健康推進課
	Role   Role
	State  AccountState
	Ends   time.Time // no sign-in from then on
	Used   time.Time // last sign-in, or when the account was made or enabled
	Epoch  int       // rises with each change; sessions of an older one are over

	Reminder   string // version that the person has read
	RemindedAt time.Time
	Kin        []string // rows of persons: oneself and one's household (S-029)
}

// Usable tells whether the person may be signed in now (S-019).
func (s Staff) Usable(now time.Time) bool {
	return s.State == ActiveAccount && !s.ended(now) && now.Sub(s.Used) < unusedLimit
}

// ended tells whether the account is over. One of before ends were mandatory has
// none until it is changed.
func (s Staff) ended(now time.Time) bool { return !s.Ends.IsZero() && !now.Before(s.Ends) }

// Actor is the person at work: why, from where, under which request, and when
// the second factor was last proven.
func (s Staff) Actor(why actor.Purpose, terminal, request string, steppedUp time.Time) actor.Actor {
	return actor.Actor{
		Office: s.Office, Person: s.ID, Terminal: terminal, Purpose: why, Request: request,
		Role: string(s.Role), Permissions: s.Role.Permissions(), SteppedUp: steppedUp,
		Name: s.Name, Kin: s.Kin,
	}
}

// OnBehalf is the person for whom a job goes on with what the person asked for: fault
// Forbidden "permission" once the person might not do so alone.
func (s Staff) OnBehalf(why actor.Purpose, caseID string, now time.Time, needs ...Permission) (actor.Actor, error) {
	a := s.Actor(why, "jobs", "", time.Time{}).For(caseID)
	for _, p := range needs {
		if !s.Usable(now) || !a.May(string(p)) {
			return actor.Actor{}, fault.New(fault.Forbidden, "permission", "")
		}
	}
	return a, nil
}

var userForm = regexp.MustCompile(`^[0-9]{6}-[a-z0-9][a-z0-9.-]{1,30}$`)

// officeOf returns the office in a user id; empty where it cannot be one.
func officeOf(user string) string {
	if len(user) > 40 || !userForm.MatchString(user) || CheckCode(user[:6]) != nil {
		return ""
	}
	return user[:6]
}

const maxName = 100

// named refuses a text that is missing or too long.
func named(field, value string) error {
	switch n := len([]rune(value)); {
	case n == 0:
		return fault.New(fault.Invalid, "required", field)
	case n > maxName:
		return fault.New(fault.Invalid, "too_long", field)
	}
	return nil
}

// check refuses an account that cannot be: when it is asked for, and when it is made.
func (s Staff) check(now time.Time) error {
	if err := cmp.Or(named("user_id", s.User), named("name", s.Name), named("unit", s.Unit)); err != nil {
		return err
	}
	switch {
	case officeOf(s.User) != s.Office || s.Office == "":
		return fault.New(fault.Invalid, "user_id", "user_id")
	case !s.Role.Known():
		return fault.OneOf("role", s.Role, Roles()...)
	case !now.Before(s.Ends):
		return fault.New(fault.Invalid, "end_date", "ends_on")
	}
	return nil
}

// AccountStore keeps the rows of staff; what changes runs inside an act.
type AccountStore interface {
	AddStaff(ctx context.Context, s Staff) error // fault Conflict "user_taken"
	// SaveStaff changes all but id, office and user of the epoch that was read,
	// and raises it: every session of the person is over. fault Conflict "version".
	SaveStaff(ctx context.Context, s Staff) error
	Staff(ctx context.Context, office, id string) (Staff, error)         // fault NotFound "account"
	StaffByUser(ctx context.Context, office, user string) (Staff, error) // fault NotFound "account"
	ListStaff(ctx context.Context, office string) ([]Staff, error)       // by user id
	UsedStaff(ctx context.Context, office, id string, at time.Time) error
	RemindedStaff(ctx context.Context, office, id, reminder string, at time.Time) error
	SetKin(ctx context.Context, s Staff, kin []string) error // fault Conflict "version" where it is no more as read
	// PersonByTicket finds somebody in the register by two items, and after that
	// the same person under other tickets; fault NotFound "person".
	PersonByTicket(ctx context.Context, office, ticket string, birth clock.Date) (ids []string, err error)
}

// Make creates an account and returns the token of its set-up link. It runs
// inside the act that carries out an approved request (S-011): whoever calls it
// has proven that.
func (a *Accounts) Make(ctx context.Context, s Staff) (made Staff, link string, err error) {
	link = a.NewLink(s.Office)
	made, err = a.MakeWith(ctx, s, link)
	return made, link, err
}

// MakeWith is Make with a link that NewLink has made before.
func (a *Accounts) MakeWith(ctx context.Context, s Staff, link string) (Staff, error) {
	now := a.Clock.Now()
	if err := s.check(now); err != nil {
		return s, err
	}
	s.ID, s.State, s.Used, s.Epoch = a.IDs.Row(), NewAccount, now, 1
	if err := a.Store.AddStaff(ctx, s); err != nil {
		return s, err
	}
	return s, a.keepLink(ctx, s, link)
}

// Change alters role, unit, name, state or end of an account, inside an act; the
// person's sessions are over with it (S-019).
func (a *Accounts) Change(ctx context.Context, office, id string, change func(*Staff)) (Staff, error) {
	s, err := a.Store.Staff(ctx, office, id)
	if err != nil {
		return s, err
	}
	change(&s)
	if !s.Role.Known() {
		return s, fault.New(fault.Invalid, "unknown_value", "role")
	}
	err = a.Store.SaveStaff(ctx, s)
	s.Epoch++
	return s, err
}

// Suspend ends a person's sessions and sign-ins until Enable, inside an act.
func (a *Accounts) Suspend(ctx context.Context, office, id string) error {
	_, err := a.Change(ctx, office, id, func(s *Staff) { s.State = SuspendedAccount })
	return err
}

// Enable lets a suspended, locked or long unused person sign in again, inside
// an act; one without credentials stays new.
func (a *Accounts) Enable(ctx context.Context, office, id string) error {
	password, err := a.Store.Password(ctx, office, id)
	if err != nil {
		return err
	}
	s, err := a.Change(ctx, office, id, func(s *Staff) {
		s.State, s.Used = ActiveAccount, a.Clock.Now()
		if password == "" {
			s.State = NewAccount
		}
	})
	if err != nil {
		return err
	}
	return a.Store.ForgetAttempts(ctx, office, [][]byte{accountSubject(s.User)})
}

// Recover takes every credential and session from a person and returns a new
// set-up link. Two different officers stand behind it, one who asked and one who
// approves, neither of them the person (S-010, S-029).
func (a *Accounts) Recover(ctx context.Context, by actor.Actor, approvals *Approvals, id string) (link string, err error) {
	err = a.Log.Act(ctx, by, audit.Entry{Action: string(RecoverAccount), Object: id}, func(ctx context.Context, _ *audit.Entry) error {
		if _, err := a.Store.Staff(ctx, by.Office, id); err != nil {
			return err
		}
		if err := approvals.UseOrApprove(ctx, by, RecoverAccount, id, Digest(nil)); err != nil {
			return err
		}
		if err := a.Store.ForgetCredentials(ctx, by.Office, id); err != nil {
			return err
		}
		s, err := a.Change(ctx, by.Office, id, func(s *Staff) { s.State, s.Used = NewAccount, a.Clock.Now() })
		if err != nil {
			return err
		}
		link = a.NewLink(s.Office)
		return a.keepLink(ctx, s, link)
	})
	return link, err
}
