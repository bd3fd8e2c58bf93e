package server

import (
	"net/http"

	"akashi/internal/actor"
	"akashi/internal/counter"
	"akashi/internal/office"
)

func (s *Server) officerPages() []*route {
	approvals := showRoute("/approvals", "show-approvals", "list-approvals", office.ReadApprovals, s.showApprovals, "承認依頼一覧の画面", "The page of approvals")
	approvals.query = []string{"cursor"}
	approval := showRoute("/approvals/{id}", "show-approval", "get-approval", office.ReadApprovals, s.showApproval, "承認依頼の画面", "The page of an approval")
	agree := actRoute("/approvals/{id}/approve", "agree-approval", "approve-approval", office.DecideApprovals, reasonedBody{}, s.acted(s.decideApproval(s.approve)), "承認する", "Approve")
	agree.stepUp, agree.longer = true, selectTime
	deny := actRoute("/approvals/{id}/refuse", "deny-approval", "refuse-approval", office.DecideApprovals, reasonedBody{}, s.acted(s.decideApproval(s.refuseApproval)), "承認しない", "Refuse")
	unask := actRoute("/approvals/{id}/withdraw", "unask-approval", "withdraw-approval", office.AskApproval, nil, s.acted(s.withdrawApproval), "依頼を取り下げる", "Withdraw")
	all := []*route{approvals, approval, agree, deny, unask}
	for _, r := range all {
		r.purpose, r.whileSuspended = actor.Operate, true
	}
	return all
}

func (s *Server) showApprovals(c *call) (answer, error) {
	a, err := s.listApprovals(c)
	if err != nil {
		return answer{}, err
	}
	return s.html(c, "approvals", http.StatusOK, nil, a.body)
}

type approvalView struct {
	Approval approvalBody
	Form     counter.Form
	Own      bool // asked for by the one who looks: somebody else has to approve it
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
	v.Own = v.Approval.RequestedBy == c.actor.Person
	return s.html(c, "approval", status, above, v)
}
