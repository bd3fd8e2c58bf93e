package server

import (
	"context"
	"net/http"
	"time"

	"akashi/internal/actor"
	"akashi/internal/application"
	"akashi/internal/audit"
	"akashi/internal/exchange"
	"akashi/internal/fault"
	"akashi/internal/office"
)

// batchBody is a file of applications, with what is wrong with its rows and never a value.
type batchBody struct {
	ID        string         `json:"id"`
	State     string         `json:"state" doc:"judged, requested, approved (to be started), running, finished, finished_with_failures or closed; refused, withdrawn or expired where nobody approved it in time"`
	SHA256    string         `json:"sha256"`
	Encoding  string         `json:"encoding"`
	Rows      int            `json:"rows"`
	Accepted  int            `json:"accepted"`
	Done      int            `json:"done" doc:"rows that are applications"`
	Failed    int            `json:"failed" doc:"accepted rows that are left for a person"`
	Approval  string         `json:"approval,omitempty" doc:"its id, of more than 100"`
	CreatedBy string         `json:"created_by"`
	CreatedAt time.Time      `json:"created_at"`
	StartedBy string         `json:"started_by,omitempty"`
	StartedAt time.Time      `json:"started_at,omitzero"`
	ClosedAt  time.Time      `json:"closed_at,omitzero" doc:"when its rows were erased"`
	KeptUntil time.Time      `json:"kept_until,omitzero" doc:"its rows are erased then, whatever became of them"`
	Lines     []batchRowBody `json:"lines,omitempty" doc:"not in the list"`
}

type batchRowBody struct {
	Line        int                `json:"line" doc:"1 is the header"`
	Accepted    bool               `json:"accepted"`
	Findings    []batchFindingBody `json:"findings,omitempty"`
	Application string             `json:"application,omitempty"`
	Done        bool               `json:"done"`
	Fault       string             `json:"fault,omitempty" doc:"code of the last try"`
	Reason      *text              `json:"reason,omitempty" doc:"the same in words"`
}

type batchFindingBody struct {
	Column string `json:"column,omitempty"`
	Code   string `json:"code"`
	Note   bool   `json:"note,omitempty" doc:"does not keep the row from being accepted: a person will have to confirm it"`
	text
}

type batchList struct {
	Batches []batchBody `json:"batches"`
	Next    string      `json:"next,omitempty" doc:"cursor of the next page"`
}

type wholeBody struct {
	Whole bool `json:"whole" doc:"all rows, or none where one was not accepted; false: the accepted ones"`
}

const csvType = "text/csv"

func (s *Server) batchRoutes() []*route {
	of := func(method, path, id string, p office.Permission, serve func(*call) (answer, error), ja, en string) *route {
		return &route{
			faces: staffOnly, method: method, path: prefix + "/batches" + path, id: id, permission: p, purpose: actor.Certificate,
			status: http.StatusOK, out: batchBody{}, serve: serve, ja: ja, en: en,
		}
	}
	stage := of(http.MethodPost, "", "stage-batch", office.WriteApplications, s.stageBatch, "申請のファイルを読み、全行を確かめる（申請は作らない）", "Read a file of applications and judge all rows; no application is made")
	stage.status, stage.takes, stage.bytes, stage.longer, stage.keyed = http.StatusCreated, csvTypes, exchange.MaxFile, selectTime, true
	list := of(http.MethodGet, "", "list-batches", office.ReadApplications, s.listBatches, "申請のファイルの一覧（個人の情報なし）", "List files of applications, without anything personal")
	list.query, list.out = paging, batchList{}
	file := of(http.MethodGet, "/{id}/file", "get-batch-file", office.WriteApplications, s.getBatchFile, "同じファイルを、行番号・エラー・確認の列を付けて返す", "The same file with columns for line, error and what to confirm")
	file.gives, file.out = csvType, nil
	commit := of(http.MethodPost, "/{id}/commit", "commit-batch", office.WriteApplications, s.commitBatch, "全行、または受け付けた行から申請を作る（100件を超えると別の人の承認が要る）", "Make applications of all rows, or of those accepted; more than 100 wait for another person")
	commit.takes, commit.in = jsonType, wholeBody{}
	start := of(http.MethodPost, "/{id}/start", "start-batch", office.AcceptMany, s.oneBatch(func(b *exchange.Batches) batchAct { return b.Start }), "依頼された申請のファイルを承認し、始める（別の人）", "Approve and start it, as another person has asked")
	start.stepUp, start.longer = true, selectTime
	template := of(http.MethodGet, "", "get-batch-template", office.WriteApplications, func(*call) (answer, error) {
		return attachment(exchange.Template(), csvType+"; charset=utf-8", "applications.csv"), nil
	}, "申請のファイルの見出し", "The header of a file of applications")
	template.path, template.gives, template.out = prefix+"/batch-template", csvType, nil
	return []*route{
		stage, list, of(http.MethodGet, "/{id}", "get-batch", office.ReadApplications, s.oneBatch(func(b *exchange.Batches) batchAct { return b.Get }), "申請のファイルの結果と進み具合", "What was found in a file, and how far it is"),
		file, commit, start,
		of(http.MethodPost, "/{id}/close", "close-batch", office.WriteApplications, s.oneBatch(func(b *exchange.Batches) batchAct { return b.Close }), "申請のファイルの行を消す", "Erase the rows of a file"), template,
	}
}

