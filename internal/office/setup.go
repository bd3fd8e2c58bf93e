package office

import (
	"context"
	"crypto/sha256"
	"encoding/json"
	"strings"
	"time"

	"akashi/internal/actor"
	"akashi/internal/audit"
	"akashi/internal/fault"
)

// linkLife is how long a set-up link can be followed.
const linkLife = 24 * time.Hour

// LinkStore keeps set-up links and challenges by the hash of their token; what
// changes runs inside an act.
type LinkStore interface {
	AddLink(ctx context.Context, office string, hash []byte, staff string, expires time.Time) error // replaces the person's others
	Link(ctx context.Context, office string, hash []byte, now time.Time) (staff string, err error)  // fault NotFound
	UseLink(ctx context.Context, office string, hash []byte) error                                  // fault NotFound: used already
	AddChallenge(ctx context.Context, office string, c Challenge) error                             // also outside an act
	Challenge(ctx context.Context, office string, hash []byte, now time.Time) (Challenge, error)    // fault NotFound
	UseChallenge(ctx context.Context, office string, hash []byte) error                             // fault NotFound: used already
}

// token is 256 random bits; the office stands in it so that it is looked up in
// its own partition only.
func (a *Accounts) token(office string) string { return office + "." + a.IDs.Token(32) }

// hash is what is stored of a token. A fast one is enough: the token is 256
// random bits, not a password.
func hash(token string) []byte {
	sum := sha256.Sum256([]byte(token))
	return sum[:]
}

// officeOfToken returns the office in a token; empty where it cannot be one.
func officeOfToken(token string) string {
	office, rest, ok := strings.Cut(token, ".")
	if !ok || len(rest) != 43 || CheckCode(office) != nil {
		return ""
	}
	return office
}

// NewLink makes the token of a set-up link.
func (a *Accounts) NewLink(office string) string { return a.token(office) }

func (a *Accounts) keepLink(ctx context.Context, s Staff, link string) error {
	return a.Store.AddLink(ctx, s.Office, hash(link), s.ID, a.Clock.Now().Add(linkLife))
}

// Link replaces the set-up link of a person without credentials, inside an act.
func (a *Accounts) Link(ctx context.Context, s Staff) (string, error) {
	if s.State != NewAccount {
		return "", fault.New(fault.Conflict, "account_set_up", "")
	}
	link := a.NewLink(s.Office)
	return link, a.keepLink(ctx, s, link)
}

// LinkOpen tells whether a set-up link can still be followed.
func (a *Accounts) LinkOpen(ctx context.Context, link string) bool {
	_, err := a.linked(ctx, link)
	return err == nil
}

// linked finds the person to whom a set-up link leads.
func (a *Accounts) linked(ctx context.Context, link string) (Staff, error) {
	refused := fault.New(fault.Forbidden, "setup_link", "link")
	code := officeOfToken(link)
	if code == "" {
		return Staff{}, refused
	}
	id, err := a.Store.Link(ctx, code, hash(link), a.Clock.Now())
	if fault.CodeOf(err) == fault.NotFound {
		return Staff{}, refused
	}
	if err != nil {
		return Staff{}, err
	}
	s, err := a.Store.Staff(ctx, code, id)
	if err == nil && (s.State != NewAccount || s.ended(a.Clock.Now())) {
		err = refused
	}
	return s, err
}

// BeginSetup answers a set-up link with what the browser needs to make a passkey. A
// password that comes with it is checked first: once refused, it would leave a passkey
// that belongs to nothing. Empty: it is checked by FinishSetup alone.
func (a *Accounts) BeginSetup(ctx context.Context, link, password string) (Staff, Asked, error) {
	s, err := a.linked(ctx, link)
	if err == nil && password != "" {
		err = a.checkPassword(ctx, s, password)
	}
	if err != nil {
		return s, Asked{}, err
	}
	asked, err := a.askCreation(ctx, s, forSetup)
	return s, asked, err
}

