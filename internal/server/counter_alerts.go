package server

import (
	"net/http"

	"akashi/internal/actor"
	"akashi/internal/counter"
	"akashi/internal/office"
)

func (s *Server) alertPages() []*route {
	list := showRoute("/alerts", "show-alerts", "list-alerts", office.ReadAlerts, s.showAlerts, "警報一覧の画面", "The page of alerts")
	list.query = []string{"scope", "state", "cursor"}
	one := showRoute("/alerts/{id}", "show-alert", "get-alert", office.ReadAlerts, s.showAlert, "警報の画面", "The page of an alert")
	seen := actRoute("/alerts/{id}/acknowledge", "see-to-alert", "acknowledge-alert", office.CloseAlerts, noteBody{}, s.byPage(s.acknowledgeAlert, s.alertPage, func(c *call, _ answer) (answer, error) {
		return to("/counter/alerts/" + c.param("id") + c.scope()), nil
	}), "警報を確認済みにする", "Acknowledge an alert")
	one.query, seen.query = []string{"scope"}, []string{"scope"}
	for _, r := range []*route{list, one, seen} {
		r.purpose, r.whileSuspended = actor.Audit, true
	}
	return []*route{list, one, seen}
}

// scope is the query by which a page of the same scope is asked for.
func (c *call) scope() string {
	if of := c.query.Get("scope"); of != "" {
		return "?scope=" + of
	}
	return ""
}

type alertsView struct {
	alertList
	Scope, State string
	People       people
}

func (s *Server) showAlerts(c *call) (answer, error) {
	if c.query.Get("state") == "" {
		c.query.Set("state", "open")
	}
	a, err := s.listAlerts(c)
	if err != nil {
		return answer{}, err
	}
	v := alertsView{alertList: a.body.(alertList), Scope: c.query.Get("scope"), State: c.query.Get("state")}
	if v.Scope == "" {
		v.Scope = "office"
		if installation, _ := c.ofInstallation(); installation {
			v.Scope = "installation"
		}
	}
	if v.People, err = s.people(c); err != nil {
		return answer{}, err
	}
	return s.html(c, "alerts", http.StatusOK, nil, v)
}

type alertView struct {
	Alert  alertBody
	Scope  string // the query of the page
	Mine   bool   // the one who looks may acknowledge it
	About  bool   // it is about that very person
	Form   counter.Form
	People people
}

func (s *Server) showAlert(c *call) (answer, error) {
	return s.alertPage(c, counter.Form{}, http.StatusOK, nil)
}

func (s *Server) alertPage(c *call, f counter.Form, status int, above *counter.Said) (answer, error) {
	a, err := s.getAlert(c)
	if err != nil {
		return answer{}, err
	}
	v := alertView{Alert: a.body.(alertBody), Scope: c.scope(), Form: f}
	v.About = v.Alert.Subject == c.actor.Person
	needed := office.OfficeAlerts
	if installation, _ := c.ofInstallation(); installation {
		needed = office.InstallationAlerts
	}
	v.Mine = c.actor.May(string(office.CloseAlerts)) && c.actor.May(string(needed)) && !v.About
	if v.People, err = s.people(c); err != nil {
		return answer{}, err
	}
	return s.html(c, "alert", status, above, v)
}
