package server

import (
	"net/http"
	"strings"

	"akashi/internal/counter"
	"akashi/internal/issuance"
	"akashi/internal/office"
)

func (s *Server) runPages() []*route {
	return append(s.runsPages(revocationFace, issuance.RevokeMany), s.runsPages(reissueFace, issuance.ReissueMany)...)
}

// runsPages are the pages of an act on many certificates.
func (s *Server) runsPages(f bulkFace, act issuance.Act) []*route {
	p := runPage{s, f, act}
	with := func(do func(*call, bulkFace) (answer, error)) func(*call) (answer, error) {
		return func(c *call) (answer, error) { return do(c, f) }
	}
	path := "/" + f.name + "s"
	one := showRoute(path+"/{id}", "show-"+f.name, "get-"+f.name, f.permission, p.show, f.texts[3][0], f.texts[3][1])
	list := showRoute(path, "show-"+f.name+"s", "list-"+f.name+"s", f.permission, func(c *call) (answer, error) { return p.list(c, counter.Form{}, http.StatusOK, nil) }, f.texts[2][0], f.texts[2][1])
	list.query = []string{"cursor"}
	count := actRoute(path+"/count", "count-for-"+f.name, "count-"+f.name, f.permission, selectionBody{}, p.count, f.texts[0][0], f.texts[0][1])
	ask := actRoute(path, "ask-for-"+f.name, "request-"+f.name, f.permission, wantedBulkBody{}, s.byPage(with(s.askBulk), p.list, func(_ *call, a answer) (answer, error) {
		return to("/counter" + path + "/" + bulkIn(a.body).ID), nil
	}), f.texts[1][0], f.texts[1][1])
	count.longer, ask.longer = selectTime, selectTime
	start := actRoute(path+"/{id}/start", "begin-"+f.name, "start-"+f.name, f.permission, nil, s.byPage(with(s.startBulk), p.one, again("/counter"+path+"/")), f.texts[4][0], f.texts[4][1])
	start.stepUp, start.longer = true, selectTime
	stop := actRoute(path+"/{id}/stop", "halt-"+f.name, "stop-"+f.name, f.permission, nil, s.byPage(with(s.stopBulk), p.one, again("/counter"+path+"/")), f.texts[5][0], f.texts[5][1])
	return ofOffice(list, count, ask, one, start, stop)
}

// runPage shows what one of the two acts does.
type runPage struct {
	*Server
	face bulkFace
	act  issuance.Act
}

type runsView struct {
	Act, Path string
	Runs      []bulkBody
	Next      string
	Count     *int // of a selection that was counted
	Form      counter.Form
	Reasons   []string
	People    people
}

// bulkIn is what both acts tell.
func bulkIn(body any) bulkBody {
	if r, ok := body.(revocationBody); ok {
		return r.bulkBody
	}
	return body.(reissueBody).bulkBody
}

func (p runPage) list(c *call, f counter.Form, status int, above *counter.Said) (answer, error) {
	return p.listWith(c, f, status, above, nil)
}

func (p runPage) listWith(c *call, f counter.Form, status int, above *counter.Said, count *int) (answer, error) {
	a, err := p.listBulk(c, p.face)
	if err != nil {
		return answer{}, err
	}
	f.Key = p.IDs.Row()
	for i, at := range f.Faults {
		f.Faults[i].Field = strings.TrimPrefix(at.Field, "selection.")
	}
	v := runsView{Act: string(p.act), Path: "/counter/" + p.face.name + "s", Count: count, Form: f}
	switch list := a.body.(type) {
	case revocationList:
		v.Next = list.Next
		for _, r := range list.Revocations {
			v.Runs = append(v.Runs, r.bulkBody)
		}
	case reissueList:
		v.Next = list.Next
		for _, r := range list.Reissues {
			v.Runs = append(v.Runs, r.bulkBody)
		}
	}
	v.Reasons = p.act.Reasons()
	if v.People, err = p.people(c); err != nil {
		return answer{}, err
	}
	return p.html(c, "runs", status, above, v)
}

// count counts what was selected and shows the form again.
func (p runPage) count(c *call) (answer, error) {
	f, err := p.form(c)
	if err != nil {
		return answer{}, err
	}
	selection := map[string][]string{} // of the fields of the run
	for name, v := range f.Values {
		if rest, ok := strings.CutPrefix(name, "selection."); ok {
			selection[rest] = v
		}
	}
	if err = c.asJSON(selection); err == nil {
		var a answer
		if a, err = p.countBulk(c, p.face); err == nil {
			n := a.body.(selectedBody).Count
			return p.listWith(c, f, http.StatusOK, nil, &n)
		}
	}
	return p.shownAgain(c, f, err, p.list)
}

type runView struct {
	Act, Path  string
	Run        bulkBody
	Changed    int
	Successors []string
	Failures   []failureView
	Own        bool // to be approved, and by somebody else
	Approver   bool // to be started, and by somebody else, as who looks at it has approved it
	Commanded  bool // asked for from the command line: one person approves, another starts
	Form       counter.Form
	People     people
}

// failureView is a certificate that was left for a person, and why in words.
type failureView struct{ Certificate, JA, EN string }

func (p runPage) show(c *call) (answer, error) { return p.one(c, counter.Form{}, http.StatusOK, nil) }

func (p runPage) one(c *call, f counter.Form, status int, above *counter.Said) (answer, error) {
	a, err := p.getBulk(c, p.face)
	if err != nil {
		return answer{}, err
	}
	v := runView{Act: string(p.act), Path: "/counter/" + p.face.name + "s", Run: bulkIn(a.body), Form: f}
	switch r := a.body.(type) {
	case revocationBody:
		v.Changed, v.Successors = r.Revoked, r.Successors
	case reissueBody:
		v.Changed = r.Reissued
	}
	for _, f := range v.Run.Failures {
		ja, en := sentenceOf(f.Fault)
		v.Failures = append(v.Failures, failureView{f.Certificate, ja, en})
	}
	v.Own = v.Run.RequestedBy == c.actor.Person && v.Run.State == "requested"
	v.Commanded = v.Run.RequestedBy == office.Command
	v.Approver = v.Commanded && v.Run.DecidedBy == c.actor.Person
	if v.People, err = p.people(c); err != nil {
		return answer{}, err
	}
	return p.html(c, "run", status, above, v)
}
