package server

import (
	"testing"
	"time"

	"akashi/internal/actor"
	"akashi/internal/cli"
	"akashi/internal/custody"
)

// due makes a list of what will have been kept long enough in twenty years.
func (f *fixture) due(t *testing.T) custody.Run {
	t.Helper()
	now := f.World.Retention.Now
	f.World.Retention.Now = func() time.Time { return now().AddDate(21, 0, 2) }
	defer func() { f.World.Retention.Now = now }()
	by := actor.Actor{Office: cli.TestOffice, Person: "job:retention", Terminal: "test", Purpose: actor.Operate}
	run, err := f.World.Retention.List(t.Context(), by)
	if err != nil || len(run.Items) < 3 {
		t.Fatal(len(run.Items), err)
	}
	return run
}

// R-232, S-077: officers look at a list page by page before two of them let it be
// erased, and see what became of it.
func (f *fixture) testRetention(t *testing.T) {
	run := f.due(t)
	path := "/retention/" + run.ID
	state := func(want string) {
		t.Helper()
		r := f.do(f.officer, "GET", "/retention?limit=1", "")
		f.want(t, r, 200, "")
		newest := r.json(t)["lists"].([]any)[0].(map[string]any)
		if newest["state"] != want {
			t.Errorf("ok/%s: %s", want, r.body)
		}
		total := 0
		for _, c := range newest["counts"].([]any) {
			total += int(c.(map[string]any)["count"].(float64))
		}
		if total != len(run.Items) {
			t.Errorf("ok/counts: %d of %d", total, len(run.Items))
		}
	}
	state("waiting")
	f.want(t, f.do(f.clerk, "GET", "/retention", ""), 403, "permission")
	f.want(t, f.do(f.clerk, "GET", path, ""), 403, "permission")
	f.want(t, f.do(f.officer, "GET", "/retention/"+nobody, ""), 404, "retention_run")
	f.want(t, f.do(f.officer, "GET", path+"?cursor=x'y", ""), 400, "cursor")
	seen := map[string]bool{}
	for next := "?limit=2"; next != ""; {
		r := f.do(f.officer, "GET", path+next, "")
		f.want(t, r, 200, "")
		m := r.json(t)
		for _, i := range m["items"].([]any) {
			item := i.(map[string]any)
			seen[item["class"].(string)+item["object"].(string)] = true
		}
		if next = ""; m["next"] != nil {
			next = "?limit=2&cursor=" + m["next"].(string)
		}
	}
	for _, d := range run.Items {
		if !seen[string(d.Class)+d.Object] {
			t.Errorf("error/%s is on no page", d.Class)
		}
	}
	r := f.do(f.officer, "POST", "/approvals", `{"kind":"retention.erase","object":"`+run.ID+`"}`)
	f.want(t, r, 201, "")
	f.want(t, f.do(f.officers(t, 1)[0], "POST", "/approvals/"+r.json(t)["id"].(string)+"/approve", `{"reason":""}`), 200, "")
	state("approved")
	old := run.ID
	run = f.due(t)
	state("waiting")
	if m := f.do(f.officer, "GET", "/retention/"+old, "").json(t); m["state"] != "replaced" {
		t.Errorf("ok/replaced: %v", m["state"])
	}
}
