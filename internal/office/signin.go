package office

import (
	"context"
	"encoding/json"
	"errors"

	"github.com/go-webauthn/webauthn/webauthn"

	"akashi/internal/audit"
	"akashi/internal/clock"
	"akashi/internal/fault"
	"akashi/internal/idgen"
)

// Store is what accounts need of the database.
type Store interface {
	AccountStore
	CredentialStore
	LinkStore
	AttemptStore
	SessionStore
	Office(ctx context.Context, code string) (Office, error)
}

// Accounts sets people up, signs them in and lets them prove themselves again.
type Accounts struct {
	Log      *audit.Log
	Store    Store
	Sessions *Sessions
	Hasher   *Hasher
	Passkeys *webauthn.WebAuthn
	Reminder Reminder
	Clock    clock.Clock
	IDs      idgen.Gen
}

// Origin is where staff reach the service, such as "https://akashi.example.lg.jp".
func (a *Accounts) Origin() string { return a.Passkeys.Config.RPOrigins[0] }

// Try is a first step of signing in.
type Try struct {
	User, Password string
	Read           string // version of the reminder that the person has read; may be empty
	Place
}

// Begun is what a right password leads to: a question to a passkey, or at once a
// session where the connection shows the person's card.
type Begun struct {
	Asked    Asked
	Session  *Session
	Reminder *Reminder // to be read first; nil: read lately
}

// errSignIn is the one answer to unknown users, wrong passwords and accounts
// that may not be used (S-015).
var errSignIn = fault.New(fault.Forbidden, "sign_in", "")

// Begin checks user id and password. Unknown and known users cost the same work
// and get the same answer.
func (a *Accounts) Begin(ctx context.Context, t Try) (Begun, error) {
	code := officeOf(t.User)
	if code == "" {
		return Begun{}, errSignIn
	}
	if _, err := a.Store.Office(ctx, code); err != nil {
		if fault.CodeOf(err) == fault.NotFound { // that an office exists is no secret
			err = errSignIn
		}
		return Begun{}, err
	}
	s, err := a.proven(ctx, t)
	if err != nil {
		return Begun{}, a.refused(ctx, t.Place, code, s, "session.begin", err)
	}
	var unread *Reminder
	if a.Reminder.due(s, a.Clock.Now()) && t.Read != a.Reminder.Version() {
		unread = &a.Reminder
	}
	if t.Card != nil {
		owner, err := a.Store.CardOf(ctx, code, t.Card)
		if err == nil && owner == s.ID && unread != nil {
			return Begun{Reminder: unread}, nil
		}
		if err == nil && owner == s.ID {
			session, err := a.begin(ctx, t.Place, s, "card", t.Read, nil)
			return Begun{Session: session}, err
		}
		if err != nil && fault.CodeOf(err) != fault.NotFound {
			return Begun{}, err
		}
	}
	asked, err := a.askAssertion(ctx, s, forSignIn)
	return Begun{Asked: asked, Reminder: unread}, err
}

// proven counts the try, compares the password and returns whose it is.
func (a *Accounts) proven(ctx context.Context, t Try) (Staff, error) {
	code := officeOf(t.User)
	s, err := a.Store.StaffByUser(ctx, code, t.User)
	if err != nil && fault.CodeOf(err) != fault.NotFound {
		return s, err
	}
	subjects, known, err := a.subjects(ctx, t, s)
	if err != nil {
		return s, err
	}
	failures, err := a.count(ctx, code, subjects)
	if err != nil {
		return s, err
	}
	stored, err := a.Store.Password(ctx, code, s.ID)
	if err != nil {
		return s, err
	}
	same, stale, err := a.Hasher.Compare(ctx, code, t.Password, stored)
	if err != nil {
		return s, err
	}
	switch {
	case failures >= lockAfter && !same && known:
		err = a.lock(ctx, t, s)
	case stale && failures <= lockAfter:
		err = a.rehash(ctx, t, s)
	}
	// After 100 failures of strangers the account stays closed to them, right
	// password or not, until an officer enables it; known terminals stay open.
	if err == nil && (!same || failures > lockAfter || !s.Usable(a.Clock.Now())) {
		err = errSignIn
	}
	return s, err
}

