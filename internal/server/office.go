package server

import (
	"net/http"

	"akashi/certificate"
	"akashi/internal/actor"
	"akashi/internal/office"
)

// officeBody is an office with its rules.
type officeBody struct {
	Code      string             `json:"code"`
	NameJA    string             `json:"name_ja"`
	NameEN    string             `json:"name_en"`
	Settings  settingsBody       `json:"settings"`
	Suspended *office.Suspension `json:"suspended,omitempty"`
}

// settingsBody is all rules of an office; there is no change of a part, so that
// the second person sees what will be.
type settingsBody struct {
	Open        []certificate.Kind `json:"open" maxItems:"3" doc:"kinds that the office offers at present: domestic, travel, icvp"`
	EU          bool               `json:"eu_certificates,omitempty" doc:"certificates for travel also have an EU certificate of the latest dose"`
	AutoApprove bool               `json:"auto_approve" doc:"an exact, anomaly-free match is approved by rule"`
	NumberRule  office.NumberRule  `json:"number_rule" doc:"when_needed or with_application (R-131)"`
	Lookups     office.Lookups     `json:"lookups" doc:"how many people an account may look up within an hour"`
	Hours       office.Hours       `json:"hours,omitempty"`
	Keep        office.Keeping     `json:"keep,omitzero" doc:"for how many years since the last that happened"`
	Issuer      *issuerBody        `json:"issuer,omitempty" doc:"as it is where it is missing"`
}

// issuerBody is who issues, line by line, as certificates print it.
type issuerBody struct {
	JA []string `json:"ja" minItems:"1" maxItems:"3" doc:"such as 架空県証市長, 日本国厚生労働大臣"`
	EN []string `json:"en" minItems:"1" maxItems:"3"`
}

func (b settingsBody) wanted(now office.Office) office.Wanted {
	w := office.Wanted{Issuer: now.Issuer, Settings: office.Settings{
		Open: b.Open, EU: b.EU, AutoApprove: b.AutoApprove, NumberRule: b.NumberRule, Lookups: b.Lookups, Hours: b.Hours, Keep: b.Keep,
	}}
	if b.Issuer != nil {
		w.Issuer = certificate.Issuer{Japanese: b.Issuer.JA, English: b.Issuer.EN}
	}
	return w
}

func settingsOf(w office.Wanted) settingsBody {
	t := w.Settings
	return settingsBody{t.Open, t.EU, t.AutoApprove, t.NumberRule, t.Lookups, t.Hours, t.Keep, &issuerBody{w.Issuer.Japanese, w.Issuer.English}}
}

func (s *Server) officeRoutes() []*route {
	of := func(method, path, id string, p office.Permission, serve func(*call) (answer, error), ja, en string) *route {
		return &route{
			faces: staffOnly, method: method, path: prefix + "/office" + path, id: id, permission: p, purpose: actor.Operate,
			status: http.StatusOK, out: officeBody{}, serve: serve, ja: ja, en: en,
		}
	}
	ask := of(http.MethodPost, "/settings/request", "request-settings", office.SetOffice, s.askSettings, "設定の変更を別の人に依頼する", "Ask another person to change the settings")
	ask.status, ask.takes, ask.in, ask.out = http.StatusCreated, jsonType, settingsBody{}, approvalBody{}
	set := of(http.MethodPut, "/settings", "set-office", office.SetOffice, s.setOffice, "承認された設定にする", "Make the settings what was asked for and approved")
	set.takes, set.in = jsonType, settingsBody{}
	suspend := of(http.MethodPost, "/suspend", "suspend-office", office.SuspendOffice, s.suspendOffice, "業務を直ちに止める", "Stop all work of the office at once")
	suspend.takes, suspend.in = jsonType, reasonedBody{}
	get := of(http.MethodGet, "", "get-office", office.ReadOffice, s.getOffice, "市区町村とその設定", "The office with its settings")
	resume := of(http.MethodPost, "/resume", "resume-office", office.SuspendOffice, s.resumeOffice, "業務を再開する（別の人の承認が必要）", "Let the office work again, which another person approved")
	get.whileSuspended, resume.whileSuspended = true, true
	return []*route{get, ask, set, suspend, resume}
}

func (s *Server) changedOffice(o office.Office, err error) (answer, error) {
	if err != nil {
		return answer{}, err
	}
	s.rules.keep(o, s.Clock.Now().Add(rulesLast))
	return value(officeOf(o))
}

func officeOf(o office.Office) officeBody {
	return officeBody{o.Code, o.NameJA, o.NameEN, settingsOf(office.Wanted{Settings: o.Settings, Issuer: o.Issuer}), o.Settings.Suspended}
}

func (s *Server) getOffice(c *call) (answer, error) {
	o, err := s.Offices.Get(c.ctx, c.actor)
	if err != nil {
		return answer{}, err
	}
	return value(officeOf(o))
}

func (s *Server) askSettings(c *call) (answer, error) {
	w, err := s.wanted(c)
	if err != nil {
		return answer{}, err
	}
	return s.approval(s.Offices.AskSettings(c.ctx, c.actor, w))
}

func (s *Server) wanted(c *call) (office.Wanted, error) {
	b, err := decode[settingsBody](c)
	if err != nil {
		return office.Wanted{}, err
	}
	now, err := s.Offices.Get(c.ctx, c.actor)
	return b.wanted(now), err
}

func (s *Server) setOffice(c *call) (answer, error) {
	w, err := s.wanted(c)
	if err != nil {
		return answer{}, err
	}
	return s.changedOffice(s.Offices.Set(c.ctx, c.actor, w))
}

func (s *Server) suspendOffice(c *call) (answer, error) {
	b, err := decode[reasonedBody](c)
	if err != nil {
		return answer{}, err
	}
	return s.changedOffice(s.Offices.Suspend(c.ctx, c.actor, b.Reason))
}

func (s *Server) resumeOffice(c *call) (answer, error) {
	return s.changedOffice(s.Offices.Resume(c.ctx, c.actor))
}
