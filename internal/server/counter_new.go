package server

import (
	"encoding/json"
	"errors"
	"net/http"
	"net/url"
	"regexp"
	"strconv"
	"strings"

	"akashi/certificate"
	"akashi/internal/application"
	"akashi/internal/counter"
	"akashi/internal/fault"
	"akashi/internal/vaccination"
)

type newView struct {
	Form                             counter.Form
	To                               string // where the form is sent
	Notice                           any
	Kinds, Programmes                []string
	Relationships, Proofs, Documents []string
	Zone                             *zoneView
}

// Holder names the person of an application that is corrected; a new one is nobody's yet.
func (v newView) Holder() string {
	if v.Form.Value("version:int") == "" {
		return ""
	}
	return strings.TrimSpace(v.Form.Value("subject.name.family") + "　" + v.Form.Value("subject.name.given"))
}

func (s *Server) newPage(c *call, f counter.Form, status int, above *counter.Said) (answer, error) {
	kinds, err := s.offered(c)
	if err != nil {
		return answer{}, err
	}
	v := newView{Form: f, To: c.request.URL.Path, Notice: notice, Kinds: kinds, Programmes: application.Programmes(certificate.International)}
	v.Relationships, v.Proofs, v.Documents = application.Choices()
	if text := f.Value("passport.mrz"); text != "" {
		v.Zone = s.readZone(text)
	}
	return s.html(c, "new", status, above, v)
}

func (s *Server) showNew(c *call) (answer, error) {
	f := counter.Form{Key: s.IDs.Row(), Values: map[string][]string{"applicant.relationship": {"self"}}}
	if kinds, err := s.offered(c); err != nil {
		return answer{}, err
	} else if len(kinds) > 0 {
		f.Values.Set("kind", kinds[0])
	}
	return s.newPage(c, f, http.StatusOK, nil)
}

// showEdit shows the form as it was handed in.
func (s *Server) showEdit(c *call) (answer, error) {
	a, err := s.getApplication(c)
	if err != nil {
		return answer{}, err
	}
	seen := a.body.(examinedBody)
	v, err := fieldsOf(seen.Form)
	if err != nil {
		return answer{}, err
	}
	v.Set("version:int", strconv.Itoa(seen.Version))
	return s.newPage(c, counter.Form{Key: s.IDs.Row(), Values: v}, http.StatusOK, nil)
}

// showZone reads a zone while it is being typed.
func (s *Server) showZone(c *call) (answer, error) {
	f, err := s.form(c)
	if err != nil {
		return answer{}, err
	}
	var b []byte
	if text := f.Value("passport.mrz"); text != "" {
		b, err = counter.Part("zone", s.readZone(text))
	}
	return answer{file: b, media: pageType + "; charset=utf-8"}, err
}

// handIn makes the application and asks the record at once.
func (s *Server) handIn(c *call) (answer, error) {
	return s.formHandedIn(c, s.createAndSubmit)
}

// supply hands in the form of an application again and asks the record anew.
func (s *Server) supply(c *call) (answer, error) {
	return s.formHandedIn(c, func(c *call) (string, error) {
		a, err := s.answerApplication(c)
		if err != nil {
			return "", err
		}
		app := a.body.(applicationBody)
		if app.State == application.Draft {
			_, err = s.Applications.Submit(c.ctx, c.actor, app.ID)
		}
		return app.ID, err
	})
}

// formHandedIn reads the form and goes on to the application, or shows the form
// again with what is wrong.
func (s *Server) formHandedIn(c *call, use func(*call) (string, error)) (answer, error) {
	f, err := s.form(c)
	if err == nil {
		err = s.judged(c, f.Values)
	}
	var id string
	if err == nil {
		id, err = use(c)
	}
	if err != nil {
		return s.shownAgain(c, f, err, s.newPage)
	}
	return to("/counter/applications/" + id), nil
}

