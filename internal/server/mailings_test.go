package server

import (
	"bytes"
	"context"
	"encoding/json"
	"net/http"
	"strings"
	"testing"
	"time"

	"akashi/certificate"
	"akashi/certificate/pdf"
	"akashi/internal/issuance"
	"akashi/internal/office"
	"akashi/internal/testkit/world"
)

// postedForm is a form that came by mail, with where the certificate is sent.
func postedForm() string {
	return strings.Replace(form(certificate.Domestic), `"channel":"counter"`,
		`"channel":"mail","postal":{"postal_code":"１００-０００１","address":"架空県証市明石一丁目2番3号"}`, 1)
}

// posted is an approved application that came by mail.
func (f *fixture) posted(t *testing.T) string {
	t.Helper()
	made := f.do(f.clerk, "POST", "/applications", postedForm())
	f.want(t, made, 201, "")
	id := made.json(t)["id"].(string)
	f.want(t, f.do(f.clerk, "POST", "/applications/"+id+"/submit", ""), 200, "")
	return id
}

func (f *fixture) mailStep(t *testing.T) {
	t.Helper()
	if _, err := f.World.Mailings.Step(t.Context(), 1000); err != nil && !strings.Contains(err.Error(), "not_approved") {
		t.Fatal(err)
	}
}

