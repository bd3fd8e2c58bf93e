package server

import (
	"net/http"

	"akashi/internal/actor"
	"akashi/internal/counter"
	"akashi/internal/office"
)

// counterRoutes are the pages of the staff face. What a page does goes through the
// handler of the API that does the same: one judgement, one entry in the log.
func (s *Server) counterRoutes() []*route {
	page := func(method, path, id string, p office.Permission, serve func(*call) (answer, error), ja, en string) *route {
		return &route{
			faces: staffOnly, method: method, path: "/counter" + path, id: id, permission: p, purpose: actor.Certificate,
			status: http.StatusOK, gives: pageType, hidden: true, serve: serve, ja: ja, en: en,
		}
	}
	show := func(path, id, operation string, p office.Permission, serve func(*call) (answer, error), ja, en string) *route {
		r := page(http.MethodGet, path, id, p, serve, ja, en)
		r.logged = operation
		return r
	}
	// act is a form whose fields make the body of an operation of the API.
	act := func(path, id, operation string, p office.Permission, in any, serve func(*call) (answer, error), ja, en string) *route {
		r := page(http.MethodPost, path, id, p, serve, ja, en)
		r.takes, r.in, r.logged = formType, in, operation
		return r
	}
	home := show("", "show-new-application", "create-application", office.WriteApplications, s.showNew, "新しい申請の画面", "The page for a new application")
	zone := act("/zone", "read-zone", "", office.WriteApplications, nil, s.showZone, "機械読取領域を読む（保存しない）", "Read a machine readable zone; nothing is kept")
	create := act("", "hand-in-application", "create-application", office.WriteApplications, formBody{}, s.handIn, "申請を作って照会する", "Make an application and look for the record")
	list := show("/applications", "show-applications", "list-applications", office.ReadApplications, s.showApplications, "申請一覧の画面", "The page of applications")
	list.query = []string{"state", "cursor"}
	one := show("/applications/{id}", "show-application", "get-application", office.ReadApplications, s.showApplication, "申請の画面（記録される）", "The page of an application; the look-up is logged")
	edit := show("/applications/{id}/edit", "show-form-again", "get-application", office.WriteApplications, s.showEdit, "申請を直す画面（記録される）", "The form of an application again; the look-up is logged")
	supply := act("/applications/{id}/edit", "supply-application", "answer-application", office.WriteApplications, formBody{}, s.supply, "申請を直して照会する", "Correct an application and check it again")
	submit := act("/applications/{id}/submit", "check-application", "submit-application", office.WriteApplications, nil, s.acted(s.submitApplication), "もう一度照会する", "Check again")
	withdraw := act("/applications/{id}/withdraw", "take-back-application", "withdraw-application", office.WriteApplications, nil, s.acted(s.withdrawApplication), "取り下げる", "Withdraw")
	decide := act("/applications/{id}/decision", "judge-application", "decide-application", office.Decide, decisionBody{}, s.acted(s.decideApplication), "決定する", "Decide")
	issue := act("/applications/{id}/issue", "issue-at-counter", "issue-certificate", office.Issue, nil, s.issueHere, "発行する", "Issue")
	certificates := show("/certificates", "show-certificates", "list-certificates", office.ReadCertificates, s.showCertificates, "証明書一覧の画面", "The page of certificates")
	certificates.query = []string{"id", "cursor"}
	certificate := show("/certificates/{id}", "show-certificate", "get-certificate", office.ReadCertificates, s.showCertificate, "証明書の画面（記録される）", "The page of a certificate; the look-up is logged")
	print := act("/certificates/{id}/print", "print-at-counter", "print-certificate", office.Print, nil, s.printHere, "印刷する", "Print")
	print.gives = "application/pdf"
	reissue := act("/certificates/{id}/reissue", "make-certificate-again", "reissue-certificate", office.Issue, whyBody{}, s.reissueHere, "作り直す", "Issue again")
	revoke := act("/certificates/{id}/revoke", "end-certificate", "revoke-certificate", office.Revoke, whyBody{}, s.acted(s.revokeCertificate), "失効させる", "Revoke")
	revoke.stepUp = true
	approvals := show("/approvals", "show-approvals", "list-approvals", office.ReadApprovals, s.showApprovals, "承認依頼一覧の画面", "The page of approvals")
	approvals.query = []string{"cursor"}
	approval := show("/approvals/{id}", "show-approval", "get-approval", office.ReadApprovals, s.showApproval, "承認依頼の画面", "The page of an approval")
	agree := act("/approvals/{id}/approve", "agree-approval", "approve-approval", office.DecideApprovals, reasonedBody{}, s.acted(s.decideApproval(s.approve)), "承認する", "Approve")
	agree.stepUp, agree.longer = true, selectTime
	deny := act("/approvals/{id}/refuse", "deny-approval", "refuse-approval", office.DecideApprovals, reasonedBody{}, s.acted(s.decideApproval(s.refuseApproval)), "承認しない", "Refuse")
	unask := act("/approvals/{id}/withdraw", "unask-approval", "withdraw-approval", office.AskApproval, nil, s.acted(s.withdrawApproval), "依頼を取り下げる", "Withdraw")
	for _, r := range []*route{approvals, approval, agree, deny, unask} {
		r.purpose, r.whileSuspended = actor.Operate, true
	}
	next := act("/next-person", "call-next-person", "next-person", oneself, nil, s.nextHere, "次の人", "Next person")
	leave := act("/sign-out", "leave", "end-session", oneself, nil, s.leaveHere, "サインアウトする", "Sign out")
	leave.leaves = true
	for _, r := range []*route{create, submit, one, edit, supply} {
		r.looksUp = true
	}
	all := []*route{home, zone, create, list, one, edit, supply, submit, withdraw, decide, issue, certificates, certificate, print, reissue, revoke, approvals, approval, agree, deny, unask, next, leave}
	for _, a := range []struct{ path, name, media string }{
		{"counter.css", "counter.css", "text/css; charset=utf-8"}, {"counter.js", "counter.js", "text/javascript; charset=utf-8"},
		{"htmx.js", "htmx.min.js", "text/javascript; charset=utf-8"},
	} {
		r := page(http.MethodGet, "", "get-asset-"+a.path, anyone, pageAsset(a.name, a.media), "画面の部品", "A part of the pages")
		r.path, r.gives, r.purpose = "/assets/"+a.path, a.media, actor.Operate
		all = append(all, r)
	}
	return all
}

