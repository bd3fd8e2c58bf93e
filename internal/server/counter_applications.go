package server

import (
	"errors"
	"maps"
	"net/http"
	"strconv"
	"strings"

	"akashi/certificate"
	"akashi/internal/application"
	"akashi/internal/counter"
	"akashi/internal/fault"
	"akashi/internal/office"
)

func (s *Server) applicationPages() []*route {
	home := showRoute("", "show-new-application", "create-application", office.WriteApplications, s.showNew, "新しい申請の画面", "The page for a new application")
	zone := actRoute("/zone", "read-zone", "", office.WriteApplications, nil, s.showZone, "機械読取領域を読む（保存しない）", "Read a machine readable zone; nothing is kept")
	create := actRoute("", "hand-in-application", "create-application", office.WriteApplications, formBody{}, s.handIn, "申請を作って照会する", "Make an application and look for the record")
	list := showRoute("/applications", "show-applications", "list-applications", office.ReadApplications, s.showApplications, "申請一覧の画面", "The page of applications")
	list.query = []string{"state", "cursor"}
	one := showRoute("/applications/{id}", "show-application", "get-application", office.ReadApplications, s.showApplication, "申請の画面（記録される）", "The page of an application; the look-up is logged")
	edit := showRoute("/applications/{id}/edit", "show-form-again", "get-application", office.WriteApplications, s.showEdit, "申請を直す画面（記録される）", "The form of an application again; the look-up is logged")
	supply := actRoute("/applications/{id}/edit", "supply-application", "answer-application", office.WriteApplications, formBody{}, s.supply, "申請を直して照会する", "Correct an application and check it again")
	submit := actRoute("/applications/{id}/submit", "check-application", "submit-application", office.WriteApplications, nil, s.acted(s.submitApplication), "もう一度照会する", "Check again")
	withdraw := actRoute("/applications/{id}/withdraw", "take-back-application", "withdraw-application", office.WriteApplications, nil, s.acted(s.withdrawApplication), "取り下げる", "Withdraw")
	decide := actRoute("/applications/{id}/decision", "judge-application", "decide-application", office.Decide, decisionBody{}, s.acted(s.decideApplication), "決定する", "Decide")
	number := actRoute("/applications/{id}/number", "enter-number-at-counter", "enter-number", office.EnterNumber, numberBody{}, s.numberHere, "個人番号で記録を探す", "Look for the record by the individual number")
	issue := actRoute("/applications/{id}/issue", "issue-at-counter", "issue-certificate", office.Issue, issueBody{}, s.issueHere, "発行する", "Issue")
	preview := showRoute("/applications/{id}/preview", "show-preview", "preview-certificate", office.Issue, s.showPreview, "発行される紙面の確認用（記録される）", "The paper that would be printed, as a preview; the look-up is logged")
	history := showRoute("/applications/{id}/history", "show-history", "get-history", office.ReadCertificates, s.showHistory, "その人の証明書の履歴の画面（記録される）", "The page of every certificate of a person; the look-up is logged")
	for _, r := range []*route{create, submit, one, edit, supply, history, preview} {
		r.looksUp = true
	}
	for _, r := range []*route{create, supply, submit, withdraw, decide, number, issue} {
		r.ofApplicant = true
	}
	return []*route{home, zone, create, list, one, history, edit, supply, submit, withdraw, decide, number, preview, issue}
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
	if err != nil && f.Values != nil && fault.CodeOf(err) != fault.NotFound {
		return s.shownAgain(c, f, err, s.newPage)
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

// acted runs an operation of the API with the fields of a form and shows the page
// again on which the form stood: with what is wrong, or as it is now.
func (s *Server) acted(operation func(*call) (answer, error)) func(*call) (answer, error) {
	return func(c *call) (answer, error) {
		_, f, err := s.byForm(c, operation)
		return s.back(c, f, err)
	}
}

// byForm runs an operation of the API with the fields of a form as its body.
func (s *Server) byForm(c *call, operation func(*call) (answer, error)) (a answer, f counter.Form, err error) {
	if f, err = s.form(c); err == nil {
		err = c.asJSON(f.Values)
	}
	if err == nil {
		a, err = operation(c)
	}
	return a, f, err
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
		"approvals": {office.ReadApprovals, s.approvalPage}, "batches": {office.ReadCertificates, s.batchesPage}, "mailings": {office.ReadCertificates, s.mailingPage},
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
