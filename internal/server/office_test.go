package server

import (
	"bytes"
	"strconv"
	"testing"
	"time"

	"akashi/certificate"
	"akashi/internal/audit"
	"akashi/internal/cli"
	"akashi/internal/office"
)

const newSettings = `{"open":["domestic","travel"],"auto_approve":true,"number_rule":"with_application","lookups":{"soft":200,"hard":500},"hours":{}}`

// Settings change with two people; an office is suspended by one and resumed by two.
func (f *fixture) testOffice(t *testing.T) {
	f.want(t, f.do(f.clerk, "GET", "/office", ""), 200, "")
	f.want(t, f.do("", "GET", "/office", ""), 401, "session")
	f.want(t, f.do(f.officer, "PUT", "/office/settings", newSettings), 403, "approval_needed")
	f.want(t, f.do(f.clerk, "POST", "/office/settings/request", newSettings), 403, "permission")
	for body, code := range map[string]string{
		`{"open":["both"],"auto_approve":true,"number_rule":"with_application","lookups":{"soft":200,"hard":500}}`:                                                     "unknown_value",
		`{"open":[],"auto_approve":true,"number_rule":"never","lookups":{"soft":200,"hard":500}}`:                                                                      "unknown_value",
		`{"open":[],"auto_approve":true,"number_rule":"when_needed","lookups":{"soft":200,"hard":100}}`:                                                                "lookups",
		`{"open":[],"auto_approve":true,"number_rule":"when_needed","lookups":{"soft":200,"hard":500},"hours":{"week":{"mon":{"from":"9:00","to":"17:00"}}}}`:          "hours",
		`{"open":[],"auto_approve":true,"number_rule":"when_needed","lookups":{"soft":200,"hard":500},"suspended":{"by":"x","at":"2026-01-01T00:00:00Z","reason":""}}`: "unknown_field",
	} {
		f.want(t, f.do(f.officer, "POST", "/office/settings/request", body), 400, code)
	}
	r := f.do(f.officer, "POST", "/office/settings/request", newSettings)
	f.want(t, r, 201, "")
	f.want(t, f.do(f.officer, "PUT", "/office/settings", newSettings), 403, "second_person")
	second := f.officers(t, 1)[0]
	other := `{"open":[],"auto_approve":true,"number_rule":"with_application","lookups":{"soft":200,"hard":500},"hours":{}}`
	if got := f.do(second, "PUT", "/office/settings", other); got.status < 400 {
		t.Errorf("error/other settings than asked for: %d", got.status)
	}
	r = f.do(second, "PUT", "/office/settings", newSettings)
	f.want(t, r, 200, "")
	if r.json(t)["settings"].(map[string]any)["number_rule"] != "with_application" {
		t.Errorf("ok/set: %s", r.body)
	}
	f.want(t, f.do(second, "PUT", "/office/settings", newSettings), 409, "approval_used")

	app := f.approved(t, certificate.Domestic)
	resume := `{"kind":"office.resume","object":"` + cli.TestOffice + `"}`
	f.want(t, f.do(f.officer, "POST", "/approvals", resume), 409, "office_not_suspended") // nothing to approve ahead
	f.want(t, f.do(f.clerk, "POST", "/office/suspend", `{"reason":"x"}`), 403, "permission")
	f.want(t, f.do(f.officer, "POST", "/office/suspend", `{"reason":" "}`), 400, "required")
	f.want(t, f.do(f.officer, "POST", "/office/suspend", `{"reason":"端末の盗難"}`), 200, "")
	for _, r := range f.routes() {
		if r.faces[0] != staffFace || r.permission == anyone || r.permission == oneself || r.id == "ask-for-resuming" { // which would do so
			continue
		}
		got := ask(f.Staff(), f.officer, r.method, pathParameter.ReplaceAllString(r.path, nobody), first(r.takes), nil)
		if refused := got.code() == "office_suspended"; refused == r.whileSuspended && got.code() != "permission" {
			t.Errorf("%s %s while suspended: %d %s", r.method, r.path, got.status, got.code())
		}
	}
	f.want(t, f.do(f.clerk, "POST", "/applications/"+app+"/certificate", ""), 403, "office_suspended")
	f.want(t, ask(f.Staff(), f.foreign, "GET", prefix+"/applications", "", nil), 200, "") // another office works on
	f.want(t, f.do(f.officer, "POST", "/office/resume", ""), 403, "approval_needed")
	r = f.do(f.officer, "POST", "/approvals", resume)
	f.want(t, r, 201, "")
	left := r.json(t)["id"].(string)
	f.want(t, f.do(f.officer, "POST", "/approvals", resume), 201, "") // which is used, and the first is left
	f.want(t, f.do(f.officer, "POST", "/office/resume", ""), 403, "second_person")
	f.want(t, f.do(second, "POST", "/office/resume", ""), 200, "")
	f.want(t, f.do(second, "POST", "/approvals/"+left+"/approve", `{"reason":""}`), 200, "")
	f.want(t, f.do(second, "POST", "/office/suspend", `{"reason":"もう一度"}`), 200, "")
	f.want(t, f.do(f.officer, "POST", "/office/resume", ""), 409, "approval_differs") // approved for the suspension before
	f.want(t, f.do(f.officer, "POST", "/approvals", resume), 201, "")
	f.want(t, f.do(second, "POST", "/office/resume", ""), 200, "")
	f.want(t, f.do(second, "POST", "/office/resume", ""), 409, "office_not_suspended")
	f.want(t, f.do(f.clerk, "POST", "/applications/"+app+"/certificate", ""), 201, "")
}

