package server

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"akashi/certificate"
	"akashi/internal/counter"
	"akashi/internal/fault"
	"akashi/internal/office"
)

func (s *Server) settingsPages() []*route {
	show := showRoute("/settings", "show-settings", "get-office", office.ReadOffice, s.showSettings, "窓口の設定の画面", "The page of the office's settings")
	ask := actRoute("/settings", "ask-for-settings", "request-settings", office.SetOffice, settingsBody{}, s.byPage(s.askSettings, s.settingsPage, toApproval), "設定の変更を依頼する", "Ask to change the settings")
	set := actRoute("/settings/apply", "apply-settings", "set-office", office.SetOffice, settingsBody{}, s.byPage(s.applySettings, s.settingsPage, toSettings), "依頼された設定にする", "Make the settings what was asked for")
	stop := actRoute("/settings/suspend", "stop-office", "suspend-office", office.SuspendOffice, reasonedBody{}, s.byPage(s.suspendOffice, s.settingsPage, toSettings), "業務を直ちに止める", "Stop all work of the office at once")
	help := actRoute("/settings/resume-request", "ask-for-resuming", "ask-approval", office.SuspendOffice, nil, s.byPage(s.askResuming, s.settingsPage, toApproval), "業務の再開を依頼する", "Ask to let the office work again")
	resume := actRoute("/settings/resume", "let-office-work", "resume-office", office.SuspendOffice, nil, s.byPage(s.resumeOffice, s.settingsPage, toSettings), "業務を再開する", "Let the office work again")
	for _, r := range []*route{show, help, resume} {
		r.whileSuspended = true
	}
	return ofOffice(show, ask, set, stop, help, resume)
}

func toSettings(*call, answer) (answer, error) { return to("/counter/settings"), nil }

// settingRow is a setting as it is, and as it would be where somebody asked for another.
type settingRow struct {
	Name      string
	Now, Then []settingCell
	Changes   bool
}

// settingCell is a value in words: one of the members.
type settingCell struct {
	Kind               certificate.Kind
	Answer, Rule, Text string
}

func texts(lines ...string) (list []settingCell) {
	for _, l := range lines {
		list = append(list, settingCell{Text: l})
	}
	return list
}

// cells are the settings in the order of the page.
func (b settingsBody) cells() (rows []settingRow) {
	row := func(name string, cells ...settingCell) { rows = append(rows, settingRow{Name: name, Now: cells}) }
	var open []settingCell
	for _, k := range b.Open {
		open = append(open, settingCell{Kind: k})
	}
	if b.Issuer != nil {
		row("issuer_ja", texts(b.Issuer.JA...)...)
		row("issuer_en", texts(b.Issuer.EN...)...)
	}
	row("open", open...)
	row("eu", settingCell{Answer: strconv.FormatBool(b.EU)})
	row("auto_approve", settingCell{Answer: strconv.FormatBool(b.AutoApprove)})
	row("number_rule", settingCell{Rule: string(b.NumberRule)})
	row("lookups_soft", texts(strconv.Itoa(b.Lookups.Soft))...)
	row("lookups_hard", texts(strconv.Itoa(b.Lookups.Hard))...)
	for _, day := range weekdays {
		if span, open := b.Hours.Week[day]; open {
			row("day_"+day, texts(span.From+"–"+span.To)...)
		} else {
			row("day_"+day, settingCell{Answer: without(b.Hours)})
		}
	}
	var holidays []string
	for _, d := range b.Hours.Holidays {
		holidays = append(holidays, string(d))
	}
	row("holidays", texts(holidays...)...)
	k := b.Keep.OrDefault()
	row("keep_records", texts(strconv.Itoa(k.Records))...)
	row("keep_applications", texts(strconv.Itoa(k.Applications))...)
	row("keep_log", texts(strconv.Itoa(k.Log))...)
	return rows
}

// without is what a day without hours is.
func without(h office.Hours) string {
	if len(h.Week) == 0 {
		return "always"
	}
	return "closed"
}

var weekdays = []string{"mon", "tue", "wed", "thu", "fri", "sat", "sun"}

// settingRows puts two settings side by side; where they are not compared, only the
// second is shown, as what was asked for.
func settingRows(now, then settingsBody, compared bool) []settingRow {
	rows, other := now.cells(), then.cells()
	for i := range rows {
		rows[i].Then = other[i].Now
		rows[i].Changes = compared && !slices.Equal(rows[i].Now, rows[i].Then)
		if !compared {
			rows[i].Now = rows[i].Then
		}
	}
	return rows
}