func batchOf(b exchange.Batch) batchBody {
	out := batchBody{
		ID: b.ID, State: batchState(b), SHA256: b.SHA256, Encoding: b.Encoding, Rows: b.Count, Accepted: b.Accepted, Done: b.Done, Failed: b.Failed,
		Approval: b.Approval, CreatedBy: b.CreatedBy, CreatedAt: b.CreatedAt, StartedBy: b.StartedBy, StartedAt: b.StartedAt, ClosedAt: b.ClosedAt,
	}
	if b.ClosedAt.IsZero() {
		out.KeptUntil = b.CreatedAt.Add(exchange.Kept)
	}
	for _, r := range b.Rows {
		row := batchRowBody{Line: r.Line, Accepted: r.Accepted, Application: r.Application, Done: r.Done, Fault: r.Fault}
		for _, f := range r.Findings {
			ja, en := findingSentence(f)
			row.Findings = append(row.Findings, batchFindingBody{f.Column, f.Key, f.Note, text{ja, en}})
		}
		if r.Fault != "" {
			ja, en := sentenceOf(r.Fault)
			row.Reason = &text{ja, en}
		}
		out.Lines = append(out.Lines, row)
	}
	return out
}

func batchState(b exchange.Batch) string {
	switch {
	case !b.ClosedAt.IsZero():
		return "closed"
	case b.StartedAt.IsZero() && b.Approval == "":
		return "judged"
	}
	return office.Progress{Count: b.Accepted, Done: b.Done, Failed: b.Failed, Started: b.StartedAt, Asked: b.Asked}.State()
}

// findingSentence explains what was found in a row.
func findingSentence(f exchange.Finding) (ja, en string) {
	if f.Reason {
		return application.Reason{Code: f.Key, Detail: f.Args["detail"]}.Sentence()
	}
	return Sentence(&fault.Error{Code: fault.Invalid, Key: f.Key, Args: f.Args})
}

func (s *Server) stageBatch(c *call) (answer, error) {
	return s.once(c, func(o *audit.Once) (answer, error) {
		b, err := s.Batches.Stage(c.ctx, c.actor, c.body, notice.Version, o)
		if err != nil {
			return answer{}, err
		}
		return answer{body: batchOf(b), header: map[string]string{"Location": prefix + "/batches/" + b.ID}}, nil
	}, func(id string) (answer, error) {
		b, err := s.Batches.Get(c.ctx, c.actor, id)
		return answer{body: batchOf(b)}, err
	})
}

func (s *Server) listBatches(c *call) (answer, error) {
	limit, before, err := c.page(rowForm)
	if err != nil {
		return answer{}, err
	}
	list, err := s.Batches.List(c.ctx, c.actor, before, limit)
	if err != nil {
		return answer{}, err
	}
	out := batchList{Batches: []batchBody{}}
	for _, b := range list {
		out.Batches = append(out.Batches, batchOf(b))
	}
	if len(list) == limit {
		out.Next = list[limit-1].ID
	}
	return value(out)
}

// batchAct is what is done with one batch.
type batchAct = func(context.Context, actor.Actor, string) (exchange.Batch, error)

// oneBatch answers with one batch, after what is done with it. The service is there when it
// is asked for.
func (s *Server) oneBatch(do func(*exchange.Batches) batchAct) func(*call) (answer, error) {
	return func(c *call) (answer, error) {
		id, err := s.row(c, "batch")
		if err != nil {
			return answer{}, err
		}
		b, err := do(s.Batches)(c.ctx, c.actor, id)
		if err != nil {
			return answer{}, err
		}
		return value(batchOf(b))
	}
}

func (s *Server) getBatchFile(c *call) (answer, error) {
	id, err := s.row(c, "batch")
	if err != nil {
		return answer{}, err
	}
	file, err := s.Batches.File(c.ctx, c.actor, id, findingSentence)
	return attachment(file, csvType, "applications-"+id+".csv"), err
}

// commitBatch takes each row from the budget of look-ups, as handing in one application
// does, up to what one person may bring in alone (adr/0033).
func (s *Server) commitBatch(c *call) (answer, error) {
	id, err := s.row(c, "batch")
	if err != nil {
		return answer{}, err
	}
	body, err := decode[wholeBody](c)
	if err != nil {
		return answer{}, err
	}
	b, err := s.Batches.Get(c.ctx, c.actor, id)
	if err == nil && b.Committable(c.actor, body.Whole, s.Clock.Now()) == nil { // what is refused takes nothing
		err = s.lookUp(c, min(b.Accepted, exchange.FewRows))
	}
	if err == nil {
		b, err = s.Batches.Commit(c.ctx, c.actor, id, body.Whole)
	}
	if err != nil {
		return answer{}, err
	}
	return value(batchOf(b))
}