// Setup is what a newcomer brings: a password and the answer of the passkey, or,
// without one, the certificate of a card that the connection showed.
type Setup struct {
	Link, Password   string
	Challenge, Label string
	Credential       json.RawMessage
	Place
}

// FinishSetup gives the person of a link a password and the first second factor,
// once. It signs nobody in.
func (a *Accounts) FinishSetup(ctx context.Context, in Setup) (Staff, error) {
	s, err := a.linked(ctx, in.Link)
	if err != nil {
		return s, err
	}
	phc, second, err := a.credentials(ctx, s, in)
	if err != nil {
		if _, gone := a.linked(ctx, in.Link); gone != nil { // somebody was faster, and took the challenge along
			err = gone
		}
		return s, a.refused(ctx, in.Place, s.Office, s, "setup.finish", err)
	}
	return s, a.Log.Act(ctx, in.by(s), audit.Entry{Action: "setup.finish", Object: s.ID}, func(ctx context.Context, e *audit.Entry) error {
		if err := a.Store.UseLink(ctx, s.Office, hash(in.Link)); err != nil {
			return fault.New(fault.Forbidden, "setup_link", "link").Because(err)
		}
		if err := a.Store.SetPassword(ctx, s.Office, s.ID, phc); err != nil {
			return err
		}
		if err := second(ctx, e); err != nil {
			return err
		}
		s, err = a.Change(ctx, s.Office, s.ID, func(s *Staff) { s.State, s.Used = ActiveAccount, a.Clock.Now() })
		return err
	})
}

// credentials checks what a newcomer brings, and returns the hash of the password
// and what stores the second factor.
func (a *Accounts) credentials(ctx context.Context, s Staff, in Setup) (phc string, second func(context.Context, *audit.Entry) error, err error) {
	if err := a.checkPassword(ctx, s, in.Password); err != nil {
		return "", nil, err
	}
	if second, err = a.secondFactor(ctx, s, in); err != nil {
		return "", nil, err
	}
	phc, err = a.Hasher.Hash(ctx, s.Office, in.Password)
	return phc, second, err
}

// checkPassword refuses one that is easily guessed, also from who and where the person is.
func (a *Accounts) checkPassword(ctx context.Context, s Staff, password string) error {
	o, err := a.Store.Office(ctx, s.Office)
	if err != nil {
		return err
	}
	return CheckPassword(password, s.User, o.NameJA, o.NameEN)
}

// secondFactor checks the second factor of a set-up and returns what stores it.
func (a *Accounts) secondFactor(ctx context.Context, s Staff, in Setup) (func(context.Context, *audit.Entry) error, error) {
	if len(in.Credential) == 0 && in.Card != nil {
		return func(ctx context.Context, e *audit.Entry) error {
			e.Fact("factor", "card")
			return a.Store.AddCard(ctx, s.Office, in.Card, s.ID)
		}, nil
	}
	p, err := a.created(ctx, s, forSetup, in.Challenge, in.Credential)
	if err != nil {
		return nil, err
	}
	p.Label = in.Label
	return func(ctx context.Context, e *audit.Entry) error {
		e.Fact("factor", "passkey")
		return a.addPasskey(ctx, s, p, in.Challenge)
	}, nil
}

// Place is from where somebody acts.
type Place struct {
	Where    string // for the log
	Address  string // network address, for the count of failures
	Terminal string // what the terminal is known by; may be empty
	// Registered tells that Terminal is the id of a registered one.
	Registered bool
	Session    string // cookie of the session that the browser has; may be empty
	Card       []byte // SHA-256 of the client certificate that the connection has proven; may be nil
	Request    string // request id
}

// by is the actor of an act on one's own account.
func (p Place) by(s Staff) actor.Actor {
	person := s.ID
	if person == "" {
		person = "unknown"
	}
	return actor.Actor{Office: s.Office, Person: person, Terminal: p.Where, Purpose: actor.Operate, Request: p.Request}
}
