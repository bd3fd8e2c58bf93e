package server

import (
	"context"
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
	Expires   clock.Date `json:"expires_until,omitempty" doc:"issued, and a code of it expires then or before"`
	Product   string     `json:"product,omitempty" maxLength:"64" doc:"certifies a dose of it"`
	Catalogue string     `json:"catalogue,omitempty" maxLength:"64" doc:"version of the code lists"`
	Clerk     string     `json:"clerk,omitempty" maxLength:"64" doc:"account that issued them"`
}

type wantedBulkBody struct {
	Selection selectionBody `json:"selection"`
	Reason    string        `json:"reason" maxLength:"40"`
}

type selectedBody struct {
	Count int `json:"count"`
}

// bulkBody is what is told of a run whatever its act.
type bulkBody struct {
	ID          string        `json:"id"`
	State       string        `json:"state" doc:"requested, approved (to be started), running, finished, finished_with_failures (start it again to try these again) or stopped; refused, withdrawn or expired where it never was approved in time"`
	Count       int           `json:"count" doc:"certificates when it was asked for: it is about these very ones"`
	SHA256      string        `json:"ids_sha256"`
	Done        int           `json:"done"`
	Ended       int           `json:"ended_otherwise" doc:"of those done"`
	Failed      int           `json:"failed" doc:"certificates that are left for a person: what would not go in five tries, or at all"`
	Failures    []failureBody `json:"failures,omitempty" doc:"these, at most 100; not in the list"`
	Approval    string        `json:"approval" doc:"its id"`
	DecidedBy   string        `json:"decided_by,omitempty" doc:"who approved or refused, until it is started"`
	RequestedBy string        `json:"requested_by"`
	RequestedAt time.Time     `json:"requested_at"`
	StartedBy   string        `json:"started_by,omitempty"`
	StartedAt   time.Time     `json:"started_at,omitzero"`
	StoppedBy   string        `json:"stopped_by,omitempty"`
	StoppedAt   time.Time     `json:"stopped_at,omitzero"`
	wantedBulkBody
}

type revocationBody struct {
	Revoked    int      `json:"revoked" doc:"of those done; the others had ended before"`
	Superseded int      `json:"superseded" doc:"of those selected, by certificates that were not selected and are not revoked with them"`
	Successors []string `json:"successors,omitempty" doc:"these certificates, at most 100: look at each; not in the list"`
	bulkBody
}

type reissueBody struct {
	Reissued int `json:"reissued" doc:"of those done: have a newer certificate; the others had ended before"`
	bulkBody
}

type failureBody struct {
	Certificate string `json:"certificate"`
	Fault       string `json:"fault" doc:"code of the last try"`
}

type revocationList struct {
	Revocations []revocationBody `json:"revocations"`
	Next        string           `json:"next,omitempty" doc:"cursor of the next page"`
}

type reissueList struct {
	Reissues []reissueBody `json:"reissues"`
	Next     string        `json:"next,omitempty" doc:"cursor of the next page"`
}

const selectTime = 2 * time.Minute

// bulkFace is an act on many certificates as its routes have it.
type bulkFace struct {
	name       string // of one, in ids; that of all, in paths, has an s
	permission office.Permission
	many       func(*Server) *issuance.Many // there when it is asked for
	one, list  any                          // the answers' types
	tell       func(issuance.Bulk) any
	tellAll    func(list []issuance.Bulk, next string) any
	texts      [6][2]string // Japanese and English, of count, ask, list, get, start, stop
}

var revocationFace = bulkFace{
	"revocation", office.RevokeMany, func(s *Server) *issuance.Many { return s.Revocations }, revocationBody{}, revocationList{},
	func(r issuance.Bulk) any { return revocationOf(r) },
	func(list []issuance.Bulk, next string) any {
		out := revocationList{[]revocationBody{}, next}
		for _, r := range list {
			out.Revocations = append(out.Revocations, revocationOf(r))
		}
		return out
	},
	[6][2]string{
		{"失効させる証明書を数える（何もしない）", "Count the certificates of a selection; nothing is changed"},
		{"多数の証明書の失効を依頼する", "Ask that many certificates are revoked"},
		{"多数の失効の一覧と進み具合", "Revocations of many, with how far they are"},
		{"多数の失効の進み具合", "How far a revocation of many is"},
		{"依頼された失効を承認し、始める（別の人）。失敗した分のやり直しも", "Approve and start it, as another person has asked, or try again what failed"},
		{"多数の失効を止める（残りはそのまま）", "Stop it; what is not revoked yet stays"},
	},
}

var reissueFace = bulkFace{
	"reissue", office.ReissueMany, func(s *Server) *issuance.Many { return s.Reissues }, reissueBody{}, reissueList{},
	func(r issuance.Bulk) any { return reissueOf(r) },
	func(list []issuance.Bulk, next string) any {
		out := reissueList{[]reissueBody{}, next}
		for _, r := range list {
			out.Reissues = append(out.Reissues, reissueOf(r))
		}
		return out
	},
	[6][2]string{
		{"作り直す証明書を数える（何もしない）", "Count the certificates of a selection that can be made again; nothing is changed"},
		{"多数の証明書の作り直しを依頼する", "Ask that many certificates are made again"},
		{"多数の作り直しの一覧と進み具合", "Reissues of many, with how far they are"},
		{"多数の作り直しの進み具合と、人の判断に残した証明書", "How far a reissue of many is, and what it left for a person"},
		{"依頼された作り直しを承認し、始める（別の人）。残した分のやり直しも", "Approve and start it, as another person has asked, or try again what was left"},
		{"多数の作り直しを止める（残りはそのまま）", "Stop it; what is not made again yet stays"},
	},
}