type settingsView struct {
	Office   officeBody
	Rows     []settingRow
	Asked    []approvalBody // changes that were asked for and can still be made
	Resume   *approvalBody  // so for letting a suspended office work again
	Form     counter.Form
	Kinds    []certificate.Kind
	Families map[certificate.Kind][]certificate.Family
	Days     []string
	Answers  []string
	Numbers  []office.NumberRule
	People   people
	Me       string
}

func (s *Server) showSettings(c *call) (answer, error) {
	return s.settingsPage(c, counter.Form{}, http.StatusOK, nil)
}

func (s *Server) settingsPage(c *call, f counter.Form, status int, above *counter.Said) (answer, error) {
	a, err := s.getOffice(c)
	if err != nil {
		return answer{}, err
	}
	v := settingsView{Office: a.body.(officeBody), Form: f, Kinds: certificate.Kinds(), Families: map[certificate.Kind][]certificate.Family{}, Days: weekdays, Me: c.actor.Person}
	v.Answers, v.Numbers = []string{"true", "false"}, []office.NumberRule{office.NumberWhenNeeded, office.NumberWithApplication}
	now := v.Office.Settings
	v.Rows = now.cells()
	for _, k := range v.Kinds {
		v.Families[k] = k.Families()
	}
	if !f.Values.Has("number_rule") { // it was no form of settings
		v.Form.Values = settingValues(now)
	}
	if v.People, err = s.people(c); err != nil {
		return answer{}, err
	}
	if c.actor.May(string(office.ReadApprovals)) {
		if err := s.askedOfOffice(c, &v); err != nil {
			return answer{}, err
		}
	}
	return s.html(c, "settings", status, above, v)
}

// askedOfOffice finds what was asked for and can still be done, in an entry of its own.
func (s *Server) askedOfOffice(c *call, v *settingsView) error {
	list, err := s.Approvals.List(c.ctx, c.actor, office.ApprovalFilter{Object: c.actor.Office, Limit: maxPage})
	for _, p := range list {
		b := s.approvalOf(p)
		switch {
		case b.State != string(office.Pending) && b.State != string(office.Approved):
		case p.Kind == office.ChangeSettings:
			v.Asked = append(v.Asked, b)
		case p.Kind == office.ResumeOffice && v.Resume == nil && v.Office.Suspended != nil && p.RequestedAt.After(v.Office.Suspended.At):
			v.Resume = &b
		}
	}
	return err
}

// settingValues are settings as the fields of the form.
func settingValues(b settingsBody) url.Values {
	v := url.Values{
		"number_rule": {string(b.NumberRule)}, "auto_approve:bool": {strconv.FormatBool(b.AutoApprove)}, "eu_certificates:bool": {strconv.FormatBool(b.EU)},
		"lookups.soft:int": {strconv.Itoa(b.Lookups.Soft)}, "lookups.hard:int": {strconv.Itoa(b.Lookups.Hard)},
	}
	for _, k := range b.Open {
		v.Add("open[]", string(k))
	}
	for day, span := range b.Hours.Week {
		v.Set("hours.week."+day+".from", span.From)
		v.Set("hours.week."+day+".to", span.To)
	}
	var holidays []string
	for _, d := range b.Hours.Holidays {
		holidays = append(holidays, string(d))
	}
	v.Set("hours.holidays:lines", strings.Join(holidays, "\n"))
	k := b.Keep.OrDefault()
	for name, years := range map[string]int{"records": k.Records, "applications": k.Applications, "log": k.Log} {
		v.Set("keep."+name+":int", fmt.Sprint(years))
	}
	if b.Issuer != nil {
		v.Set("issuer.ja:lines", strings.Join(b.Issuer.JA, "\n"))
		v.Set("issuer.en:lines", strings.Join(b.Issuer.EN, "\n"))
	}
	return v
}

// applySettings makes the settings what the approval says that the page showed.
func (s *Server) applySettings(c *call) (answer, error) {
	var f struct {
		Approval string `json:"approval"`
	}
	if err := json.Unmarshal(c.body, &f); err != nil || !rowForm.MatchString(f.Approval) {
		return answer{}, fault.New(fault.Invalid, "form_syntax", "")
	}
	p, err := s.Approvals.Get(c.ctx, c.actor, f.Approval)
	if err != nil {
		return answer{}, err
	}
	w, err := p.Wanted()
	if err != nil || p.Kind != office.ChangeSettings {
		return answer{}, fault.New(fault.Conflict, "approval_differs", "")
	}
	if c.body, err = json.Marshal(settingsOf(w)); err != nil {
		return answer{}, err
	}
	return s.setOffice(c)
}

func (s *Server) askResuming(c *call) (answer, error) {
	return s.approval(s.Offices.AskResume(c.ctx, c.actor, nil))
}
