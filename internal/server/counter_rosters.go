package server

import (
	"net/http"

	"akashi/internal/counter"
	"akashi/internal/office"
)

func (s *Server) rosterPages() []*route {
	list := showRoute("/rosters", "show-rosters", "list-rosters", office.ReadAccounts, s.showRosters, "職員名簿との照合の一覧の画面", "The page of comparisons with rosters")
	list.query = []string{"cursor"}
	one := showRoute("/rosters/{id}", "show-roster", "get-roster", office.ReadAccounts, s.showRoster, "職員名簿との照合の画面", "The page of a comparison with a roster")
	commit := actRoute("/rosters/{id}/commit", "apply-roster", "commit-roster", office.CommitRoster, nil, s.byPage(s.commitRoster, s.rosterPage, again("/counter/rosters/")), "退職者と異動者を停止する", "Disable leavers and people who moved")
	bring := pageRoute(http.MethodPost, "/rosters", "bring-roster", office.WriteRoster, s.bringRoster, "職員名簿を出す", "Hand in a roster")
	bring.logged, bring.takes, bring.bytes = "stage-roster", uploadType, maxRosterBytes+maxUpload
	return ofOffice(list, bring, one, commit)
}

type rostersView struct {
	rosterList
	Form   counter.Form
	People people
	Max    int // bytes of a file
}

func (s *Server) showRosters(c *call) (answer, error) {
	return s.rostersPage(c, counter.Form{}, http.StatusOK, nil)
}

func (s *Server) rostersPage(c *call, f counter.Form, status int, above *counter.Said) (answer, error) {
	a, err := s.listRosters(c)
	if err != nil {
		return answer{}, err
	}
	v := rostersView{rosterList: a.body.(rosterList), Form: f, Max: maxRosterBytes}
	v.Form.Key = s.IDs.Row()
	if v.People, err = s.people(c); err != nil {
		return answer{}, err
	}
	return s.html(c, "rosters", status, above, v)
}

// bringRoster reads a roster and goes on to whom it would disable.
func (s *Server) bringRoster(c *call) (answer, error) {
	return s.brought(c, func(counter.Form) (answer, error) {
		a, err := s.stageRoster(c)
		if err != nil {
			return answer{}, err
		}
		return to("/counter/rosters/" + a.body.(rosterBody).ID), nil
	}, s.rostersPage)
}

type rosterView struct {
	Roster rosterBody
	Own    bool
	People people
}

func (s *Server) showRoster(c *call) (answer, error) {
	return s.rosterPage(c, counter.Form{}, http.StatusOK, nil)
}

func (s *Server) rosterPage(c *call, _ counter.Form, status int, above *counter.Said) (answer, error) {
	a, err := s.getRoster(c)
	if err != nil {
		return answer{}, err
	}
	v := rosterView{Roster: a.body.(rosterBody)}
	v.Own = v.Roster.CreatedBy == c.actor.Person
	if v.People, err = s.people(c); err != nil {
		return answer{}, err
	}
	return s.html(c, "roster", status, above, v)
}
