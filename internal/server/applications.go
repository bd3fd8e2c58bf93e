package server

import (
	"strings"
	"time"

	"akashi/internal/application"
	"akashi/internal/audit"
	"akashi/internal/fault"
	"akashi/passport"
)

// applicationBody is an application with what was found out about it.
type applicationBody struct {
	ID               string                 `json:"id"`
	Version          int                    `json:"version" doc:"counts changes"`
	State            application.State      `json:"state"`
	Kind             string                 `json:"kind"`
	Programme        string                 `json:"programme"`
	Channel          string                 `json:"channel"`
	WaitsFor         application.Party      `json:"waits_for,omitempty" doc:"who has to act: applicant, clerk or approver; absent: nobody"`
	Reasons          []reasonBody           `json:"reasons" doc:"why it is held"`
	Passport         *readingBody           `json:"passport,omitempty"`
	Record           *recordBody            `json:"record,omitempty"`
	Decision         *application.Decision  `json:"decision,omitempty"`
	Earlier          []application.Decision `json:"earlier_decisions,omitempty" doc:"of people, that counted before it was checked or decided again; the oldest first"`
	Another          string                 `json:"another,omitempty" doc:"why it has a certificate beside a valid one of the same kind, holder and passport"`
	NumberMayBeAsked bool                   `json:"number_may_be_asked" doc:"whether the applicant may be asked for the individual number now (R-131)"`
	Certificates     string                 `json:"certificates,omitempty" doc:"where its certificates are listed"`
	CreatedAt        time.Time              `json:"created_at"`
	UpdatedAt        time.Time              `json:"updated_at"`
	Form             *formBody              `json:"form,omitempty" doc:"as handed in; only where one application is read"`
}

type reasonBody struct {
	application.Reason
	text
}

// readingBody is what the passport's zone says, for the clerk.
type readingBody struct {
	Format         passport.Format   `json:"format,omitempty"`
	Refused        bool              `json:"refused"`
	MayBeTruncated bool              `json:"may_be_truncated,omitempty"`
	Findings       passport.Findings `json:"findings"`
	Repairs        []passport.Repair `json:"repairs,omitempty" doc:"one proposal for a person to confirm; none is applied"`
	Repaired       []string          `json:"repaired,omitempty" doc:"the lines with the proposal"`
}

// recordBody is what the register answered, without the person.
type recordBody struct {
	Outcome     string    `json:"outcome" doc:"unavailable, none, found or ambiguous; unavailable says nothing about doses"`
	Source      string    `json:"source,omitempty"`
	AsOf        time.Time `json:"as_of,omitzero"`
	Certainty   string    `json:"certainty,omitempty"`
	Evidence    []string  `json:"evidence,omitempty"`
	DoseNumbers []int     `json:"dose_numbers,omitempty"`
	CheckedOn   string    `json:"checked_on,omitempty"`
	Chosen      bool      `json:"chosen,omitempty" doc:"by a person, among several who fit"`
}

// applicationItem is an application in a list: nothing of the person.
type applicationItem struct {
	ID        string            `json:"id"`
	Version   int               `json:"version"`
	State     application.State `json:"state"`
	Kind      string            `json:"kind"`
	Channel   string            `json:"channel"`
	WaitsFor  application.Party `json:"waits_for,omitempty" doc:"who has to act: applicant, clerk or approver"`
	Reasons   []reasonBody      `json:"reasons"`
	CreatedAt time.Time         `json:"created_at"`
	UpdatedAt time.Time         `json:"updated_at"`
}

type applicationList struct {
	Applications []applicationItem `json:"applications"`
	Next         string            `json:"next,omitempty" doc:"cursor of the next page"`
}

type decisionBody struct {
	Outcome   string `json:"outcome" enum:"approve,reject,ask"`
	Reason    string `json:"reason" minLength:"1" maxLength:"500" doc:"in words; never logged"`
	Candidate string `json:"candidate,omitempty" maxLength:"64" doc:"whose record it is, of those who fit, as the application names them; for approve"`
	Version   int    `json:"version,omitempty" doc:"of the application that was looked at"`
}

