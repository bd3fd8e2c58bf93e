package server

import (
	"net/http"
	"net/url"
	"strings"

	"akashi/certificate"
	"akashi/internal/application"
	"akashi/internal/counter"
	"akashi/internal/fault"
)

type statisticsView struct {
	Form                                 counter.Form
	Kinds                                []certificate.Kind
	Figures                              *figuresBody // nil where nothing could be counted
	Days, Times                          counter.Plot
	ByKind, ByChannel, ByState, ByReason []countOf
}

// countOf is a count with the sentence of its code, where it has one of its own.
type countOf struct {
	cellBody
	text
}

func worded(list []cellBody, sentence func(code string) (ja, en string)) (counts []countOf) {
	for _, cell := range list {
		c := countOf{cellBody: cell}
		if sentence != nil {
			c.JA, c.EN = sentence(cell.Key)
		}
		counts = append(counts, c)
	}
	return counts
}

// reasonOf is the sentence of a reason without a detail.
func reasonOf(code string) (ja, en string) {
	ja, en = application.Reason{Code: code}.Sentence()
	plain := strings.NewReplacer("（）", "", " ()", "")
	return strings.TrimRight(plain.Replace(ja), ": "), strings.TrimRight(plain.Replace(en), ": ")
}

func (s *Server) showStatistics(c *call) (answer, error) {
	err := c.readDates("from", "to")
	q := s.question(c)
	v := statisticsView{Kinds: certificate.Kinds(), Form: counter.Form{Values: url.Values{"from": {string(q.From)}, "to": {string(q.To)}, "kind": {string(q.Kind)}}}}
	var a answer
	if err == nil {
		a, err = s.getStatistics(c)
	}
	if err != nil && fault.CodeOf(err) == fault.Invalid {
		p, headers := s.explain(c, s.noted(c, err))
		a, err := s.html(c, "statistics", p.Status, told(&v.Form, p), v)
		return with(a, headers), err
	}
	if err != nil {
		return answer{}, err
	}
	f := a.body.(figuresBody)
	v.Figures = &f
	v.Days = counter.Plot{ID: "days", Title: "statistics.by_day", Series: []string{"statistics.count"}}
	for _, d := range f.Days {
		v.Days.Points = append(v.Days.Points, counter.Point{Label: d.Key, Values: []int{d.Count}})
	}
	v.Times = counter.Plot{ID: "times", Title: "statistics.case_times", Series: []string{"statistics.median", "statistics.p90"}, Time: true}
	for _, t := range f.CaseTimes {
		v.Times.Points = append(v.Times.Points, counter.Point{Label: string(t.Day), Values: []int{t.Median, t.P90}})
	}
	v.ByKind, v.ByChannel, v.ByState = worded(f.Kinds, nil), worded(f.Channels, nil), worded(f.States, nil)
	v.ByReason = worded(f.Refusals, reasonOf)
	return s.html(c, "statistics", http.StatusOK, nil, v)
}
