package server

import (
	"net/http"
	"time"

	"akashi/internal/actor"
	"akashi/internal/audit"
	"akashi/internal/office"
	"akashi/internal/vaccination"
)

const (
	maxImport  = 50 << 20
	importTime = 10 * time.Minute
)

func (s *Server) importRoutes() []*route {
	of := func(method, path, id string, p office.Permission, serve func(*call) (answer, error), ja, en string) *route {
		return &route{
			faces: staffOnly, method: method, path: prefix + "/imports" + path, id: id, permission: p, purpose: actor.Import,
			status: http.StatusOK, out: importBody{}, serve: serve, ja: ja, en: en,
		}
	}
	subjects := of(http.MethodPost, "/subjects", "import-subjects", office.WriteImports, s.stageImport(vaccination.Subjects), "対象者ファイルを読み、報告を返す（適用はしない）", "Read a file of subjects and report; nothing is applied")
	records := of(http.MethodPost, "/records", "import-records", office.WriteImports, s.stageImport(vaccination.Records), "接種記録ファイルを読み、報告を返す（適用はしない）", "Read a file of records and report; nothing is applied")
	for _, r := range []*route{subjects, records} {
		r.status, r.takes, r.bytes, r.longer, r.keyed = http.StatusCreated, csvTypes, maxImport, importTime, true
	}
	list := of(http.MethodGet, "", "list-imports", office.ReadImports, s.listImports, "取込の一覧（件数のみ）", "List imports with their counts")
	list.query, list.out = paging, importList{}
	commit := of(http.MethodPost, "/{id}/commit", "commit-import", office.CommitImports, s.commitImport, "取込を適用する", "Apply an import")
	withdraw := of(http.MethodPost, "/{id}/withdraw", "withdraw-import", office.CommitImports, s.withdrawImport, "取込を取り消し、それで作られた証明書を列挙する", "Withdraw an import and list the certificates made from it")
	for _, r := range []*route{commit, withdraw} {
		r.longer, r.stepUp = importTime, true
	}
	return []*route{
		subjects, records, list, of(http.MethodGet, "/{id}", "get-import", office.ReadImports, s.getImport, "取込の状態と報告", "An import with its report"), commit,
		of(http.MethodPost, "/{id}/discard", "discard-import", office.WriteImports, s.discardImport, "自分の取込をやめ、ファイルを消す（適用前）", "Give up an import of one's own before it is applied; its file is erased"),
		withdraw,
	}
}

// importBody is a file handed in, with its report: line, column, code and text,
// never a value.
type importBody struct {
	ID           string                  `json:"id"`
	State        vaccination.ImportState `json:"state"`
	Report       reportBody              `json:"report"`
	Outcome      *outcomeBody            `json:"outcome,omitempty" doc:"what applying it did"`
	CreatedBy    string                  `json:"created_by"`
	CreatedAt    time.Time               `json:"created_at"`
	CommittedBy  string                  `json:"committed_by,omitempty"`
	CommittedAt  time.Time               `json:"committed_at,omitzero"`
	WithdrawnBy  string                  `json:"withdrawn_by,omitempty"`
	WithdrawnAt  time.Time               `json:"withdrawn_at,omitzero"`
	KeptUntil    time.Time               `json:"kept_until,omitzero" doc:"a staged file that nobody has applied by then is erased"`
	Certificates []string                `json:"certificates,omitempty" doc:"made from what the file brought"`
}

type reportBody struct {
	Layout   string     `json:"layout"`
	SHA256   string     `json:"sha256"`
	Encoding string     `json:"encoding"`
	Rows     int        `json:"rows"`
	Accepted int        `json:"accepted"`
	Refused  bool       `json:"refused" doc:"the whole file"`
	Faults   int        `json:"faults" doc:"lines with at least one fault"`
	Findings []lineBody `json:"findings"`
	Unlisted int        `json:"unlisted,omitempty" doc:"findings beyond those listed"`
}

type lineBody struct {
	vaccination.Line
	text
}

