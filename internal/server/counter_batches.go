package server

import (
	"net/http"
	"slices"

	"akashi/internal/counter"
	"akashi/internal/exchange"
	"akashi/internal/issuance"
	"akashi/internal/office"
)

// batchPages are those of what is done for many: the list of all, mailings, and files of
// applications.
func (s *Server) batchPages() []*route {
	list := showRoute("/batches", "show-batches", "list-mailings", office.ReadCertificates, s.showBatches, "まとめて発行の画面", "The page of batches")
	list.query = []string{"cursor"}
	return slices.Concat([]*route{list}, s.mailingPages(), s.filePages())
}

// filePages are those of files of applications.
func (s *Server) filePages() []*route {
	here := again("/counter/batches/")
	bring := pageRoute(http.MethodPost, "/batches/file", "bring-batch", office.WriteApplications, s.bringBatch, "申請のファイルを出す", "Hand in a file of applications")
	bring.logged, bring.takes, bring.bytes, bring.longer = "stage-batch", uploadType, exchange.MaxFile+maxUpload, selectTime
	one := showRoute("/batches/{id}", "show-batch", "get-batch", office.ReadApplications, s.showBatch, "申請のファイルの画面", "The page of a file of applications")
	one.refreshes = true
	file := showRoute("/batches/{id}/file", "fetch-batch-file", "get-batch-file", office.WriteApplications, s.getBatchFile, "エラーの列が付いたファイル", "The file with its errors")
	file.gives = csvType
	commit := actRoute("/batches/{id}/commit", "accept-batch", "commit-batch", office.WriteApplications, wholeBody{}, s.byPage(s.commitBatch, s.batchPage, here), "申請を作る", "Make applications")
	start := actRoute("/batches/{id}/start", "let-batch-start", "start-batch", office.AcceptMany, nil, s.byPage(s.oneBatch(func(b *exchange.Batches) batchAct { return b.Start }), s.batchPage, here), "承認して始める", "Approve and start")
	start.stepUp, start.longer = true, selectTime
	end := actRoute("/batches/{id}/close", "throw-batch-away", "close-batch", office.WriteApplications, nil, s.byPage(s.oneBatch(func(b *exchange.Batches) batchAct { return b.Close }), s.batchPage, here), "行を消す", "Erase its rows")
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
	return s.brought(c, func(counter.Form) (answer, error) {
		a, err := s.stageBatch(c)
		if err != nil {
			return answer{}, err
		}
		return to("/counter/batches/" + a.body.(batchBody).ID), nil
	}, s.batchesPage)
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
