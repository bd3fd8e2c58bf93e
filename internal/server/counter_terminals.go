package server

import (
	"net/http"

	"akashi/internal/counter"
	"akashi/internal/office"
)

func (s *Server) terminalPages() []*route {
	show := showRoute("/terminals", "show-terminals", "list-terminals", office.ReadTerminals, s.showTerminals, "端末の画面", "The page of terminals")
	ask := actRoute("/terminals", "ask-for-terminal", "request-terminal", office.WriteTerminals, newTerminalBody{}, s.byPage(s.askTerminal, s.terminalsPage, toApproval), "端末の登録を依頼する", "Ask to let a machine in")
	add := actRoute("/terminals/register", "register-terminal", "add-terminal", office.WriteTerminals, approvedBody{}, s.byPage(s.addTerminal, s.terminalsPage, toTerminals), "承認された端末を登録する", "Register a machine as it was approved")
	revoke := actRoute("/terminals/{id}/revoke", "shut-terminal-out", "revoke-terminal", office.WriteTerminals, nil, s.byPage(s.revokeTerminal, s.terminalsPage, toTerminals), "端末を直ちに失効させる", "Shut a machine out at once")
	revoke.stepUp = true
	return ofOffice(show, ask, add, revoke)
}

func toTerminals(*call, answer) (answer, error) { return to("/counter/terminals"), nil }

type terminalsView struct {
	terminalList
	Asked    []approvalBody // machines that were asked for and can still be let in
	Form     counter.Form
	People   people
	Me       string
	Here     string // the terminal of the one who looks
	Required bool   // nobody works elsewhere than at a registered terminal
}

func (s *Server) showTerminals(c *call) (answer, error) {
	return s.terminalsPage(c, counter.Form{}, http.StatusOK, nil)
}

func (s *Server) terminalsPage(c *call, f counter.Form, status int, above *counter.Said) (answer, error) {
	a, err := s.listTerminals(c)
	if err != nil {
		return answer{}, err
	}
	v := terminalsView{
		terminalList: a.body.(terminalList), Form: f, Me: c.actor.Person, Here: c.terminal.ID,
		Required: s.TLS.ClientCAs != "" && s.TLS.Required,
	}
	if v.People, err = s.people(c); err != nil {
		return answer{}, err
	}
	if c.actor.May(string(office.ReadApprovals)) {
		asked, err := s.Approvals.List(c.ctx, c.actor, office.ApprovalFilter{Kind: office.AddTerminal, Limit: maxPage})
		if err != nil {
			return answer{}, err
		}
		for _, p := range asked {
			if b := s.approvalOf(p); b.State == string(office.Pending) || b.State == string(office.Approved) {
				v.Asked = append(v.Asked, b)
			}
		}
	}
	return s.html(c, "terminals", status, above, v)
}
