package server

import (
	"bytes"
	"context"
	"crypto/sha256"
	"fmt"
	"net/http"
	"regexp"
	"strconv"
	"time"

	"akashi/internal/actor"
	"akashi/internal/audit"
	"akashi/internal/audit/tree"
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
	Proof     *coverBody        `json:"proof,omitempty" doc:"missing while the entry waits for its place"`
}

// coverBody is how an entry is proven.
type coverBody struct {
	Place int64     `json:"place" doc:"in the tree"`
	Size  int64     `json:"checkpoint_size,omitempty" doc:"of the first signed checkpoint that covers it; missing while none does"`
	At    time.Time `json:"checkpoint_at,omitzero"`
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
	Note      string    `json:"note,omitempty" doc:"of who acknowledged it last"`
}

func alertOf(a watch.Alert) alertBody {
	return alertBody{a.Message(), a.Delivered, a.SeenBy, a.SeenAt, a.Note}
}

type noteBody struct {
	Note string `json:"note" maxLength:"500" doc:"what was found out, in words; never logged"`
}

type usageBody struct {
	From  clock.Date `json:"from"`
	Until clock.Date `json:"until"`
	watch.Usages
}

type spanBody struct {
	From  clock.Date `json:"from" minLength:"1" maxLength:"10" doc:"first day, YYYY-MM-DD"`
	Until clock.Date `json:"until" minLength:"1" maxLength:"10" doc:"last day; at most 31"`
}

// partType is that of a part of the log (docs/log.md).
const partType = "application/x-ndjson"

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
	acknowledge.takes, acknowledge.in = jsonType, noteBody{}
	one := of("/alerts/{id}", "get-alert", office.ReadAlerts, nil, alertBody{}, s.getAlert, "警報を読む", "Read an alert")
	one.query = []string{"scope"}
	unit := of("/log/unit", "get-unit-log", office.ReadUnitLog, []string{"staff", "day", "action", "object"}, entryList{}, s.readUnitLog,
		"自分の課の職員の操作記録を読む（読んだことも記録される）", "Read what accounts of one's own unit did; that it was read is logged")
	unit.logged = "get-log"
	usage := of("/lookups", "list-lookups", office.ReadUnitLog, nil, usageBody{}, s.listLookups,
		"照会の件数を職員と日ごとに数える（監査担当は全員、ほかは自分の課。31 日まで）", "Count look-ups by account and day, of up to 31 days: the auditor of all, others of their own unit")
	usage.query = []string{"from", "until"}
	export := of("/log/export", "export-log", office.ReadLog, nil, nil, s.exportLog,
		"操作記録を、署名された検査点に対する証明とともに書き出す（書き出したことも記録される）", "Export the log of a span of days with proofs against a signed checkpoint; that it was exported is logged")
	export.method, export.query, export.takes, export.in, export.gives = http.MethodPost, nil, jsonType, spanBody{}, partType
	export.stepUp, export.longer = true, selectTime
	return []*route{
		acknowledge, one, unit, usage, export,
		of("/log", "get-log", office.ReadLog, []string{"staff", "concerned", "day", "action", "object"}, entryList{}, s.readLog,
			"操作記録を職員・本人・日・操作・対象で読む（読んだことも記録される）", "Read the log of the office by account, person, day, action or object; that it was read is logged"),
		of("/alerts", "list-alerts", office.ReadAlerts, []string{"scope", "state"}, alertList{}, s.listAlerts,
			"警報の一覧（scope=installation で全体のもの、state=open で未確認のもの）", "List alerts of the office, or with scope=installation those of the installation; with state=open or acknowledged only these"),
	}
}

var (
	staffForm  = regexp.MustCompile(`^(job:[a-z-]{1,32}|[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12})$`)
	actionForm = regexp.MustCompile(`^[a-z_-]{1,32}\.[a-z_-]{1,32}$`)
	objectForm = regexp.MustCompile(`^([0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}|[2-9A-HJ-NP-Z]{12}|[0-9]{6})$`)
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
	}{{"staff", staffForm, &q.Staff}, {"concerned", rowForm, &q.Concerned}, {"action", actionForm, &q.Action}, {"object", objectForm, &q.Object}} {
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
	return s.readEntries(c, q)
}

// readUnitLog reads what the accounts of one's own unit did; not whose data it was.
func (s *Server) readUnitLog(c *call) (answer, error) {
	q, err := c.logQuery()
	if err != nil {
		return answer{}, err
	}
	if q.Of, err = s.unit(c); err != nil {
		return answer{}, err
	}
	return s.readEntries(c, q)
}

