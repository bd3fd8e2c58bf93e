package server

import (
	"net/http"
	"slices"
	"time"

	"akashi/internal/actor"
	"akashi/internal/audit"
	"akashi/internal/fault"
	"akashi/internal/office"
	"akashi/internal/seal"
)

// approvalBody is what somebody asked another person to approve (S-029).
type approvalBody struct {
	ID          string            `json:"id"`
	Kind        office.Kind       `json:"kind"`
	Object      string            `json:"object" doc:"what it is about, such as the id of an import or an account, or the office"`
	Parameters  map[string]string `json:"parameters,omitempty" doc:"what it is bound to besides"`
	State       string            `json:"state" doc:"pending, approved, refused, withdrawn, used or expired"`
	RequestedBy string            `json:"requested_by"`
	RequestedAt time.Time         `json:"requested_at"`
	ExpiresAt   time.Time         `json:"expires_at"`
	DecidedBy   string            `json:"decided_by,omitempty"`
	DecidedAt   time.Time         `json:"decided_at,omitzero"`
	Reason      string            `json:"reason,omitempty"`
	UsedBy      string            `json:"used_by,omitempty"`
	UsedAt      time.Time         `json:"used_at,omitzero"`
}

type approvalList struct {
	Approvals []approvalBody `json:"approvals"`
	Next      string         `json:"next,omitempty" doc:"cursor of the next page"`
}

type askBody struct {
	Kind   office.Kind `json:"kind"`
	Object string      `json:"object" minLength:"1" maxLength:"64"`
}

type reasonedBody struct {
	Reason string `json:"reason" maxLength:"500" doc:"in words; never logged"`
}

func (s *Server) approvalRoutes() []*route {
	of := func(method, path, id string, p office.Permission, serve func(*call) (answer, error), ja, en string) *route {
		return &route{
			faces: staffOnly, method: method, path: prefix + "/approvals" + path, id: id, permission: p, purpose: actor.Operate,
			status: http.StatusOK, out: approvalBody{}, serve: serve, ja: ja, en: en, whileSuspended: true, whileUnsigned: true, // does nothing by itself
		}
	}
	ask := of(http.MethodPost, "", "ask-approval", office.AskApproval, s.askApproval, "別の人の承認を依頼する", "Ask another person to approve an act")
	ask.status, ask.keyed, ask.takes, ask.in = http.StatusCreated, true, jsonType, askBody{}
	list := of(http.MethodGet, "", "list-approvals", office.ReadApprovals, s.listApprovals, "承認依頼の一覧", "List approvals")
	list.query, list.out = append([]string{"kind", "object"}, paging...), approvalList{}
	approve := of(http.MethodPost, "/{id}/approve", "approve-approval", office.DecideApprovals, s.decideApproval(s.approve), "承認する", "Approve what somebody else asked for")
	refuse := of(http.MethodPost, "/{id}/refuse", "refuse-approval", office.DecideApprovals, s.decideApproval(s.refuseApproval), "承認しない", "Refuse what somebody else asked for")
	approve.stepUp, approve.longer = true, selectTime // of a revocation each certificate is looked at
	for _, r := range []*route{approve, refuse} {
		r.takes, r.in = jsonType, reasonedBody{}
	}
	return []*route{
		ask, list, of(http.MethodGet, "/{id}", "get-approval", office.ReadApprovals, s.getApproval, "承認依頼を読む", "Read an approval"), approve, refuse,
		of(http.MethodPost, "/{id}/withdraw", "withdraw-approval", office.AskApproval, s.withdrawApproval, "自分の依頼を取り下げる", "Withdraw what one asked for oneself"),
	}
}

func (s *Server) approvalOf(p office.Approval) approvalBody {
	return approvalBody{
		ID: p.ID, Kind: p.Kind, Object: p.Object, Parameters: p.Parameters, State: string(p.State(s.Clock.Now())),
		RequestedBy: p.RequestedBy, RequestedAt: p.RequestedAt, ExpiresAt: p.ExpiresAt,
		DecidedBy: p.DecidedBy, DecidedAt: p.DecidedAt, Reason: p.Reason, UsedBy: p.UsedBy, UsedAt: p.UsedAt,
	}
}

