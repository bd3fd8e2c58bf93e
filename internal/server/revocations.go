package server

import (
	"net/http"
	"time"

	"akashi/internal/actor"
	"akashi/internal/audit"
	"akashi/internal/clock"
	"akashi/internal/issuance"
	"akashi/internal/office"
)

// selectionBody names certificates of the office: those for which all that is given holds.
type selectionBody struct {
	Key       string     `json:"key,omitempty" maxLength:"64" doc:"id of the key that signed a code"`
	From      clock.Date `json:"issued_from,omitempty"`
	Until     clock.Date `json:"issued_until,omitempty" doc:"that day too"`
	Product   string     `json:"product,omitempty" maxLength:"64" doc:"certifies a dose of it"`
	Catalogue string     `json:"catalogue,omitempty" maxLength:"64" doc:"version of the code lists"`
	Clerk     string     `json:"clerk,omitempty" maxLength:"64" doc:"account that issued them"`
}

type wantedRevocationBody struct {
	Selection selectionBody `json:"selection"`
	Reason    string        `json:"reason" maxLength:"40"`
}

type selectedBody struct {
	Count int `json:"count"`
}

type revocationBody struct {
	ID          string        `json:"id"`
	State       string        `json:"state" doc:"requested, running, finished, finished_with_failures (start it again to try these again) or stopped; refused, withdrawn or expired where it never was approved in time"`
	Count       int           `json:"count" doc:"certificates when it was asked for: these very ones are revoked"`
	SHA256      string        `json:"ids_sha256"`
	Done        int           `json:"done"`
	Revoked     int           `json:"revoked" doc:"of those done; the others had ended before"`
	Ended       int           `json:"ended_otherwise" doc:"of those done"`
	Superseded  int           `json:"superseded" doc:"of those selected, by certificates that were not selected and are not revoked with them"`
	Successors  []string      `json:"successors,omitempty" doc:"these certificates, at most 100: look at each; not in the list"`
	Failed      int           `json:"failed" doc:"certificates that could not be revoked in five tries"`
	Failures    []failureBody `json:"failures,omitempty" doc:"these, at most 100; not in the list"`
	Approval    string        `json:"approval" doc:"its id"`
	RequestedBy string        `json:"requested_by"`
	RequestedAt time.Time     `json:"requested_at"`
	StartedBy   string        `json:"started_by,omitempty"`
	StartedAt   time.Time     `json:"started_at,omitzero"`
	StoppedBy   string        `json:"stopped_by,omitempty"`
	StoppedAt   time.Time     `json:"stopped_at,omitzero"`
	wantedRevocationBody
}

type failureBody struct {
	Certificate string `json:"certificate"`
	Fault       string `json:"fault" doc:"code of the last try"`
}

type revocationList struct {
	Revocations []revocationBody `json:"revocations"`
	Next        string           `json:"next,omitempty" doc:"cursor of the next page"`
}

const selectTime = 2 * time.Minute

func (s *Server) revocationRoutes() []*route {
	of := func(method, path, id string, in any, serve func(*call) (answer, error), ja, en string) *route {
		r := &route{
			faces: staffOnly, method: method, path: prefix + "/revocations" + path, id: id, permission: office.RevokeMany, purpose: actor.Operate,
			status: http.StatusOK, in: in, out: revocationBody{}, serve: serve, ja: ja, en: en,
		}
		if in != nil {
			r.takes, r.longer = jsonType, selectTime
		}
		return r
	}
	count := of(http.MethodPost, "/count", "count-revocation", selectionBody{}, s.countRevocation, "失効させる証明書を数える（何もしない）", "Count the certificates of a selection; nothing is changed")
	count.out = selectedBody{}
	ask := of(http.MethodPost, "", "request-revocation", wantedRevocationBody{}, s.askRevocation, "多数の証明書の失効を依頼する", "Ask that many certificates are revoked")
	ask.status, ask.keyed = http.StatusCreated, true
	list := of(http.MethodGet, "", "list-revocations", nil, s.listRevocations, "多数の失効の一覧と進み具合", "Revocations of many, with how far they are")
	list.query, list.out = paging, revocationList{}
	start := of(http.MethodPost, "/{id}/start", "start-revocation", nil, s.startRevocation, "依頼された失効を承認し、始める（別の人）。失敗した分のやり直しも", "Approve and start it, as another person has asked, or try again what failed")
	start.stepUp, start.longer = true, selectTime
	return []*route{count, ask, list, of(http.MethodGet, "/{id}", "get-revocation", nil, s.getRevocation, "多数の失効の進み具合", "How far a revocation of many is"), start,
		of(http.MethodPost, "/{id}/stop", "stop-revocation", nil, s.stopRevocation, "多数の失効を止める（残りはそのまま）", "Stop it; what is not revoked yet stays")}
}