// refused logs a sign-in that was refused, under the person where one is known.
func (a *Accounts) refused(ctx context.Context, at Place, code string, s Staff, action string, cause error) error {
	s.Office = code
	if err := a.Log.Refused(ctx, at.by(s), audit.Entry{Action: action, Object: s.ID}, cause); err != nil {
		return err
	}
	return cause
}

// lock disables an account that had too many failures in a row on a terminal
// that its owner uses.
func (a *Accounts) lock(ctx context.Context, t Try, s Staff) error {
	if s.State != ActiveAccount {
		return nil
	}
	return a.Log.Act(ctx, t.by(s), audit.Entry{Action: "account.lock", Object: s.ID}, func(ctx context.Context, _ *audit.Entry) error {
		_, err := a.Change(ctx, s.Office, s.ID, func(s *Staff) { s.State = LockedAccount })
		return err
	})
}

// rehash stores the password at the present cost (S-012).
func (a *Accounts) rehash(ctx context.Context, t Try, s Staff) error {
	phc, err := a.Hasher.Hash(ctx, s.Office, t.Password)
	if err != nil {
		return err
	}
	return a.Log.Act(ctx, t.by(s), audit.Entry{Action: "password.rehash", Object: s.ID}, func(ctx context.Context, _ *audit.Entry) error {
		return a.Store.SetPassword(ctx, s.Office, s.ID, phc)
	})
}

// Finish answers the question of Begin and signs in; read is the version of the
// reminder that the person has read, where Begin gave one.
func (a *Accounts) Finish(ctx context.Context, at Place, token string, answer json.RawMessage, read string) (*Session, error) {
	code, c, err := a.asked(ctx, forSignIn, token)
	if err != nil {
		return nil, err
	}
	s, err := a.Store.Staff(ctx, code, c.Staff)
	if err != nil {
		return nil, err
	}
	used, err := a.answered(ctx, s, c, answer)
	if err == nil && !s.Usable(a.Clock.Now()) {
		err = errSignIn
	}
	if err != nil {
		return nil, a.refused(ctx, at, code, s, "session.begin", err)
	}
	return a.begin(ctx, at, s, "passkey", read, func(ctx context.Context) error { return a.use(ctx, s, used, token) })
}

func (a *Accounts) use(ctx context.Context, s Staff, p Passkey, token string) error {
	if err := a.Store.UseChallenge(ctx, s.Office, hash(token)); err != nil {
		return errPasskey
	}
	return a.Store.UsedPasskey(ctx, s.Office, p)
}

// begin opens a session of a person who has proven two factors and read the
// reminder.
func (a *Accounts) begin(ctx context.Context, at Place, s Staff, factor, read string, also func(context.Context) error) (session *Session, err error) {
	due := a.Reminder.due(s, a.Clock.Now())
	if due && read != a.Reminder.Version() {
		return nil, a.refused(ctx, at, s.Office, s, "session.begin", fault.New(fault.Forbidden, "reminder", "reminder"))
	}
	t := Try{User: s.User, Place: at}
	subjects, _, err := a.subjects(ctx, t, s)
	if err != nil {
		return nil, err
	}
	if err := a.leave(ctx, at); err != nil {
		return nil, err
	}
	err = a.Log.Act(ctx, at.by(s), audit.Entry{Action: "session.begin", Object: s.ID}, func(ctx context.Context, e *audit.Entry) error {
		e.Fact("factor", factor)
		if also != nil {
			if err := also(ctx); err != nil {
				return err
			}
		}
		if err := a.Store.ForgetAttempts(ctx, s.Office, subjects); err != nil {
			return err
		}
		now := a.Clock.Now()
		if at.Terminal != "" {
			if err := a.Store.KnowTerminal(ctx, s.Office, hash(at.Terminal), s.ID, now); err != nil {
				return err
			}
		}
		if err := a.Store.UsedStaff(ctx, s.Office, s.ID, now); err != nil {
			return err
		}
		if due {
			e.Fact("reminder", read)
			if err := a.Store.RemindedStaff(ctx, s.Office, s.ID, read, now); err != nil {
				return err
			}
		}
		began := ""
		if at.Registered {
			began = at.Terminal
		}
		session, err = a.Sessions.Begin(ctx, s, began)
		return err
	})
	return session, err
}

