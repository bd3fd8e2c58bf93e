package server

import (
	"context"
	"net/http"
	"time"

	"akashi/internal/actor"
	"akashi/internal/audit"
	"akashi/internal/issuance"
	"akashi/internal/office"
)

// mailingBody is certificates of many applications in one file, to be sent by mail.
type mailingBody struct {
	ID          string            `json:"id"`
	State       string            `json:"state" doc:"requested, approved (to be started), running, finished, finished_with_failures or stopped; refused, withdrawn or expired where it never was approved in time"`
	Count       int               `json:"count"`
	SHA256      string            `json:"ids_sha256" doc:"of the ids of the applications, in order, one a line"`
	Done        int               `json:"done" doc:"with a numbered copy"`
	Failed      int               `json:"failed" doc:"left for a person; they may go with another mailing"`
	Approval    string            `json:"approval,omitempty" doc:"its id, of more than 100"`
	RequestedBy string            `json:"requested_by"`
	RequestedAt time.Time         `json:"requested_at"`
	StartedBy   string            `json:"started_by,omitempty"`
	StartedAt   time.Time         `json:"started_at,omitzero"`
	StoppedBy   string            `json:"stopped_by,omitempty"`
	StoppedAt   time.Time         `json:"stopped_at,omitzero"`
	File        string            `json:"file,omitempty" doc:"where the PDF is, when there is one"`
	Items       []mailingItemBody `json:"items,omitempty" doc:"in order; not in the list"`
}

type mailingItemBody struct {
	Number      int    `json:"number"`
	Application string `json:"application"`
	Certificate string `json:"certificate,omitempty"`
	Copy        int    `json:"copy,omitempty"`
	Fault       string `json:"fault,omitempty" doc:"code of the last try"`
	Reason      *text  `json:"reason,omitempty" doc:"the same in words"`
}

type mailingList struct {
	Mailings []mailingBody `json:"mailings"`
	Ready    int           `json:"ready" doc:"approved applications that came by mail and are in no open mailing, at most 1000"`
	Next     string        `json:"next,omitempty" doc:"cursor of the next page"`
}

type wantedMailingBody struct {
	Applications []string `json:"applications,omitempty" maxItems:"1000" doc:"absent: those that are ready, oldest first"`
}

const mailingTime = 5 * time.Minute

func (s *Server) mailingRoutes() []*route {
	of := func(method, path, id string, p office.Permission, serve func(*call) (answer, error), ja, en string) *route {
		return &route{
			faces: staffOnly, method: method, path: prefix + "/mailings" + path, id: id, permission: p, purpose: actor.Certificate,
			status: http.StatusOK, out: mailingBody{}, serve: serve, ja: ja, en: en,
		}
	}
	ask := of(http.MethodPost, "", "request-mailing", office.Issue, s.askMailing, "郵送の申請をまとめて発行する（100件を超えると別の人の承認が要る）", "Issue and print for many applications; more than 100 wait for another person")
	ask.status, ask.keyed, ask.takes, ask.in = http.StatusCreated, true, jsonType, wantedMailingBody{}
	list := of(http.MethodGet, "", "list-mailings", office.ReadCertificates, s.listMailings, "発送の一覧（個人の情報なし）", "List mailings, without anything personal")
	list.query, list.out = paging, mailingList{}
	start := of(http.MethodPost, "/{id}/start", "start-mailing", office.PrintMany, s.oneMailing(func(m *issuance.Mailings) mailingAct { return m.Start }), "依頼された発送を承認し、始める（別の人）", "Approve and start it, as another person has asked")
	start.stepUp, start.longer = true, selectTime
	file := of(http.MethodGet, "/{id}/file", "get-mailing-file", office.Print, s.getMailingFile, "一覧・証明書・宛名を一つの PDF で得る（人ごとに記録される）", "One PDF of list, certificates and addresses; each person is logged")
	file.gives, file.out, file.longer = "application/pdf", nil, mailingTime
	return []*route{
		ask, list, of(http.MethodGet, "/{id}", "get-mailing", office.ReadCertificates, s.oneMailing(func(m *issuance.Mailings) mailingAct { return m.Get }), "発送の進み具合", "How far a mailing is"), start,
		of(http.MethodPost, "/{id}/stop", "stop-mailing", office.Issue, s.oneMailing(func(m *issuance.Mailings) mailingAct { return m.Stop }), "発送を止める（残りはそのまま）", "Stop it; what is not printed yet stays"), file,
	}
}

