package server

import "akashi/internal/issuance"

// historyBody is every certificate of the person of an application: nothing of the
// person but what differs.
type historyBody struct {
	Asked        bool          `json:"asked" doc:"whether the register was asked, so that changes are told"`
	Certificates []versionBody `json:"certificates" doc:"the newest first, under whichever application"`
}

type versionBody struct {
	certificateBody
	Changes []issuance.Change `json:"changes,omitempty" doc:"of one that is issued: what the record says otherwise now, the gravest first"`
	Again   string            `json:"again,omitempty" doc:"the reason with which it is made again for that; absent: it cannot or need not be"`
	Held    []reasonBody      `json:"held,omitempty" doc:"why that takes a new application"`
}

func (s *Server) getHistory(c *call) (answer, error) {
	id, err := s.row(c, "application")
	if err != nil {
		return answer{}, err
	}
	h, err := s.history(c, id)
	if err != nil {
		return answer{}, err
	}
	return value(h)
}

func (s *Server) history(c *call, applicationID string) (historyBody, error) {
	h, err := s.Issuance.History(c.ctx, c.actor, applicationID)
	b := historyBody{Asked: h.Asked, Certificates: []versionBody{}}
	for _, v := range h.Versions {
		one := versionBody{certificateOf(v.Issue), v.Changes, v.Cause(), nil}
		if len(v.Held) > 0 {
			one.Held = reasonsOf(v.Held)
		}
		b.Certificates = append(b.Certificates, one)
	}
	return b, err
}
