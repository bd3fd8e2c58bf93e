package server

import (
	"net/http"
	"regexp"
	"time"

	"akashi/internal/actor"
	"akashi/internal/audit"
	"akashi/internal/clock"
	"akashi/internal/fault"
	"akashi/internal/office"
	"akashi/internal/watch"
)

// entryBody is one entry of the log: internal keys and codes only (S-088, R-171).
type entryBody struct {
	ID        string            `json:"id"`
	At        string            `json:"at" format:"date-time"`
	Staff     string            `json:"staff" doc:"who acted: account, or job:NAME"`
	Terminal  string            `json:"terminal,omitempty"`
	Purpose   string            `json:"purpose"`
	Case      string            `json:"case,omitempty" doc:"application or import"`
	Action    string            `json:"action"`
	Object    string            `json:"object,omitempty"`
	Concerned string            `json:"concerned,omitempty" doc:"internal key of the person whose data it is"`
	Result    string            `json:"result" doc:"ok, or why it was refused"`
	Request   string            `json:"request,omitempty"`
	Facts     map[string]string `json:"facts,omitempty"`
}

type entryList struct {
	Entries []entryBody `json:"entries"`
	Next    string      `json:"next,omitempty" doc:"cursor of the next page"`
}

type alertList struct {
	Alerts []alertBody `json:"alerts"`
	Next   string      `json:"next,omitempty" doc:"cursor of the next page"`
}

type alertBody struct {
	watch.Message
	Delivered time.Time `json:"delivered_at,omitzero" doc:"when the receiver took it"`
	SeenBy    string    `json:"acknowledged_by,omitempty" doc:"account; nobody since the last event where it is missing"`
	SeenAt    time.Time `json:"acknowledged_at,omitzero"`
}

func (s *Server) logRoutes() []*route {
	of := func(path, id string, p office.Permission, query []string, out any, serve func(*call) (answer, error), ja, en string) *route {
		return &route{
			faces: staffOnly, method: http.MethodGet, path: prefix + path, id: id, permission: p, purpose: actor.Audit, status: http.StatusOK,
			query: append(query, paging...), out: out, serve: serve, ja: ja, en: en, whileSuspended: true,
		}
	}
	acknowledge := of("/alerts/{id}/acknowledge", "acknowledge-alert", office.CloseAlerts, []string{"scope"}, nil, s.acknowledgeAlert,
		"警報を確認済みにする（再び起これば未確認に戻る）", "Acknowledge an alert; what happens again is open again")
	acknowledge.method, acknowledge.query, acknowledge.status = http.MethodPost, []string{"scope"}, http.StatusNoContent
	return []*route{
		acknowledge,
		of("/log", "get-log", office.ReadLog, []string{"staff", "concerned", "day", "action"}, entryList{}, s.readLog,
			"操作記録を職員・本人・日・操作で読む（読んだことも記録される）", "Read the log of the office by account, person, day or action; that it was read is logged"),
		of("/alerts", "list-alerts", office.ReadAlerts, []string{"scope"}, alertList{}, s.listAlerts,
			"警報の一覧（scope=installation で全体のもの）", "List alerts of the office, or with scope=installation those of the installation"),
	}
}

var (
	staffForm  = regexp.MustCompile(`^(job:[a-z-]{1,32}|[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12})$`)
	actionForm = regexp.MustCompile(`^[a-z_]{1,32}\.[a-z_]{1,32}$`)
)

// logQuery reads what is asked of the log: by something, since there is no way to
// leaf through all of it.
func (c *call) logQuery() (q audit.Query, err error) {
	if q.Limit, q.Before, err = c.page(rowForm); err != nil {
		return q, err
	}
	asked := 0
	for _, p := range []struct {
		name string
		form *regexp.Regexp
		to   *string
	}{{"staff", staffForm, &q.Staff}, {"concerned", rowForm, &q.Concerned}, {"action", actionForm, &q.Action}} {
		if *p.to = c.query.Get(p.name); *p.to == "" {
			continue
		}
		if asked++; !p.form.MatchString(*p.to) {
			return q, fault.New(fault.Invalid, "json_form", p.name)
		}
	}
	if text := c.query.Get("day"); text != "" {
		asked++
		day, err := clock.ParseDate(text)
		if err != nil || !day.Full() {
			return q, fault.New(fault.Invalid, "date", "day")
		}
		q.From, q.Until = day.Begins(), day.AddDays(1).Begins()
	}
	if asked == 0 {
		return q, fault.New(fault.Invalid, "required", "staff")
	}
	return q, nil
}

func (s *Server) readLog(c *call) (answer, error) {
	q, err := c.logQuery()
	if err != nil {
		return answer{}, err
	}
	list, err := s.Reviews.Read(c.ctx, c.actor, q)
	if err != nil {
		return answer{}, err
	}
	out := entryList{Entries: make([]entryBody, len(list))}
	for i, e := range list {
		out.Entries[i] = entryBody{e.ID, e.At, e.Person, e.Terminal, e.Purpose, e.Case, e.Action, e.Object, e.Concerned, e.Result, e.Request, e.Facts}
	}
	if len(list) == q.Limit {
		out.Next = list[q.Limit-1].ID
	}
	return value(out)
}

// ofInstallation reads whose alerts are meant: where it is not said, those of the
// office, for who may see these.
func (c *call) ofInstallation() (bool, error) {
	scope := c.query.Get("scope")
	return scope == "installation" || scope == "" && !c.actor.May(string(office.OfficeAlerts)), known(scope, []string{"office", "installation"}, "scope")
}

func (s *Server) acknowledgeAlert(c *call) (answer, error) {
	id, err := s.row(c, "alert")
	if err != nil {
		return answer{}, err
	}
	installation, err := c.ofInstallation()
	if err != nil {
		return answer{}, err
	}
	return answer{}, s.Alerts.Acknowledge(c.ctx, c.actor, installation, id)
}

func (s *Server) listAlerts(c *call) (answer, error) {
	limit, before, err := c.page(rowForm)
	if err != nil {
		return answer{}, err
	}
	installation, err := c.ofInstallation()
	if err != nil {
		return answer{}, err
	}
	list, err := s.Alerts.List(c.ctx, c.actor, installation, before, limit)
	if err != nil {
		return answer{}, err
	}
	out := alertList{Alerts: make([]alertBody, len(list))}
	for i, a := range list {
		out.Alerts[i] = alertBody{a.Message(), a.Delivered, a.SeenBy, a.SeenAt}
	}
	if len(list) == limit {
		out.Next = list[limit-1].ID
	}
	return value(out)
}