func (s *Server) mailingOf(m issuance.Mailing) mailingBody {
	b := mailingBody{
		ID: m.ID, State: m.State(), Count: m.Count, SHA256: m.SHA256, Done: m.Done, Failed: m.Failed, Approval: m.Approval,
		RequestedBy: m.RequestedBy, RequestedAt: m.RequestedAt, StartedBy: m.StartedBy, StartedAt: m.StartedAt, StoppedBy: m.StoppedBy, StoppedAt: m.StoppedAt,
	}
	if !m.Open() && m.Done > 0 && s.Clock.Now().Sub(m.RequestedAt) <= issuance.MailingLasts {
		b.File = prefix + "/mailings/" + m.ID + "/file"
	}
	for _, i := range m.Items {
		item := mailingItemBody{i.Number, i.Application, i.Certificate, i.Copy, i.Fault, nil}
		if i.Fault != "" {
			ja, en := sentenceOf(i.Fault)
			item.Reason = &text{ja, en}
		}
		b.Items = append(b.Items, item)
	}
	return b
}

func (s *Server) askMailing(c *call) (answer, error) {
	b, err := decode[wantedMailingBody](c)
	if err != nil {
		return answer{}, err
	}
	return s.once(c, func(o *audit.Once) (answer, error) {
		m, err := s.Mailings.Ask(c.ctx, c.actor, b.Applications, o)
		if err != nil {
			return answer{}, err
		}
		return answer{body: s.mailingOf(m), header: map[string]string{"Location": prefix + "/mailings/" + m.ID}}, nil
	}, func(id string) (answer, error) {
		m, err := s.Mailings.Get(c.ctx, c.actor, id)
		return answer{body: s.mailingOf(m)}, err
	})
}

func (s *Server) listMailings(c *call) (answer, error) {
	limit, before, err := c.page(rowForm)
	if err != nil {
		return answer{}, err
	}
	list, err := s.Mailings.List(c.ctx, c.actor, before, limit)
	if err != nil {
		return answer{}, err
	}
	out := mailingList{Mailings: []mailingBody{}}
	for _, m := range list {
		out.Mailings = append(out.Mailings, s.mailingOf(m))
	}
	if len(list) == limit {
		out.Next = list[limit-1].ID
	}
	if out.Ready, err = s.Mailings.Ready(c.ctx, c.actor); err != nil {
		return answer{}, err
	}
	return value(out)
}

// mailingAct is what is done with one mailing.
type mailingAct = func(context.Context, actor.Actor, string) (issuance.Mailing, error)

// oneMailing answers with one mailing, after what is done with it. The service is there
// when it is asked for.
func (s *Server) oneMailing(do func(*issuance.Mailings) mailingAct) func(*call) (answer, error) {
	return func(c *call) (answer, error) {
		id, err := s.row(c, "mailing")
		if err != nil {
			return answer{}, err
		}
		m, err := do(s.Mailings)(c.ctx, c.actor, id)
		if err != nil {
			return answer{}, err
		}
		return value(s.mailingOf(m))
	}
}

// getMailingFile takes each person from the budget of look-ups, as printing does, up to what
// one person may have printed alone: beyond that a second one has agreed (adr/0033).
func (s *Server) getMailingFile(c *call) (answer, error) {
	id, err := s.row(c, "mailing")
	if err != nil {
		return answer{}, err
	}
	m, err := s.Mailings.Get(c.ctx, c.actor, id)
	if err == nil && m.Printable(c.actor, s.Clock.Now()) == nil { // what is refused takes nothing
		err = s.lookUp(c, min(m.Done, issuance.FewMailing))
	}
	if err != nil {
		return answer{}, err
	}
	file, err := s.Mailings.File(c.ctx, c.actor, id, sentenceOf)
	return attachment(file, "application/pdf", "mailing-"+id+".pdf"), err
}
