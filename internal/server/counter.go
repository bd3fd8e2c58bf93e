package server

import (
	"net/http"
	"slices"

	"akashi/internal/actor"
	"akashi/internal/counter"
	"akashi/internal/office"
)

// counterRoutes are the pages of the staff face. What a page does goes through the
// handler of the API that does the same: one judgement, one entry in the log.
func (s *Server) counterRoutes() []*route {
	next := actRoute("/next-person", "call-next-person", "next-person", oneself, nil, s.nextHere, "次の人", "Next person")
	leave := actRoute("/sign-out", "leave", "end-session", oneself, nil, s.leaveHere, "サインアウトする", "Sign out")
	leave.leaves = true
	return slices.Concat(s.applicationPages(), s.certificatePages(), s.batchPages(), s.importPages(), s.officerPages(), []*route{next, leave}, assetRoutes())
}

// pageRoute is the route of a page.
func pageRoute(method, path, id string, p office.Permission, serve func(*call) (answer, error), ja, en string) *route {
	return &route{
		faces: staffOnly, method: method, path: "/counter" + path, id: id, permission: p, purpose: actor.Certificate,
		status: http.StatusOK, gives: pageType, hidden: true, serve: serve, ja: ja, en: en,
	}
}

// showRoute is a page that shows what an operation of the API tells.
func showRoute(path, id, operation string, p office.Permission, serve func(*call) (answer, error), ja, en string) *route {
	r := pageRoute(http.MethodGet, path, id, p, serve, ja, en)
	r.logged = operation
	return r
}

// actRoute is a form whose fields make the body of an operation of the API.
func actRoute(path, id, operation string, p office.Permission, in any, serve func(*call) (answer, error), ja, en string) *route {
	r := pageRoute(http.MethodPost, path, id, p, serve, ja, en)
	r.takes, r.in, r.logged = formType, in, operation
	return r
}

func assetRoutes() []*route {
	var all []*route
	const short, forever = "private, max-age=300", "private, max-age=31536000, immutable"
	for _, a := range []struct{ path, name, media, kept string }{
		{"counter.css", "counter.css", "text/css; charset=utf-8", short}, {"counter.js", "counter.js", "text/javascript; charset=utf-8", short},
		{"htmx.js", "htmx.min.js", "text/javascript; charset=utf-8", short}, {counter.NameFont, counter.NameFont, "font/ttf", forever},
	} {
		r := pageRoute(http.MethodGet, "", "get-asset-"+a.path, anyone, pageAsset(a.name, a.media, a.kept), "画面の部品", "A part of the pages")
		r.path, r.gives, r.purpose = "/assets/"+a.path, a.media, actor.Operate
		all = append(all, r)
	}
	return all
}

const pageType = "text/html"

var formType = []string{"application/x-www-form-urlencoded"}

func pageAsset(name, media, kept string) func(*call) (answer, error) {
	return func(*call) (answer, error) {
		b, err := counter.Asset(name)
		return answer{file: b, media: media, header: map[string]string{"Cache-Control": kept}}, err
	}
}

// frame is what stands around a page for the one who asked.
func (s *Server) frame(c *call) (counter.Frame, error) {
	o, err := s.office(c.ctx, c.actor.Office)
	p := c.session.Staff
	return counter.Frame{
		User: p.User, Name: p.Name, Role: string(p.Role), Office: o.NameJA + " / " + o.NameEN, Place: c.standing(),
		Applicant: s.Accounts.Sessions.Applicant(c.session), May: c.actor.Permissions, Idle: int(office.IdleLimit.Seconds()), Test: s.Applications.Test,
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
	if of, ok := view.(interface{ Holder() string }); ok {
		f.Holder = of.Holder()
	}
	b, err := counter.Render(page, f, view)
	return answer{status: status, file: b, media: pageType + "; charset=utf-8", header: map[string]string{"Content-Security-Policy": formPolicy}}, err
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

// people are the accounts of an office, to name who did what.
type people map[string]office.Staff

// Name is how a page names an account, or a job that did something by itself.
func (p people) Name(id string) string {
	if who, ok := p[id]; ok {
		return who.Name + "（" + who.User + "）"
	}
	if id == office.Command {
		return "システム担当者（コマンド） / operator's command"
	}
	return id
}

func (s *Server) people(c *call) (people, error) {
	list, err := s.AccountRequests.Staff.ListStaff(c.ctx, c.actor.Office)
	all := people{}
	for _, p := range list {
		all[p.ID] = p
	}
	return all, err
}
