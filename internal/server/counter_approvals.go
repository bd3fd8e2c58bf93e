package server

import (
	"net/http"

	"akashi/internal/counter"
	"akashi/internal/office"
)

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
	t.Third = d.ByThird(a.RequestedBy)
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
