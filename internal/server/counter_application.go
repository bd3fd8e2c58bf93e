package server

import (
	"errors"
	"net/http"
	"slices"
	"strings"

	"akashi/internal/application"
	"akashi/internal/counter"
	"akashi/internal/fault"
	"akashi/internal/issuance"
	"akashi/internal/office"
	"akashi/internal/vaccination"
	"akashi/internal/vault"
)

type applicationView struct {
	Application        examinedBody
	Form               counter.Form
	Zone               *zoneView
	Certificates       []versionBody
	Affected           bool // one of them, by a change of the record
	Reissues           []string
	Why                []string // reasons for another certificate beside a valid one
	MayOverride        bool     // with a fresh second factor
	Overrides          bool     // and approving needs it
	Again, Correctable bool
	Number             string // "ask", or why the individual number cannot be entered yet; empty: not at all
	Sexes              []string
	Preview            *previewBody // where it can be issued by the one who looks
}

// Holder names the person as handed in, or as the passport has it.
func (v applicationView) Holder() string {
	if n := v.Application.Form.Subject.Name; n != nil {
		return strings.TrimSpace(n.Family + "　" + n.Given)
	}
	if v.Zone != nil && len(v.Zone.Rows) > 0 {
		return strings.TrimSpace(v.Zone.Rows[0].Value + " " + v.Zone.Rows[1].Value)
	}
	return ""
}

func (s *Server) showApplication(c *call) (answer, error) {
	return s.applicationPage(c, counter.Form{}, http.StatusOK, nil)
}

// applicationAgain is the page after an act on an application: a look-up, as it shows the person.
func (s *Server) applicationAgain(c *call, f counter.Form, status int, above *counter.Said) (answer, error) {
	if !c.route.looksUp {
		if err := s.lookUp(c, 1); err != nil {
			return answer{}, err
		}
	}
	return s.applicationPage(c, f, status, above)
}

func (s *Server) applicationPage(c *call, f counter.Form, status int, above *counter.Said) (answer, error) {
	a, err := s.getApplication(c)
	if err != nil {
		return answer{}, err
	}
	app := a.body.(examinedBody)
	v := applicationView{
		Application: app, Form: f, Correctable: app.State.Correctable(),
		MayOverride: c.session.Staff.Role.Permissions()[string(office.Override)],
		Again:       slices.Contains([]application.State{application.Draft, application.Review, application.Approved}, app.State),
	}
	v.Reissues, _ = issuance.Reasons()
	v.Why = application.WhyAnother()
	v.Overrides = v.MayOverride && app.overrides()
	v.Form.Key = s.IDs.Row()
	if p := app.Form.Passport; p != nil {
		v.Zone = s.readZone(string(p.Zone))
	}
	if c.actor.May(string(office.EnterNumber)) {
		if err := s.askNumber(c, &v); err != nil {
			return answer{}, err
		}
	}
	if app.State == application.Fulfilled && c.actor.May(string(office.ReadCertificates)) {
		h, err := s.history(c, app.ID)
		if err != nil {
			return answer{}, err
		}
		for _, one := range h.Certificates {
			if one.Application == app.ID {
				v.Certificates = append(v.Certificates, one)
				v.Affected = v.Affected || len(one.Changes) > 0
			}
		}
	}
	if app.State == application.Approved && c.actor.May(string(office.Issue)) {
		shown, err := s.previewCertificate(c)
		if err != nil {
			return answer{}, err
		}
		b := shown.body.(previewBody)
		v.Preview = &b
	}
	return s.html(c, "application", status, above, v)
}

type historyView struct {
	historyBody
	Application string
	Reissues    []string
}

// showHistory shows every certificate of the person of an application.
func (s *Server) showHistory(c *call) (answer, error) {
	a, err := s.getHistory(c)
	if err != nil {
		return answer{}, err
	}
	v := historyView{historyBody: a.body.(historyBody), Application: c.param("id")}
	v.Reissues, _ = issuance.Reasons()
	return s.html(c, "history", http.StatusOK, nil, v)
}

// overrides tells whether approving needs somebody who may override, for the
// application as it stands or for one of those who fit.
func (b examinedBody) overrides() bool {
	all := slices.Clone(b.Reasons)
	if b.Now != nil {
		for _, c := range b.Now.Candidates {
			all = append(all, c.Reasons...)
		}
	}
	return slices.ContainsFunc(all, func(r reasonBody) bool { return r.Weight == application.Override })
}

