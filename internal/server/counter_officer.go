package server

import (
	"net/http"

	"akashi/internal/counter"
)

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
