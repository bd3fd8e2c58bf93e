package server

import (
	"net/http"
	"regexp"
	"strings"
	"time"

	"akashi/internal/actor"
	"akashi/internal/custody"
	"akashi/internal/office"
)

// retentionBody is a list of what was kept long enough, and how far its erasure is.
type retentionBody struct {
	ID      string           `json:"id" doc:"object of the approval retention.erase"`
	State   string           `json:"state" doc:"waiting for two people, approved, erasing, erased, replaced by a newer one, or empty"`
	MadeAt  time.Time        `json:"made_at"`
	BeganAt time.Time        `json:"began_at,omitzero"`
	EndedAt time.Time        `json:"ended_at,omitzero"`
	Counts  []retentionTally `json:"counts"`
}

type retentionTally struct {
	Class   custody.Class `json:"class" doc:"persons, applications or log"`
	Outcome string        `json:"outcome,omitempty" doc:"empty where nothing was done yet; erased, held, changed, or begun"`
	Count   int           `json:"count"`
}

type retentionList struct {
	Lists []retentionBody `json:"lists"`
	Next  string          `json:"next,omitempty" doc:"cursor of the next page"`
}

type retentionItem struct {
	Class   custody.Class `json:"class"`
	Object  string        `json:"object" doc:"id of a person or an application; of the log, the place before which"`
	Since   time.Time     `json:"since" doc:"the last that happened to it"`
	Outcome string        `json:"outcome,omitempty"`
}

type retentionPage struct {
	retentionBody
	Items []retentionItem `json:"items"`
	Next  string          `json:"next,omitempty" doc:"cursor of the next page of items"`
}

func (s *Server) retentionRoutes() []*route {
	of := func(path, id string, out any, serve func(*call) (answer, error), ja, en string) *route {
		return &route{
			faces: staffOnly, method: http.MethodGet, path: prefix + "/retention" + path, id: id, permission: office.RequestErasure, purpose: actor.Operate,
			status: http.StatusOK, query: paging, out: out, serve: serve, ja: ja, en: en,
		}
	}
	return []*route{
		of("", "list-retention", retentionList{}, s.listRetention, "保存期間を過ぎたものの一覧表と、その消去の状況", "Lists of what was kept long enough, and how far their erasure is"),
		of("/{id}", "get-retention", retentionPage{}, s.getRetention, "保存期間を過ぎたものの一覧表を調べる", "Look at a list of what was kept long enough, before it is erased"),
	}
}

func retentionOf(r custody.Run) retentionBody {
	b := retentionBody{ID: r.ID, State: r.State(), MadeAt: r.Made, BeganAt: r.Began, EndedAt: r.Ended, Counts: []retentionTally{}}
	for _, t := range r.Tally {
		b.Counts = append(b.Counts, retentionTally(t))
	}
	return b
}

func (s *Server) listRetention(c *call) (answer, error) {
	limit, before, err := c.page(rowForm)
	if err != nil {
		return answer{}, err
	}
	list, err := s.Retention.Runs(c.ctx, c.actor, before, limit)
	if err != nil {
		return answer{}, err
	}
	out := retentionList{Lists: []retentionBody{}}
	for _, r := range list {
		out.Lists = append(out.Lists, retentionOf(r))
	}
	if len(list) == limit {
		out.Next = list[limit-1].ID
	}
	return value(out)
}

// itemForm is a class and an object, which a page of a list ends with.
var itemForm = regexp.MustCompile(`^[a-z]{3,12}\.[0-9a-f-]{1,36}$`)

func (s *Server) getRetention(c *call) (answer, error) {
	id, err := s.row(c, "retention_run")
	if err != nil {
		return answer{}, err
	}
	limit, after, err := c.page(itemForm)
	if err != nil {
		return answer{}, err
	}
	class, object, _ := strings.Cut(after, ".")
	r, err := s.Retention.Run(c.ctx, c.actor, id, custody.Due{Class: custody.Class(class), Object: object}, limit)
	if err != nil {
		return answer{}, err
	}
	out := retentionPage{retentionBody: retentionOf(r), Items: []retentionItem{}}
	for _, d := range r.Items {
		out.Items = append(out.Items, retentionItem(d))
	}
	if len(out.Items) == limit {
		last := out.Items[limit-1]
		out.Next = string(last.Class) + "." + last.Object
	}
	return value(out)
}