type anotherBody struct {
	Why     string `json:"why" enum:"several_places,not_at_hand,wish" doc:"the earlier certificate stays valid"`
	Version int    `json:"version,omitempty" doc:"of the application that was looked at"`
}

func (s *Server) applicationOf(a application.Application) applicationBody {
	b := applicationBody{
		ID: a.ID, Version: a.Version, State: a.State, Kind: string(a.Form.Kind), Programme: a.Form.Programme, Channel: string(a.Form.Channel),
		WaitsFor: a.WaitsFor(), Reasons: reasonsOf(a.Reasons), Decision: a.Decision, Earlier: a.Earlier, Another: a.Another, NumberMayBeAsked: a.Record.MayAskNo, CreatedAt: a.CreatedAt, UpdatedAt: a.UpdatedAt,
	}
	if a.Record.Outcome != "" {
		r := a.Record
		b.Record = &recordBody{
			Outcome: r.Outcome, Source: r.Source, AsOf: r.AsOf, Certainty: r.Certainty, Evidence: r.Evidence, CheckedOn: string(r.CheckedOn), Chosen: r.Chosen,
		}
		for _, d := range r.Doses {
			b.Record.DoseNumbers = append(b.Record.DoseNumbers, d.Number)
		}
	}
	today := s.Clock.Today()
	if a.Record.CheckedOn != "" {
		today = a.Record.CheckedOn
	}
	if reading := a.Form.ReadPassport(today, s.Applications.Test); reading != nil {
		b.Passport = &readingBody{
			Format: reading.DocumentFormat, Refused: reading.Refused(), MayBeTruncated: reading.MayBeTruncated,
			Findings: append(passport.Findings{}, reading.Findings...), Repairs: reading.Repairs, Repaired: reading.Repaired(),
		}
	}
	if a.State == application.Fulfilled {
		b.Certificates = prefix + "/certificates?application=" + a.ID
	}
	return b
}

func reasonsOf(list []application.Reason) []reasonBody {
	out := []reasonBody{}
	for _, r := range list {
		ja, en := r.Sentence()
		out = append(out, reasonBody{r, text{ja, en}})
	}
	return out
}

func (s *Server) applied(a application.Application, err error) (answer, error) {
	if err != nil {
		return answer{}, err
	}
	return value(s.applicationOf(a))
}

func (s *Server) createApplication(c *call) (answer, error) {
	b, err := decode[formBody](c)
	if err != nil {
		return answer{}, err
	}
	f := b.form()
	return s.once(c, func(o *audit.Once) (answer, error) {
		app, err := s.Applications.Create(c.ctx, c.actor, f, o)
		a, err := s.applied(app, err)
		a.header = map[string]string{"Location": prefix + "/applications/" + app.ID}
		return a, err
	}, func(id string) (answer, error) {
		return s.applied(s.Applications.Get(c.ctx, c.actor, id))
	})
}

func (s *Server) listApplications(c *call) (answer, error) {
	limit, after, err := c.page(rowForm)
	if err != nil {
		return answer{}, err
	}
	f := application.Filter{Oldest: c.query.Get("order") == "oldest", After: after, Limit: limit}
	if err := known(c.query.Get("order"), []string{"oldest", "newest"}, "order"); err != nil {
		return answer{}, err
	}
	if states := c.query.Get("state"); states != "" {
		for name := range strings.SplitSeq(states, ",") {
			if err := fault.OneOf("state", application.State(name), application.States()...); err != nil {
				return answer{}, err
			}
			f.States = append(f.States, application.State(name))
		}
	}
	list, err := s.Applications.List(c.ctx, c.actor, f)
	if err != nil {
		return answer{}, err
	}
	out := applicationList{Applications: []applicationItem{}}
	for _, a := range list {
		out.Applications = append(out.Applications, applicationItem{
			ID: a.ID, Version: a.Version, State: a.State, Kind: string(a.Form.Kind), Channel: string(a.Form.Channel),
			WaitsFor: a.WaitsFor(), Reasons: reasonsOf(a.Reasons), CreatedAt: a.CreatedAt, UpdatedAt: a.UpdatedAt,
		})
	}
	if len(list) == limit {
		out.Next = list[limit-1].ID
	}
	return value(out)
}

