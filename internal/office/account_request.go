package office

import (
	"cmp"
	"context"
	"encoding/hex"
	"slices"
	"time"

	"akashi/internal/actor"
	"akashi/internal/audit"
	"akashi/internal/clock"
	"akashi/internal/fault"
	"akashi/internal/idgen"
)

// AccountRequest asks for an account, or for another role, unit or end of one
// (S-011, R-159). It is approved like any dangerous act, and carried out by a
// third person.
type AccountRequest struct {
	Office, ID string
	Kind       Kind   // MakeAccount, MakeOfficer, ChangeAccount or EnableAccount
	Staff      string // the account; empty until it is made
	User, Name string
	Unit       string
	Role, Was  Role // Was is the present role of an account that there is
	Ends       clock.Date
	Trained    clock.Date // when the person was told the rules of handling
	// SectionHead and SystemOwner answer for it; names or posts.
	SectionHead, SystemOwner string
	RequestedBy              string
	RequestedAt              time.Time
	Approval                 string // id
	DoneBy                   string
	DoneAt                   time.Time
}

// object is what the approval is about: the account, or the request for a new one.
func (r AccountRequest) object() string {
	if r.Staff != "" && r.Was != "" {
		return r.Staff
	}
	return r.ID
}

// parameters bind the approval to everything that was asked for. Names do not
// stand in them, only a digest.
func (r AccountRequest) parameters() map[string]string {
	person := map[string]string{
		"user": r.User, "name": r.Name, "unit": r.Unit, "head": r.SectionHead, "owner": r.SystemOwner, "trained": string(r.Trained),
	}
	p := map[string]string{"request": r.ID, "role": string(r.Role), "ends": string(r.Ends), "person_sha256": hex.EncodeToString(Digest(person))}
	if r.Was != "" {
		p["was"] = string(r.Was)
	}
	return p
}

// maxAccount is the longest life of an account before somebody has to ask again.
const maxAccount = 2 * 366

// account is what the request leads to.
func (r AccountRequest) account() Staff {
	return Staff{Office: r.Office, User: r.User, Name: r.Name, Unit: r.Unit, Role: r.Role, Ends: clock.Midnight(r.Ends.AddDays(1))}
}

// check refuses a request that does not say who, what, until when and on whose
// word, or that leads to no account.
func (r AccountRequest) check(now time.Time) error {
	today := clock.DateOf(now)
	if err := cmp.Or(named("section_head", r.SectionHead), named("system_owner", r.SystemOwner)); err != nil {
		return err
	}
	if _, err := clock.ParseDate(string(r.Ends)); err != nil || !r.Ends.Full() || r.Ends <= today || r.Ends > today.AddDays(maxAccount) {
		return fault.New(fault.Invalid, "end_date", "ends_on")
	}
	if err := r.account().check(now); err != nil {
		return err
	}
	if _, err := clock.ParseDate(string(r.Trained)); err != nil || !r.Trained.Full() || r.Trained > today {
		return fault.New(fault.Invalid, "training_date", "trained_on")
	}
	return nil
}

// AccountKeeper makes and changes accounts, inside an act. A change ends the
// person's sessions.
type AccountKeeper interface {
	// Make returns the token of the set-up link; fault Conflict "user_taken".
	Make(ctx context.Context, s Staff) (made Staff, link string, err error)
	Change(ctx context.Context, office, id string, change func(*Staff)) (Staff, error)
	Suspend(ctx context.Context, office, id string) error
	Enable(ctx context.Context, office, id string) error
}

// AccountRequestStore keeps requests; its methods run inside an act.
type AccountRequestStore interface {
	AddAccountRequest(ctx context.Context, r AccountRequest) error
	AccountRequest(ctx context.Context, office, id string) (AccountRequest, error) // fault NotFound "account_request"
	AccountRequests(ctx context.Context, office, before string, limit int) ([]AccountRequest, error)
	DoneAccountRequest(ctx context.Context, r AccountRequest) error
	// AskedFor tells whether a new account with this user id is asked for and may still
	// be made. Until the act ends, no other may ask for one.
	AskedFor(ctx context.Context, office, user string) (bool, error)
}

// StaffStore finds accounts; it needs no act.
type StaffStore interface {
	Staff(ctx context.Context, office, id string) (Staff, error) // fault NotFound "account"
	ListStaff(ctx context.Context, office string) ([]Staff, error)
	// StaffAt returns those who had an account at a time, with what it could do then.
	StaffAt(ctx context.Context, office string, at time.Time) ([]Staff, error)
	// StaffHistory returns what an account could do from when on, newest first.
	StaffHistory(ctx context.Context, office, id string) ([]Held, error)
}