func (s *Server) approval(p office.Approval, err error) (answer, error) {
	if err != nil {
		return answer{}, err
	}
	return value(s.approvalOf(p))
}

func (s *Server) askApproval(c *call) (answer, error) {
	b, err := decode[askBody](c)
	if err != nil {
		return answer{}, err
	}
	d, err := b.Kind.Act()
	switch {
	case err != nil:
		return answer{}, err
	case d.ByUseCase:
		return answer{}, fault.New(fault.Invalid, "approval_by_use_case", "kind")
	case !rowForm.MatchString(b.Object) && b.Object != c.actor.Office && !(b.Kind == office.RekeyVault && isKey(b.Object)):
		return answer{}, fault.New(fault.Invalid, "json_form", "object")
	}
	return s.once(c, func(o *audit.Once) (answer, error) {
		p, err := s.ask(c, b, o)
		a, err := s.approval(p, err)
		a.header = map[string]string{"Location": prefix + "/approvals/" + p.ID}
		return a, err
	}, func(id string) (answer, error) {
		return s.approval(s.Approvals.Get(c.ctx, c.actor, id))
	})
}

func (s *Server) ask(c *call, b askBody, o *audit.Once) (office.Approval, error) {
	if b.Kind == office.ResumeOffice && b.Object == c.actor.Office {
		return s.Offices.AskResume(c.ctx, c.actor, o)
	}
	return s.Approvals.Request(c.ctx, c.actor, b.Kind, b.Object, nil, o)
}

// isKey tells whether an object is what data keys are for, or the key of the file.
func isKey(object string) bool {
	return object == "file-key" || slices.Contains(seal.Purposes(), seal.Purpose(object))
}

func (s *Server) listApprovals(c *call) (answer, error) {
	limit, before, err := c.page(rowForm)
	if err != nil {
		return answer{}, err
	}
	f := office.ApprovalFilter{Kind: office.Kind(c.query.Get("kind")), Object: c.query.Get("object"), Before: before, Limit: limit}
	if err := known(f.Kind, office.Kinds(), "kind"); err != nil {
		return answer{}, err
	}
	list, err := s.Approvals.List(c.ctx, c.actor, f)
	if err != nil {
		return answer{}, err
	}
	out := approvalList{Approvals: []approvalBody{}}
	for _, p := range list {
		out.Approvals = append(out.Approvals, s.approvalOf(p))
	}
	if len(list) == limit {
		out.Next = list[limit-1].ID
	}
	return value(out)
}

func (s *Server) getApproval(c *call) (answer, error) {
	id, err := s.row(c, "approval")
	if err != nil {
		return answer{}, err
	}
	return s.approval(s.Approvals.Get(c.ctx, c.actor, id))
}

// decideApproval takes a decision with its reason.
func (s *Server) decideApproval(decide func(c *call, id, reason string) (office.Approval, error)) func(*call) (answer, error) {
	return func(c *call) (answer, error) {
		id, err := s.row(c, "approval")
		if err != nil {
			return answer{}, err
		}
		b, err := decode[reasonedBody](c)
		if err != nil {
			return answer{}, err
		}
		return s.approval(decide(c, id, b.Reason))
	}
}

func (s *Server) approve(c *call, id, reason string) (office.Approval, error) {
	return s.Approvals.Approve(c.ctx, c.actor, id, reason)
}

func (s *Server) refuseApproval(c *call, id, reason string) (office.Approval, error) {
	return s.Approvals.Refuse(c.ctx, c.actor, id, reason)
}

func (s *Server) withdrawApproval(c *call) (answer, error) {
	id, err := s.row(c, "approval")
	if err != nil {
		return answer{}, err
	}
	return s.approval(s.Approvals.Withdraw(c.ctx, c.actor, id))
}
