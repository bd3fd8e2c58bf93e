package server

import (
	"errors"
	"maps"
	"net/http"
	"strings"

	"akashi/internal/counter"
	"akashi/internal/fault"
)

// showing makes a page again with what was typed and what is wrong.
type showing = func(c *call, f counter.Form, status int, above *counter.Said) (answer, error)

// byPage runs an operation of the API with the fields of a form as its body and goes on to
// where next says, or shows the page of the form again with what is wrong.
func (s *Server) byPage(operation func(*call) (answer, error), show showing, next func(c *call, a answer) (answer, error)) func(*call) (answer, error) {
	return func(c *call) (answer, error) {
		f, err := s.form(c)
		if err == nil {
			err = c.asJSON(f.Values)
		}
		var a answer
		if err == nil {
			a, err = operation(c)
		}
		if err != nil {
			return s.shownAgain(c, f, err, show)
		}
		return next(c, a)
	}
}

// brought takes a form with a file on to what is done with it, or shows the page of the
// form again with what is wrong.
func (s *Server) brought(c *call, do func(counter.Form) (answer, error), show showing) (answer, error) {
	f, err := s.upload(c)
	var a answer
	if err == nil {
		a, err = do(f)
	}
	if err != nil {
		return s.shownAgain(c, f, err, show)
	}
	return a, nil
}

// shownAgain is the page of a form with what was typed and what is wrong. It is what went
// wrong alone where nothing of the form may be shown, or what it is about is not there.
// Whoever may act on a page may read it.
func (s *Server) shownAgain(c *call, f counter.Form, err error, show showing) (answer, error) {
	if f.Values == nil || fault.CodeOf(err) == fault.NotFound {
		return answer{}, err
	}
	err = s.noted(c, err)
	p, headers := s.explain(c, err)
	above := told(&f, p) // before the form is handed on
	shown, failed := show(c, f, p.Status, above)
	if failed != nil {
		return answer{}, errors.Join(failed, err)
	}
	return with(shown, headers), nil
}

// with adds headers to an answer.
func with(a answer, headers map[string]string) answer {
	if a.header == nil {
		a.header = map[string]string{}
	}
	maps.Copy(a.header, headers)
	return a
}

// to sends the browser to another page.
func to(path string) answer {
	return answer{status: http.StatusSeeOther, header: map[string]string{"Location": path}}
}

// again goes back to the page of the object that an act was about.
func again(path string) func(*call, answer) (answer, error) {
	return func(c *call, _ answer) (answer, error) { return to(path + c.param("id")), nil }
}

func toApproval(_ *call, a answer) (answer, error) {
	return to("/counter/approvals/" + a.body.(approvalBody).ID), nil
}

// given hands on what an operation gives as a file.
func given(_ *call, a answer) (answer, error) { return a, nil }

// onScreen lets the browser show a paper instead of saving it.
func onScreen(_ *call, a answer) (answer, error) {
	a.header["Content-Disposition"] = "inline" + strings.TrimPrefix(a.header["Content-Disposition"], "attachment")
	return a, nil
}

// shown answers with a paper that the browser shows instead of saving it.
func shown(serve func(*call) (answer, error)) func(*call) (answer, error) {
	return func(c *call) (answer, error) {
		a, err := serve(c)
		if err != nil {
			return answer{}, err
		}
		return onScreen(c, a)
	}
}
