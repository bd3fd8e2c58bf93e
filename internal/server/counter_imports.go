package server

import (
	"net/http"
	"slices"

	"akashi/certificate"
	"akashi/internal/actor"
	"akashi/internal/application"
	"akashi/internal/counter"
	"akashi/internal/fault"
	"akashi/internal/office"
	"akashi/internal/vaccination"
)

// importPages are those by which files of subjects and records come in.
func (s *Server) importPages() []*route {
	list := showRoute("/imports", "show-imports", "list-imports", office.ReadImports, s.showImports, "名簿・接種記録の取込の画面", "The page of imports")
	list.query = []string{"cursor"}
	bring := pageRoute(http.MethodPost, "/imports", "bring-import", office.WriteImports, s.bringImport, "対象者または接種記録のファイルを出す", "Hand in a file of subjects or records")
	bring.logged, bring.takes, bring.bytes, bring.longer = "stage-import", uploadType, maxImport+maxUpload, importTime
	one := showRoute("/imports/{id}", "show-import", "get-import", office.ReadImports, s.showImport, "取込の画面", "The page of an import")
	here := again("/counter/imports/")
	commit := actRoute("/imports/{id}/commit", "apply-import", "commit-import", office.CommitImports, nil, s.byPage(s.commitImport, s.importPage, here), "承認して取り込む", "Approve and apply an import")
	withdraw := actRoute("/imports/{id}/withdraw", "undo-import", "withdraw-import", office.CommitImports, nil, s.byPage(s.withdrawImport, s.importPage, here), "承認して取込を取り消す", "Approve and withdraw an import")
	for _, r := range []*route{commit, withdraw} {
		r.longer, r.stepUp = importTime, true
	}
	ask := actRoute("/imports/{id}/undo-request", "ask-for-undoing-import", "ask-approval", office.ReadImports, nil, s.byPage(s.askUndoing, s.importPage, toApproval), "取込の取消しを依頼する", "Ask to withdraw an import")
	drop := actRoute("/imports/{id}/discard", "drop-import", "discard-import", office.WriteImports, nil, s.byPage(s.discardImport, s.importPage, here), "自分の取込をやめる", "Give up an import of one's own")
	all := []*route{list, bring, one, commit, withdraw, ask, drop}
	for _, r := range all {
		r.purpose = actor.Import
	}
	return all
}

type importsView struct {
	importList
	Form    counter.Form
	Layouts []vaccination.Layout // of the files that may come
	Values  map[string][]string  // that a column has, where there are few
	People  people
	Max     int // bytes of a file
}

var columnValues = map[string][]string{
	"sex":       {string(vaccination.SexUnknown), string(vaccination.Male), string(vaccination.Female), string(vaccination.SexNotApplicable)},
	"status":    {string(vaccination.Resident), string(vaccination.MovedOut), string(vaccination.Deceased), string(vaccination.Protected)},
	"programme": slices.Concat(application.Programmes(certificate.Travel), application.Programmes(certificate.International)),
}

func (s *Server) showImports(c *call) (answer, error) {
	return s.importsPage(c, counter.Form{}, http.StatusOK, nil)
}

func (s *Server) importsPage(c *call, f counter.Form, status int, above *counter.Said) (answer, error) {
	a, err := s.listImports(c)
	if err != nil {
		return answer{}, err
	}
	v := importsView{importList: a.body.(importList), Form: f, Max: maxImport, Values: columnValues}
	for _, kind := range []vaccination.Kind{vaccination.Subjects, vaccination.Records} {
		l, err := vaccination.LayoutFor(kind)
		if err != nil {
			return answer{}, err
		}
		v.Layouts = append(v.Layouts, l)
	}
	v.Form.Key = s.IDs.Row()
	if v.People, err = s.people(c); err != nil {
		return answer{}, err
	}
	return s.html(c, "imports", status, above, v)
}

// bringImport reads a file and goes on to what would be taken of it.
func (s *Server) bringImport(c *call) (answer, error) {
	return s.brought(c, func(f counter.Form) (answer, error) {
		kind := vaccination.Kind(f.Value("kind"))
		if kind == "" {
			return answer{}, fault.New(fault.Invalid, "required", "kind")
		}
		if err := known(kind, []vaccination.Kind{vaccination.Subjects, vaccination.Records}, "kind"); err != nil {
			return answer{}, err
		}
		if f.Key != "" { // the same file as the other kind is another act
			c.request.Header.Set("Idempotency-Key", f.Key+" "+string(kind))
		}
		a, err := s.stageImport(kind)(c)
		if err != nil {
			return answer{}, err
		}
		return to("/counter/imports/" + a.body.(importBody).ID), nil
	}, s.importsPage)
}

type importView struct {
	Import   importBody
	Approval *approvalBody // of what can be done next, the last that was asked for
	Own      bool          // handed in by the one who looks
	Asked    bool          // the approval was asked for by the one who looks
	People   people
}

func (s *Server) showImport(c *call) (answer, error) {
	return s.importPage(c, counter.Form{}, http.StatusOK, nil)
}

func (s *Server) importPage(c *call, _ counter.Form, status int, above *counter.Said) (answer, error) {
	a, err := s.getImport(c)
	if err != nil {
		return answer{}, err
	}
	v := importView{Import: a.body.(importBody)}
	if v.Approval, err = s.nextApproval(c, v.Import); err != nil {
		return answer{}, err
	}
	v.Own = v.Import.CreatedBy == c.actor.Person
	v.Asked = v.Approval != nil && v.Approval.RequestedBy == c.actor.Person
	if v.People, err = s.people(c); err != nil {
		return answer{}, err
	}
	return s.html(c, "import", status, above, v)
}

// nextApproval is that of applying what is staged, or of undoing what was applied, in
// an entry of its own.
func (s *Server) nextApproval(c *call, i importBody) (*approvalBody, error) {
	kind := map[vaccination.ImportState]office.Kind{vaccination.ImportStaged: office.CommitImport, vaccination.ImportCommitted: office.WithdrawImport}[i.State]
	if kind == "" || !c.actor.May(string(office.ReadApprovals)) {
		return nil, nil
	}
	list, err := s.Approvals.List(c.ctx, c.actor, office.ApprovalFilter{Kind: kind, Object: i.ID, Limit: 1})
	if err != nil || len(list) == 0 {
		return nil, err
	}
	b := s.approvalOf(list[0])
	return &b, nil
}

func (s *Server) askUndoing(c *call) (answer, error) {
	id, err := s.row(c, "import")
	if err == nil {
		_, _, err = s.Imports.Get(c.ctx, c.actor, id) // an approval is asked for whatever it names
	}
	if err != nil {
		return answer{}, err
	}
	return s.approval(s.Approvals.Request(c.ctx, c.actor, office.WithdrawImport, id, nil, nil))
}