// testMailings meets the routes by which many are printed for the post, and their pages.
func (f *fixture) testMailings(t *testing.T) {
	for name, c := range map[string]struct{ from, to, field string }{
		"error/at the counter": {`"channel":"mail"`, `"channel":"counter"`, "only_mail"},
		"error/postal code":    {`１００-０００１`, `100-001`, "postal_code"},
		"error/no address":     {`架空県証市明石一丁目2番3号`, ` `, "required"},
		"error/invisible":      {`架空県証市明石`, "架空県\u200b", "invisible_character"},
		"error/too long":       {`明石一丁目`, strings.Repeat("長", 101), "too_long"},
	} {
		t.Run(name, func(t *testing.T) {
			f.want(t, f.do(f.clerk, "POST", "/applications", strings.Replace(postedForm(), c.from, c.to, 1)), 400, c.field)
		})
	}
	f.want(t, f.do(f.clerk, "POST", "/mailings", `{}`), 409, "mailing_empty")
	f.want(t, f.page(f.clerk, "POST", "/counter/batches/mailing", ""), 409, "")
	f.want(t, f.do(f.clerk, "POST", "/mailings", `{"applications":["x"]}`), 404, "application")
	id := f.posted(t)
	shown := f.do(f.clerk, "GET", "/applications/"+id, "").json(t)["form"].(map[string]any)["postal"].(map[string]any)
	if shown["postal_code"] != "100-0001" || shown["address"] != "架空県証市明石一丁目2番3号" {
		t.Errorf("ok/shown: %v", shown)
	}
	if r := f.page(f.clerk, "GET", "/counter/batches", ""); r.status != 200 || !bytes.Contains(r.body, []byte("<b>1</b>")) {
		t.Errorf("ok/ready: %d %s", r.status, r.body)
	}
	f.want(t, f.page("", "GET", "/counter/batches", ""), 401, "session")
	r := f.do(f.clerk, "POST", "/mailings", `{}`, "Idempotency-Key: first")
	f.want(t, r, 201, "")
	m := r.json(t)
	path := "/mailings/" + m["id"].(string)
	if again := f.do(f.clerk, "POST", "/mailings", `{}`, "Idempotency-Key: first"); again.status != 200 || again.json(t)["id"] != m["id"] {
		t.Errorf("ok/asked twice: %d %s", again.status, again.body)
	}
	if m["state"] != "running" || m["count"] != 1.0 || r.header.Get("Location") != prefix+path {
		t.Errorf("ok/asked: %s", r.body)
	}
	if r := f.page(f.clerk, "GET", "/counter"+path, ""); r.status != 200 || !bytes.Contains(r.body, []byte(`hx-trigger="every 2s"`)) {
		t.Errorf("ok/progress: %d %s", r.status, r.body)
	}
	f.want(t, f.page(f.clerk, "GET", "/counter/mailings/x", ""), 404, "mailing")
	f.want(t, f.do(f.clerk, "GET", path+"/file", ""), 409, "mailing_open")
	f.want(t, f.page(f.clerk, "POST", "/counter"+path+"/file", ""), 409, "")
	f.want(t, f.do(f.clerk, "POST", path+"/start", ""), 403, "permission")
	f.want(t, f.do(f.officer, "POST", path+"/start", ""), 403, "approval_needed")
	f.want(t, f.page(f.officer, "POST", "/counter"+path+"/start", ""), 403, "")
	f.mailStep(t)
	r = f.do(f.clerk, "GET", path, "")
	f.want(t, r, 200, "")
	if m := r.json(t); m["state"] != "finished" || m["file"] != prefix+path+"/file" {
		t.Errorf("ok/finished: %s", r.body)
	}
	f.want(t, f.do(f.foreign, "GET", path, ""), 404, "mailing")
	if r := f.page(f.clerk, "GET", "/counter"+path, ""); bytes.Contains(r.body, []byte("every 2s")) || !bytes.Contains(r.body, []byte(path+"/file")) {
		t.Errorf("ok/finished, page: %s", r.body)
	}
	copies := f.do(f.clerk, "GET", path, "").json(t)["items"].([]any)[0].(map[string]any)["certificate"].(string) + "/1"
	before := f.logRows(t, copies)
	r = f.do(f.clerk, "GET", path+"/file", "")
	f.want(t, r, 200, "")
	if pages, err := pdf.Text(r.body); err != nil || len(pages) != 3 || r.header.Get("Content-Type") != "application/pdf" {
		t.Errorf("ok/file: %d %v", len(pages), err)
	}
	if n := f.logRows(t, copies) - before; n != 1 {
		t.Errorf("ok/the person is logged: %d entries", n)
	}
	paper := f.page(f.officer, "POST", "/counter"+path+"/file", "")
	if !bytes.Equal(paper.body, r.body) || !strings.HasPrefix(paper.header.Get("Content-Disposition"), "inline") {
		t.Error("ok/paper: other bytes, or not shown")
	}
	f.want(t, f.do(f.clerk, "POST", path+"/stop", ""), 409, "bulk_stopped")
	f.want(t, f.page(f.clerk, "POST", "/counter"+path+"/stop", ""), 409, "")
	f.want(t, f.do(f.clerk, "GET", "/mailings?limit=0", ""), 400, "limit")
	f.testLargeMailing(t)
	list := f.do(f.clerk, "GET", "/mailings", "")
	if f.want(t, list, 200, ""); bytes.Contains(list.body, []byte("桜井")) || !bytes.Contains(list.body, []byte(`"ready":0`)) {
		t.Errorf("ok/list: %s", list.body)
	}
}

