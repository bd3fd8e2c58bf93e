package server

import (
	"net/http"
	"slices"

	"akashi/internal/actor"
	"akashi/internal/office"
)

// officerPages are the pages of those who answer for the office.
func (s *Server) officerPages() []*route {
	home := showRoute("/office", "show-office", "get-office", office.ReadOffice, s.showOffice, "所属の仕事の画面", "What there is for those who answer for the office")
	approvals := showRoute("/approvals", "show-approvals", "list-approvals", office.ReadApprovals, s.showApprovals, "承認依頼一覧の画面", "The page of approvals")
	approvals.query = []string{"cursor"}
	approval := showRoute("/approvals/{id}", "show-approval", "get-approval", office.ReadApprovals, s.showApproval, "承認依頼の画面", "The page of an approval")
	here := again("/counter/approvals/")
	agree := actRoute("/approvals/{id}/approve", "agree-approval", "approve-approval", office.DecideApprovals, reasonedBody{}, s.byPage(s.decideApproval(s.approve), s.approvalPage, here), "承認する", "Approve")
	agree.stepUp, agree.longer = true, selectTime
	deny := actRoute("/approvals/{id}/refuse", "deny-approval", "refuse-approval", office.DecideApprovals, reasonedBody{}, s.byPage(s.decideApproval(s.refuseApproval), s.approvalPage, here), "承認しない", "Refuse")
	unask := actRoute("/approvals/{id}/withdraw", "unask-approval", "withdraw-approval", office.AskApproval, nil, s.byPage(s.withdrawApproval, s.approvalPage, here), "依頼を取り下げる", "Withdraw")
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
