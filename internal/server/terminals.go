package server

import (
	"encoding/hex"
	"net/http"
	"time"

	"akashi/internal/actor"
	"akashi/internal/fault"
	"akashi/internal/office"
)

// terminalBody is a machine from which the staff face may be reached.
type terminalBody struct {
	ID           string    `json:"id"`
	Name         string    `json:"name"`
	State        string    `json:"state" doc:"in_use or revoked"`
	Certificate  string    `json:"certificate_sha256"`
	RegisteredAt time.Time `json:"registered_at"`
	RevokedAt    time.Time `json:"revoked_at,omitzero"`
	SignInAt     time.Time `json:"sign_in_at,omitzero" doc:"when somebody last signed in there"`
	SignInBy     string    `json:"sign_in_by,omitempty" doc:"the account"`
}

type terminalList struct {
	Terminals []terminalBody `json:"terminals"`
}

type newTerminalBody struct {
	Name        string `json:"name" minLength:"1" maxLength:"100" doc:"what people call it, such as Counter 2; never a person's name"`
	Certificate string `json:"certificate" minLength:"1" maxLength:"20000" doc:"its client certificate, PEM, without the key"`
}

type approvedBody struct {
	Approval string `json:"approval" minLength:"1" maxLength:"36" doc:"its id"`
}

func terminalOf(t office.Terminal, last office.SignIn) terminalBody {
	b := terminalBody{
		ID: t.ID, Name: t.Name, State: "in_use", Certificate: hex.EncodeToString(t.Certificate),
		RegisteredAt: t.Registered, RevokedAt: t.Revoked, SignInAt: last.At, SignInBy: last.Staff,
	}
	if !t.Revoked.IsZero() {
		b.State = "revoked"
	}
	return b
}

func (s *Server) terminalRoutes() []*route {
	of := func(method, path, id string, p office.Permission, serve func(*call) (answer, error), ja, en string) *route {
		return &route{
			faces: staffOnly, method: method, path: prefix + "/terminals" + path, id: id, permission: p, purpose: actor.Operate,
			status: http.StatusOK, serve: serve, ja: ja, en: en,
		}
	}
	list := of(http.MethodGet, "", "list-terminals", office.ReadTerminals, s.listTerminals, "端末の一覧", "List the machines of the office")
	list.out = terminalList{}
	ask := of(http.MethodPost, "/request", "request-terminal", office.WriteTerminals, s.askTerminal, "端末の登録を別の人に依頼する", "Ask another person to let a machine in")
	ask.status, ask.takes, ask.in, ask.out = http.StatusCreated, jsonType, newTerminalBody{}, approvalBody{}
	add := of(http.MethodPost, "", "add-terminal", office.WriteTerminals, s.addTerminal, "承認された端末を登録する", "Register a machine as it was approved")
	add.status, add.takes, add.in, add.out = http.StatusCreated, jsonType, approvedBody{}, terminalBody{}
	revoke := of(http.MethodPost, "/{id}/revoke", "revoke-terminal", office.WriteTerminals, s.revokeTerminal, "端末を直ちに失効させる", "Shut a machine out at once, and whoever is signed in there")
	revoke.status, revoke.stepUp = http.StatusNoContent, true
	return []*route{list, ask, add, revoke}
}

func (s *Server) listTerminals(c *call) (answer, error) {
	list, last, err := s.Terminals.List(c.ctx, c.actor)
	out := terminalList{Terminals: []terminalBody{}}
	for i, t := range list {
		out.Terminals = append(out.Terminals, terminalOf(t, last[i]))
	}
	return answer{body: out}, err
}

func (s *Server) askTerminal(c *call) (answer, error) {
	b, err := decode[newTerminalBody](c)
	if err != nil {
		return answer{}, err
	}
	return s.approval(s.Terminals.AskAdd(c.ctx, c.actor, b.Name, b.Certificate))
}

func (s *Server) addTerminal(c *call) (answer, error) {
	b, err := decode[approvedBody](c)
	if err != nil {
		return answer{}, err
	}
	if !rowForm.MatchString(b.Approval) {
		return answer{}, fault.New(fault.Invalid, "form_syntax", "approval")
	}
	t, err := s.Terminals.Add(c.ctx, c.actor, b.Approval)
	return answer{body: terminalOf(t, office.SignIn{})}, err
}

func (s *Server) revokeTerminal(c *call) (answer, error) {
	id, err := s.row(c, "terminal")
	if err != nil {
		return answer{}, err
	}
	return answer{}, s.Terminals.Revoke(c.ctx, c.actor, id)
}
