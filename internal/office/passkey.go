package office

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"net/url"
	"time"

	"github.com/go-webauthn/webauthn/protocol"
	"github.com/go-webauthn/webauthn/webauthn"

	"akashi/internal/audit"
	"akashi/internal/fault"
)

// Passkey is a registered authenticator of one person.
type Passkey struct {
	ID         []byte
	Staff      string // row id
	Label      string // as its owner calls it
	Credential []byte // JSON of the WebAuthn library: public key, counter, flags
	Made, Used time.Time
}

const maxLabel = 50

// CredentialStore keeps what a person proves with; what changes runs inside an act.
type CredentialStore interface {
	Password(ctx context.Context, office, staff string) (phc string, err error) // empty: none
	SetPassword(ctx context.Context, office, staff, phc string) error
	AddPasskey(ctx context.Context, office string, p Passkey) error // fault Conflict "passkey_known"
	UsedPasskey(ctx context.Context, office string, p Passkey) error
	Passkeys(ctx context.Context, office, staff string) ([]Passkey, error)
	// RemovePasskey returns how many second factors, passkeys and cards, are left;
	// fault NotFound "no_such_passkey".
	RemovePasskey(ctx context.Context, office, staff string, id []byte) (left int, err error)
	AddCard(ctx context.Context, office string, fingerprint []byte, staff string) error // fault Conflict "card_known"
	CardOf(ctx context.Context, office string, fingerprint []byte) (staff string, err error)
	// ForgetCredentials deletes password, passkeys, cards, links, challenges,
	// sessions and known terminals of a person.
	ForgetCredentials(ctx context.Context, office, staff string) error
}

// challengeLife is how long a passkey may take to answer.
const challengeLife = 5 * time.Minute

// What a challenge was asked for; an answer to another is refused.
const (
	forSetup   = "setup"
	forSignIn  = "sign_in"
	forStepUp  = "step_up"
	forPasskey = "passkey"
)

// Challenge is a question to a passkey, as it is stored: it can be answered once.
type Challenge struct {
	Hash    []byte // of its token
	Staff   string
	Purpose string
	Data    []byte // JSON of the WebAuthn library
	Expires time.Time
}

// Asked is a question as it goes to the browser.
type Asked struct {
	Challenge string // token by which the answer names it
	PublicKey any    // options of navigator.credentials
}

// NewRelyingParty makes the side that asks passkeys: origin is where staff
// reach the service, such as "https://akashi.example.lg.jp". Browsers offer
// passkeys over TLS and to localhost only.
func NewRelyingParty(origin string) (*webauthn.WebAuthn, error) {
	u, err := url.Parse(origin)
	if err != nil || u.Hostname() == "" || u.Path != "" || u.Scheme != "https" && (u.Scheme != "http" || u.Hostname() != "localhost") {
		return nil, errors.New("not an origin such as https://akashi.example.lg.jp or http://localhost:8080")
	}
	return webauthn.New(&webauthn.Config{
		RPID: u.Hostname(), RPDisplayName: "Akashi", RPOrigins: []string{origin},
		AuthenticatorSelection: protocol.AuthenticatorSelection{
			ResidentKey: protocol.ResidentKeyRequirementDiscouraged, UserVerification: protocol.VerificationRequired,
		},
	})
}

// holder is a person as the WebAuthn library sees one: no name goes to the authenticator.
type holder struct {
	Staff
	keys []webauthn.Credential
}

func (h holder) WebAuthnID() []byte                         { return []byte(h.ID) }
func (h holder) WebAuthnName() string                       { return h.User }
func (h holder) WebAuthnDisplayName() string                { return h.User }
func (h holder) WebAuthnCredentials() []webauthn.Credential { return h.keys }

func (a *Accounts) holder(ctx context.Context, s Staff) (holder, error) {
	h := holder{Staff: s}
	list, err := a.Store.Passkeys(ctx, s.Office, s.ID)
	for _, p := range list {
		var c webauthn.Credential
		if err := json.Unmarshal(p.Credential, &c); err != nil {
			return h, err
		}
		h.keys = append(h.keys, c)
	}
	return h, err
}

// askCreation asks for a new passkey.
func (a *Accounts) askCreation(ctx context.Context, s Staff, purpose string) (Asked, error) {
	h, err := a.holder(ctx, s)
	if err != nil {
		return Asked{}, err
	}
	options, data, err := a.Passkeys.BeginRegistration(h, webauthn.WithExclusions(webauthn.Credentials(h.keys).CredentialDescriptors()))
	if err != nil {
		return Asked{}, err
	}
	return a.ask(ctx, s, purpose, options.Response, data)
}

// askAssertion asks for the answer of one of the person's passkeys.
func (a *Accounts) askAssertion(ctx context.Context, s Staff, purpose string) (Asked, error) {
	h, err := a.holder(ctx, s)
	if err != nil {
		return Asked{}, err
	}
	if len(h.keys) == 0 { // only a card, which the connection does not show
		return Asked{}, fault.New(fault.Forbidden, "second_factor", "")
	}
	options, data, err := a.Passkeys.BeginLogin(h)
	if err != nil {
		return Asked{}, err
	}
	return a.ask(ctx, s, purpose, options.Response, data)
}

func (a *Accounts) ask(ctx context.Context, s Staff, purpose string, options any, data *webauthn.SessionData) (Asked, error) {
	data.Expires = time.Time{} // ours counts: it goes by the injected clock
	text, err := json.Marshal(data)
	if err != nil {
		return Asked{}, err
	}
	token := a.token(s.Office)
	err = a.Store.AddChallenge(ctx, s.Office, Challenge{hash(token), s.ID, purpose, text, a.Clock.Now().Add(challengeLife)})
	return Asked{token, options}, err
}

