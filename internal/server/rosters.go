package server

import (
	"net/http"
	"time"

	"akashi/internal/actor"
	"akashi/internal/audit"
	"akashi/internal/office"
)

// rosterBody is a list of the present staff, compared with the accounts.
type rosterBody struct {
	ID          string              `json:"id"`
	State       office.RosterState  `json:"state"`
	SHA256      string              `json:"sha256"`
	Result      office.RosterResult `json:"result"`
	CreatedBy   string              `json:"created_by"`
	CreatedAt   time.Time           `json:"created_at"`
	CommittedBy string              `json:"committed_by,omitempty"`
	CommittedAt time.Time           `json:"committed_at,omitzero"`
	KeptUntil   time.Time           `json:"kept_until,omitzero" doc:"a staged file that nobody has applied by then is erased"`
}

type rosterList struct {
	Rosters []rosterBody `json:"rosters"`
	Next    string       `json:"next,omitempty" doc:"cursor of the next page"`
}

const maxRosterBytes = 2 << 20

func (s *Server) rosterRoutes() []*route {
	of := func(method, path, id string, p office.Permission, serve func(*call) (answer, error), ja, en string) *route {
		return &route{
			faces: staffOnly, method: method, path: prefix + "/rosters" + path, id: id, permission: p, purpose: actor.Operate,
			status: http.StatusOK, out: rosterBody{}, serve: serve, ja: ja, en: en,
		}
	}
	stage := of(http.MethodPost, "", "stage-roster", office.WriteRoster, s.stageRoster, "職員名簿を読み、停止すべき利用者を報告する（適用はしない）", "Read a roster and report whom it would disable; nothing is applied")
	stage.status, stage.keyed, stage.takes, stage.bytes = http.StatusCreated, true, csvTypes, maxRosterBytes
	list := of(http.MethodGet, "", "list-rosters", office.ReadAccounts, s.listRosters, "職員名簿との照合の一覧", "List comparisons with rosters")
	list.query, list.out = paging, rosterList{}
	return []*route{
		stage, list,
		of(http.MethodGet, "/{id}", "get-roster", office.ReadAccounts, s.getRoster, "職員名簿との照合を読む", "Read a comparison with a roster"),
		of(http.MethodPost, "/{id}/commit", "commit-roster", office.CommitRoster, s.commitRoster, "退職者と異動者を停止する", "Disable leavers and people who moved"),
	}
}

func rosterOf(r office.Roster) rosterBody {
	b := rosterBody{r.ID, r.State, r.SHA256, r.Result, r.CreatedBy, r.CreatedAt, r.CommittedBy, r.CommittedAt, time.Time{}}
	if r.State == office.RosterStaged {
		b.KeptUntil = r.CreatedAt.Add(office.StagedLasts)
	}
	return b
}

func (s *Server) roster(r office.Roster, err error) (answer, error) {
	if err != nil {
		return answer{}, err
	}
	return value(rosterOf(r))
}

func (s *Server) stageRoster(c *call) (answer, error) {
	return s.once(c, func(o *audit.Once) (answer, error) {
		r, err := s.Rosters.Stage(c.ctx, c.actor, c.body, o)
		a, err := s.roster(r, err)
		a.header = map[string]string{"Location": prefix + "/rosters/" + r.ID}
		return a, err
	}, func(id string) (answer, error) {
		return s.roster(s.Rosters.Get(c.ctx, c.actor, id))
	})
}

func (s *Server) listRosters(c *call) (answer, error) {
	limit, before, err := c.page(rowForm)
	if err != nil {
		return answer{}, err
	}
	list, err := s.Rosters.List(c.ctx, c.actor, before, limit)
	if err != nil {
		return answer{}, err
	}
	out := rosterList{Rosters: []rosterBody{}}
	for _, r := range list {
		out.Rosters = append(out.Rosters, rosterOf(r))
	}
	if len(list) == limit {
		out.Next = list[limit-1].ID
	}
	return value(out)
}

func (s *Server) getRoster(c *call) (answer, error) {
	id, err := s.row(c, "roster")
	if err != nil {
		return answer{}, err
	}
	return s.roster(s.Rosters.Get(c.ctx, c.actor, id))
}

func (s *Server) commitRoster(c *call) (answer, error) {
	id, err := s.row(c, "roster")
	if err != nil {
		return answer{}, err
	}
	return s.roster(s.Rosters.Commit(c.ctx, c.actor, id))
}