// known refuses a filter that is no value of the list; empty means no filter.
func known[T ~string](v T, list []T, field string) error {
	if v == "" {
		return nil
	}
	return fault.OneOf(field, v, list...)
}

func (s *Server) getApplication(c *call) (answer, error) {
	id, err := s.row(c, "application")
	if err != nil {
		return answer{}, err
	}
	x, err := s.Applications.Examine(c.ctx, c.actor, id)
	if err != nil {
		return answer{}, err
	}
	if more := len(x.Choices) - 1; more > 0 { // the route counted one
		if err := s.lookUp(c, more); err != nil {
			return answer{}, err
		}
	}
	o, err := s.office(c.ctx, c.actor.Office)
	if err != nil {
		return answer{}, err
	}
	b := examinedBody{s.applicationOf(x.Application), s.recordNow(x, text{o.NameJA, o.NameEN})}
	b.Form = handedIn(x.Form)
	return value(b)
}

func (s *Server) submitApplication(c *call) (answer, error) {
	id, err := s.row(c, "application")
	if err != nil {
		return answer{}, err
	}
	return s.applied(s.Applications.Submit(c.ctx, c.actor, id))
}

func (s *Server) answerApplication(c *call) (answer, error) {
	id, err := s.row(c, "application")
	if err != nil {
		return answer{}, err
	}
	b, err := decode[formBody](c)
	if err != nil {
		return answer{}, err
	}
	return s.applied(s.Applications.Answer(c.ctx, c.actor, id, b.form(), b.Version))
}

func (s *Server) withdrawApplication(c *call) (answer, error) {
	id, err := s.row(c, "application")
	if err != nil {
		return answer{}, err
	}
	return s.applied(s.Applications.Withdraw(c.ctx, c.actor, id))
}

func (s *Server) decideApplication(c *call) (answer, error) {
	id, err := s.row(c, "application")
	if err != nil {
		return answer{}, err
	}
	b, err := decode[decisionBody](c)
	if err != nil {
		return answer{}, err
	}
	if b.Outcome == "approve" && b.Candidate != "" { // the register is asked for everybody who fits
		if err := s.lookUp(c, 1); err != nil {
			return answer{}, err
		}
	}
	v := application.Verdict{Outcome: b.Outcome, Reason: b.Reason, Candidate: b.Candidate, Version: b.Version}
	a, err := s.applied(s.Applications.Decide(c.ctx, c.actor, id, v))
	return a, c.overridden(err)
}

// justifyApplication stores why another certificate is made beside a valid one.
func (s *Server) justifyApplication(c *call) (answer, error) {
	id, err := s.row(c, "application")
	if err != nil {
		return answer{}, err
	}
	b, err := decode[anotherBody](c)
	if err != nil {
		return answer{}, err
	}
	return s.applied(s.Applications.Justify(c.ctx, c.actor, id, b.Why, b.Version))
}

// issueCertificate makes the certificate of an approved application, or answers
// with the one it has: the call is its own idempotency.
func (s *Server) issueCertificate(c *call) (answer, error) {
	id, err := s.row(c, "application")
	if err != nil {
		return answer{}, err
	}
	if _, err := c.key(); err != nil {
		return answer{}, err
	}
	var b issueBody
	if len(c.body) > 0 {
		if b, err = decode[issueBody](c); err != nil {
			return answer{}, err
		}
	}
	i, made, err := s.Issuance.IssueSeen(c.ctx, c.actor, id, b.Preview)
	if err != nil {
		return answer{}, err
	}
	a, err := issued(i)
	if !made {
		a.status = 200
	}
	return a, err
}