// Held is what an account could do from a time on.
type Held struct {
	At    time.Time
	Unit  string
	Role  Role
	State AccountState
	Ends  time.Time
}

// AccountRequests is how an office gives people accounts and takes them away.
type AccountRequests struct {
	Log       *audit.Log
	Store     AccountRequestStore
	Staff     StaffStore
	Keeper    AccountKeeper
	Approvals *Approvals
	Clock     clock.Clock
	IDs       idgen.Gen
}

// Ask asks for a new account; fault Conflict "user_taken", or "user_asked" where
// another request for the same user id is open.
func (s *AccountRequests) Ask(ctx context.Context, a actor.Actor, r AccountRequest, once *audit.Once) (AccountRequest, error) {
	r.Kind, r.Staff, r.Was = MakeAccount, "", ""
	if r.Role == Officer {
		r.Kind = MakeOfficer
	}
	return s.ask(ctx, a, r, once)
}

// free refuses a user id that somebody has or that is asked for. Whose request was
// carried out meanwhile is among the accounts, which are therefore looked at last.
func (s *AccountRequests) free(ctx context.Context, office, user string) error {
	asked, err := s.Store.AskedFor(ctx, office, user)
	if err != nil {
		return err
	}
	if asked {
		return fault.New(fault.Conflict, "user_asked", "user_id")
	}
	list, err := s.Staff.ListStaff(ctx, office)
	if slices.ContainsFunc(list, func(p Staff) bool { return p.User == user }) {
		return fault.New(fault.Conflict, "user_taken", "user_id")
	}
	return err
}

// AskChange asks for another role, unit or end of an account.
func (s *AccountRequests) AskChange(ctx context.Context, a actor.Actor, staff string, r AccountRequest, once *audit.Once) (AccountRequest, error) {
	p, err := s.Staff.Staff(ctx, a.Office, staff)
	if err != nil {
		return r, err
	}
	r.Kind, r.Staff, r.Was, r.User, r.Name = ChangeAccount, p.ID, p.Role, p.User, p.Name
	if r.Role == Officer && p.Role != Officer {
		r.Kind = MakeOfficer
	}
	return s.ask(ctx, a, r, once)
}

// AskEnable asks for a disabled account to be enabled as it was.
func (s *AccountRequests) AskEnable(ctx context.Context, a actor.Actor, staff string, r AccountRequest, once *audit.Once) (AccountRequest, error) {
	p, err := s.Staff.Staff(ctx, a.Office, staff)
	if err != nil {
		return r, err
	}
	r.Kind, r.Staff, r.Was, r.User, r.Name, r.Unit, r.Role = EnableAccount, p.ID, p.Role, p.User, p.Name, p.Unit, p.Role
	return s.ask(ctx, a, r, once)
}

func (s *AccountRequests) ask(ctx context.Context, a actor.Actor, r AccountRequest, once *audit.Once) (AccountRequest, error) {
	r.Office = a.Office
	if err := r.check(s.Clock.Now()); err != nil {
		return r, err
	}
	r.ID, r.RequestedBy, r.RequestedAt = s.IDs.Row(), a.Person, s.Clock.Now().Truncate(time.Millisecond)
	e := audit.Entry{Action: "account.request", Object: r.ID, Once: once}
	e.Fact("kind", string(r.Kind))
	e.Fact("role", string(r.Role))
	err := s.Log.Act(ctx, a, e, func(ctx context.Context, _ *audit.Entry) error {
		if r.Was == "" {
			if err := s.free(ctx, r.Office, r.User); err != nil {
				return err
			}
		}
		p, err := s.Approvals.Ask(ctx, a, r.Kind, r.object(), r.parameters())
		if err != nil {
			return err
		}
		r.Approval = p.ID
		return s.Store.AddAccountRequest(ctx, r)
	})
	return r, err
}

// CarryOut does what was asked for and approved, once, and returns the token of
// the set-up link of a new account. It is a third person's work.
func (s *AccountRequests) CarryOut(ctx context.Context, a actor.Actor, id string) (r AccountRequest, link string, err error) {
	err = s.Log.Act(ctx, a, audit.Entry{Action: "account.carry_out", Object: id}, func(ctx context.Context, e *audit.Entry) (err error) {
		if r, err = s.Store.AccountRequest(ctx, a.Office, id); err != nil {
			return err
		}
		e.Fact("kind", string(r.Kind))
		if err := s.Approvals.Use(ctx, a, r.Kind, r.object(), Digest(r.parameters())); err != nil {
			return err
		}
		if link, err = s.do(ctx, &r); err != nil {
			return err
		}
		e.Fact("staff", r.Staff)
		r.DoneBy, r.DoneAt = a.Person, s.Clock.Now().Truncate(time.Millisecond)
		return s.Store.DoneAccountRequest(ctx, r)
	})
	return r, link, err
}

