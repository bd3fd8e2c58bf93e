package server

import "testing"

// S-029 over HTTP: asked by one, approved by another, listed.
func (f *fixture) testApprovals(t *testing.T) {
	const account = `{"kind":"account.recover","object":"` + nobody + `"}`
	f.want(t, f.do(f.clerk, "POST", "/approvals", account), 403, "permission")
	r := f.do(f.officer, "POST", "/approvals", account, "Idempotency-Key: a1")
	f.want(t, r, 201, "")
	m := r.json(t)
	path := "/approvals/" + m["id"].(string)
	if m["state"] != "pending" || r.header.Get("Location") != prefix+path {
		t.Errorf("ok/asked: %s", r.body)
	}
	again := f.do(f.officer, "POST", "/approvals", account, "Idempotency-Key: a1")
	f.want(t, again, 200, "")
	if again.json(t)["id"] != m["id"] {
		t.Errorf("ok/asked twice: %s", again.body)
	}
	for body, code := range map[string]string{
		`{"kind":"account.make","object":"` + nobody + `"}`: "approval_by_use_case",
		`{"kind":"tea.make","object":"` + nobody + `"}`:     "unknown_value",
		`{"kind":"office.resume","object":"TK00000003"}`:    "json_form", // nothing that could be somebody's number
		`{"kind":"office.resume","object":"900010"}`:        "json_form",
		`{"kind":"office.resume"}`:                          "required",
	} {
		f.want(t, f.do(f.officer, "POST", "/approvals", body), 400, code)
	}
	f.want(t, f.do(f.officer, "POST", "/approvals", `{"kind":"numbers.rekey","object":"index"}`), 201, "")
	f.want(t, f.do(f.officer, "POST", "/approvals", `{"kind":"numbers.rekey","object":"sakurai"}`), 400, "json_form")
	f.want(t, f.do(f.officer, "POST", path+"/approve", `{"reason":""}`), 403, "second_person")
	f.want(t, f.do(f.officer, "POST", path+"/refuse", `{"reason":1}`), 400, "json_form")
	second := f.officers(t, 1)[0]
	f.want(t, f.do(second, "POST", path+"/withdraw", ""), 403, "approval_of_others")
	r = f.do(second, "POST", path+"/approve", `{"reason":"本人から電話で確認"}`)
	f.want(t, r, 200, "")
	if m := r.json(t); m["state"] != "approved" || m["decided_by"] == m["requested_by"] {
		t.Errorf("ok/approved: %s", r.body)
	}
	f.want(t, f.do(second, "POST", path+"/refuse", `{"reason":""}`), 409, "approval_state")
	f.want(t, f.do(f.officer, "POST", path+"/withdraw", ""), 200, "")
	f.want(t, f.do(f.clerk, "GET", path, ""), 200, "")
	f.want(t, f.do(f.clerk, "GET", "/approvals/"+nobody, ""), 404, "approval")
	f.want(t, f.do(f.foreign, "GET", path, ""), 404, "approval")

	other := f.do(f.officer, "POST", "/approvals", account)
	r = f.do(second, "POST", "/approvals/"+other.json(t)["id"].(string)+"/refuse", `{"reason":"別の人の口座"}`)
	f.want(t, r, 200, "")
	if r.json(t)["state"] != "refused" {
		t.Errorf("ok/refused: %s", r.body)
	}
	list := f.do(f.clerk, "GET", "/approvals?kind=account.recover&limit=1", "")
	f.want(t, list, 200, "")
	if m := list.json(t); len(m["approvals"].([]any)) != 1 || m["next"] == nil {
		t.Errorf("ok/listed: %s", list.body)
	}
	f.want(t, f.do(f.clerk, "GET", "/approvals?kind=tea", ""), 400, "unknown_value")
}
