package server

import (
	"net/http"
	"net/url"

	"akashi/internal/actor"
	"akashi/internal/counter"
	"akashi/internal/fault"
	"akashi/internal/office"
)

func (s *Server) accountPages() []*route {
	list := showRoute("/accounts", "show-accounts", "list-accounts", office.ReadAccounts, s.showAccounts, "利用者一覧の画面", "The page of accounts")
	list.query = []string{"on"}
	one := showRoute("/accounts/{id}", "show-account", "get-account", office.ReadAccounts, s.showAccount, "利用者の画面", "The page of an account")
	ask := actRoute("/accounts", "ask-for-account", "request-account", office.RequestAccount, newAccountBody{}, s.byPage(s.askAccount, s.accountsPage, toRequest), "利用者の登録を依頼する", "Ask for a new account")
	change := actRoute("/accounts/{id}/change", "ask-for-change", "request-account", office.RequestAccount, Duties{}, s.byPage(s.askAccountChange(false), s.accountPage, toRequest), "変更を依頼する", "Ask to change an account")
	enable := actRoute("/accounts/{id}/enable", "ask-for-enabling", "request-account", office.RequestAccount, Duties{}, s.byPage(s.askAccountChange(true), s.accountPage, toRequest), "再開を依頼する", "Ask to enable an account")
	disable := actRoute("/accounts/{id}/disable", "stop-account", "disable-account", office.DisableAccount, nil, s.byPage(s.disableAccount, s.accountPage, again("/counter/accounts/")), "直ちに停止する", "Disable an account at once")
	help := actRoute("/accounts/{id}/lost", "ask-for-recovery", "ask-approval", office.ApproveAccount, nil, s.byPage(s.askRecovery, s.accountPage, toApproval), "設定リンクの再発行を依頼する", "Ask for a new set-up link")
	recovery := actRoute("/accounts/{id}/recover", "give-new-link", "recover-account", office.ApproveAccount, nil, s.byPage(s.recoverAccount, s.accountPage, s.linkOfRecovery), "新しい設定リンクを渡す", "Give a new set-up link")
	request := showRoute("/account-requests/{id}", "show-account-request", "read_request-account", office.ReadAccounts, s.showAccountRequest, "利用者の依頼の画面", "The page of a request for an account")
	carry := actRoute("/account-requests/{id}/carry-out", "do-account-request", "carry_out-account", office.CarryOutAccount, nil, s.byPage(s.carryOutAccount, s.accountRequestPage, s.linkOfRequest), "依頼を実行する", "Carry out a request for an account")
	disable.stepUp, recovery.stepUp = true, true
	return ofOffice(list, one, ask, change, enable, disable, help, recovery, request, carry)
}

func toRequest(_ *call, a answer) (answer, error) {
	return to("/counter/account-requests/" + a.body.(accountRequestBody).ID), nil
}

type accountsView struct {
	accountList
	When     counter.Form // the day of the list
	Requests []accountRequestBody
	Form     counter.Form
	Roles    []office.Role
}

func (s *Server) showAccounts(c *call) (answer, error) {
	f := counter.Form{Key: s.IDs.Row(), Values: map[string][]string{"user_id": {c.actor.Office + "-"}}}
	return s.accountsPage(c, f, http.StatusOK, nil)
}

func (s *Server) accountsPage(c *call, f counter.Form, status int, above *counter.Said) (answer, error) {
	v := accountsView{When: counter.Form{Values: url.Values{"on": {c.query.Get("on")}}}, Form: f, Roles: grantable(c.actor)}
	err := c.readDates("on")
	var a answer
	if err == nil {
		a, err = s.listAccounts(c)
	}
	if err != nil && fault.CodeOf(err) == fault.Invalid {
		p, _ := s.explain(c, s.noted(c, err))
		status, above = p.Status, told(&v.When, p)
		c.query.Del("on")
		a, err = s.listAccounts(c)
	}
	if err != nil {
		return answer{}, err
	}
	v.accountList = a.body.(accountList)
	if a, err = s.listAccountRequests(c); err != nil {
		return answer{}, err
	}
	for _, r := range a.body.(accountRequestList).Requests {
		if r.DoneBy == "" && s.Clock.Now().Sub(r.RequestedAt) < 2*office.ApprovalLasts {
			v.Requests = append(v.Requests, r)
		}
	}
	return s.html(c, "accounts", status, above, v)
}