func (s *AccountRequests) do(ctx context.Context, r *AccountRequest) (link string, err error) {
	wanted := r.account()
	switch {
	case r.Was == "":
		var made Staff
		made, link, err = s.Keeper.Make(ctx, wanted)
		r.Staff = made.ID
		return link, err
	case r.Kind == EnableAccount:
		if err := s.Keeper.Enable(ctx, r.Office, r.Staff); err != nil {
			return "", err
		}
	}
	_, err = s.Keeper.Change(ctx, r.Office, r.Staff, func(p *Staff) { p.Role, p.Unit, p.Ends = wanted.Role, wanted.Unit, wanted.Ends })
	return "", err
}

// Disable ends a person's sessions and sign-ins at once; one person is enough
// for that, as it is the safe direction. The last officer stays: without one the
// office could neither ask nor approve.
func (s *AccountRequests) Disable(ctx context.Context, a actor.Actor, staff string) error {
	return s.Log.Act(ctx, a, audit.Entry{Action: "account.disable", Object: staff}, func(ctx context.Context, _ *audit.Entry) error {
		left, err := s.officers(ctx, a.Office)
		if err != nil {
			return err
		}
		if slices.Equal(left, []string{staff}) {
			return fault.New(fault.Conflict, "last_officer", "")
		}
		return s.Keeper.Suspend(ctx, a.Office, staff)
	})
}

// officers lists those who may approve now.
func (s *AccountRequests) officers(ctx context.Context, office string) (ids []string, err error) {
	now := s.Clock.Now()
	list, err := s.Staff.StaffAt(ctx, office, now)
	for _, p := range list {
		if p.Role == Officer && p.State == ActiveAccount && !p.ended(now) {
			ids = append(ids, p.ID)
		}
	}
	return ids, err
}

// Rescue makes a further officer for an office that has fewer than two who can
// sign in, since with one nobody can be recovered and with none nothing approved.
// It is the operator's alone; fault Conflict "office_not_stuck" where two are left.
func (s *AccountRequests) Rescue(ctx context.Context, a actor.Actor, p Staff) (link string, err error) {
	err = s.Log.Act(ctx, a, audit.Entry{Action: "account.rescue", Object: p.User}, func(ctx context.Context, e *audit.Entry) error {
		left, err := s.officers(ctx, a.Office)
		if err != nil {
			return err
		}
		if len(left) > 1 {
			return fault.New(fault.Conflict, "office_not_stuck", "")
		}
		var made Staff
		made, link, err = s.Keeper.Make(ctx, p)
		e.Object = made.ID
		return err
	})
	return link, err
}

// List returns requests, newest first.
func (s *AccountRequests) List(ctx context.Context, a actor.Actor, before string, limit int) (list []AccountRequest, err error) {
	err = s.Log.Act(ctx, a, audit.Entry{Action: "account.list_requests"}, func(ctx context.Context, _ *audit.Entry) (err error) {
		list, err = s.Store.AccountRequests(ctx, a.Office, before, limit)
		return err
	})
	return list, err
}

// Get reads a request.
func (s *AccountRequests) Get(ctx context.Context, a actor.Actor, id string) (r AccountRequest, err error) {
	err = s.Log.Act(ctx, a, audit.Entry{Action: "account.read_request", Object: id}, func(ctx context.Context, _ *audit.Entry) (err error) {
		r, err = s.Store.AccountRequest(ctx, a.Office, id)
		return err
	})
	return r, err
}

// Account reads one account with what it could do before.
func (s *AccountRequests) Account(ctx context.Context, a actor.Actor, id string) (p Staff, held []Held, err error) {
	err = s.Log.Act(ctx, a, audit.Entry{Action: "account.read", Object: id}, func(ctx context.Context, _ *audit.Entry) (err error) {
		if p, err = s.Staff.Staff(ctx, a.Office, id); err != nil {
			return err
		}
		held, err = s.Staff.StaffHistory(ctx, a.Office, id)
		return err
	})
	return p, held, err
}

// Accounts lists everybody who had an account of the office at the end of a day,
// with what it could do then.
func (s *AccountRequests) Accounts(ctx context.Context, a actor.Actor, on clock.Date) (list []Staff, err error) {
	err = s.Log.Act(ctx, a, audit.Entry{Action: "account.list"}, func(ctx context.Context, _ *audit.Entry) (err error) {
		list, err = s.Staff.StaffAt(ctx, a.Office, clock.Midnight(on.AddDays(1)).Add(-time.Millisecond))
		return err
	})
	return list, err
}
