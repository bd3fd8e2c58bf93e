package server

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"akashi/internal/cli"
	"akashi/internal/clock"
	"akashi/internal/office"
)

func accountForm(user string, role office.Role) string {
	return fmt.Sprintf(`{"user_id":"%s-%s","name":"新人 一","unit":"健康推進課","role":"%s",%s}`, cli.TestOffice, user, role, answered)
}

var (
	nextYear = string(clock.DateOf(time.Now().AddDate(1, 0, 0)))
	answered = `"ends_on":"` + nextYear + `","trained_on":"2026-01-05","section_head":"健康推進課長","system_owner":"情報政策課長"`
)

// S-011, R-016: an account over HTTP, by three people; then changed, disabled, enabled.
func (f *fixture) testAccounts(t *testing.T) {
	second, operator := f.officers(t, 1)[0], f.SignIn(t, cli.TestOffice+"-operator", office.Operator)
	f.want(t, f.do(f.clerk, "POST", "/accounts/requests", accountForm("x", office.Clerk)), 403, "permission")
	f.want(t, f.do(f.officer, "POST", "/accounts/requests", strings.Replace(accountForm("x", office.Clerk), nextYear, "2020-03-31", 1)), 400, "end_date")
	f.want(t, f.do(f.officer, "POST", "/accounts/requests", strings.Replace(accountForm("x", office.Clerk), `"system_owner":"情報政策課長"`, `"system_owner":""`, 1)), 400, "required")
	approve := func(r reply) string {
		t.Helper()
		f.want(t, r, 201, "")
		m := r.json(t)
		f.want(t, f.do(f.officer, "POST", "/approvals/"+m["approval"].(string)+"/approve", `{"reason":""}`), 403, "second_person")
		f.want(t, f.do(second, "POST", "/approvals/"+m["approval"].(string)+"/approve", `{"reason":""}`), 200, "")
		return "/accounts/requests/" + m["id"].(string)
	}
	path := approve(f.do(f.officer, "POST", "/accounts/requests", accountForm("new", office.Clerk)))
	twice := f.do(second, "POST", "/accounts/requests", accountForm("new", office.RegisterClerk))
	f.want(t, twice, 409, "user_asked")
	if !strings.Contains(string(twice.body), `"user_id"`) {
		t.Errorf("error/the field is another: %s", twice.body)
	}
	f.want(t, f.do(second, "POST", path+"/carry-out", ""), 403, "permission")
	r := f.do(operator, "POST", path+"/carry-out", "")
	f.want(t, r, 200, "")
	made := r.json(t)
	if made["setup_link"] == nil || made["account"] == nil {
		t.Fatalf("ok/made: %s", r.body)
	}
	f.want(t, f.do(operator, "POST", path+"/carry-out", ""), 409, "approval_used")
	r = f.do(f.officer, "GET", path, "")
	f.want(t, r, 200, "")
	if strings.Contains(string(r.body), "setup_link") {
		t.Error("error/the link is shown twice")
	}
	f.want(t, f.do(f.officer, "GET", "/accounts/requests/"+nobody, ""), 404, "account_request")
	f.want(t, f.do(f.officer, "GET", "/accounts/requests?limit=1", ""), 200, "")
	f.want(t, f.do(f.clerk, "GET", "/accounts/requests", ""), 403, "permission")
	f.want(t, f.do(f.clerk, "GET", "/accounts", ""), 403, "permission")
	f.want(t, f.do(f.officer, "GET", "/accounts?on=2026-02-30", ""), 400, "date")
	if r := f.do(f.officer, "GET", "/accounts", ""); !strings.Contains(string(r.body), cli.TestOffice+"-new") {
		t.Errorf("ok/listed: %s", r.body)
	}

	account := "/accounts/" + made["account"].(string)
	duties := `{"unit":"健康推進課","role":"register_clerk",` + answered + `}`
	f.want(t, f.do(f.officer, "POST", "/accounts/"+nobody+"/change", duties), 404, "account")
	path = approve(f.do(f.officer, "POST", account+"/change", duties))
	f.want(t, f.do(operator, "POST", path+"/carry-out", ""), 200, "")
	f.want(t, f.do(operator, "POST", "/accounts/"+nobody+"/disable", ""), 404, "account")
	f.want(t, f.do(operator, "POST", account+"/disable", ""), 204, "")
	if r := f.do(f.officer, "GET", "/accounts", ""); !strings.Contains(string(r.body), `"role":"register_clerk","state":"suspended"`) {
		t.Errorf("ok/changed and disabled: %s", r.body)
	}
	f.want(t, f.do(f.officer, "POST", "/accounts/"+nobody+"/enable", duties), 404, "account")
	path = approve(f.do(f.officer, "POST", account+"/enable", duties))
	f.want(t, f.do(operator, "POST", path+"/carry-out", ""), 200, "")
}

// S-019, R-160: somebody who is no longer in the roster is out at the next request.
func (f *fixture) testRosters(t *testing.T) {
	leaver := f.SignIn(t, cli.TestOffice+"-leaver", office.Clerk)
	second := f.officers(t, 1)[0]
	f.want(t, f.do(leaver, "GET", "/applications", ""), 200, "")
	people, err := f.Store.ListStaff(t.Context(), cli.TestOffice)
	if err != nil {
		t.Fatal(err)
	}
	file := "user_id,name,unit\n"
	for _, p := range people {
		if p.User != cli.TestOffice+"-leaver" {
			file += p.User + ",氏名," + p.Unit + "\n"
		}
	}
	csv := func(key, path, body string) reply {
		r := ask(f.Staff(), key, "POST", prefix+path, "text/csv", []byte(body))
		f.note(staffFace, "POST", prefix+path, r)
		return r
	}
	f.want(t, csv(f.clerk, "/rosters", file), 403, "permission")
	f.want(t, csv(f.officer, "/rosters", "a,b,c\n1,2,3\n"), 400, "roster_file")
	r := csv(f.officer, "/rosters", file)
	f.want(t, r, 201, "")
	path := "/rosters/" + r.json(t)["id"].(string)
	f.want(t, f.do(f.officer, "POST", path+"/commit", ""), 403, "second_person")
	f.want(t, f.do(leaver, "GET", "/applications", ""), 200, "")
	r = f.do(second, "POST", path+"/commit", "")
	f.want(t, r, 200, "")
	if got := r.json(t)["result"].(map[string]any)["leavers"].([]any); len(got) != 1 {
		t.Errorf("ok/leavers: %s", r.body)
	}
	if r := f.do(leaver, "GET", "/applications", ""); r.status != 401 {
		t.Errorf("error/who has left reads on: %d %s", r.status, r.body)
	}
	f.want(t, f.do(second, "POST", path+"/commit", ""), 409, "roster_state")
	f.want(t, f.do(f.officer, "GET", path, ""), 200, "")
	f.want(t, f.do(f.officer, "GET", "/rosters/"+nobody, ""), 404, "roster")
	f.want(t, f.do(f.officer, "GET", "/rosters", ""), 200, "")
	f.want(t, f.do(f.clerk, "GET", "/rosters", ""), 403, "permission")
}