var errPasskey = fault.New(fault.Forbidden, "passkey", "credential")

// asked returns the open challenge of the token.
func (a *Accounts) asked(ctx context.Context, purpose, token string) (office string, c Challenge, err error) {
	if office = officeOfToken(token); office == "" {
		return "", c, errPasskey
	}
	c, err = a.Store.Challenge(ctx, office, hash(token), a.Clock.Now())
	if fault.CodeOf(err) == fault.NotFound || err == nil && c.Purpose != purpose {
		return office, c, errPasskey
	}
	return office, c, err
}

// created checks a new passkey.
func (a *Accounts) created(ctx context.Context, s Staff, purpose, token string, answer json.RawMessage) (Passkey, error) {
	office, c, err := a.asked(ctx, purpose, token)
	if err != nil {
		return Passkey{}, err
	}
	if office != s.Office || c.Staff != s.ID {
		return Passkey{}, errPasskey
	}
	var data webauthn.SessionData
	if err := json.Unmarshal(c.Data, &data); err != nil {
		return Passkey{}, err
	}
	parsed, err := protocol.ParseCredentialCreationResponseBytes(answer)
	if err != nil {
		return Passkey{}, notAnswered(err)
	}
	made, err := a.Passkeys.CreateCredential(holder{Staff: s}, data, parsed)
	if err != nil {
		return Passkey{}, notAnswered(err)
	}
	text, err := json.Marshal(made)
	now := a.Clock.Now()
	return Passkey{ID: made.ID, Staff: s.ID, Credential: text, Made: now, Used: now}, err
}

// answered checks the answer of a registered passkey.
func (a *Accounts) answered(ctx context.Context, s Staff, c Challenge, answer json.RawMessage) (Passkey, error) {
	var data webauthn.SessionData
	if err := json.Unmarshal(c.Data, &data); err != nil {
		return Passkey{}, err
	}
	h, err := a.holder(ctx, s)
	if err != nil {
		return Passkey{}, err
	}
	parsed, err := protocol.ParseCredentialRequestResponseBytes(answer)
	if err != nil {
		return Passkey{}, notAnswered(err)
	}
	used, err := a.Passkeys.ValidateLogin(h, data, parsed)
	if err != nil {
		return Passkey{}, notAnswered(err)
	}
	if used.Authenticator.CloneWarning {
		return Passkey{}, notAnswered(errors.New("the counter of the passkey went back"))
	}
	text, err := json.Marshal(used)
	return Passkey{ID: used.ID, Staff: s.ID, Credential: text, Used: a.Clock.Now()}, err
}

func notAnswered(cause error) error {
	return fault.New(fault.Forbidden, "passkey", "credential").Because(cause)
}

func (a *Accounts) addPasskey(ctx context.Context, s Staff, p Passkey, token string) error {
	if n := len([]rune(p.Label)); n > maxLabel {
		return fault.New(fault.Invalid, "too_long", "label")
	}
	if err := a.Store.UseChallenge(ctx, s.Office, hash(token)); err != nil {
		return errPasskey
	}
	return a.Store.AddPasskey(ctx, s.Office, p)
}

// BeginPasskey asks a signed-in person for one more passkey.
func (a *Accounts) BeginPasskey(ctx context.Context, s Staff) (Asked, error) {
	return a.askCreation(ctx, s, forPasskey)
}

// AddPasskey registers one more passkey of a signed-in person.
func (a *Accounts) AddPasskey(ctx context.Context, s Staff, at Place, token, label string, answer json.RawMessage) error {
	p, err := a.created(ctx, s, forPasskey, token, answer)
	if err != nil {
		return err
	}
	p.Label = label
	return a.Log.Act(ctx, at.by(s), audit.Entry{Action: "passkey.add", Object: s.ID}, func(ctx context.Context, _ *audit.Entry) error {
		return a.addPasskey(ctx, s, p, token)
	})
}

// OwnPasskeys lists the passkeys of a signed-in person.
func (a *Accounts) OwnPasskeys(ctx context.Context, s Staff, at Place) (list []Passkey, err error) {
	err = a.Log.Act(ctx, at.by(s), audit.Entry{Action: "passkey.list", Object: s.ID}, func(ctx context.Context, _ *audit.Entry) (err error) {
		list, err = a.Store.Passkeys(ctx, s.Office, s.ID)
		return err
	})
	return list, err
}

// RemovePasskey takes a passkey from a signed-in person, who keeps at least one
// second factor. All sessions of the person are over, as one of them may have
// begun with it; this one goes on under a new id.
func (a *Accounts) RemovePasskey(ctx context.Context, session *Session, at Place, id []byte) error {
	s := session.Staff
	return a.Log.Act(ctx, at.by(s), audit.Entry{Action: "passkey.remove", Object: base64.RawURLEncoding.EncodeToString(id)}, func(ctx context.Context, _ *audit.Entry) error {
		// Writing the account first lets two removals at once wait for each other.
		if err := a.Store.UsedStaff(ctx, s.Office, s.ID, a.Clock.Now()); err != nil {
			return err
		}
		left, err := a.Store.RemovePasskey(ctx, s.Office, s.ID, id)
		if err != nil {
			return err
		}
		if left == 0 {
			return fault.New(fault.Conflict, "last_factor", "")
		}
		if err := a.Store.DropSessions(ctx, s.Office, s.ID); err != nil {
			return err
		}
		return a.Sessions.renew(ctx, session)
	})
}
