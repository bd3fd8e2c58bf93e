package server

import (
	"strings"
	"testing"

	"akashi/certificate"
	"akashi/internal/cli"
	"akashi/internal/clock"
	"akashi/internal/office"
)

// approvers returns the sessions of two who may revoke many.
func (f *fixture) approvers(t *testing.T) (one, two string) {
	t.Helper()
	return f.SignIn(t, cli.TestOffice+"-approver1", office.Approver), f.SignIn(t, cli.TestOffice+"-approver2", office.Approver)
}

// testRevocations meets the routes by which many certificates are revoked.
func (f *fixture) testRevocations(t *testing.T) {
	one, two := f.approvers(t)
	id := f.issued(t, certificate.Domestic)
	today := string(clock.DateOf(f.World.Clock.Now()))
	since := `{"issued_from":"` + today + `"}`
	body := `{"selection":` + since + `,"reason":"key_compromised"}`
	r := f.do(one, "POST", "/revocations/count", since)
	f.want(t, r, 200, "")
	count := r.json(t)["count"].(float64)
	if count < 1 {
		t.Errorf("ok/count: %s", r.body)
	}
	f.want(t, f.do(one, "POST", "/revocations/count", `{}`), 400, "selection_empty")
	f.want(t, f.do(f.clerk, "POST", "/revocations", body), 403, "permission")
	f.want(t, f.do(one, "POST", "/revocations", strings.Replace(body, "key_compromised", "spite", 1)), 400, "unknown_value")
	f.want(t, f.do(one, "POST", "/revocations", strings.Replace(body, "issued_from", "issued_until", 1)), 201, "")
	f.want(t, f.do(one, "POST", "/reissues/count", strings.Replace(since, "issued_from", "expires_until", 1)), 200, "")
	f.want(t, f.do(one, "POST", "/reissues/count", `{"expires_until":"soon"}`), 400, "date")
	r = f.do(one, "POST", "/revocations", body)
	f.want(t, r, 201, "")
	if m := r.json(t); m["state"] != "requested" || m["count"] != count || r.header.Get("Location") != prefix+"/revocations/"+m["id"].(string) {
		t.Errorf("ok/asked: %s", r.body)
	}
	for decision, state := range map[string]string{"refuse": "refused", "approve": "stopped"} {
		r := f.do(one, "POST", "/revocations", body)
		f.want(t, r, 201, "")
		m := r.json(t)
		path := "/revocations/" + m["id"].(string)
		f.want(t, f.do(two, "POST", "/approvals/"+m["approval"].(string)+"/"+decision, `{"reason":""}`), 200, "")
		if state == "stopped" {
			f.want(t, f.do(two, "POST", path+"/start", ""), 200, "")
			f.want(t, f.do(f.clerk, "POST", path+"/stop", ""), 403, "permission")
			f.want(t, f.do(one, "POST", path+"/stop", ""), 200, "")
			f.want(t, f.do(one, "POST", path+"/stop", ""), 409, "bulk_stopped")
			if n, err := f.World.Revocations.Step(t.Context(), 1000); n != 0 || err != nil {
				t.Errorf("error/goes on though stopped: %d %v", n, err)
			}
		}
		if m := f.do(two, "GET", path, "").json(t); m["state"] != state || m["done"] != 0.0 {
			t.Errorf("ok/%s: %v", state, m)
		}
	}
	path := "/revocations/" + r.json(t)["id"].(string)
	f.want(t, f.do(one, "POST", path+"/start", ""), 403, "second_person")
	r = f.do(two, "POST", path+"/start", "")
	f.want(t, r, 200, "")
	if r.json(t)["state"] != "running" {
		t.Errorf("ok/started: %s", r.body)
	}
	if _, err := f.World.Revocations.Step(t.Context(), 1000); err != nil {
		t.Fatal(err)
	}
	r = f.do(two, "GET", path, "")
	f.want(t, r, 200, "")
	if m := r.json(t); m["state"] != "finished" || m["done"] != count {
		t.Errorf("ok/finished: %s", r.body)
	}
	if m := f.do(f.clerk, "GET", certificatePath(id), "").json(t); m["state"] != "revoked" || m["reason"] != "key_compromised" {
		t.Errorf("ok/revoked: %v", m)
	}
	f.want(t, f.do(two, "GET", "/revocations", ""), 200, "")
	f.want(t, f.do(f.clerk, "GET", "/revocations", ""), 403, "permission")
	f.want(t, f.do(two, "GET", "/revocations/"+nobody, ""), 404, "bulk")
}