// unit are the accounts that are in the unit of the one who asks.
func (s *Server) unit(c *call) ([]string, error) {
	list, err := s.AccountRequests.Staff.ListStaff(c.ctx, c.actor.Office)
	ids := []string{}
	for _, p := range list {
		if p.Unit == c.session.Staff.Unit {
			ids = append(ids, p.ID)
		}
	}
	return ids, err
}

func (s *Server) readEntries(c *call, q audit.Query) (answer, error) {
	list, err := s.Reviews.Read(c.ctx, c.actor, q)
	if err != nil {
		return answer{}, err
	}
	ids := make([]string, len(list))
	for i, e := range list {
		ids[i] = e.ID
	}
	covers, err := s.Covers(c.ctx, c.actor.Office, ids)
	if err != nil {
		return answer{}, err
	}
	out := entryList{Entries: make([]entryBody, len(list))}
	for i, e := range list {
		out.Entries[i] = entryBody{e.ID, e.At, e.Person, e.Terminal, e.Purpose, e.Case, e.Action, e.Object, e.Concerned, e.Result, e.Request, e.Facts, nil}
		if cover, placed := covers[e.ID]; placed {
			proof := coverBody(cover)
			out.Entries[i].Proof = &proof
		}
		if q.Of != nil {
			out.Entries[i].Concerned = ""
		}
	}
	if len(list) == q.Limit {
		out.Next = list[q.Limit-1].ID
	}
	return value(out)
}

// exportLog gives entries of a span of days with their proofs.
func (s *Server) exportLog(c *call) (answer, error) {
	b, err := decode[spanBody](c)
	if err != nil {
		return answer{}, err
	}
	for i, day := range []clock.Date{b.From, b.Until} {
		if _, err := clock.ParseDate(string(day)); err != nil || !day.Full() {
			return answer{}, fault.New(fault.Invalid, "date", []string{"from", "until"}[i])
		}
	}
	if b.From > b.Until || b.Until > b.From.AddDays(watch.MaxDays-1) {
		return answer{}, fault.New(fault.Invalid, "days", "until").With("max", strconv.Itoa(watch.MaxDays))
	}
	var file bytes.Buffer
	if err := s.Reviews.Export(c.ctx, c.actor, b.From.Begins(), b.Until.AddDays(1).Begins(), func(ctx context.Context, list []audit.Record) (string, error) {
		_, err := tree.WritePart(ctx, s.Parts, &file, c.actor.Office, list)
		return fmt.Sprintf("%x", sha256.Sum256(file.Bytes())), err
	}); err != nil {
		return answer{}, err
	}
	return attachment(file.Bytes(), partType, fmt.Sprintf("log-%s-%s-%s.jsonl", c.actor.Office, b.From, b.Until)), nil
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
	b, err := decode[noteBody](c)
	if err != nil {
		return answer{}, err
	}
	return answer{}, s.Alerts.Acknowledge(c.ctx, c.actor, installation, id, b.Note)
}

func (s *Server) getAlert(c *call) (answer, error) {
	id, err := s.row(c, "alert")
	if err != nil {
		return answer{}, err
	}
	installation, err := c.ofInstallation()
	if err != nil {
		return answer{}, err
	}
	a, err := s.Alerts.Get(c.ctx, c.actor, installation, id)
	if err != nil {
		return answer{}, err
	}
	return value(alertOf(a))
}

// listLookups counts look-ups, by default those of today.
func (s *Server) listLookups(c *call) (answer, error) {
	out := usageBody{From: s.Clock.Today(), Until: s.Clock.Today()}
	for i, to := range []*clock.Date{&out.From, &out.Until} {
		name := []string{"from", "until"}[i]
		text := c.query.Get(name)
		if text == "" {
			continue
		}
		d, err := clock.ParseDate(text)
		if err != nil || !d.Full() {
			return answer{}, fault.New(fault.Invalid, "date", name)
		}
		*to = d
	}
	var of []string
	var err error
	if !c.actor.May(string(office.ReadLog)) {
		if of, err = s.unit(c); err != nil {
			return answer{}, err
		}
	}
	out.Usages, err = s.Usage.Read(c.ctx, c.actor, out.From, out.Until, of)
	if err != nil {
		return answer{}, err
	}
	return value(out)
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
	which := watch.Seen(c.query.Get("state"))
	if err := known(which, []watch.Seen{watch.Open, watch.Acknowledged}, "state"); err != nil {
		return answer{}, err
	}
	list, err := s.Alerts.List(c.ctx, c.actor, installation, which, before, limit)
	if err != nil {
		return answer{}, err
	}
	out := alertList{Alerts: make([]alertBody, len(list))}
	for i, a := range list {
		out.Alerts[i] = alertOf(a)
	}
	if len(list) == limit {
		out.Next = list[limit-1].ID
	}
	return value(out)
}
