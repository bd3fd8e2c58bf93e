package server

import (
	"net/http"
	"slices"
	"strings"

	"akashi/internal/counter"
	"akashi/internal/fault"
)

// said tells what went wrong with an act that no field is to blame for, what goes on by
// itself, and where what it was about is now.
func said(p problem) *counter.Said {
	s := &counter.Said{JA: p.JA, EN: p.EN, Kind: "error", About: p.RequestID}
	if p.Code == "issue_in_progress" || p.Code == "signing_later" {
		s.Kind = "wait"
	}
	if p.Instead != "" {
		s.Instead = "/counter/certificates/" + p.Instead
	}
	return s
}

// told puts what went wrong at its field, or above the page where it has none there.
func told(f *counter.Form, p problem) *counter.Said {
	f.Faults = nil
	for _, one := range fault.All(p.cause) {
		ja, en := Sentence(one)
		f.Faults = append(f.Faults, counter.Fault{Field: one.Field, JA: ja, EN: en})
	}
	counter.InOrder(f.Faults)
	above := said(p)
	if slices.ContainsFunc(f.Faults, func(at counter.Fault) bool { return at.Place() != nil }) {
		above.Faults = slices.Clone(f.Faults)
	}
	return above
}

// forPeople tells whether an answer is to be a page: the route is one, or gives a file of
// one, or there is none among the pages, and a browser asks.
func (c *call) forPeople() bool {
	if c.request == nil || !strings.Contains(c.request.Header.Get("Accept"), pageType) {
		return false
	}
	if c.route == nil {
		return c.face == staffFace && !strings.HasPrefix(c.request.URL.Path, prefix)
	}
	return c.route.gives == pageType || c.route.hidden && strings.HasPrefix(c.route.path, "/counter/")
}

// excuse answers a browser with what went wrong: with the page to sign in where
// nobody is signed in, or with a page of its own.
func (s *Server) excuse(w http.ResponseWriter, c *call, p problem) bool {
	if !c.forPeople() {
		return false
	}
	if p.Status == http.StatusUnauthorized {
		w.Header().Set("Location", "/sign-in")
		w.WriteHeader(http.StatusSeeOther)
		return true
	}
	f := counter.Frame{}
	if c.session != nil {
		var err error
		if f, err = s.frame(c); err != nil {
			return false
		}
	}
	f.Said = said(p)
	back := "/counter"
	if c.route != nil && slices.Equal(c.route.takes, uploadType) {
		back = strings.TrimSuffix(c.route.path, "/file")
	}
	b, err := counter.Render("message", f, struct{ Back string }{back})
	if err != nil {
		return false
	}
	w.Header().Set("Content-Type", pageType+"; charset=utf-8")
	w.Header().Set("Content-Security-Policy", formPolicy)
	w.WriteHeader(p.Status)
	_, _ = w.Write(b) // the browser may be gone
	return true
}
