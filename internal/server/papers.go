package server

import (
	"net/http"
	"strconv"
	"time"

	"akashi/certificate/pdf"
	"akashi/internal/actor"
	"akashi/internal/application"
	"akashi/internal/clock"
	"akashi/internal/fault"
	"akashi/internal/office"
	"akashi/internal/paper"
)

const pdfType = "application/pdf"

// paperOf is a paper around certificates, by its place below /papers or an application.
type paperOf struct {
	path, id string
	show     string // operation id of the page
	make     func(*call) (pdf.Document, error)
	ja, en   string
}

// papers are those of an application.
func (s *Server) papers() []paperOf {
	return []paperOf{
		{"form", "print-application-form", "show-application-form", s.filledForm, "記入済みの申請書（記録される）", "The application form filled in; the look-up is logged"},
		{"receipt", "print-receipt", "show-receipt", s.receipt, "受領書（記録される）", "The receipt for its certificate; the look-up is logged"},
		{"refusal", "print-refusal", "show-refusal", s.refusalNotice, "不交付通知書（記録される）", "The notice of refusal; the look-up is logged"},
	}
}

func (s *Server) paperRoutes() []*route {
	blank := &route{
		faces: staffOnly, method: http.MethodGet, path: prefix + "/papers/application-form", id: "print-blank-form", permission: office.WriteApplications, purpose: actor.Certificate,
		status: http.StatusOK, gives: pdfType, serve: s.blankForm, ja: "白紙の申請書", en: "The application form to be filled in by hand",
	}
	here := pageRoute(http.MethodGet, "/papers/application-form", "show-blank-form", office.WriteApplications, shown(s.blankForm), blank.ja, blank.en)
	here.gives = pdfType
	list := *blank
	list.path, list.id, list.permission, list.serve, list.query, list.longer = prefix+"/papers/collection-list", "print-collection-list", office.Print, s.collectionList, []string{"day", "part"}, 2*time.Minute
	list.ja, list.en = "受渡簿（一日に発行した証明書、100 件ずつ。一件ずつ記録される）", "The collection list of a day, a hundred certificates at a time; each look-up is logged"
	fetched := showRoute("/papers/collection-list", "show-collection-list", list.id, office.Print, shown(s.collectionListOf), list.ja, list.en)
	fetched.gives, fetched.query, fetched.longer = pdfType, list.query, list.longer
	all := []*route{blank, here, &list, fetched}
	for _, p := range s.papers() {
		r := *blank
		r.path, r.id, r.looksUp, r.serve, r.ja, r.en = prefix+"/applications/{id}/papers/"+p.path, p.id, true, s.onPaper(p), p.ja, p.en
		page := showRoute("/applications/{id}/papers/"+p.path, p.show, p.id, office.WriteApplications, shown(s.onPaper(p)), p.ja, p.en)
		page.gives, page.looksUp = pdfType, true
		all = append(all, &r, page)
	}
	return all
}

// head is what every paper made now says.
func (s *Server) head(c *call) (paper.Head, error) {
	o, err := s.office(c.ctx, c.actor.Office)
	return paper.Head{Office: o, On: s.Clock.Today(), Test: s.Applications.Test}, err
}

func (s *Server) onPaper(p paperOf) func(*call) (answer, error) {
	return func(c *call) (answer, error) {
		d, err := p.make(c)
		if err != nil {
			return answer{}, err
		}
		return s.rendered(d, p.path+".pdf")
	}
}

func (s *Server) rendered(d pdf.Document, name string) (answer, error) {
	file, err := paper.Render(s.Issuance.Renderer, d)
	if err != nil {
		return answer{}, err
	}
	return attachment(file, pdfType, name), nil
}

func (s *Server) blankForm(c *call) (answer, error) {
	h, err := s.head(c)
	if err != nil {
		return answer{}, err
	}
	return s.rendered(application.BlankForm(h, paper.Notice(notice)), "application-form.pdf")
}

func (s *Server) filledForm(c *call) (pdf.Document, error) {
	id, h, err := s.paperFor(c)
	if err != nil {
		return pdf.Document{}, err
	}
	return s.Applications.FilledForm(c.ctx, c.actor, id, h, paper.Notice(notice))
}

func (s *Server) receipt(c *call) (pdf.Document, error) {
	id, h, err := s.paperFor(c)
	if err != nil {
		return pdf.Document{}, err
	}
	return s.Issuance.Receipt(c.ctx, c.actor, id, h)
}

func (s *Server) refusalNotice(c *call) (pdf.Document, error) {
	id, h, err := s.paperFor(c)
	if err != nil {
		return pdf.Document{}, err
	}
	return s.Applications.RefusalNotice(c.ctx, c.actor, id, h)
}

// collectionListOf is collectionList of a day as it was typed.
func (s *Server) collectionListOf(c *call) (answer, error) {
	if err := c.readDates("day"); err != nil {
		return answer{}, err
	}
	return s.collectionList(c)
}

// collectionList prints who fetches what was issued on a day; each is taken from the budget.
func (s *Server) collectionList(c *call) (answer, error) {
	day, part := clock.Date(c.query.Get("day")), 1
	if day == "" {
		day = s.Clock.Today()
	}
	var err error
	if text := c.query.Get("part"); text != "" {
		if part, err = strconv.Atoi(text); err != nil {
			return answer{}, fault.New(fault.Invalid, "unknown_value", "part")
		}
	}
	if _, err := clock.ParseDate(string(day)); err != nil {
		return answer{}, fault.New(fault.Invalid, "date", "day")
	}
	h, err := s.head(c)
	if err != nil {
		return answer{}, err
	}
	ids, err := s.Issuance.ToCollect(c.ctx, c.actor, day, part)
	if err == nil && len(ids) > 0 {
		err = s.lookUp(c, len(ids))
	}
	if err != nil {
		return answer{}, err
	}
	d, err := s.Issuance.CollectionList(c.ctx, c.actor, h, day, part, ids)
	if err != nil {
		return answer{}, err
	}
	return s.rendered(d, "collection-list-"+string(day)+".pdf")
}

// paperFor is the application in the path, and what a paper about it says of today.
func (s *Server) paperFor(c *call) (string, paper.Head, error) {
	id, err := s.row(c, "application")
	if err != nil {
		return "", paper.Head{}, err
	}
	h, err := s.head(c)
	return id, h, err
}
