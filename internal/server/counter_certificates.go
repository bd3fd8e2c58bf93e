package server

import (
	"net/http"
	"strings"

	"akashi/internal/application"
	"akashi/internal/counter"
	"akashi/internal/fault"
	"akashi/internal/issuance"
	"akashi/internal/office"
)

func (s *Server) certificatePages() []*route {
	certificates := showRoute("/certificates", "show-certificates", "list-certificates", office.ReadCertificates, s.showCertificates, "証明書一覧の画面", "The page of certificates")
	certificates.query = []string{"id", "corrected", "cursor"}
	certificate := showRoute("/certificates/{id}", "show-certificate", "get-certificate", office.ReadCertificates, s.showCertificate, "証明書の画面（記録される）", "The page of a certificate; the look-up is logged")
	print := actRoute("/certificates/{id}/print", "print-at-counter", "print-certificate", office.Print, nil, s.printHere, "印刷する", "Print")
	print.gives = "application/pdf"
	again := showRoute("/certificates/{id}/prints/{number}", "show-print", "get-print", office.Print, s.showPrint, "前に印刷した写し（記録される）", "An earlier copy again; it is logged")
	again.looksUp = true
	reissue := actRoute("/certificates/{id}/reissue", "make-certificate-again", "reissue-certificate", office.Issue, whyBody{}, s.reissueHere, "作り直す", "Issue again")
	revoke := actRoute("/certificates/{id}/revoke", "end-certificate", "revoke-certificate", office.Revoke, whyBody{}, s.acted(s.revokeCertificate), "失効させる", "Revoke")
	revoke.stepUp = true
	for _, r := range []*route{print, reissue, revoke} {
		r.ofApplicant = true
	}
	return []*route{certificates, certificate, print, again, reissue, revoke}
}

// issueHere issues and goes on to the certificate, or answers with its paper at once.
func (s *Server) issueHere(c *call) (answer, error) {
	f, err := s.form(c)
	if err == nil && f.Value("_print") != "" && !c.actor.May(string(office.Print)) {
		err = fault.New(fault.Forbidden, "permission", "")
	}
	if err == nil {
		err = s.justified(c, f)
	}
	if err == nil {
		err = c.asJSON(f.Values)
	}
	var a answer
	if err == nil {
		a, err = s.issueCertificate(c)
	}
	if err != nil {
		return s.back(c, f, err)
	}
	id := a.body.(certificateBody).ID
	if f.Value("_print") == "" {
		return to("/counter/certificates/" + id), nil
	}
	return s.onScreen(s.print(c, []string{id}))
}

// justified stores why a certificate is issued beside a valid one, where the page asked. Once
// there is a certificate, the same form gets it again.
func (s *Server) justified(c *call, f counter.Form) error {
	id, err := s.row(c, "application")
	if err != nil || !f.Values.Has("_why") {
		return err
	}
	app, err := s.Applications.Get(c.ctx, c.actor, id)
	switch {
	case err != nil || app.State == application.Fulfilled:
		return err
	case f.Value("_why") == "":
		return fault.New(fault.Invalid, "required", "_why")
	}
	if err = fault.OneOf("_why", f.Value("_why"), application.WhyAnother()...); err == nil {
		_, err = s.Applications.Justify(c.ctx, c.actor, id, f.Value("_why"), app.Version)
	}
	return err
}

// onScreen lets the browser show a paper instead of saving it.
func (s *Server) onScreen(a answer, err error) (answer, error) {
	if err == nil {
		a.header["Content-Disposition"] = "inline" + strings.TrimPrefix(a.header["Content-Disposition"], "attachment")
	}
	return a, err
}

func (s *Server) reissueHere(c *call) (answer, error) {
	a, f, err := s.byForm(c, s.reissueCertificate)
	if err != nil {
		return s.back(c, f, err)
	}
	return to("/counter/certificates/" + a.body.(certificateBody).ID), nil
}

// printHere answers with the paper itself, to be shown and printed by the browser.
func (s *Server) printHere(c *call) (answer, error) {
	f, err := s.form(c)
	if err != nil {
		return s.back(c, f, err)
	}
	a, err := s.onScreen(s.printCertificate(c))
	if err != nil {
		return s.back(c, f, err)
	}
	return a, nil
}

// showPrint shows the same bytes of an earlier copy.
func (s *Server) showPrint(c *call) (answer, error) { return s.onScreen(s.getPrint(c)) }

type certificatesView struct {
	certificateList
	ID        string
	Corrected bool
}

func (s *Server) showCertificates(c *call) (answer, error) {
	if id := strings.ToUpper(strings.TrimSpace(c.query.Get("id"))); certificateForm.MatchString(id) {
		return to("/counter/certificates/" + id), nil
	}
	if id := c.query.Get("id"); id != "" {
		p, headers := s.explain(c, s.noted(c, fault.New(fault.NotFound, "certificate", "id")))
		a, err := s.html(c, "certificates", p.Status, said(p), certificatesView{ID: id})
		return with(a, headers), err
	}
	a, err := s.listCertificates(c)
	if err != nil {
		return answer{}, err
	}
	return s.html(c, "certificates", http.StatusOK, nil, certificatesView{certificateList: a.body.(certificateList), Corrected: c.query.Has("corrected")})
}

type certificateView struct {
	printList
	Form                  counter.Form
	Reissues, Revocations []string
}

func (s *Server) showCertificate(c *call) (answer, error) {
	return s.certificatePage(c, counter.Form{}, http.StatusOK, nil)
}

func (s *Server) certificatePage(c *call, f counter.Form, status int, above *counter.Said) (answer, error) {
	a, err := s.listPrints(c)
	if err != nil {
		return answer{}, err
	}
	v := certificateView{printList: a.body.(printList), Form: f}
	v.Form.Key = s.IDs.Row()
	v.Reissues, v.Revocations = issuance.Reasons()
	return s.html(c, "certificate", status, above, v)
}