// askNumber prepares the fields for the individual number where it may be asked for
// with what was handed in; the number itself is never shown again.
func (s *Server) askNumber(c *call, v *applicationView) error {
	o, err := s.office(c.ctx, c.actor.Office)
	if err != nil {
		return err
	}
	app := v.Application
	asked := application.Application{State: app.State}
	asked.Form.Documents = app.Form.Documents
	if app.Record != nil {
		asked.Record.Outcome = app.Record.Outcome
	}
	var refused *fault.Error
	switch errors.As(asked.NumberCase(o), &refused); {
	case refused == nil:
		v.Number = "ask"
	case refused.Key == "number_documents":
		v.Number = refused.Key
	default:
		return nil
	}
	v.Sexes = []string{string(vaccination.Female), string(vaccination.Male), string(vaccination.SexUnknown), string(vaccination.SexNotApplicable)}
	filled := map[string]string{"birth_date": string(app.Form.Subject.BirthDate), "address_number": app.Form.Subject.Address}
	if n := app.Form.Subject.Name; n != nil {
		filled["name.family"], filled["name.given"] = n.Family, n.Given
	}
	if v.Form.Values == nil {
		v.Form.Values = map[string][]string{}
	}
	for name, text := range filled {
		if !v.Form.Values.Has(name) {
			v.Form.Values.Set(name, text)
		}
	}
	return nil
}

// numberHere looks for the record by the individual number of the card that the
// applicant shows.
func (s *Server) numberHere(c *call) (answer, error) {
	f, err := s.form(c)
	if err == nil {
		const number = "individual_number"
		f.Values.Set(number, strings.NewReplacer(" ", "", "-", "", "　", "").Replace(vaccination.FoldWidth(f.Values.Get(number))))
		_, err = vault.Parse(f.Value(number)) // says more than the schema, at the field
	}
	if err == nil {
		err = c.asJSON(f.Values)
	}
	var a answer
	if err == nil {
		a, err = s.enterNumber(c)
	}
	f.Values.Del("individual_number")
	nobody := err == nil && !a.body.(numberAnswer).Found
	if nobody {
		err = fault.New(fault.NotFound, "number_nobody", "individual_number")
	}
	switch {
	case err == nil:
		return to("/counter/applications/" + c.param("id")), nil
	case !c.actor.May(string(office.ReadApplications)): // who may enter a number may not read them all
		return answer{}, err
	case !nobody:
		return s.shownAgain(c, f, err, s.applicationAgain)
	}
	p, _ := s.explain(c, err)
	above := told(&f, p)
	return s.applicationAgain(c, f, http.StatusOK, above)
}

// issueHere issues and goes on to the certificate, or answers with its paper at once.
func (s *Server) issueHere(c *call) (answer, error) {
	f, err := s.form(c)
	if err == nil && f.Value("_print") != "" && !c.actor.May(string(office.Print)) {
		err = fault.New(fault.Forbidden, "permission", "")
	}
	if err == nil {
		err = s.justified(c, f)
	}
	if err == nil {
		err = c.asJSON(f.Values)
	}
	var a answer
	if err == nil {
		a, err = s.issueCertificate(c)
	}
	if err != nil {
		return s.shownAgain(c, f, err, s.applicationAgain)
	}
	if f.Value("_print") == "" {
		return toCertificate(c, a)
	}
	return shown(func(c *call) (answer, error) { return s.print(c, []string{a.body.(certificateBody).ID}) })(c)
}

// justified stores why a certificate is issued beside a valid one, where the page asked. Once
// there is a certificate, the same form gets it again.
func (s *Server) justified(c *call, f counter.Form) error {
	id, err := s.row(c, "application")
	if err != nil || !f.Values.Has("_why") {
		return err
	}
	app, err := s.Applications.Get(c.ctx, c.actor, id)
	switch {
	case err != nil || app.State == application.Fulfilled:
		return err
	case f.Value("_why") == "":
		return fault.New(fault.Invalid, "required", "_why")
	}
	if err = fault.OneOf("_why", f.Value("_why"), application.WhyAnother()...); err == nil {
		_, err = s.Applications.Justify(c.ctx, c.actor, id, f.Value("_why"), app.Version)
	}
	return err
}
