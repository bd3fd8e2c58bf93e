package server

import (
	"net/http"

	"akashi/internal/actor"
	"akashi/internal/counter"
	"akashi/internal/issuance"
	"akashi/internal/office"
)

func (s *Server) mailingPages() []*route {
	here := again("/counter/mailings/")
	ask := actRoute("/batches/mailing", "send-by-mail", "request-mailing", office.Issue, wantedMailingBody{}, s.byPage(s.askMailing, s.batchesPage, toMailing), "郵送の申請をまとめて発行する", "Issue and print what came by mail")
	one := showRoute("/mailings/{id}", "show-mailing", "get-mailing", office.ReadCertificates, s.showMailing, "発送の画面", "The page of a mailing")
	one.refreshes = true
	start := actRoute("/mailings/{id}/start", "let-mailing-start", "start-mailing", office.PrintMany, nil, s.byPage(s.oneMailing(func(m *issuance.Mailings) mailingAct { return m.Start }), s.mailingPage, here), "承認して始める", "Approve and start")
	start.stepUp, start.longer = true, selectTime
	stop := actRoute("/mailings/{id}/stop", "halt-mailing", "stop-mailing", office.Issue, nil, s.byPage(s.oneMailing(func(m *issuance.Mailings) mailingAct { return m.Stop }), s.mailingPage, here), "止める", "Stop")
	file := actRoute("/mailings/{id}/file", "print-mailing", "get-mailing-file", office.Print, nil, s.byPage(s.getMailingFile, s.mailingPage, onScreen), "まとめて印刷する（人ごとに記録される）", "Print all; each person is logged")
	file.gives, file.longer = "application/pdf", mailingTime
	return []*route{ask, one, start, stop, file}
}

func toMailing(_ *call, a answer) (answer, error) {
	return to("/counter/mailings/" + a.body.(mailingBody).ID), nil
}

type mailingView struct {
	Mailing mailingBody
	Form    counter.Form
	Own     bool // asked for by the one who looks
	Few     int
	Waits   bool // for the opening hours, as whoever asked may not issue after them
}

func (s *Server) showMailing(c *call) (answer, error) {
	return s.mailingPage(c, counter.Form{}, http.StatusOK, nil)
}

func (s *Server) mailingPage(c *call, f counter.Form, status int, above *counter.Said) (answer, error) {
	a, err := s.oneMailing(func(m *issuance.Mailings) mailingAct { return m.Get })(c)
	if err != nil {
		return answer{}, err
	}
	v := mailingView{Mailing: a.body.(mailingBody), Form: f, Few: issuance.FewMailing}
	v.Own = v.Mailing.RequestedBy == c.actor.Person
	if v.Mailing.State == "running" {
		if v.Waits, err = s.waits(c, v.Mailing); err != nil {
			return answer{}, err
		}
	}
	return s.html(c, "mailing", status, above, v)
}

// waits tells whether a mailing does not go on at this hour.
func (s *Server) waits(c *call, m mailingBody) (bool, error) {
	o, err := s.office(c.ctx, c.actor.Office)
	if err != nil {
		return false, err
	}
	all, err := s.people(c)
	by := actor.Actor{Permissions: all[m.RequestedBy].Role.Permissions()}
	return !o.Settings.Lets(by, office.Issue, s.Clock.Now()), err
}
