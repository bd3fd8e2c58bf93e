package server

import (
	"net/http"
	"slices"
	"strings"
	"time"

	"akashi/internal/application"
	"akashi/internal/office"
)

func (s *Server) applicationPages() []*route {
	home := showRoute("", "show-new-application", "create-application", office.WriteApplications, s.showNew, "新しい申請の画面", "The page for a new application")
	zone := actRoute("/zone", "read-zone", "", office.WriteApplications, nil, s.showZone, "機械読取領域を読む（保存しない）", "Read a machine readable zone; nothing is kept")
	create := actRoute("", "hand-in-application", "create-application", office.WriteApplications, formBody{}, s.handIn, "申請を作って照会する", "Make an application and look for the record")
	list := showRoute("/applications", "show-applications", "list-applications", office.ReadApplications, s.showApplications, "申請一覧の画面", "The page of applications")
	list.query = []string{"state", "cursor"}
	one := showRoute("/applications/{id}", "show-application", "get-application", office.ReadApplications, s.showApplication, "申請の画面（記録される）", "The page of an application; the look-up is logged")
	edit := showRoute("/applications/{id}/edit", "show-form-again", "get-application", office.WriteApplications, s.showEdit, "申請を直す画面（記録される）", "The form of an application again; the look-up is logged")
	supply := actRoute("/applications/{id}/edit", "supply-application", "answer-application", office.WriteApplications, formBody{}, s.supply, "申請を直して照会する", "Correct an application and check it again")
	here := again("/counter/applications/")
	submit := actRoute("/applications/{id}/submit", "check-application", "submit-application", office.WriteApplications, nil, s.byPage(s.submitApplication, s.applicationAgain, here), "もう一度照会する", "Check again")
	withdraw := actRoute("/applications/{id}/withdraw", "take-back-application", "withdraw-application", office.WriteApplications, nil, s.byPage(s.withdrawApplication, s.applicationAgain, here), "取り下げる", "Withdraw")
	decide := actRoute("/applications/{id}/decision", "judge-application", "decide-application", office.Decide, decisionBody{}, s.byPage(s.decideApplication, s.applicationAgain, here), "決定する", "Decide")
	number := actRoute("/applications/{id}/number", "enter-number-at-counter", "enter-number", office.EnterNumber, numberBody{}, s.numberHere, "個人番号で記録を探す", "Look for the record by the individual number")
	issue := actRoute("/applications/{id}/issue", "issue-at-counter", "issue-certificate", office.Issue, issueBody{}, s.issueHere, "発行する", "Issue")
	preview := showRoute("/applications/{id}/preview", "show-preview", "preview-certificate", office.Issue, shown(s.getPreviewPaper), "発行される紙面の確認用（記録される）", "The paper that would be printed, as a preview; the look-up is logged")
	history := showRoute("/applications/{id}/history", "show-history", "get-history", office.ReadCertificates, s.showHistory, "その人の証明書の履歴の画面（記録される）", "The page of every certificate of a person; the look-up is logged")
	for _, r := range []*route{create, submit, one, edit, supply, history, preview} {
		r.looksUp = true
	}
	for _, r := range []*route{create, supply, submit, withdraw, decide, number, issue} {
		r.ofApplicant = true
	}
	return []*route{home, zone, create, list, one, history, edit, supply, submit, withdraw, decide, number, preview, issue}
}

// waiting and everything are what the list of applications can show besides one state.
const (
	waiting    application.State = "waiting"
	everything application.State = "all"
)

type listView struct {
	applicationList
	State  application.State
	States []application.State
	Now    time.Time
}

// showApplications shows what waits, the oldest first, or what was chosen.
func (s *Server) showApplications(c *call) (answer, error) {
	v := listView{State: application.State(c.query.Get("state")), Now: s.Clock.Now()}
	v.States = slices.Concat([]application.State{waiting, everything}, application.States())
	switch v.State {
	case "", waiting:
		var states []string
		for _, one := range application.Waiting() {
			states = append(states, string(one))
		}
		v.State = waiting
		c.query.Set("state", strings.Join(states, ","))
		c.query.Set("order", "oldest")
	case everything:
		c.query.Del("state")
	}
	a, err := s.listApplications(c)
	if err != nil {
		return answer{}, err
	}
	v.applicationList = a.body.(applicationList)
	return s.html(c, "applications", http.StatusOK, nil, v)
}
