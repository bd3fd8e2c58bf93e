package server

import (
	"context"
	"strings"
	"testing"
	"time"

	"akashi/certificate"
	"akashi/internal/clock"
	"akashi/internal/office"
	"akashi/internal/watch"
)

// S-088: the auditor reads the log of the own office by clerk, person, day and
// action, page by page; that it was read stands in it, by keys and never by a name.
func (f *fixture) testLog(t *testing.T) {
	auditor := f.everyRole(t, f.Clerk.Office)[office.Auditor]
	read := func(query string) (list []map[string]any, next string) {
		t.Helper()
		r := f.do(auditor, "GET", "/log?"+query, "")
		f.want(t, r, 200, "")
		for _, e := range r.json(t)["entries"].([]any) {
			list = append(list, e.(map[string]any))
		}
		next, _ = r.json(t)["next"].(string)
		return list, next
	}
	id := f.issued(t, certificate.Domestic)
	today := string(clock.DateOf(time.Now()))
	issued, _ := read("action=certificate.issue&day=" + today + "&staff=" + f.Clerk.Person)
	if len(issued) == 0 || issued[0]["object"] != id || issued[0]["staff"] != f.Clerk.Person || issued[0]["concerned"] == nil {
		t.Fatalf("ok/newest first: %v", issued)
	}
	person := issued[0]["concerned"].(string)
	all, seen := 0, map[any]bool{}
	for cursor := ""; ; all++ {
		page, next := read("limit=3&concerned=" + person + cursor)
		for _, e := range page {
			if e["concerned"] != person || seen[e["id"]] {
				t.Errorf("error/entry: %v", e)
			}
			seen[e["id"]] = true
		}
		if next == "" {
			break
		}
		cursor = "&cursor=" + next
	}
	if all < 1 || len(seen) < 4 {
		t.Errorf("ok/pages: %d pages, %d entries", all+1, len(seen))
	}
	if list, _ := read("day=2020-01-01"); len(list) != 0 {
		t.Errorf("ok/another day: %v", list)
	}
	if list, _ := read("action=sakurai.mio"); len(list) != 0 {
		t.Errorf("ok/no such action: %v", list)
	}
	reads, _ := read("action=log.read")
	facts := map[string]bool{}
	for _, e := range reads {
		told, _ := e["facts"].(map[string]any)
		for name, v := range told {
			facts[name] = true
			if strings.Contains(v.(string), "sakurai") {
				t.Errorf("error/a name in the log: %v", e)
			}
		}
	}
	if len(reads) < 4 || !facts["staff"] || !facts["action"] || !facts["from"] || !facts["entries"] {
		t.Errorf("ok/reading is logged: %v", reads)
	}
	for query, code := range map[string]string{
		"": "required", "limit=3": "required", "staff=sakurai": "json_form", "concerned=job:recover": "json_form", "action=Issue": "json_form",
		"day=2026": "date", "day=yesterday": "date", "day=" + today + "&cursor=x": "cursor", "name=x": "unknown_parameter",
	} {
		f.want(t, f.do(auditor, "GET", "/log?"+query, ""), 400, code)
	}
	for _, key := range []string{f.clerk, f.officer} {
		f.want(t, f.do(key, "GET", "/log?day="+today, ""), 403, "permission")
	}
	theirs := f.everyRole(t, foreignOffice)[office.Auditor]
	if r := f.do(theirs, "GET", "/log?concerned="+person, ""); r.status != 200 || len(r.json(t)["entries"].([]any)) != 0 {
		t.Errorf("error/another office reads %s", r.body)
	}

	// S-089: alerts of the own office, and those of the installation.
	if err := f.Watch.Tell(t.Context(), watch.LogBroken, "log", nil); err != nil {
		t.Fatal(err)
	}
	for query, want := range map[string]int{"": 0, "?scope=office": 0, "?scope=installation": 1} {
		r := f.do(f.officer, "GET", "/alerts"+query, "")
		f.want(t, r, 200, "")
		if list := r.json(t)["alerts"].([]any); len(list) != want || want == 1 && list[0].(map[string]any)["kind"] != watch.LogBroken {
			t.Errorf("ok/alerts%s: %s", query, r.body)
		}
	}
	f.want(t, f.do(auditor, "GET", "/alerts?scope=all", ""), 400, "unknown_value")
	alert := func() map[string]any {
		return f.do(f.officer, "GET", "/alerts?scope=installation", "").json(t)["alerts"].([]any)[0].(map[string]any)
	}
	path := "/alerts/" + alert()["id"].(string) + "/acknowledge"
	f.want(t, f.do(auditor, "POST", path+"?scope=installation", noted), 403, "permission")
	f.want(t, f.do(f.officer, "POST", path, noted), 404, "alert") // not of the office
	f.want(t, f.do(f.officer, "POST", path+"?scope=all", noted), 400, "unknown_value")
	f.want(t, f.do(f.officer, "POST", path+"?scope=installation", noted), 403, "permission") // of all offices, so the operator's
	operator := f.SignIn(t, f.Clerk.Office+"-operator", office.Operator)
	f.want(t, f.do(operator, "GET", "/alerts?scope=installation", ""), 200, "")
	f.want(t, f.do(operator, "GET", "/alerts?scope=office", ""), 403, "permission")
	f.want(t, f.do(operator, "POST", path+"?scope=installation", noted), 204, "")
	if a := alert(); a["acknowledged_by"] == nil || a["acknowledged_at"] == nil {
		t.Errorf("ok/acknowledged: %v", a)
	}
	f.want(t, f.do(operator, "POST", path+"?scope=installation", noted), 404, "alert")
	if err := f.Watch.Tell(t.Context(), watch.LogBroken, "log", nil); err != nil {
		t.Fatal(err)
	}
	if a := alert(); a["acknowledged_by"] != nil || a["count"].(float64) != 2 {
		t.Errorf("ok/again, open again: %v", a)
	}
	f.want(t, f.do(f.clerk, "GET", "/alerts", ""), 403, "permission")

	about := "/alerts/" + f.alertedOf(t, f.Officer.Person) + "/acknowledge"
	f.want(t, f.do(f.officer, "POST", about, noted), 403, "own_case")
	f.want(t, f.do(operator, "POST", about+"?scope=office", noted), 403, "permission")
	f.want(t, f.do(f.officers(t, 1)[0], "POST", about, noted), 204, "")
}

const noted = `{"note":""}`

// alerted raises an alert of the office and returns its id.
func (f *fixture) alerted(t *testing.T) string { return f.alertedOf(t, "") }

// alertedOf raises one about an account.
func (f *fixture) alertedOf(t *testing.T, subject string) string {
	t.Helper()
	id := f.World.IDs.Row()
	if err := f.Store.Alerting(t.Context(), f.Clerk.Office, func(ctx context.Context) error {
		return f.Store.SaveAlert(ctx, watch.Alert{Office: f.Clerk.Office, ID: id, Kind: watch.Refusals, Subject: subject, FirstMark: time.Now().UnixNano()})
	}); err != nil {
		t.Fatal(err)
	}
	return id
}
