package office

import (
	"context"
	"encoding/json"
	"time"

	"github.com/alexedwards/scs/v2"

	"akashi/internal/clock"
	"akashi/internal/fault"
	"akashi/internal/idgen"
)

// Times of S-017.
const (
	IdleLimit = 15 * time.Minute // without a request
	absolute  = 8 * time.Hour
	// seenEvery is how often a used session is written; a session ends at most
	// this much earlier than 15 minutes after its last request, never later.
	seenEvery = time.Minute
)

// StoredSession is a session as it is kept: the hash of its token, whose it is,
// and its values, which the store seals.
type StoredSession struct {
	Hash  string
	Staff string // row id
	Epoch int    // of the account when it began
	Seen  time.Time
	Ends  time.Time
	Data  []byte
}

// SessionStore keeps sessions; what changes runs inside an act, but for SeeSession.
type SessionStore interface {
	// Session returns a session with its person in one read; fault NotFound.
	Session(ctx context.Context, office, hash string) (StoredSession, Staff, error)
	SeeSession(ctx context.Context, office, hash string, at time.Time) error
	KeepSession(ctx context.Context, office string, s StoredSession) error
	DropSession(ctx context.Context, office, hash string) error
	DropSessions(ctx context.Context, office, staff string) error
}

// Session is one signed-in person at one terminal.
type Session struct {
	Staff  Staff
	values context.Context // where the session library keeps token and values
}

// Sessions are kept on the server; the browser holds 256 random bits (S-016).
type Sessions struct {
	Store SessionStore
	Clock clock.Clock
	IDs   idgen.Gen

	manager *scs.SessionManager
}

// NewSessions takes where sessions are kept.
func NewSessions(store SessionStore, c clock.Clock, ids idgen.Gen) *Sessions {
	s := &Sessions{Store: store, Clock: c, IDs: ids}
	s.manager = &scs.SessionManager{Lifetime: absolute, Store: shelf{sessions: s}, Codec: plain{}, HashTokenInStore: true}
	return s
}

// Values of a session.
const (
	valueStepUp    = "step_up"
	valueApplicant = "applicant"
	valueTerminal  = "terminal"
)

var errSession = fault.New(fault.Forbidden, "session", "")

// Open returns the session of a cookie. Everything that may end one is asked at
// each request, in one read: time, sign-out, and whether the account still is as
// it was (S-017, S-019).
func (m *Sessions) Open(ctx context.Context, cookie string) (*Session, error) {
	code := officeOfToken(cookie)
	if code == "" {
		return nil, errSession
	}
	s := &Session{Staff: Staff{Office: code}}
	var err error
	if s.values, err = m.manager.Load(context.WithValue(ctx, sessionKey{}, s), cookie[len(code)+1:]); err != nil {
		return nil, err
	}
	if s.Staff.ID == "" {
		return nil, errSession
	}
	return s, nil
}

// Stays refuses a session that began at a registered terminal to any other, and so to
// one that has been revoked since: whoever sat there is signed out (S-004, S-016).
func (m *Sessions) Stays(s *Session, terminal string) error {
	if began := m.manager.GetString(s.values, valueTerminal); began != "" && began != terminal {
		return errSession
	}
	return nil
}

type unattendedKey struct{}

// Unattended is the context of a request that a page made by itself: it opens a session
// and does not keep it from ending when nobody is there (S-017).
func Unattended(ctx context.Context) context.Context {
	return context.WithValue(ctx, unattendedKey{}, true)
}

// Begin opens a session for a person, inside an act. One that begins at a registered
// terminal stays there; elsewhere the terminal is empty.
func (m *Sessions) Begin(ctx context.Context, p Staff, terminal string) (*Session, error) {
	s := &Session{Staff: p}
	var err error
	// The values outlive the act, so they do not hang on its context.
	if s.values, err = m.manager.Load(context.WithValue(context.Background(), sessionKey{}, s), ""); err != nil {
		return nil, err
	}
	m.manager.SetDeadline(s.values, m.Clock.Now().Add(absolute))
	m.manager.Put(s.values, valueApplicant, m.IDs.Token(12))
	m.manager.Put(s.values, valueTerminal, terminal)
	m.markStepUp(s)
	return s, m.commit(ctx, s)
}

// StepUp notes that the second factor was proven, inside an act; the id is new.
func (m *Sessions) StepUp(ctx context.Context, s *Session) error {
	m.markStepUp(s)
	return m.renew(ctx, s)
}

// NextPerson begins another applicant's context, inside an act; the id is new.
func (m *Sessions) NextPerson(ctx context.Context, s *Session) error {
	m.manager.Put(s.values, valueApplicant, m.IDs.Token(12))
	return m.renew(ctx, s)
}