// testLargeMailing meets the routes by which a second person agrees.
func (f *fixture) testLargeMailing(t *testing.T) {
	ids := []string{f.posted(t)}
	for range issuance.FewMailing {
		a, err := f.World.Applications.Create(t.Context(), f.World.Clerk, world.Form(certificate.Domestic), nil)
		if err != nil {
			t.Fatal(err)
		}
		ids = append(ids, a.ID)
	}
	b, err := json.Marshal(wantedMailingBody{ids})
	if err != nil {
		t.Fatal(err)
	}
	one, two := f.approvers(t)
	ask := func() string {
		r := f.do(one, "POST", "/mailings", string(b))
		f.want(t, r, 201, "")
		m := r.json(t)
		if m["state"] != "requested" || m["approval"] == "" {
			t.Errorf("ok/asked: %s", r.body)
		}
		return "/mailings/" + m["id"].(string)
	}
	path := ask()
	f.want(t, f.do(f.clerk, "POST", "/mailings", string(b[:bytes.LastIndexByte(b, ',')])+"]}"), 409, "mailing_taken")
	f.want(t, f.do(two, "POST", path+"/start", ""), 200, "")
	f.want(t, f.do(f.clerk, "POST", path+"/stop", ""), 200, "")
	path = ask()
	f.want(t, f.page(f.clerk, "POST", "/counter"+path+"/stop", ""), 303, "")
	path = ask()
	f.want(t, f.do(one, "POST", path+"/start", ""), 403, "second_person")
	f.want(t, f.page(two, "POST", "/counter"+path+"/start", ""), 303, "")
	f.mailStep(t)
	if m := f.do(one, "GET", path, "").json(t); m["state"] != "finished_with_failures" || m["done"] != 1.0 {
		t.Errorf("ok/finished: %v", m["state"])
	} else if why := m["items"].([]any)[1].(map[string]any)["reason"].(map[string]any); strings.ContainsAny(why["ja"].(string)+why["en"].(string), "{}") {
		t.Errorf("ok/why: %v", why)
	}
	f.want(t, f.do(two, "GET", path+"/file", ""), 403, "mailing_of_another")
	f.want(t, f.do(one, "GET", path+"/file", ""), 200, "")
	f.posted(t)
	if r := f.page(f.clerk, "POST", "/counter/batches/mailing", "_key=here"); r.status != http.StatusSeeOther || !strings.HasPrefix(r.header.Get("Location"), "/counter/mailings/") {
		t.Errorf("ok/asked on the page: %d %s", r.status, r.body)
	}
}

// logRows counts the entries of the log about an object.
func (f *fixture) logRows(t *testing.T, object string) int {
	t.Helper()
	entries, err := f.Store.(interface {
		LogEntries(ctx context.Context, office, object string) ([][]byte, error)
	}).LogEntries(t.Context(), f.World.Clerk.Office, object)
	if err != nil {
		t.Fatal(err)
	}
	return len(entries)
}

// L-10, adr/0033: a mailing is taken from the budget of look-ups, and a page that asks for
// itself again keeps no session from ending (S-017).
func TestMailingBounds(t *testing.T) {
	f := newFixture(t)
	f.posted(t)
	f.posted(t)
	r := f.do(f.clerk, "POST", "/mailings", `{}`)
	f.want(t, r, 201, "")
	path := "/mailings/" + r.json(t)["id"].(string)
	f.SetOffice(t, func(s *office.Settings) { s.Lookups = office.Lookups{Soft: 4, Hard: 4} }) // two for the applications, two for their paper
	f.Server.rules = officeRules{}
	if _, err := f.World.Mailings.Step(t.Context(), 1); err != nil {
		t.Fatal(err)
	}
	f.want(t, f.do(f.clerk, "GET", path+"/file", ""), 409, "mailing_open") // takes nothing, though one is printed
	f.mailStep(t)
	f.want(t, f.do(f.clerk, "GET", path+"/file", ""), 200, "")
	f.want(t, f.do(f.clerk, "GET", path+"/file", ""), 429, "budget")

	now := time.Now()
	f.Server.Clock = func() time.Time { return now }
	f.World.Accounts.Sessions.Clock = f.Server.Clock
	for name, c := range map[string]struct {
		header []string
		status int
	}{"ok/a person": {nil, 200}, "error/the page itself": {[]string{"HX-Request: true"}, 401}} {
		t.Run(name, func(t *testing.T) {
			now = time.Now()
			session := f.SignIn(t, world.ClerkUser, office.Clerk)
			for range 4 {
				now = now.Add(5 * time.Minute)
				r = f.page(session, "GET", "/counter"+path, "", c.header...)
			}
			if r.status != c.status {
				t.Errorf("after 20 minutes: %d, want %d", r.status, c.status)
			}
		})
	}
}
