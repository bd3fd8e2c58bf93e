package server

import (
	"net/http"
	"slices"

	"akashi/certificate"
	"akashi/internal/actor"
	"akashi/internal/counter"
	"akashi/internal/fault"
	"akashi/internal/office"
)

// officerPages are the pages of those who answer for the office.
func (s *Server) officerPages() []*route {
	home := showRoute("/office", "show-office", "get-office", office.ReadOffice, s.showOffice, "所属の仕事の画面", "What there is for those who answer for the office")
	approvals := showRoute("/approvals", "show-approvals", "list-approvals", office.ReadApprovals, s.showApprovals, "承認依頼一覧の画面", "The page of approvals")
	approvals.query = []string{"cursor"}
	approval := showRoute("/approvals/{id}", "show-approval", "get-approval", office.ReadApprovals, s.showApproval, "承認依頼の画面", "The page of an approval")
	agree := actRoute("/approvals/{id}/approve", "agree-approval", "approve-approval", office.DecideApprovals, reasonedBody{}, s.acted(s.decideApproval(s.approve)), "承認する", "Approve")
	agree.stepUp, agree.longer = true, selectTime
	deny := actRoute("/approvals/{id}/refuse", "deny-approval", "refuse-approval", office.DecideApprovals, reasonedBody{}, s.acted(s.decideApproval(s.refuseApproval)), "承認しない", "Refuse")
	unask := actRoute("/approvals/{id}/withdraw", "unask-approval", "withdraw-approval", office.AskApproval, nil, s.acted(s.withdrawApproval), "依頼を取り下げる", "Withdraw")
	all := []*route{home, approvals, approval, agree, deny, unask}
	for _, r := range all {
		r.purpose, r.whileSuspended = actor.Operate, true
	}
	return slices.Concat(all, s.accountPages(), s.rosterPages(), s.settingsPages(), s.terminalPages(), s.alertPages(), s.logPages(), s.runPages())
}

func (s *Server) showOffice(c *call) (answer, error) {
	return s.html(c, "office", http.StatusOK, nil, nil)
}

// ofOffice makes pages those of an officer's work, which no person's data is shown in.
func ofOffice(all ...*route) []*route {
	for _, r := range all {
		r.purpose = actor.Operate
	}
	return all
}

// people are the accounts of an office, to name who did what.
type people map[string]office.Staff

// Name is how a page names an account, or a job that did something by itself.
func (p people) Name(id string) string {
	if who, ok := p[id]; ok {
		return who.Name + "（" + who.User + "）"
	}
	return id
}

func (s *Server) people(c *call) (people, error) {
	list, err := s.AccountRequests.Staff.ListStaff(c.ctx, c.actor.Office)
	all := people{}
	for _, p := range list {
		all[p.ID] = p
	}
	return all, err
}

// showing makes a page again with what was typed and what is wrong.
type showing = func(c *call, f counter.Form, status int, above *counter.Said) (answer, error)

// byPage runs an operation of the API with the fields of a form and goes on to where
// next says, or shows the page of the form again with what is wrong. Whoever may act
// on a page of an officer may read it.
func (s *Server) byPage(operation func(*call) (answer, error), show showing, next func(c *call, a answer) (answer, error)) func(*call) (answer, error) {
	return func(c *call) (answer, error) {
		a, f, err := s.byForm(c, operation)
		switch {
		case err == nil:
			return next(c, a)
		case f.Values == nil || fault.CodeOf(err) == fault.NotFound:
			return answer{}, err
		}
		return s.shownAgain(c, f, err, show)
	}
}

// shownAgain is the page of a form with what was typed and what is wrong.
func (s *Server) shownAgain(c *call, f counter.Form, err error, show showing) (answer, error) {
	p, headers := s.explain(c, s.noted(c, err))
	above := told(&f, p) // before the form is handed on
	shown, err := show(c, f, p.Status, above)
	return with(shown, headers), err
}

type approvalsView struct {
	approvalList
	People people
}