type outcomeBody struct {
	New       int        `json:"new"`
	Changed   int        `json:"changed"`
	Unchanged int        `json:"unchanged"`
	Orphans   int        `json:"orphans,omitempty" doc:"doses whose ticket belongs to nobody yet"`
	Conflicts []lineBody `json:"conflicts,omitempty"`
}

type importList struct {
	Imports []importBody `json:"imports" doc:"without what was found in them"`
	Next    string       `json:"next,omitempty" doc:"cursor of the next page"`
}

func importOf(i vaccination.Import, certificates []string) importBody {
	r := i.Report
	b := importBody{
		ID: i.ID, State: i.State, Certificates: certificates,
		CreatedBy: i.CreatedBy, CreatedAt: i.CreatedAt, CommittedBy: i.CommittedBy, CommittedAt: i.CommittedAt,
		WithdrawnBy: i.WithdrawnBy, WithdrawnAt: i.WithdrawnAt,
		Report: reportBody{
			Layout: r.Layout, SHA256: r.SHA256, Encoding: r.Encoding, Rows: r.Rows, Accepted: r.Accepted,
			Refused: r.Refused, Faults: r.Faults, Findings: linesOf(r.Findings), Unlisted: r.Unlisted,
		},
	}
	if i.State == vaccination.ImportStaged {
		b.KeptUntil = i.CreatedAt.Add(office.StagedLasts)
	}
	if !i.CommittedAt.IsZero() {
		o := i.Outcome
		b.Outcome = &outcomeBody{New: o.New, Changed: o.Changed, Unchanged: o.Unchanged, Orphans: o.Orphans, Conflicts: linesOf(o.Conflicts)}
	}
	return b
}

func linesOf(list []vaccination.Line) []lineBody {
	out := []lineBody{}
	for _, l := range list {
		t, _ := vaccination.Sentence(l.Code)
		out = append(out, lineBody{l, text(t)})
	}
	return out
}

// stageImport reads a file and answers with its report; nothing is applied. A
// file that is refused is an import too, in the state refused.
func (s *Server) stageImport(kind vaccination.Kind) func(*call) (answer, error) {
	return func(c *call) (answer, error) {
		return s.once(c, func(o *audit.Once) (answer, error) {
			i, err := s.Imports.Stage(c.ctx, c.actor, kind, c.body, o)
			if err != nil {
				return answer{}, err
			}
			return answer{body: importOf(i, nil), header: map[string]string{"Location": prefix + "/imports/" + i.ID}}, nil
		}, func(id string) (answer, error) {
			return imported(s.Imports.Get(c.ctx, c.actor, id))
		})
	}
}

func imported(i vaccination.Import, certificates []string, err error) (answer, error) {
	if err != nil {
		return answer{}, err
	}
	return value(importOf(i, certificates))
}

func (s *Server) getImport(c *call) (answer, error) {
	id, err := s.row(c, "import")
	if err != nil {
		return answer{}, err
	}
	return imported(s.Imports.Get(c.ctx, c.actor, id))
}

func (s *Server) commitImport(c *call) (answer, error) {
	id, err := s.row(c, "import")
	if err != nil {
		return answer{}, err
	}
	i, err := s.Imports.Commit(c.ctx, c.actor, id)
	return imported(i, nil, err)
}

func (s *Server) withdrawImport(c *call) (answer, error) {
	id, err := s.row(c, "import")
	if err != nil {
		return answer{}, err
	}
	return imported(s.Imports.Withdraw(c.ctx, c.actor, id))
}

func (s *Server) listImports(c *call) (answer, error) {
	limit, before, err := c.page(rowForm)
	if err != nil {
		return answer{}, err
	}
	list, err := s.Imports.List(c.ctx, c.actor, before, limit)
	if err != nil {
		return answer{}, err
	}
	out := importList{Imports: []importBody{}}
	for _, i := range list {
		out.Imports = append(out.Imports, importOf(i, nil))
	}
	if len(list) == limit {
		out.Next = list[limit-1].ID
	}
	return value(out)
}

func (s *Server) discardImport(c *call) (answer, error) {
	id, err := s.row(c, "import")
	if err != nil {
		return answer{}, err
	}
	i, err := s.Imports.Discard(c.ctx, c.actor, id)
	return imported(i, nil, err)
}