// testReissues meets the routes by which many certificates are made again.
func (f *fixture) testReissues(t *testing.T) {
	one, two := f.approvers(t)
	id := f.issued(t, certificate.Domestic)
	today := string(clock.DateOf(f.World.Clock.Now()))
	since := `{"issued_from":"` + today + `"}`
	body := `{"selection":` + since + `,"reason":"key_compromised"}`
	r := f.do(one, "POST", "/reissues/count", since)
	f.want(t, r, 200, "")
	count := r.json(t)["count"].(float64)
	f.want(t, f.do(one, "POST", "/reissues/count", `{}`), 400, "selection_empty")
	f.want(t, f.do(f.clerk, "POST", "/reissues", body), 403, "permission")
	f.want(t, f.do(one, "POST", "/reissues", strings.Replace(body, "key_compromised", "fraud", 1)), 400, "unknown_value")
	key := f.do(f.clerk, "GET", certificatePath(id, "/codes"), "").json(t)["codes"].([]any)[0].(map[string]any)["key_id"].(string)
	f.want(t, f.do(one, "POST", "/reissues", strings.Replace(body, since, `{"key":"`+key+`"}`, 1)), 409, "key_state") // it signs still
	r = f.do(one, "POST", "/reissues", body)
	f.want(t, r, 201, "")
	m := r.json(t)
	if m["state"] != "requested" || m["count"] != count || m["reissued"] != 0.0 || r.header.Get("Location") != prefix+"/reissues/"+m["id"].(string) {
		t.Errorf("ok/asked: %s", r.body)
	}
	path := "/reissues/" + m["id"].(string)
	f.want(t, f.do(two, "GET", "/revocations/"+m["id"].(string), ""), 404, "bulk") // it is of the other act
	f.want(t, f.do(two, "POST", "/revocations/"+m["id"].(string)+"/start", ""), 404, "bulk")
	f.want(t, f.do(one, "POST", path+"/start", ""), 403, "second_person")
	f.want(t, f.do(f.clerk, "POST", path+"/stop", ""), 403, "permission")
	r = f.do(two, "POST", path+"/start", "")
	f.want(t, r, 200, "")
	if r.json(t)["state"] != "running" {
		t.Errorf("ok/started: %s", r.body)
	}
	if _, err := f.World.Reissues.Step(t.Context(), 1000); err != nil {
		t.Fatal(err)
	}
	r = f.do(two, "GET", path, "")
	f.want(t, r, 200, "")
	if m := r.json(t); m["state"] != "finished" || m["done"] != count || m["reissued"] != count {
		t.Errorf("ok/finished: %s", r.body)
	}
	if m := f.do(f.clerk, "GET", certificatePath(id), "").json(t); m["state"] != "superseded" || m["superseded_by"] == nil {
		t.Errorf("ok/made again: %v", m)
	}
	f.want(t, f.do(one, "POST", path+"/stop", ""), 409, "bulk_stopped")
	r = f.do(one, "POST", "/reissues", body)
	f.want(t, r, 201, "")
	r = f.do(one, "POST", "/reissues/"+r.json(t)["id"].(string)+"/stop", "")
	f.want(t, r, 200, "")
	if m := r.json(t); m["state"] != "stopped" || m["done"] != 0.0 {
		t.Errorf("ok/stopped: %s", r.body)
	}
	f.want(t, f.do(two, "GET", "/reissues", ""), 200, "")
	f.want(t, f.do(f.clerk, "GET", "/reissues", ""), 403, "permission")
	f.want(t, f.do(two, "GET", "/reissues/"+nobody, ""), 404, "bulk")
}