func (s *Server) showApprovals(c *call) (answer, error) {
	a, err := s.listApprovals(c)
	if err != nil {
		return answer{}, err
	}
	who, err := s.people(c)
	if err != nil {
		return answer{}, err
	}
	return s.html(c, "approvals", http.StatusOK, nil, approvalsView{a.body.(approvalList), who})
}

type approvalView struct {
	Approval approvalBody
	Form     counter.Form
	Own      bool // asked for by the one who looks: somebody else has to approve it
	People   people
	Steps    steps
	Request  *accountRequestBody // of an account
	Changes  []settingRow        // of the settings
}

// steps says who has to agree to an act, and where it is carried out.
type steps struct {
	Approve, CarryOut []office.Role
	Third             bool
	Link              string // page on which it is carried out; empty: the operator does
}

func stepsOf(a approvalBody) (t steps) {
	d, err := a.Kind.Act()
	if err != nil {
		return t
	}
	for _, r := range office.Roles() {
		if r.Permissions()[string(d.Approve)] {
			t.Approve = append(t.Approve, r)
		}
		if r.Permissions()[string(d.CarryOut)] {
			t.CarryOut = append(t.CarryOut, r)
		}
	}
	t.Third = d.Third
	switch a.Kind {
	case office.MakeAccount, office.MakeOfficer, office.ChangeAccount, office.EnableAccount:
		t.Link = "/counter/account-requests/" + a.Parameters["request"]
	case office.RecoverAccount:
		t.Link = "/counter/accounts/" + a.Object
	case office.RevokeBulk:
		t.Link = "/counter/revocations/" + a.Object
	case office.ReissueBulk:
		t.Link = "/counter/reissues/" + a.Object
	case office.CommitImport, office.WithdrawImport:
		t.Link = "/counter/imports/" + a.Object
	case office.ApplyRoster:
		t.Link = "/counter/rosters/" + a.Object
	case office.ChangeSettings, office.ResumeOffice:
		t.Link = "/counter/settings"
	case office.MailBulk:
		t.Link = "/counter/mailings/" + a.Object
	case office.BatchBulk:
		t.Link = "/counter/batches/" + a.Object
	case office.AddTerminal:
		t.Link = "/counter/terminals"
	}
	return t
}

func (s *Server) showApproval(c *call) (answer, error) {
	return s.approvalPage(c, counter.Form{}, http.StatusOK, nil)
}

func (s *Server) approvalPage(c *call, f counter.Form, status int, above *counter.Said) (answer, error) {
	a, err := s.getApproval(c)
	if err != nil {
		return answer{}, err
	}
	v := approvalView{Approval: a.body.(approvalBody), Form: f}
	v.Own, v.Steps = v.Approval.RequestedBy == c.actor.Person, stepsOf(v.Approval)
	if v.People, err = s.people(c); err != nil {
		return answer{}, err
	}
	if id := v.Approval.Parameters["request"]; id != "" && c.actor.May(string(office.ReadAccounts)) {
		r, err := s.AccountRequests.Get(c.ctx, c.actor, id)
		if err != nil {
			return answer{}, err
		}
		asked := accountRequestOf(r)
		v.Request = &asked
	}
	if v.Approval.Kind == office.ChangeSettings {
		if v.Changes, err = s.changes(c, v.Approval); err != nil {
			return answer{}, err
		}
	}
	return s.html(c, "approval", status, above, v)
}

// changes are the settings now beside what an approval lets them become.
func (s *Server) changes(c *call, a approvalBody) ([]settingRow, error) {
	if a.Parameters["issuer"] == "" { // of before the issuer was a setting
		return nil, nil
	}
	o, err := s.Offices.Get(c.ctx, c.actor)
	if err != nil {
		return nil, err
	}
	w, err := office.Approval{Parameters: a.Parameters}.Wanted()
	if err != nil {
		return nil, err
	}
	return settingRows(settingsOf(office.Wanted{Settings: o.Settings, Issuer: o.Issuer}), settingsOf(w), a.State != string(office.Used)), nil
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
