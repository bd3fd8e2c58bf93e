package server

import (
	"time"

	"akashi/internal/audit"
	"akashi/internal/vaccination"
)

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