// leave ends the session that the browser had, whosever it was: nobody finds the
// way back to it (S-016).
func (a *Accounts) leave(ctx context.Context, at Place) error {
	old, err := a.Sessions.Open(ctx, at.Session)
	if errors.Is(err, errSession) {
		return nil
	}
	if err != nil {
		return err
	}
	return a.SignOut(ctx, old, at, false)
}

// NewTerminal returns a token for a terminal to keep.
func (a *Accounts) NewTerminal() string { return a.IDs.Token(32) }

// BeginStepUp asks a signed-in person to prove the second factor again (S-018).
// Where the connection shows the person's card, the password does.
func (a *Accounts) BeginStepUp(ctx context.Context, session *Session, at Place, password string) (Asked, error) {
	s := session.Staff
	if at.Card == nil || password == "" {
		return a.askAssertion(ctx, s, forStepUp)
	}
	owner, err := a.Store.CardOf(ctx, s.Office, at.Card)
	if fault.CodeOf(err) == fault.NotFound || err == nil && owner != s.ID {
		return Asked{}, errSignIn
	}
	if err == nil {
		_, err = a.proven(ctx, Try{User: s.User, Password: password, Place: at})
	}
	if err != nil {
		return Asked{}, a.refused(ctx, at, s.Office, s, "step-up.finish", err)
	}
	subjects, _, err := a.subjects(ctx, Try{User: s.User, Place: at}, s)
	if err != nil {
		return Asked{}, err
	}
	return Asked{}, a.stepUp(ctx, session, at, "card", func(ctx context.Context) error { return a.Store.ForgetAttempts(ctx, s.Office, subjects) })
}

// FinishStepUp answers the question of BeginStepUp; the session gets a new id.
func (a *Accounts) FinishStepUp(ctx context.Context, session *Session, at Place, token string, answer json.RawMessage) error {
	s := session.Staff
	code, c, err := a.asked(ctx, forStepUp, token)
	if err != nil {
		return err
	}
	if code != s.Office || c.Staff != s.ID {
		return errPasskey
	}
	used, err := a.answered(ctx, s, c, answer)
	if err != nil {
		return a.refused(ctx, at, code, s, "step-up.finish", err)
	}
	return a.stepUp(ctx, session, at, "passkey", func(ctx context.Context) error { return a.use(ctx, s, used, token) })
}

func (a *Accounts) stepUp(ctx context.Context, session *Session, at Place, factor string, also func(context.Context) error) error {
	s := session.Staff
	return a.Log.Act(ctx, at.by(s), audit.Entry{Action: "step-up.finish", Object: s.ID}, func(ctx context.Context, e *audit.Entry) error {
		e.Fact("factor", factor)
		if also != nil {
			if err := also(ctx); err != nil {
				return err
			}
		}
		return a.Sessions.StepUp(ctx, session)
	})
}

// NextPerson destroys what the session holds of the last applicant and gives it a
// new id (L-03).
func (a *Accounts) NextPerson(ctx context.Context, session *Session, at Place) error {
	s := session.Staff
	return a.Log.Act(ctx, at.by(s), audit.Entry{Action: "session.next-person", Object: s.ID}, func(ctx context.Context, _ *audit.Entry) error {
		return a.Sessions.NextPerson(ctx, session)
	})
}

// SignOut ends the session, or with everywhere all of the person.
func (a *Accounts) SignOut(ctx context.Context, session *Session, at Place, everywhere bool) error {
	s := session.Staff
	return a.Log.Act(ctx, at.by(s), audit.Entry{Action: "session.end", Object: s.ID}, func(ctx context.Context, e *audit.Entry) error {
		if everywhere {
			e.Fact("which", "all")
			return a.Store.DropSessions(ctx, s.Office, s.ID)
		}
		return a.Sessions.End(ctx, session)
	})
}
