package server

import (
	"net/http"

	"akashi/internal/actor"
	"akashi/internal/counter"
	"akashi/internal/exchange"
	"akashi/internal/issuance"
	"akashi/internal/office"
)

func (s *Server) batchPages() []*route {
	list := showRoute("/batches", "show-batches", "list-mailings", office.ReadCertificates, s.showBatches, "まとめて発行の画面", "The page of batches")
	list.query = []string{"cursor"}
	ask := actRoute("/batches/mailing", "send-by-mail", "request-mailing", office.Issue, wantedMailingBody{}, s.mailHere, "郵送の申請をまとめて発行する", "Issue and print what came by mail")
	one := showRoute("/mailings/{id}", "show-mailing", "get-mailing", office.ReadCertificates, s.showMailing, "発送の画面", "The page of a mailing")
	one.refreshes = true
	start := actRoute("/mailings/{id}/start", "let-mailing-start", "start-mailing", office.PrintMany, nil, s.acted(s.oneMailing(func(m *issuance.Mailings) mailingAct { return m.Start })), "承認して始める", "Approve and start")
	start.stepUp, start.longer = true, selectTime
	stop := actRoute("/mailings/{id}/stop", "halt-mailing", "stop-mailing", office.Issue, nil, s.acted(s.oneMailing(func(m *issuance.Mailings) mailingAct { return m.Stop })), "止める", "Stop")
	file := actRoute("/mailings/{id}/file", "print-mailing", "get-mailing-file", office.Print, nil, s.mailingFileHere, "まとめて印刷する（人ごとに記録される）", "Print all; each person is logged")
	file.gives, file.longer = "application/pdf", mailingTime
	return append([]*route{list, ask, one, start, stop, file}, s.filePages()...)
}

// filePages are those of files of applications.
func (s *Server) filePages() []*route {
	bring := pageRoute(http.MethodPost, "/batches/file", "bring-batch", office.WriteApplications, s.bringBatch, "申請のファイルを出す", "Hand in a file of applications")
	bring.logged, bring.takes, bring.bytes, bring.longer = "stage-batch", uploadType, exchange.MaxFile+maxUpload, selectTime
	one := showRoute("/batches/{id}", "show-batch", "get-batch", office.ReadApplications, s.showBatch, "申請のファイルの画面", "The page of a file of applications")
	one.refreshes = true
	file := showRoute("/batches/{id}/file", "fetch-batch-file", "get-batch-file", office.WriteApplications, s.getBatchFile, "エラーの列が付いたファイル", "The file with its errors")
	file.gives = csvType
	commit := actRoute("/batches/{id}/commit", "accept-batch", "commit-batch", office.WriteApplications, wholeBody{}, s.acted(s.commitBatch), "申請を作る", "Make applications")
	start := actRoute("/batches/{id}/start", "let-batch-start", "start-batch", office.AcceptMany, nil, s.acted(s.oneBatch(func(b *exchange.Batches) batchAct { return b.Start })), "承認して始める", "Approve and start")
	start.stepUp, start.longer = true, selectTime
	end := actRoute("/batches/{id}/close", "throw-batch-away", "close-batch", office.WriteApplications, nil, s.acted(s.oneBatch(func(b *exchange.Batches) batchAct { return b.Close })), "行を消す", "Erase its rows")
	return []*route{bring, one, file, commit, start, end}
}

type batchesView struct {
	mailingList
	Files   []batchBody
	Form    counter.Form
	Few     int // how many need no second person
	MaxFile int // bytes
}

func (s *Server) showBatches(c *call) (answer, error) {
	return s.batchesPage(c, counter.Form{}, http.StatusOK, nil)
}

func (s *Server) batchesPage(c *call, f counter.Form, status int, above *counter.Said) (answer, error) {
	if c.param("id") != "" { // an act on one of them
		return s.batchPage(c, f, status, above)
	}
	a, err := s.listMailings(c)
	if err != nil {
		return answer{}, err
	}
	v := batchesView{mailingList: a.body.(mailingList), Form: f, Few: issuance.FewMailing, MaxFile: exchange.MaxFile}
	if c.actor.May(string(office.ReadApplications)) {
		list, err := s.Batches.List(c.ctx, c.actor, "", maxPage)
		if err != nil {
			return answer{}, err
		}
		for _, b := range list {
			v.Files = append(v.Files, batchOf(b))
		}
	}
	v.Form.Key = s.IDs.Row()
	return s.html(c, "batches", status, above, v)
}

// bringBatch takes a file and goes on to what was found in it.
func (s *Server) bringBatch(c *call) (answer, error) {
	f, err := s.upload(c)
	var a answer
	if err == nil {
		a, err = s.stageBatch(c)
	}
	if err != nil {
		return s.back(c, f, err)
	}
	return to("/counter/batches/" + a.body.(batchBody).ID), nil
}

type batchView struct {
	Batch batchBody
	Form  counter.Form
	Own   bool // handed in by the one who looks
	Few   int
}

func (s *Server) showBatch(c *call) (answer, error) {
	return s.batchPage(c, counter.Form{}, http.StatusOK, nil)
}

func (s *Server) batchPage(c *call, f counter.Form, status int, above *counter.Said) (answer, error) {
	a, err := s.oneBatch(func(b *exchange.Batches) batchAct { return b.Get })(c)
	if err != nil {
		return answer{}, err
	}
	b := a.body.(batchBody)
	return s.html(c, "batch", status, above, batchView{b, f, b.CreatedBy == c.actor.Person, exchange.FewRows})
}

// mailHere asks for what is ready and goes on to its page.
func (s *Server) mailHere(c *call) (answer, error) {
	a, f, err := s.byForm(c, s.askMailing)
	if err != nil {
		return s.back(c, f, err)
	}
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

// mailingFileHere answers with the paper itself, to be shown and printed by the browser.
func (s *Server) mailingFileHere(c *call) (answer, error) {
	f, err := s.form(c)
	if err != nil {
		return s.back(c, f, err)
	}
	a, err := s.getMailingFile(c)
	if err != nil {
		return s.back(c, f, err)
	}
	return s.onScreen(a, nil)
}