func revocationOf(r issuance.Revocation) revocationBody {
	state := "requested"
	switch {
	case r.Done == r.Count:
		state = "finished"
	case !r.StoppedAt.IsZero():
		state = "stopped"
	case r.Ended != "":
		state = r.Ended
	case r.Failed > 0 && r.Done+r.Failed == r.Count:
		state = "finished_with_failures"
	case !r.StartedAt.IsZero():
		state = "running"
	}
	var failures []failureBody
	for _, f := range r.Failures {
		failures = append(failures, failureBody{f.CertificateID, f.Fault})
	}
	return revocationBody{
		ID: r.ID, State: state, Count: r.Count, SHA256: r.SHA256, Done: r.Done, Revoked: r.Revoked,
		Ended: r.Done - r.Revoked, Superseded: r.Superseded, Successors: r.Successors, Failed: r.Failed, Failures: failures, Approval: r.Approval,
		RequestedBy: r.RequestedBy, RequestedAt: r.RequestedAt, StartedBy: r.StartedBy, StartedAt: r.StartedAt, StoppedBy: r.StoppedBy, StoppedAt: r.StoppedAt,
		wantedRevocationBody: wantedRevocationBody{selectionBody(r.Selection), r.Reason},
	}
}

func (s *Server) revocation(r issuance.Revocation, err error) (answer, error) {
	if err != nil {
		return answer{}, err
	}
	return value(revocationOf(r))
}

func (s *Server) countRevocation(c *call) (answer, error) {
	b, err := decode[selectionBody](c)
	if err != nil {
		return answer{}, err
	}
	n, err := s.Revocations.Select(c.ctx, c.actor, issuance.Selection(b))
	return answer{body: selectedBody{n}}, err
}

func (s *Server) askRevocation(c *call) (answer, error) {
	b, err := decode[wantedRevocationBody](c)
	if err != nil {
		return answer{}, err
	}
	return s.once(c, func(o *audit.Once) (answer, error) {
		r, err := s.Revocations.Ask(c.ctx, c.actor, issuance.Selection(b.Selection), b.Reason, o)
		a, err := s.revocation(r, err)
		a.header = map[string]string{"Location": prefix + "/revocations/" + r.ID}
		return a, err
	}, func(id string) (answer, error) {
		return s.revocation(s.Revocations.Get(c.ctx, c.actor, id))
	})
}

func (s *Server) listRevocations(c *call) (answer, error) {
	limit, before, err := c.page(rowForm)
	if err != nil {
		return answer{}, err
	}
	list, err := s.Revocations.List(c.ctx, c.actor, before, limit)
	if err != nil {
		return answer{}, err
	}
	out := revocationList{Revocations: []revocationBody{}}
	for _, r := range list {
		out.Revocations = append(out.Revocations, revocationOf(r))
	}
	if len(list) == limit {
		out.Next = list[limit-1].ID
	}
	return value(out)
}

func (s *Server) getRevocation(c *call) (answer, error) {
	id, err := s.row(c, "revocation")
	if err != nil {
		return answer{}, err
	}
	return s.revocation(s.Revocations.Get(c.ctx, c.actor, id))
}

func (s *Server) startRevocation(c *call) (answer, error) {
	id, err := s.row(c, "revocation")
	if err != nil {
		return answer{}, err
	}
	return s.revocation(s.Revocations.Start(c.ctx, c.actor, id))
}

func (s *Server) stopRevocation(c *call) (answer, error) {
	id, err := s.row(c, "revocation")
	if err != nil {
		return answer{}, err
	}
	return s.revocation(s.Revocations.Stop(c.ctx, c.actor, id))
}
