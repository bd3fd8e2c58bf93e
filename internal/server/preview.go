package server

import (
	"slices"
	"time"

	"akashi/certificate"
	"akashi/internal/clock"
	"akashi/internal/fault"
	"akashi/internal/issuance"
	"akashi/internal/office"
)

// previewBody is what would be issued now, beside passport and register.
type previewBody struct {
	Application string             `json:"application"`
	Version     int                `json:"version" doc:"of the application that was looked at"`
	Issuable    bool               `json:"issuable" doc:"whether it would be issued: there are no findings"`
	Digest      string             `json:"digest,omitempty" doc:"of what would stand on the paper and in the codes; keyed: it tells nothing but whether two previews of the application are the same. Whoever issues may give it back"`
	Findings    []findingBody      `json:"findings" doc:"why it would not be issued, and how to mend it"`
	Kind        string             `json:"kind"`
	Programme   string             `json:"programme"`
	IssuedOn    string             `json:"issued_on" doc:"date in Japan"`
	Issuer      certificate.Issuer `json:"issuer"`
	Doses       int                `json:"doses" doc:"that it lists"`
	MoreDoses   int                `json:"more_doses,omitempty" doc:"recorded before these and not listed"`
	Codes       []frameBody        `json:"codes" doc:"that it would have; none where there are findings"`
	RenewBy     time.Time          `json:"renew_by,omitzero" doc:"when the first of its codes would expire"`
	Rows        []rowBody          `json:"rows" doc:"field by field"`
	Standing    []standingBody     `json:"standing" doc:"valid certificates of the same kind, holder and passport under other applications, which can be printed or made again instead"`
	Paper       string             `json:"paper,omitempty" doc:"where its paper can be seen, marked as a preview and without codes"`
}

// issueBody is what an issue may be bound to.
type issueBody struct {
	Preview string `json:"preview,omitempty" maxLength:"64" doc:"digest of the preview that was looked at; if something else would be issued now, nothing is: 409 preview_changed"`
}

type standingBody struct {
	ID       string     `json:"id"`
	IssuedOn clock.Date `json:"issued_on" doc:"date in Japan"`
}

type findingBody struct {
	Code  string `json:"code"`
	Field string `json:"field,omitempty" doc:"of the rows"`
	Dose  int    `json:"dose,omitempty"`
	text
}

type frameBody struct {
	Family  string `json:"family"`
	Dose    int    `json:"dose,omitempty" doc:"number of the one dose that it would show; absent: all"`
	Modules int    `json:"modules" doc:"on a side, as the code would have"`
}

type rowBody struct {
	Field       string   `json:"field"`
	Dose        int      `json:"dose,omitempty"`
	Passport    string   `json:"passport,omitempty"`
	Register    string   `json:"register,omitempty"`
	Certificate string   `json:"certificate,omitempty"`
	Mark        string   `json:"mark" enum:"same,explained,different,alone"`
	Why         []string `json:"why,omitempty" doc:"codes of the reasons for which they may differ"`
	Hint        string   `json:"hint,omitempty" doc:"the register's reading as a passport would romanise it"`
}

// Marks are those that rows have, the worst first, for the page.
func (previewBody) Marks() []issuance.Mark {
	return []issuance.Mark{issuance.Differs, issuance.Explained, issuance.Same, issuance.Alone}
}

// Count is how many rows have a mark, for the page.
func (b previewBody) Count(mark issuance.Mark) (n int) {
	for _, r := range b.Rows {
		if r.Mark == string(mark) {
			n++
		}
	}
	return n
}

// Busy tells whether the certificate is half made, for the page.
func (b previewBody) Busy() bool {
	return slices.ContainsFunc(b.Findings, func(f findingBody) bool { return f.Code == "issue_in_progress" })
}

func (s *Server) previewOf(c *call, p issuance.Preview) (previewBody, error) {
	v := p.Certificate
	b := previewBody{
		Application: p.ApplicationID, Version: p.Version, Kind: string(v.Kind), Programme: v.Programme, IssuedOn: string(v.IssuedOn), Issuer: v.Issuer,
		Doses: len(v.Doses), MoreDoses: v.MoreDoses, RenewBy: p.RenewBy, Findings: []findingBody{}, Codes: []frameBody{}, Rows: []rowBody{}, Standing: []standingBody{},
	}
	o, err := s.office(c.ctx, c.actor.Office)
	if err != nil {
		return b, err
	}
	if !o.Settings.Lets(c.actor, office.Issue, s.Clock.Now()) {
		p.Findings = append(p.Findings, issuance.Finding{Fault: fault.New(fault.Forbidden, "office_closed_now", "")})
	}
	for _, f := range p.Findings {
		ja, en := Sentence(f.Fault)
		b.Findings = append(b.Findings, findingBody{f.Fault.Key, f.Field, f.Dose, text{ja, en}})
	}
	for _, one := range p.Standing {
		b.Standing = append(b.Standing, standingBody(one))
	}
	for i, n := range p.Sizes {
		code := v.Codes()[i]
		b.Codes = append(b.Codes, frameBody{string(code.Family), code.Dose, n})
	}
	for _, r := range p.Rows {
		b.Rows = append(b.Rows, rowBody{r.Field, r.Dose, r.Passport, r.Register, r.Certificate, string(r.Mark), r.Why, r.Hint})
	}
	if b.Issuable = len(b.Findings) == 0; b.Issuable {
		b.Digest = p.Digest
		b.Paper = prefix + "/applications/" + p.ApplicationID + "/preview.pdf"
	}
	return b, nil
}

// previewCertificate shows what would be issued.
func (s *Server) previewCertificate(c *call) (answer, error) {
	id, err := s.row(c, "application")
	if err != nil {
		return answer{}, err
	}
	p, err := s.Issuance.Preview(c.ctx, c.actor, id)
	if err != nil {
		return answer{}, err
	}
	b, err := s.previewOf(c, p)
	return answer{body: b}, err
}

// getPreviewPaper answers with the paper of a preview.
func (s *Server) getPreviewPaper(c *call) (answer, error) {
	id, err := s.row(c, "application")
	if err != nil {
		return answer{}, err
	}
	file, err := s.Issuance.PreviewPaper(c.ctx, c.actor, id)
	return attachment(file, "application/pdf", "preview.pdf"), err
}