func (s *Server) manyRoutes() []*route {
	return append(s.bulkRoutes(revocationFace), s.bulkRoutes(reissueFace)...)
}

func (s *Server) bulkRoutes(f bulkFace) []*route {
	of := func(n int, method, path, verb string, in any, serve func(*call, bulkFace) (answer, error)) *route {
		r := &route{
			faces: staffOnly, method: method, path: prefix + "/" + f.name + "s" + path, id: verb + "-" + f.name, permission: f.permission, purpose: actor.Operate,
			status: http.StatusOK, in: in, out: f.one, serve: func(c *call) (answer, error) { return serve(c, f) }, ja: f.texts[n][0], en: f.texts[n][1],
		}
		if in != nil {
			r.takes, r.longer = jsonType, selectTime
		}
		return r
	}
	count := of(0, http.MethodPost, "/count", "count", selectionBody{}, s.countBulk)
	count.out = selectedBody{}
	ask := of(1, http.MethodPost, "", "request", wantedBulkBody{}, s.askBulk)
	ask.status, ask.keyed = http.StatusCreated, true
	list := of(2, http.MethodGet, "", "list", nil, s.listBulk)
	list.id, list.query, list.out = list.id+"s", paging, f.list
	start := of(4, http.MethodPost, "/{id}/start", "start", nil, s.startBulk)
	start.stepUp, start.longer = true, selectTime
	return []*route{count, ask, list, of(3, http.MethodGet, "/{id}", "get", nil, s.getBulk), start, of(5, http.MethodPost, "/{id}/stop", "stop", nil, s.stopBulk)}
}

func revocationOf(r issuance.Bulk) revocationBody {
	return revocationBody{r.Changed, r.Superseded, r.Successors, bulkOf(r)}
}

func reissueOf(r issuance.Bulk) reissueBody { return reissueBody{r.Changed, bulkOf(r)} }

func bulkOf(r issuance.Bulk) bulkBody {
	var failures []failureBody
	for _, f := range r.Failures {
		failures = append(failures, failureBody{f.CertificateID, f.Fault})
	}
	return bulkBody{
		ID: r.ID, State: r.State(), Count: r.Count, SHA256: r.SHA256, Done: r.Done, Ended: r.Done - r.Changed, Failed: r.Failed, Failures: failures, Approval: r.Approval, DecidedBy: r.DecidedBy,
		RequestedBy: r.RequestedBy, RequestedAt: r.RequestedAt, StartedBy: r.StartedBy, StartedAt: r.StartedAt, StoppedBy: r.StoppedBy, StoppedAt: r.StoppedAt,
		wantedBulkBody: wantedBulkBody{selectionBody(r.Selection), r.Reason},
	}
}

func (f bulkFace) answer(r issuance.Bulk, err error) (answer, error) {
	if err != nil {
		return answer{}, err
	}
	return value(f.tell(r))
}

func (s *Server) countBulk(c *call, f bulkFace) (answer, error) {
	b, err := decode[selectionBody](c)
	if err != nil {
		return answer{}, err
	}
	n, err := f.many(s).Select(c.ctx, c.actor, issuance.Selection(b))
	return answer{body: selectedBody{n}}, err
}

func (s *Server) askBulk(c *call, f bulkFace) (answer, error) {
	b, err := decode[wantedBulkBody](c)
	if err != nil {
		return answer{}, err
	}
	return s.once(c, func(o *audit.Once) (answer, error) {
		r, err := f.many(s).Ask(c.ctx, c.actor, issuance.Selection(b.Selection), b.Reason, o)
		a, err := f.answer(r, err)
		a.header = map[string]string{"Location": prefix + "/" + f.name + "s/" + r.ID}
		return a, err
	}, func(id string) (answer, error) {
		return f.answer(f.many(s).Get(c.ctx, c.actor, id))
	})
}

func (s *Server) listBulk(c *call, f bulkFace) (answer, error) {
	limit, before, err := c.page(rowForm)
	if err != nil {
		return answer{}, err
	}
	list, err := f.many(s).List(c.ctx, c.actor, before, limit)
	if err != nil {
		return answer{}, err
	}
	next := ""
	if len(list) == limit {
		next = list[limit-1].ID
	}
	return value(f.tellAll(list, next))
}

func (s *Server) getBulk(c *call, f bulkFace) (answer, error) {
	return s.oneBulk(c, f, f.many(s).Get)
}

func (s *Server) startBulk(c *call, f bulkFace) (answer, error) {
	return s.oneBulk(c, f, f.many(s).Start)
}

func (s *Server) stopBulk(c *call, f bulkFace) (answer, error) {
	return s.oneBulk(c, f, f.many(s).Stop)
}

func (s *Server) oneBulk(c *call, f bulkFace, do func(context.Context, actor.Actor, string) (issuance.Bulk, error)) (answer, error) {
	id, err := s.row(c, "bulk")
	if err != nil {
		return answer{}, err
	}
	return f.answer(do(c.ctx, c.actor, id))
}
