package server

import (
	"errors"
	"maps"
	"net/http"
	"strings"

	"akashi/certificate"
	"akashi/internal/actor"
	"akashi/internal/application"
	"akashi/internal/counter"
	"akashi/internal/fault"
	"akashi/internal/issuance"
	"akashi/internal/office"
	"akashi/passport"
)

// counterRoutes are the pages of the staff face. What a page does goes through the
// handler of the API that does the same: one judgement, one entry in the log.
func (s *Server) counterRoutes() []*route {
	page := func(method, path, id string, p office.Permission, serve func(*call) (answer, error), ja, en string) *route {
		return &route{
			faces: staffOnly, method: method, path: "/counter" + path, id: id, permission: p, purpose: actor.Certificate,
			status: http.StatusOK, gives: pageType, hidden: true, serve: serve, ja: ja, en: en,
		}
	}
	show := func(path, id, operation string, p office.Permission, serve func(*call) (answer, error), ja, en string) *route {
		r := page(http.MethodGet, path, id, p, serve, ja, en)
		r.logged = operation
		return r
	}
	// act is a form whose fields make the body of an operation of the API.
	act := func(path, id, operation string, p office.Permission, in any, serve func(*call) (answer, error), ja, en string) *route {
		r := page(http.MethodPost, path, id, p, serve, ja, en)
		r.takes, r.in, r.logged = formType, in, operation
		return r
	}
	home := show("", "show-new-application", "create-application", office.WriteApplications, s.showNew, "新しい申請の画面", "The page for a new application")
	zone := act("/zone", "read-zone", "", office.WriteApplications, nil, s.showZone, "機械読取領域を読む（保存しない）", "Read a machine readable zone; nothing is kept")
	create := act("", "hand-in-application", "create-application", office.WriteApplications, formBody{}, s.handIn, "申請を作って照会する", "Make an application and look for the record")
	list := show("/applications", "show-applications", "list-applications", office.ReadApplications, s.showApplications, "申請一覧の画面", "The page of applications")
	list.query = []string{"state", "cursor"}
	one := show("/applications/{id}", "show-application", "get-application", office.ReadApplications, s.showApplication, "申請の画面（記録される）", "The page of an application; the look-up is logged")
	edit := show("/applications/{id}/edit", "show-form-again", "get-application", office.WriteApplications, s.showEdit, "申請を直す画面（記録される）", "The form of an application again; the look-up is logged")
	supply := act("/applications/{id}/edit", "supply-application", "answer-application", office.WriteApplications, formBody{}, s.supply, "申請を直して照会する", "Correct an application and check it again")
	submit := act("/applications/{id}/submit", "check-application", "submit-application", office.WriteApplications, nil, s.acted(s.submitApplication), "もう一度照会する", "Check again")
	withdraw := act("/applications/{id}/withdraw", "take-back-application", "withdraw-application", office.WriteApplications, nil, s.acted(s.withdrawApplication), "取り下げる", "Withdraw")
	decide := act("/applications/{id}/decision", "judge-application", "decide-application", office.Decide, decisionBody{}, s.acted(s.decideApplication), "決定する", "Decide")
	issue := act("/applications/{id}/issue", "issue-at-counter", "issue-certificate", office.Issue, nil, s.issueHere, "発行する", "Issue")
	certificates := show("/certificates", "show-certificates", "list-certificates", office.ReadCertificates, s.showCertificates, "証明書一覧の画面", "The page of certificates")
	certificates.query = []string{"id", "cursor"}
	certificate := show("/certificates/{id}", "show-certificate", "get-certificate", office.ReadCertificates, s.showCertificate, "証明書の画面（記録される）", "The page of a certificate; the look-up is logged")
	print := act("/certificates/{id}/print", "print-at-counter", "print-certificate", office.Print, nil, s.printHere, "印刷する", "Print")
	print.gives = "application/pdf"
	reissue := act("/certificates/{id}/reissue", "make-certificate-again", "reissue-certificate", office.Issue, whyBody{}, s.reissueHere, "作り直す", "Issue again")
	revoke := act("/certificates/{id}/revoke", "end-certificate", "revoke-certificate", office.Revoke, whyBody{}, s.acted(s.revokeCertificate), "失効させる", "Revoke")
	revoke.stepUp = true
	approvals := show("/approvals", "show-approvals", "list-approvals", office.ReadApprovals, s.showApprovals, "承認依頼一覧の画面", "The page of approvals")
	approvals.query = []string{"cursor"}
	approval := show("/approvals/{id}", "show-approval", "get-approval", office.ReadApprovals, s.showApproval, "承認依頼の画面", "The page of an approval")
	agree := act("/approvals/{id}/approve", "agree-approval", "approve-approval", office.DecideApprovals, reasonedBody{}, s.acted(s.decideApproval(s.approve)), "承認する", "Approve")
	agree.stepUp, agree.longer = true, selectTime
	deny := act("/approvals/{id}/refuse", "deny-approval", "refuse-approval", office.DecideApprovals, reasonedBody{}, s.acted(s.decideApproval(s.refuseApproval)), "承認しない", "Refuse")
	unask := act("/approvals/{id}/withdraw", "unask-approval", "withdraw-approval", office.AskApproval, nil, s.acted(s.withdrawApproval), "依頼を取り下げる", "Withdraw")
	for _, r := range []*route{approvals, approval, agree, deny, unask} {
		r.purpose, r.whileSuspended = actor.Operate, true
	}
	next := act("/next-person", "call-next-person", "next-person", oneself, nil, s.nextHere, "次の人", "Next person")
	leave := act("/sign-out", "leave", "end-session", oneself, nil, s.leaveHere, "サインアウトする", "Sign out")
	leave.leaves = true
	for _, r := range []*route{create, submit, one, edit, supply} {
		r.looksUp = true
	}
	all := []*route{home, zone, create, list, one, edit, supply, submit, withdraw, decide, issue, certificates, certificate, print, reissue, revoke, approvals, approval, agree, deny, unask, next, leave}
	for _, a := range []struct{ path, name, media string }{
		{"counter.css", "counter.css", "text/css; charset=utf-8"}, {"counter.js", "counter.js", "text/javascript; charset=utf-8"},
		{"htmx.js", "htmx.min.js", "text/javascript; charset=utf-8"},
	} {
		r := page(http.MethodGet, "", "get-asset-"+a.path, anyone, pageAsset(a.name, a.media), "画面の部品", "A part of the pages")
		r.path, r.gives, r.purpose = "/assets/"+a.path, a.media, actor.Operate
		all = append(all, r)
	}
	return all
}

