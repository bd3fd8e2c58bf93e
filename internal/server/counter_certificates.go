package server

import (
	"net/http"
	"strings"

	"akashi/internal/counter"
	"akashi/internal/fault"
	"akashi/internal/issuance"
	"akashi/internal/office"
)

func (s *Server) certificatePages() []*route {
	certificates := showRoute("/certificates", "show-certificates", "list-certificates", office.ReadCertificates, s.showCertificates, "証明書一覧の画面", "The page of certificates")
	certificates.query = []string{"id", "corrected", "cursor"}
	certificate := showRoute("/certificates/{id}", "show-certificate", "get-certificate", office.ReadCertificates, s.showCertificate, "証明書の画面（記録される）", "The page of a certificate; the look-up is logged")
	print := actRoute("/certificates/{id}/print", "print-at-counter", "print-certificate", office.Print, nil, s.byPage(s.printCertificate, s.certificatePage, onScreen), "印刷する", "Print")
	print.gives = "application/pdf"
	earlier := showRoute("/certificates/{id}/prints/{number}", "show-print", "get-print", office.Print, shown(s.getPrint), "前に印刷した写し（記録される）", "An earlier copy again; it is logged")
	earlier.looksUp = true
	reissue := actRoute("/certificates/{id}/reissue", "make-certificate-again", "reissue-certificate", office.Issue, whyBody{}, s.byPage(s.reissueCertificate, s.certificatePage, toCertificate), "作り直す", "Issue again")
	revoke := actRoute("/certificates/{id}/revoke", "end-certificate", "revoke-certificate", office.Revoke, whyBody{}, s.byPage(s.revokeCertificate, s.certificatePage, again("/counter/certificates/")), "失効させる", "Revoke")
	revoke.stepUp = true
	for _, r := range []*route{print, reissue, revoke} {
		r.ofApplicant = true
	}
	return []*route{certificates, certificate, print, earlier, reissue, revoke}
}

func toCertificate(_ *call, a answer) (answer, error) {
	return to("/counter/certificates/" + a.body.(certificateBody).ID), nil
}

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