// grantable are the roles that somebody may ask for on another's behalf.
func grantable(a actor.Actor) (list []office.Role) {
	for _, r := range office.Roles() {
		if office.Role(a.Role).MayGrant(r) {
			list = append(list, r)
		}
	}
	return list
}

type accountView struct {
	Account memberHistoryBody
	Form    counter.Form
	Roles   []office.Role
	Asked   *approvalBody // to renew what the person signs in with
	Own     bool          // it is the account of the one who looks
	People  people
	Link    string // to be handed to the person, shown once: the whole address
}

func (s *Server) showAccount(c *call) (answer, error) {
	return s.accountPage(c, counter.Form{}, http.StatusOK, nil)
}

func (s *Server) accountPage(c *call, f counter.Form, status int, above *counter.Said) (answer, error) {
	return s.accountWith(c, f, status, above, "")
}

func (s *Server) accountWith(c *call, f counter.Form, status int, above *counter.Said, link string) (answer, error) {
	a, err := s.getMember(c)
	if err != nil {
		return answer{}, err
	}
	v := accountView{Account: a.body.(memberHistoryBody), Form: f, Roles: grantable(c.actor), Link: link}
	v.Own = v.Account.ID == c.actor.Person
	v.Form.Key = s.IDs.Row()
	if v.People, err = s.people(c); err != nil {
		return answer{}, err
	}
	if c.actor.May(string(office.ApproveAccount)) && link == "" {
		asked, err := s.Approvals.List(c.ctx, c.actor, office.ApprovalFilter{Kind: office.RecoverAccount, Object: v.Account.ID, Limit: 1})
		if err != nil {
			return answer{}, err
		}
		if len(asked) > 0 {
			b := s.approvalOf(asked[0])
			v.Asked = &b
		}
	}
	return s.html(c, "account", status, above, v)
}

// askRecovery asks another officer to let the person of the page set up the account anew.
func (s *Server) askRecovery(c *call) (answer, error) {
	id, err := s.row(c, "account")
	if err == nil {
		_, err = s.AccountRequests.Staff.Staff(c.ctx, c.actor.Office, id)
	}
	if err != nil {
		return answer{}, err
	}
	return s.approval(s.Approvals.Request(c.ctx, c.actor, office.RecoverAccount, id, nil, nil))
}

func (s *Server) linkOfRecovery(c *call, a answer) (answer, error) {
	return s.accountWith(c, counter.Form{}, http.StatusOK, nil, s.Accounts.Origin()+a.body.(recoveredBody).Link)
}

type accountRequestView struct {
	Request  accountRequestBody
	Approval approvalBody
	Steps    steps
	Own      bool
	People   people
	Link     string
}

func (s *Server) showAccountRequest(c *call) (answer, error) {
	return s.accountRequestPage(c, counter.Form{}, http.StatusOK, nil)
}

func (s *Server) accountRequestPage(c *call, _ counter.Form, status int, above *counter.Said) (answer, error) {
	a, err := s.getAccountRequest(c)
	if err != nil {
		return answer{}, err
	}
	return s.requestWith(c, a.body.(accountRequestBody), status, above)
}

// linkOfRequest shows what was carried out, with the set-up link of a new account:
// here and never again.
func (s *Server) linkOfRequest(c *call, a answer) (answer, error) {
	return s.requestWith(c, a.body.(accountRequestBody), http.StatusOK, nil)
}

func (s *Server) requestWith(c *call, r accountRequestBody, status int, above *counter.Said) (answer, error) {
	p, err := s.Approvals.Get(c.ctx, c.actor, r.Approval)
	if err != nil {
		return answer{}, err
	}
	v := accountRequestView{Request: r, Approval: s.approvalOf(p)}
	v.Steps, v.Own = stepsOf(v.Approval), r.RequestedBy == c.actor.Person || p.DecidedBy == c.actor.Person
	if r.Link != "" {
		v.Link = s.Accounts.Origin() + "/setup#" + r.Link
	}
	if v.People, err = s.people(c); err != nil {
		return answer{}, err
	}
	return s.html(c, "account-request", status, above, v)
}