const pageType = "text/html"

var formType = []string{"application/x-www-form-urlencoded"}

func pageAsset(name, media string) func(*call) (answer, error) {
	return func(*call) (answer, error) {
		b, err := counter.Asset(name)
		return answer{file: b, media: media, header: map[string]string{"Cache-Control": "private, max-age=300"}}, err
	}
}

// frame is what stands around a page for the one who asked.
func (s *Server) frame(c *call) (counter.Frame, error) {
	o, err := s.office(c.ctx, c.actor.Office)
	p := c.session.Staff
	return counter.Frame{
		User: p.User, Name: p.Name, Role: string(p.Role), Office: o.NameJA + " / " + o.NameEN, Place: c.standing(),
		Applicant: s.Accounts.Sessions.Applicant(c.session), May: c.actor.Permissions, Test: s.Applications.Test,
	}, err
}

// standing is how a page names where the person works.
func (c *call) standing() string {
	if c.terminal.ID != "" {
		return c.terminal.Name
	}
	return c.address
}

// html answers with a page.
func (s *Server) html(c *call, page string, status int, said *counter.Said, view any) (answer, error) {
	f, err := s.frame(c)
	if err != nil {
		return answer{}, err
	}
	f.Said = said
	b, err := counter.Render(page, f, view)
	return answer{status: status, file: b, media: pageType + "; charset=utf-8", header: map[string]string{"Content-Security-Policy": formPolicy}}, err
}

// to sends the browser to another page.
func to(path string) answer {
	return answer{status: http.StatusSeeOther, header: map[string]string{"Location": path}}
}

// said tells what went wrong with an act that no field is to blame for.
func said(p problem) *counter.Said {
	return &counter.Said{JA: p.JA, EN: p.EN, Kind: "error", About: p.RequestID}
}

// told puts what went wrong at its field, or above the page where it has none there.
func told(f *counter.Form, p problem) *counter.Said {
	f.Field, f.JA, f.EN = p.Field, p.JA, p.EN
	return said(p)
}

// nextHere destroys the context of the last applicant and begins anew (L-03).
func (s *Server) nextHere(c *call) (answer, error) {
	held, err := s.nextPerson(c)
	if err != nil {
		return answer{}, err
	}
	a := to("/counter")
	a.cookie = held.cookie
	return a, nil
}

func (s *Server) leaveHere(c *call) (answer, error) {
	if _, err := s.signOut(false)(c); err != nil {
		return answer{}, err
	}
	return to("/sign-in"), nil
}