func first(list []string) string {
	if len(list) == 0 {
		return ""
	}
	return list[0]
}

// L-09: outside the hours a clerk does not issue, and an approver not unseen.
func TestAfterHours(t *testing.T) {
	now := time.Date(2026, 11, 16, 7, 0, 0, 0, time.UTC) // Monday, 16:00 in Japan
	f := newFixture(t, func(s *Services) { s.Clock = func() time.Time { return now } })
	if _, err := f.ChangeOffice(t.Context(), cli.TestOffice, func(s *office.Settings) {
		s.Hours.Week = map[string]office.Span{"mon": {From: "08:45", To: "17:15"}}
	}); err != nil {
		t.Fatal(err)
	}
	a, b := f.approved(t, certificate.Domestic), f.approved(t, certificate.Domestic)
	f.want(t, f.do(f.clerk, "POST", "/applications/"+a+"/certificate", ""), 201, "")
	now = now.Add(2 * time.Hour)
	f.want(t, f.do(f.clerk, "POST", "/applications/"+b+"/certificate", ""), 403, "office_closed_now")
	f.want(t, f.do(f.clerk, "GET", "/applications/"+b+"/preview", ""), 403, "office_closed_now")
	for session, offered := range map[string]bool{f.clerk: false, f.officer: true} { // Issue 6, section 1
		if page := f.page(session, "GET", "/counter/applications/"+b, ""); bytes.Contains(page.body, []byte(`/issue"`)) != offered || bytes.Contains(page.body, []byte(messages["office_closed_now"].JA)) == offered {
			t.Errorf("ok/page: %s", page.body)
		}
	}
	f.want(t, f.do(f.clerk, "GET", "/applications/"+b, ""), 200, "")
	f.want(t, f.do(f.officer, "POST", "/applications/"+b+"/certificate", ""), 201, "")
	// What watch makes an alert of, by the office's hours (S-089).
	told, err := f.World.Reviews.Read(t.Context(), f.Officer, audit.Query{Action: "certificate.issue", Limit: 10})
	if err != nil || len(told) != 3 || told[0].Result != "ok" || told[0].Record.Person != f.Officer.Person || told[1].Result != "forbidden:office_closed_now" {
		t.Errorf("error/log: %+v %v", told, err)
	}
}

// L-10: an account that looks too many people up is stopped with 429 and no data.
func TestLookupBudget(t *testing.T) {
	f := newFixture(t)
	if _, err := f.ChangeOffice(t.Context(), cli.TestOffice, func(s *office.Settings) { s.Lookups = office.Lookups{Soft: 3, Hard: 5} }); err != nil {
		t.Fatal(err)
	}
	app := f.approved(t, certificate.Domestic) // the first
	for range 4 {
		f.want(t, f.do(f.clerk, "GET", "/applications/"+app, ""), 200, "")
	}
	r := f.do(f.clerk, "GET", "/applications/"+app, "")
	f.want(t, r, 429, "budget")
	if wait, err := strconv.Atoi(r.header.Get("Retry-After")); err != nil || wait < 60 {
		t.Errorf("error/Retry-After: %q", r.header.Get("Retry-After"))
	}
	f.want(t, f.do(f.clerk, "GET", "/applications/"+nobody, ""), 429, "budget") // who guesses is counted too
	f.want(t, f.do(f.clerk, "GET", "/applications", ""), 200, "")               // nothing personal in a list
	f.want(t, f.do(f.officer, "GET", "/applications/"+app, ""), 200, "")
	f.want(t, f.do(f.officer, "POST", "/prints", `{"certificates":["ABCDEFGHJKLM","ABCDEFGHJKLN","ABCDEFGHJKLP","ABCDEFGHJKLQ","ABCDEFGHJKLR"]}`), 429, "budget")
}