const pageType = "text/html"

var formType = []string{"application/x-www-form-urlencoded"}

func pageAsset(name, media string) func(*call) (answer, error) {
	return func(*call) (answer, error) {
		b, err := counter.Asset(name)
		return answer{file: b, media: media, header: map[string]string{"Cache-Control": "private, max-age=300"}}, err
	}
}

// frame is what stands around a page for the one who asked.
func (s *Server) frame(c *call) (counter.Frame, error) {
	o, err := s.office(c.ctx, c.actor.Office)
	p := c.session.Staff
	return counter.Frame{
		User: p.User, Name: p.Name, Role: string(p.Role), Office: o.NameJA + " / " + o.NameEN, Place: c.standing(),
		Applicant: s.Accounts.Sessions.Applicant(c.session), May: c.actor.Permissions, Test: s.Applications.Test,
	}, err
}

// standing is how a page names where the person works.
func (c *call) standing() string {
	if c.terminal.ID != "" {
		return c.terminal.Name
	}
	return c.address
}

// html answers with a page.
func (s *Server) html(c *call, page string, status int, said *counter.Said, view any) (answer, error) {
	f, err := s.frame(c)
	if err != nil {
		return answer{}, err
	}
	f.Said = said
	b, err := counter.Render(page, f, view)
	return answer{status: status, file: b, media: pageType + "; charset=utf-8", header: map[string]string{"Content-Security-Policy": formPolicy}}, err
}

// to sends the browser to another page.
func to(path string) answer {
	return answer{status: http.StatusSeeOther, header: map[string]string{"Location": path}}
}

// said tells what went wrong with an act that no field is to blame for.
func said(p problem) *counter.Said {
	return &counter.Said{JA: p.JA, EN: p.EN, Kind: "error", About: p.RequestID}
}

// told puts what went wrong at its field, or above the page where it has none there.
func told(f *counter.Form, p problem) *counter.Said {
	f.Field, f.JA, f.EN = p.Field, p.JA, p.EN
	return said(p)
}

// notice is what an applicant is told about the use of the data.
var notice = struct{ Version, JA, EN string }{
	"2026-11",
	"申請書に書かれたことと旅券の情報は、予防接種の記録を確かめて証明書を作るためにだけ使います。照会と発行の記録は保存されます。",
	"What you hand in and the passport's data are used only to look for the vaccination record and to make the certificate. Look-ups and issues are recorded.",
}

type newView struct {
	Form                             counter.Form
	To                               string // where the form is sent
	Notice                           any
	Kinds, Programmes                []string
	Relationships, Proofs, Documents []string
	Zone                             *zoneView
}

// zoneView is a machine readable zone for the eyes of the clerk.
type zoneView struct {
	Refused                                                         bool
	Primary, Secondary, Number, Nationality, BirthDate, Sex, Expiry string
	Findings                                                        passport.Findings
	Repaired                                                        []string
}