// createAndSubmit is the two acts of the API one after the other; a form that is
// sent twice finds what the first made.
func (s *Server) createAndSubmit(c *call) (string, error) {
	a, err := s.createApplication(c)
	if err != nil {
		return "", err
	}
	made := a.body.(applicationBody)
	if made.State != application.Draft {
		return made.ID, nil
	}
	if _, err := s.Applications.Submit(c.ctx, c.actor, made.ID); err != nil {
		s.explain(c, s.noted(c, err)) // the application is there, and its page can check it again
	}
	return made.ID, nil
}

// ticketForm is the number of a ticket (codes-and-files, 5).
var ticketForm = regexp.MustCompile(`^[0-9]{10}$`)

// judged makes the body of an application out of a form, and tells everything that is
// wrong with its fields at once: as typed, by the schema, and by the rules of a form.
func (s *Server) judged(c *call, v url.Values) error {
	typed := errors.Join(s.complete(v, c.actor.Office), c.asJSON(v))
	if errors.Is(typed, fault.New(fault.Invalid, "form_syntax", "")) {
		return typed
	}
	b, unfit := decode[formBody](c)
	if unfit != nil {
		_ = json.Unmarshal(c.body, &b) // what can be read of it is judged as well
	}
	wrong := errors.Join(typed, unfit, b.form().Check(s.Clock.Today()))
	if errors.Is(typed, zoneUnreadable) { // a field that nobody has to type is not what is wrong
		wrong = apartFrom(birthDate, wrong)
	}
	if zone := v.Get("passport.mrz"); wrong != nil && zone != "" && s.readZone(zone).Refused {
		return errors.Join(wrong, fault.New(fault.Invalid, "zone_refused", "passport.mrz"))
	}
	return wrong
}

const birthDate = "subject.birth_date"

// zoneUnreadable: the zone was to tell the date of birth.
var zoneUnreadable = fault.New(fault.Invalid, "zone_unreadable", "passport.mrz")

// ticketOf is the number of a ticket that was typed, or that its line or bar code has.
func ticketOf(text, office string) (string, error) {
	const field = "subject.ticket_number"
	if line, err := vaccination.ParseTicketLine(text); err == nil {
		if line.Municipality != office { // the same ten digits are another person's here
			return text, fault.New(fault.Invalid, "ticket_elsewhere", field)
		}
		return line.Ticket, nil
	}
	ticket := strings.ReplaceAll(vaccination.ScannedDigits(text), "-", "")
	if ticket != "" && !ticketForm.MatchString(ticket) {
		return text, fault.New(fault.Invalid, "ticket_typed", field)
	}
	return ticket, nil
}

// complete fills in what a clerk need not type: a ticket number out of the line of
// the ticket, the date of birth of the zone.
func (s *Server) complete(v url.Values, office string) error {
	ticket, wrong := ticketOf(v.Get("subject.ticket_number"), office)
	v.Set("subject.ticket_number", ticket)
	v.Set("notice_version", notice.Version)
	if !v.Has("version:int") && v.Get("channel") != "mail" { // an app does not use these pages
		v.Set("channel", "counter")
	}
	if v.Get("kind") != "icvp" {
		v.Del("programme")
		v.Del("subject.guardian")
	}
	if v.Get("kind") == "domestic" {
		for name := range v {
			if strings.HasPrefix(name, "passport.") {
				v.Del(name)
			}
		}
	}
	if zone := v.Get("passport.mrz"); zone != "" && v.Get(birthDate) == "" {
		v.Set(birthDate, s.readZone(zone).born)
		if v.Get(birthDate) == "" {
			wrong = errors.Join(wrong, zoneUnreadable)
		}
	}
	return wrong
}

// offered are the kinds that the office of the caller offers, in the order of the form.
func (s *Server) offered(c *call) (kinds []string, err error) {
	o, err := s.office(c.ctx, c.actor.Office)
	for _, k := range []certificate.Kind{certificate.Travel, certificate.Domestic, certificate.International} {
		if o.Settings.IsOpen(k) {
			kinds = append(kinds, string(k))
		}
	}
	return kinds, err
}
