package server

import (
	"net/http"
	"time"

	"akashi/certificate"
	"akashi/internal/actor"
	"akashi/internal/clock"
	"akashi/internal/office"
	"akashi/internal/statistics"
)

// figuresBody is what an office did in a span, counted; nobody is in it.
type figuresBody struct {
	From      clock.Date       `json:"from"`
	To        clock.Date       `json:"to"`
	Kind      certificate.Kind `json:"kind,omitempty"`
	Issued    int              `json:"issued" doc:"certificates issued in the span, whatever became of them"`
	Days      []cellBody       `json:"days"`
	Kinds     []cellBody       `json:"kinds"`
	Channels  []cellBody       `json:"channels"`
	States    []cellBody       `json:"states" doc:"as they are now"`
	Refused   int              `json:"refused" doc:"applications refused in the span"`
	Refusals  []cellBody       `json:"refusals" doc:"by reason; an application may have several"`
	CaseTimes []casesBody      `json:"case_times" doc:"days with a first certificate of an application"`
	CaseTime  casesBody        `json:"case_time" doc:"of the whole span"`
}

type cellBody struct {
	Key   string `json:"key"`
	Count int    `json:"count"`
}

type casesBody struct {
	Day    clock.Date `json:"day,omitempty"`
	Count  int        `json:"count"`
	Median int        `json:"median_seconds" doc:"from the application to its certificate; by the minute from ten on"`
	P90    int        `json:"p90_seconds"`
}

func (s *Server) statisticsRoutes() []*route {
	of := func(path, id string, serve func(*call) (answer, error), ja, en string) *route {
		return &route{
			faces: staffOnly, method: http.MethodGet, path: path, id: id, permission: office.ReadStatistics, purpose: actor.Operate,
			longer: time.Minute,
			status: http.StatusOK, query: []string{"from", "to", "kind"}, serve: serve, ja: ja, en: en,
		}
	}
	figures := of(prefix+"/statistics", "get-statistics", s.getStatistics, "統計（個人の情報なし）", "Figures of the office, of nobody")
	figures.out = figuresBody{}
	table := of(prefix+"/statistics/table", "get-statistics-table", s.getTable, "統計の表（CSV、10 未満は伏せる）", "The figures as CSV; counts below ten are withheld")
	table.gives, table.logged = "text/csv", figures.id
	page := of("/counter/statistics", "show-statistics", s.showStatistics, "統計の画面", "The page of figures")
	page.gives, page.hidden, page.logged = pageType, true, figures.id
	saved := of("/counter/statistics/table", "save-statistics", s.getTable, table.ja, table.en)
	saved.gives, saved.hidden, saved.logged = "text/csv", true, figures.id
	return []*route{figures, table, page, saved}
}

// usualDays is the span where none is asked for.
const usualDays = 30

// question is what a query asks for.
func (s *Server) question(c *call) statistics.Question {
	q := statistics.Question{From: clock.Date(c.query.Get("from")), To: clock.Date(c.query.Get("to")), Kind: certificate.Kind(c.query.Get("kind"))}
	if q.To == "" {
		q.To = s.Clock.Today()
	}
	if q.From == "" {
		q.From = q.To.AddDays(1 - usualDays)
	}
	return q
}

func (s *Server) getStatistics(c *call) (answer, error) {
	f, err := s.Statistics.Count(c.ctx, c.actor, s.question(c))
	if err != nil {
		return answer{}, err
	}
	b := figuresBody{
		From: f.From, To: f.To, Kind: f.Kind, Issued: f.Issued, Refused: f.Refused,
		Days: cellsOf(f.Days), Kinds: cellsOf(f.Kinds), Channels: cellsOf(f.Channels), States: cellsOf(f.States), Refusals: cellsOf(f.Refusals),
		CaseTimes: []casesBody{}, CaseTime: casesBody(f.Whole),
	}
	for _, c := range f.Cases {
		b.CaseTimes = append(b.CaseTimes, casesBody(c))
	}
	return value(b)
}

func cellsOf(list []statistics.Cell) []cellBody {
	cells := []cellBody{}
	for _, c := range list {
		cells = append(cells, cellBody(c))
	}
	return cells
}

func (s *Server) getTable(c *call) (answer, error) {
	f, err := s.Statistics.Count(c.ctx, c.actor, s.question(c))
	if err != nil {
		return answer{}, err
	}
	b, err := f.Table()
	return attachment(b, "text/csv; charset=utf-8", "statistics-"+string(f.From)+"-"+string(f.To)+".csv"), err
}