// End destroys a session, inside an act.
func (m *Sessions) End(ctx context.Context, s *Session) error {
	return m.manager.Destroy(within(ctx, s))
}

func (m *Sessions) markStepUp(s *Session) {
	m.manager.Put(s.values, valueStepUp, m.Clock.Now().Format(time.RFC3339Nano))
}

// SteppedUp is when the second factor was last proven: at sign-in or later.
func (m *Sessions) SteppedUp(s *Session) time.Time {
	at, err := time.Parse(time.RFC3339Nano, m.manager.GetString(s.values, valueStepUp))
	if err != nil {
		return time.Time{}
	}
	return at
}

// Applicant names the one context in which an applicant is served (L-03).
func (m *Sessions) Applicant(s *Session) string { return m.manager.GetString(s.values, valueApplicant) }

// Cookie is what the browser keeps of the session.
func (m *Sessions) Cookie(s *Session) string { return s.Staff.Office + "." + m.manager.Token(s.values) }

// renew gives the session a new token; its end stays where it was.
func (m *Sessions) renew(ctx context.Context, s *Session) error {
	ends := m.manager.Deadline(s.values)
	if err := m.manager.RenewToken(within(ctx, s)); err != nil {
		return err
	}
	m.manager.SetDeadline(s.values, ends)
	return m.commit(ctx, s)
}

func (m *Sessions) commit(ctx context.Context, s *Session) error {
	_, _, err := m.manager.Commit(within(ctx, s))
	return err
}

type sessionKey struct{}

// joined is the context of an act that also finds the values of a session.
type joined struct {
	context.Context
	values context.Context
}

func within(ctx context.Context, s *Session) context.Context { return joined{ctx, s.values} }

func (j joined) Value(key any) any {
	if v := j.Context.Value(key); v != nil {
		return v
	}
	return j.values.Value(key)
}

// shelf lets the session library keep its sessions in the store. Token and values
// are the library's; whose a session is and until when it lives is asked by our
// clock.
type shelf struct {
	scs.Store // without a context nothing is kept
	sessions  *Sessions
}

func sessionOf(ctx context.Context) *Session { return ctx.Value(sessionKey{}).(*Session) }

// FindCtx implements scs.CtxStore.
func (h shelf) FindCtx(ctx context.Context, hash string) ([]byte, bool, error) {
	s, now := sessionOf(ctx), h.sessions.Clock.Now()
	kept, staff, err := h.sessions.Store.Session(ctx, s.Staff.Office, hash)
	if fault.CodeOf(err) == fault.NotFound {
		return nil, false, nil
	}
	if err != nil {
		return nil, false, err
	}
	if !now.Before(kept.Ends) || now.Sub(kept.Seen) >= IdleLimit || kept.Epoch != staff.Epoch || !staff.Usable(now) {
		return nil, false, nil
	}
	if now.Sub(kept.Seen) >= seenEvery && ctx.Value(unattendedKey{}) == nil {
		if err := h.sessions.Store.SeeSession(ctx, s.Staff.Office, hash, now); err != nil {
			return nil, false, err
		}
	}
	s.Staff = staff
	return kept.Data, true, nil
}

// CommitCtx implements scs.CtxStore.
func (h shelf) CommitCtx(ctx context.Context, hash string, data []byte, expiry time.Time) error {
	p := sessionOf(ctx).Staff
	return h.sessions.Store.KeepSession(ctx, p.Office, StoredSession{
		Hash: hash, Staff: p.ID, Epoch: p.Epoch, Seen: h.sessions.Clock.Now(), Ends: expiry, Data: data,
	})
}

// DeleteCtx implements scs.CtxStore.
func (h shelf) DeleteCtx(ctx context.Context, hash string) error {
	return h.sessions.Store.DropSession(ctx, sessionOf(ctx).Staff.Office, hash)
}

// plain writes a session's values as JSON: all of them are text.
type plain struct{}

type values struct {
	Deadline time.Time         `json:"deadline"`
	Values   map[string]string `json:"values"`
}

// Encode implements scs.Codec.
func (plain) Encode(deadline time.Time, list map[string]any) ([]byte, error) {
	v := values{deadline, map[string]string{}}
	for name, value := range list {
		v.Values[name], _ = value.(string)
	}
	return json.Marshal(v)
}

// Decode implements scs.Codec.
func (plain) Decode(b []byte) (time.Time, map[string]any, error) {
	var v values
	err := json.Unmarshal(b, &v)
	list := map[string]any{}
	for name, value := range v.Values {
		list[name] = value
	}
	return v.Deadline, list, err
}
