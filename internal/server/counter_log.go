package server

import (
	"html/template"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"akashi/internal/actor"
	"akashi/internal/counter"
	"akashi/internal/fault"
	"akashi/internal/office"
)

func (s *Server) logPages() []*route {
	log := showRoute("/log", "show-log", "get-log", office.ReadUnitLog, s.showLog, "操作記録の画面（読んだことも記録される）", "The page of the log; that it was read is logged")
	log.query = []string{"staff", "day", "action", "object", "cursor"}
	usage := showRoute("/lookups", "show-lookups", "list-lookups", office.ReadUnitLog, s.showLookups, "職員ごとの照会の画面（読んだことも記録される）", "The page of look-ups by clerk; that it was read is logged")
	usage.query = []string{"from", "until"}
	export := actRoute("/log/export", "take-log", "export-log", office.ReadLog, spanBody{}, s.byPage(s.exportLog, s.logPage, given), "操作記録を証明とともに書き出す（書き出したことも記録される）", "Export the log with its proofs; that it was exported is logged")
	export.stepUp, export.longer, export.gives = true, selectTime, partType
	all := []*route{log, usage, export}
	for _, r := range all {
		r.purpose, r.whileSuspended = actor.Audit, true
	}
	return all
}

type logView struct {
	Entries []entryView
	Next    template.URL // the query of the page with older ones
	Query   counter.Form
	Staff   []office.Staff // to choose from
	Actions []string
	All     bool // the whole office, not one's own unit
	Export  counter.Form
	People  people
}

// entryView is an entry of the log in words.
type entryView struct {
	entryBody
	Time   time.Time
	JA, EN string // why it was refused
	Page   string // of the object, where the one who looks may see it
}

func (s *Server) showLog(c *call) (answer, error) {
	return s.logPage(c, counter.Form{}, http.StatusOK, nil)
}

// logPage shows entries by what is asked for: of today, where nothing is.
func (s *Server) logPage(c *call, export counter.Form, status int, above *counter.Said) (answer, error) {
	asked := url.Values{}
	for _, name := range []string{"staff", "day", "action", "object"} {
		if v := strings.TrimSpace(c.query.Get(name)); v != "" {
			asked.Set(name, v)
		}
		c.query.Del(name)
	}
	if len(asked) == 0 {
		asked.Set("day", string(s.Clock.Today()))
	}
	for name := range asked {
		c.query.Set(name, asked.Get(name))
	}
	if export.Values == nil {
		export.Values = url.Values{"from": {asked.Get("day")}, "until": {asked.Get("day")}}
	}
	err := c.readDates("day")
	v := logView{Query: counter.Form{Values: asked}, Export: export, All: c.actor.May(string(office.ReadLog)), Actions: counter.Actions()}
	var failed error
	if v.People, failed = s.people(c); failed != nil {
		return answer{}, failed
	}
	for _, p := range v.People {
		if v.All || p.Unit == c.session.Staff.Unit {
			v.Staff = append(v.Staff, p)
		}
	}
	slices.SortFunc(v.Staff, func(a, b office.Staff) int { return strings.Compare(a.User, b.User) })
	read := s.readUnitLog
	if v.All {
		read = s.readLog
	}
	var a answer
	if err == nil {
		asked.Set("day", c.query.Get("day"))
		a, err = read(c)
	}
	if err != nil && fault.CodeOf(err) == fault.Invalid {
		p, headers := s.explain(c, s.noted(c, err))
		shown, err := s.html(c, "log", p.Status, told(&v.Query, p), v)
		return with(shown, headers), err
	}
	if err != nil {
		return answer{}, err
	}
	list := a.body.(entryList)
	for _, e := range list.Entries {
		v.Entries = append(v.Entries, s.inWords(c, e))
	}
	if list.Next != "" {
		asked.Set("cursor", list.Next)
		v.Next = template.URL(asked.Encode()) // as it stands, not as one value
		asked.Del("cursor")
	}
	return s.html(c, "log", status, above, v)
}

func (s *Server) inWords(c *call, e entryBody) entryView {
	v := entryView{entryBody: e}
	v.Time, _ = time.Parse(time.RFC3339, e.At) // the zero time says that it is none
	if e.Result != "ok" {
		v.JA, v.EN = sentenceOf(e.Result)
	}
	noun, _, _ := strings.Cut(e.Action, ".")
	page := map[string]struct {
		path string
		need office.Permission
		form interface{ MatchString(string) bool }
	}{
		"application": {"/counter/applications/", office.ReadApplications, rowForm}, "certificate": {"/counter/certificates/", office.ReadCertificates, certificateForm},
		"approval": {"/counter/approvals/", office.ReadApprovals, rowForm}, "alert": {"/counter/alerts/", office.OfficeAlerts, rowForm},
	}[noun]
	if page.path != "" && c.actor.May(string(page.need)) && page.form.MatchString(e.Object) {
		v.Page = page.path + e.Object
	}
	return v
}

type lookupsView struct {
	usageBody
	Form   counter.Form
	All    bool
	People people
}

func (s *Server) showLookups(c *call) (answer, error) {
	err := c.readDates("from", "until")
	v := lookupsView{All: c.actor.May(string(office.ReadLog)), Form: counter.Form{Values: url.Values{"from": {c.query.Get("from")}, "until": {c.query.Get("until")}}}}
	var a answer
	if err == nil {
		a, err = s.listLookups(c)
	}
	if err != nil && fault.CodeOf(err) == fault.Invalid {
		p, headers := s.explain(c, s.noted(c, err))
		shown, err := s.html(c, "lookups", p.Status, told(&v.Form, p), v)
		return with(shown, headers), err
	}
	if err != nil {
		return answer{}, err
	}
	v.usageBody = a.body.(usageBody)
	v.Form.Values = url.Values{"from": {string(v.From)}, "until": {string(v.Until)}}
	if v.People, err = s.people(c); err != nil {
		return answer{}, err
	}
	return s.html(c, "lookups", http.StatusOK, nil, v)
}