func zoneOf(r *passport.Reading) *zoneView {
	if r == nil {
		return nil
	}
	d := r.Document
	return &zoneView{
		Refused: r.Refused(), Primary: d.MRZName.Primary, Secondary: d.MRZName.Secondary, Number: d.Number.Reveal(), Nationality: d.Nationality,
		BirthDate: string(d.BirthDate), Sex: d.Sex, Expiry: string(d.Expiry), Findings: r.Findings, Repaired: r.Repaired(),
	}
}

func (s *Server) newPage(c *call, f counter.Form, status int, above *counter.Said) (answer, error) {
	v := newView{Form: f, To: c.request.URL.Path, Notice: notice, Kinds: []string{"travel", "domestic", "icvp"}, Programmes: application.Programmes(certificate.International)}
	v.Relationships, v.Proofs, v.Documents = application.Choices()
	if text := f.Value("passport.mrz"); text != "" {
		v.Zone = s.readZone(text)
	}
	return s.html(c, "new", status, above, v)
}

func (s *Server) readZone(text string) *zoneView {
	r := passport.Parse(text, s.Clock.Today(), passport.Options{AllowSpecimen: s.Applications.Test})
	return zoneOf(&r)
}

func (s *Server) showNew(c *call) (answer, error) {
	f := counter.Form{Key: s.IDs.Row(), Values: map[string][]string{"kind": {"travel"}, "applicant.relationship": {"self"}}}
	return s.newPage(c, f, http.StatusOK, nil)
}

