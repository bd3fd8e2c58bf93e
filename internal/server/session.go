package server

import (
	"errors"
	"maps"
	"net/http"
	"time"

	"akashi/internal/actor"
	"akashi/internal/fault"
	"akashi/internal/office"
)

// Cookies of the staff face. The prefix makes browsers refuse them from anywhere
// else than this very host over a secure connection (S-016).
const (
	sessionCookie  = "__Host-akashi"
	terminalCookie = "__Host-akashi-terminal"
)

// terminalLife is how long a terminal keeps its token after a sign-in (S-015).
const terminalLife = 60 * 24 * time.Hour

var (
	errStepUp   = fault.New(fault.Forbidden, "step_up", "")
	errOverride = fault.New(fault.Forbidden, "override", "")
)

// applicantHeader names the applicant whose form a request belongs to (L-03).
const applicantHeader = "Akashi-Applicant"

func cookieOf(r *http.Request, name string) string {
	c, err := r.Cookie(name)
	if err != nil {
		return ""
	}
	return c.Value
}

// hostCookie is a cookie for this host alone; age 0 lets it end with the browser,
// and a negative one deletes it.
func hostCookie(name, value string, age time.Duration) *http.Cookie {
	return &http.Cookie{
		Name: name, Value: value, Path: "/", MaxAge: int(age / time.Second), Secure: true, HttpOnly: true, SameSite: http.SameSiteStrictMode,
	}
}

// origin is from where a call acts on an account. A registered terminal is known
// by its registration, any other by the token that it keeps; a certificate that is
// no terminal's may be a person's card.
func (s *Server) origin(c *call) office.Place {
	p := office.Place{Where: c.place(), Address: c.address, Request: c.id, Session: cookieOf(c.request, sessionCookie)}
	shown, ok := clientOf(c.ctx)
	switch {
	case c.terminal.ID != "":
		p.Terminal, p.Registered = c.terminal.ID, true
	case ok:
		p.Card = shown.SHA256[:]
		fallthrough
	default:
		p.Terminal = cookieOf(c.request, terminalCookie)
	}
	return p
}

// enter finds out whose session a call belongs to, and gives the call its actor.
// Without a fresh second factor nothing can be overridden (S-018).
func (s *Server) enter(c *call) error {
	ctx := c.ctx
	if c.route.refreshes && c.request.Header.Get("HX-Request") != "" {
		ctx = office.Unattended(ctx)
	}
	session, err := s.Accounts.Sessions.Open(ctx, cookieOf(c.request, sessionCookie))
	if err == nil {
		err = s.Accounts.Sessions.Stays(session, c.terminal.ID)
	}
	if err != nil {
		return err
	}
	c.session, c.actor = session, session.Staff.Actor(c.route.purpose, c.place(), c.id, s.Accounts.Sessions.SteppedUp(session))
	if !c.actor.SteppedUpBy(s.Clock.Now()) {
		c.actor.Permissions = maps.Clone(c.actor.Permissions)
		delete(c.actor.Permissions, string(office.Override))
	}
	return nil
}

// present refuses a call that needs a fresh second factor, and a form of an
// applicant who is no longer served (S-018, L-03).
func (s *Server) present(c *call) error {
	if c.route.stepUp && !c.actor.SteppedUpBy(s.Clock.Now()) {
		return s.refusal(c, errStepUp)
	}
	if of := c.request.Header.Get(applicantHeader); of != "" && of != s.Accounts.Sessions.Applicant(c.session) {
		return s.refusal(c, fault.New(fault.Conflict, "applicant_changed", ""))
	}
	return nil
}

// overridden explains a refused override to somebody who may, but has not proven
// the second factor lately.
func (c *call) overridden(err error) error {
	if errors.Is(err, errOverride) && c.session.Staff.Role.Permissions()[string(office.Override)] {
		return errStepUp
	}
	return err
}

// accountBody is what people see of their own account and session.
type accountBody struct {
	User        string    `json:"user"`
	Name        string    `json:"name"`
	Office      string    `json:"office"`
	Unit        string    `json:"unit"`
	Role        string    `json:"role"`
	Ends        string    `json:"ends" doc:"no sign-in from then on"`
	Applicant   string    `json:"applicant" doc:"the applicant being served; send it as Akashi-Applicant with a form of this applicant"`
	StepUpUntil time.Time `json:"step_up_until" doc:"until when the second factor counts as just proven"`
}

func (s *Server) me(session *office.Session) accountBody {
	p := session.Staff
	return accountBody{
		User: p.User, Name: p.Name, Office: p.Office, Unit: p.Unit, Role: string(p.Role), Ends: p.Ends.Format(time.RFC3339),
		Applicant: s.Accounts.Sessions.Applicant(session), StepUpUntil: s.Accounts.Sessions.SteppedUp(session).Add(actor.StepUpLasts),
	}
}

// held answers with the account and the session's cookie, whose value is new.
func (s *Server) held(session *office.Session) answer {
	return answer{body: s.me(session), cookie: []*http.Cookie{hostCookie(sessionCookie, s.Accounts.Sessions.Cookie(session), 0)}}
}

func (s *Server) getAccount(c *call) (answer, error) { return value(s.me(c.session)) }

func (s *Server) nextPerson(c *call) (answer, error) {
	if err := s.Accounts.NextPerson(c.ctx, c.session, s.origin(c)); err != nil {
		return answer{}, err
	}
	return s.held(c.session), nil
}

// signOut ends this session or all.
func (s *Server) signOut(everywhere bool) func(*call) (answer, error) {
	return func(c *call) (answer, error) {
		return answer{}, s.Accounts.SignOut(c.ctx, c.session, s.origin(c), everywhere)
	}
}

// forget lets the browser forget the session, also where the service could not
// end it; the terminal stays known, so its cookie does not go with the rest
// (S-015, S-017).
func forget(w http.ResponseWriter) {
	w.Header().Set("Clear-Site-Data", `"cache", "storage"`)
	http.SetCookie(w, hostCookie(sessionCookie, "", -time.Second))
}