// showEdit shows the form as it was handed in.
func (s *Server) showEdit(c *call) (answer, error) {
	a, err := s.getApplication(c)
	if err != nil {
		return answer{}, err
	}
	v, err := fieldsOf(a.body.(applicationBody).Form)
	if err != nil {
		return answer{}, err
	}
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
		s.complete(f.Values)
		err = c.asJSON(f.Values)
	}
	var id string
	if err == nil {
		id, err = use(c)
	}
	if err != nil && f.Values != nil && fault.CodeOf(err) != fault.NotFound {
		p, headers := s.explain(c, s.noted(c, err))
		above := told(&f, p)
		a, err := s.newPage(c, f, p.Status, above)
		return with(a, headers), err
	}
	if err != nil {
		return answer{}, err
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

type listView struct {
	applicationList
	State  application.State
	States []application.State
}

func (s *Server) showApplications(c *call) (answer, error) {
	a, err := s.listApplications(c)
	if err != nil {
		return answer{}, err
	}
	return s.html(c, "applications", http.StatusOK, nil, listView{a.body.(applicationList), application.State(c.query.Get("state")), application.States()})
}

type applicationView struct {
	Application  applicationBody
	Form         counter.Form
	Zone         *zoneView
	Certificates []certificateBody
}

func (s *Server) showApplication(c *call) (answer, error) {
	return s.applicationPage(c, counter.Form{}, http.StatusOK, nil)
}

func (s *Server) applicationPage(c *call, f counter.Form, status int, above *counter.Said) (answer, error) {
	a, err := s.getApplication(c)
	if err != nil {
		return answer{}, err
	}
	v := applicationView{Application: a.body.(applicationBody), Form: f}
	v.Form.Key = s.IDs.Row()
	if p := v.Application.Form.Passport; p != nil {
		v.Zone = s.readZone(string(p.Zone))
	}
	if v.Application.State == application.Fulfilled && c.actor.May(string(office.ReadCertificates)) {
		list, err := s.Issuance.List(c.ctx, c.actor, issuance.Filter{Application: v.Application.ID, Limit: maxPage})
		if err != nil {
			return answer{}, err
		}
		for _, i := range list {
			v.Certificates = append(v.Certificates, certificateOf(i))
		}
	}
	return s.html(c, "application", status, above, v)
}

// acted runs an operation of the API with the fields of a form and shows the page
// again on which the form stood: with what is wrong, or as it is now.
func (s *Server) acted(operation func(*call) (answer, error)) func(*call) (answer, error) {
	return func(c *call) (answer, error) {
		f, err := s.form(c)
		if err == nil {
			err = c.asJSON(f.Values)
		}
		if err == nil {
			_, err = operation(c)
		}
		return s.back(c, f, err)
	}
}

// back answers an act: with the page it was asked on, or that page with what went wrong.
func (s *Server) back(c *call, f counter.Form, err error) (answer, error) {
	of, _, _ := strings.Cut(strings.TrimPrefix(c.route.path, "/counter/"), "/")
	switch {
	case err == nil:
		return to("/counter/" + of + "/" + c.param("id")), nil
	case f.Values == nil || fault.CodeOf(err) == fault.NotFound:
		return answer{}, err
	}
	err = s.noted(c, err)
	page := map[string]struct {
		needs office.Permission
		show  func(*call, counter.Form, int, *counter.Said) (answer, error)
	}{
		"applications": {office.ReadApplications, s.applicationPage}, "certificates": {office.ReadCertificates, s.certificatePage},
		"approvals": {office.ReadApprovals, s.approvalPage},
	}[of]
	if !c.actor.May(string(page.needs)) {
		return answer{}, err
	}
	if of == "applications" && !c.route.looksUp { // the page shows the person
		if over := s.lookUp(c, 1); over != nil {
			return answer{}, errors.Join(over, err)
		}
	}
	p, headers := s.explain(c, err)
	above := told(&f, p)
	a, failed := page.show(c, f, p.Status, above)
	if failed != nil {
		return answer{}, errors.Join(failed, err)
	}
	return with(a, headers), nil
}

// with adds headers to an answer.
func with(a answer, headers map[string]string) answer {
	if a.header == nil {
		a.header = map[string]string{}
	}
	maps.Copy(a.header, headers)
	return a
}

// issueHere issues and goes on to the certificate, or answers with its paper at once.
func (s *Server) issueHere(c *call) (answer, error) {
	f, err := s.form(c)
	if err == nil && f.Value("print") != "" && !c.actor.May(string(office.Print)) {
		err = fault.New(fault.Forbidden, "permission", "")
	}
	var a answer
	if err == nil {
		a, err = s.issueCertificate(c)
	}
	if err != nil {
		return s.back(c, f, err)
	}
	id := a.body.(certificateBody).ID
	if f.Value("print") == "" {
		return to("/counter/certificates/" + id), nil
	}
	return s.onScreen(s.print(c, []string{id}))
}

// onScreen lets the browser show a paper instead of saving it.
func (s *Server) onScreen(a answer, err error) (answer, error) {
	if err == nil {
		a.header["Content-Disposition"] = "inline" + strings.TrimPrefix(a.header["Content-Disposition"], "attachment")
	}
	return a, err
}

func (s *Server) reissueHere(c *call) (answer, error) {
	f, err := s.form(c)
	if err == nil {
		err = c.asJSON(f.Values)
	}
	var a answer
	if err == nil {
		a, err = s.reissueCertificate(c)
	}
	if err != nil {
		return s.back(c, f, err)
	}
	return to("/counter/certificates/" + a.body.(certificateBody).ID), nil
}

// printHere answers with the paper itself, to be shown and printed by the browser.
func (s *Server) printHere(c *call) (answer, error) {
	f, err := s.form(c)
	if err != nil {
		return s.back(c, f, err)
	}
	a, err := s.onScreen(s.printCertificate(c))
	if err != nil {
		return s.back(c, f, err)
	}
	return a, nil
}

type certificatesView struct {
	certificateList
	ID string
}

func (s *Server) showCertificates(c *call) (answer, error) {
	if id := c.query.Get("id"); id != "" && certificateForm.MatchString(id) {
		return to("/counter/certificates/" + id), nil
	}
	if id := c.query.Get("id"); id != "" {
		p, headers := s.explain(c, s.noted(c, fault.New(fault.NotFound, "certificate", "id")))
		a, err := s.html(c, "certificates", p.Status, said(p), certificatesView{ID: id})
		return with(a, headers), err
	}
	a, err := s.listCertificates(c)
	if err != nil {
		return answer{}, err
	}
	return s.html(c, "certificates", http.StatusOK, nil, certificatesView{certificateList: a.body.(certificateList)})
}

type certificateView struct {
	Certificate           certificateBody
	Form                  counter.Form
	Reissues, Revocations []string
}

func (s *Server) showCertificate(c *call) (answer, error) {
	return s.certificatePage(c, counter.Form{}, http.StatusOK, nil)
}

func (s *Server) certificatePage(c *call, f counter.Form, status int, above *counter.Said) (answer, error) {
	a, err := s.getCertificate(c)
	if err != nil {
		return answer{}, err
	}
	v := certificateView{Certificate: a.body.(certificateBody), Form: f}
	v.Form.Key = s.IDs.Row()
	v.Reissues, v.Revocations = issuance.Reasons()
	return s.html(c, "certificate", status, above, v)
}

// nextHere destroys the context of the last applicant and begins anew (L-03).
func (s *Server) nextHere(c *call) (answer, error) {
	held, err := s.nextPerson(c)
	if err != nil {
		return answer{}, err
	}
	a := to("/counter")
	a.cookie = held.cookie
	return a, nil
}

func (s *Server) leaveHere(c *call) (answer, error) {
	if _, err := s.signOut(false)(c); err != nil {
		return answer{}, err
	}
	return to("/sign-in"), nil
}
