package server

import (
	"bytes"
	"context"
	"encoding/json"
	"net/url"
	"regexp"
	"strings"
	"testing"
	"time"

	"akashi/internal/counter"
	"akashi/internal/office"
	"akashi/internal/testkit/world"
)

// page asks for a page, or sends a form of one, as a browser does without htmx: with
// the applicant being served, unless the form says who.
func (f *fixture) page(session, method, path, form string, headers ...string) reply {
	media := ""
	if method == "POST" {
		media = formType[0]
		if of := f.served(session); of != "" && !strings.Contains(form, "_applicant=") {
			form = strings.TrimPrefix(form+"&_applicant="+of, "&")
		}
	}
	r := ask(f.Staff(), session, method, path, media, []byte(form), headers...)
	f.note(staffFace, method, path, r)
	return r
}

// served names the applicant who is being served in a session; empty: there is none.
func (f *fixture) served(session string) string {
	held, err := f.Server.Accounts.Sessions.Open(context.Background(), session)
	if err != nil {
		return ""
	}
	return url.QueryEscape(f.Server.Accounts.Sessions.Applicant(held))
}

const asBrowser = "Accept: text/html,application/xhtml+xml"

const zoneOfSample = "PPJPNSAKURAI<<MIO<<<<<<<<<<<<<<<<<<<<<<<<<<<\nTK00000003JPN9102181F3206308<<<<<<<<<<<<<<00"

// plain is the form of the plain case as a clerk fills it in: a ticket scanned, the
// name typed, the passport scanned; the date of birth comes from its zone.
func plainForm(change ...string) string {
	v := url.Values{
		"kind": {"travel"}, "channel": {"counter"}, "notice_version": {"2026-11"}, "applicant.relationship": {"self"},
		"subject.ticket_number": {"219000010000000001"}, "subject.name.family": {"桜井"}, "subject.name.given": {"澪"}, "subject.birth_date": {""},
		"passport.mrz": {zoneOfSample}, "documents[]": {"passport", "vaccination_ticket"}, "_key": {"one"},
	}
	for i := 0; i+1 < len(change); i += 2 {
		v.Set(change[i], change[i+1])
	}
	return v.Encode()
}

var hiddenApplicant = regexp.MustCompile(`name="_applicant" value="([^"]+)"`)

// Issue 6, section 1: from the form to the paper, on pages; each page once well and
// once refused.
func (f *fixture) testCounter(t *testing.T) {
	for _, path := range []string{"/assets/counter.css", "/assets/counter.js", "/assets/htmx.js", "/assets/" + counter.NameFont} {
		f.want(t, f.page("", "GET", path, ""), 200, "")
	}
	// An address that does not exist is a page to a browser, and a problem to others.
	for accept, media := range map[string]string{asBrowser: "text/html", "Accept: */*": "application/problem+json"} {
		lost := f.page(f.clerk, "GET", "/counter/nowhere/at/all", "", accept)
		if lost.status != 404 || !strings.HasPrefix(lost.header.Get("Content-Type"), media) {
			t.Errorf("error/nowhere: %d %s", lost.status, lost.header.Get("Content-Type"))
		}
	}
	first := f.page(f.clerk, "GET", "/counter", "")
	f.want(t, first, 200, "")
	f.want(t, f.page("", "GET", "/counter", ""), 401, "session")
	token := hiddenApplicant.FindSubmatch(first.body)
	if token == nil || bytes.Contains(first.body, []byte("style=")) || bytes.Contains(first.body, []byte("<script>")) {
		t.Fatal("ok/form: no applicant in it, or something inline")
	}

	zone := f.page(f.clerk, "POST", "/counter/zone", url.Values{"passport.mrz": {zoneOfSample}}.Encode())
	if f.want(t, zone, 200, ""); !bytes.Contains(zone.body, []byte("SAKURAI")) || !bytes.Contains(zone.body, []byte("平成3年")) {
		t.Errorf("ok/zone: %s", zone.body)
	}
	f.want(t, f.page(f.clerk, "POST", "/counter/zone", "%zz"), 400, "form_syntax")

	// An error stands at its field, and what was typed is still there.
	wrong := f.page(f.clerk, "POST", "/counter", plainForm("subject.birth_date", "31.2.1991"))
	if f.want(t, wrong, 400, ""); !regexp.MustCompile(`(?s)name="subject.birth_date" value="31.2.1991"[^>]*aria-invalid`).Match(wrong.body) || !bytes.Contains(wrong.body, []byte(`value="桜井"`)) {
		t.Errorf("error/birth date: %s", wrong.body)
	}

	for field, form := range map[string]string{
		"passport.mrz":          plainForm("passport.mrz", strings.Replace(zoneOfSample, "TK00000003", "TK00000001", 1)),
		"subject.ticket_number": plainForm("subject.ticket_number", "211310160000000001"),
	} {
		got := f.page(f.clerk, "POST", "/counter", form)
		if f.want(t, got, 400, ""); !regexp.MustCompile(`(?s)field wrong">\s*<label for="` + field).Match(got.body) {
			t.Errorf("error/%s: %s", field, got.body)
		}
	}
	made := f.page(f.clerk, "POST", "/counter", plainForm("_applicant", string(token[1])))
	f.want(t, made, 303, "")
	application := made.header.Get("Location")
	if again := f.page(f.clerk, "POST", "/counter", plainForm("_applicant", string(token[1]))); again.header.Get("Location") != application {
		t.Errorf("ok/sent twice: %d %s", again.status, again.header.Get("Location"))
	}
	shown := f.page(f.clerk, "GET", application, "")
	if f.want(t, shown, 200, ""); !bytes.Contains(shown.body, []byte(application+"/issue")) {
		t.Errorf("ok/approved: %s", shown.body)
	}
	f.want(t, f.page(f.clerk, "GET", "/counter/applications/"+nobody, ""), 404, "application")
	f.want(t, f.page(f.clerk, "POST", application+"/submit", ""), 303, "")
	f.want(t, f.page(f.clerk, "POST", application+"/decision", "outcome=reject&reason=x"), 409, "")
	issued := f.page(f.clerk, "POST", application+"/issue", "_key=k")
	f.want(t, issued, 303, "")
	certificate := issued.header.Get("Location")
	atOnce := f.page(f.clerk, "POST", application+"/issue", "_key=k2&_print=yes")
	if f.want(t, atOnce, 200, ""); !bytes.HasPrefix(atOnce.body, []byte("%PDF")) || !strings.HasPrefix(atOnce.header.Get("Content-Disposition"), "inline") {
		t.Errorf("ok/issue and print: %.20s %s", atOnce.body, atOnce.header)
	}
	f.want(t, f.page(f.clerk, "POST", "/counter/applications/"+nobody+"/issue", ""), 404, "application")
	f.want(t, f.page(f.clerk, "GET", certificate, ""), 200, "")
	f.want(t, f.page(f.clerk, "GET", "/counter/certificates/ABCDEFGHJKLM", ""), 404, "certificate")
	paper := f.page(f.clerk, "POST", certificate+"/print", "_key=p")
	if f.want(t, paper, 200, ""); !bytes.HasPrefix(paper.body, []byte("%PDF")) || !strings.HasPrefix(paper.header.Get("Content-Disposition"), "inline") {
		t.Errorf("ok/paper: %.20s %s", paper.body, paper.header)
	}
	if again := f.page(f.clerk, "POST", certificate+"/print", "_key=p"); !bytes.Equal(again.body, paper.body) {
		t.Error("ok/printed twice: another paper")
	}
	f.want(t, f.page(f.clerk, "POST", "/counter/certificates/ABCDEFGHJKLM/print", ""), 404, "certificate")
	f.testHandOver(t, certificate, paper.body)
	anew := f.page(f.clerk, "POST", certificate+"/reissue", "reason=lost")
	f.want(t, anew, 303, "")
	f.want(t, f.page(f.clerk, "POST", certificate+"/reissue", "reason=lost"), 409, "")
	f.want(t, f.page(f.clerk, "POST", anew.header.Get("Location")+"/revoke", "reason=fraud"), 403, "permission")
	f.want(t, f.page(f.officer, "POST", anew.header.Get("Location")+"/revoke", "reason=fraud"), 303, "")

	for _, path := range []string{"/counter/applications", "/counter/applications?state=fulfilled", "/counter/certificates"} {
		f.want(t, f.page(f.clerk, "GET", path, ""), 200, "")
	}
	f.want(t, f.page(f.clerk, "GET", "/counter/applications?state=x", ""), 400, "unknown_value")
	f.want(t, f.page(f.clerk, "GET", "/counter/certificates?cursor=x", ""), 400, "cursor")
	if none := f.page(f.clerk, "GET", "/counter/certificates?id=nonsense", ""); none.status != 404 || !bytes.Contains(none.body, []byte(`value="nonsense"`)) {
		t.Errorf("error/no such id: %d", none.status)
	}

	held := f.page(f.clerk, "POST", "/counter", plainForm("subject.name.given", "", "_key", "two"))
	f.want(t, held, 303, "")
	decided := f.page(f.clerk, "POST", held.header.Get("Location")+"/decision", "outcome=approve&reason=確かめました&version%3Aint=1")
	f.want(t, decided, 409, "")
	f.want(t, f.page(f.officer, "POST", held.header.Get("Location")+"/decision", "outcome=approve&reason=確かめました"), 303, "")
	f.testEdit(t)
	f.testNumberPage(t)
	for _, at := range []string{prefix + "/applications/", "/counter/applications/"} {
		f.want(t, f.page(f.clerk, "GET", at+strings.TrimPrefix(application, "/counter/applications/")+"/history", ""), 200, "")
		f.want(t, f.page(f.clerk, "GET", at+nobody+"/history", ""), 404, "application")
	}
	// What cannot be undone is asked twice, without a script, and says what is lost.
	asked := f.page(f.clerk, "GET", held.header.Get("Location"), "")
	f.holds(t, asked, "元に戻せません", "取下げを確定する")
	if before, _, found := strings.Cut(string(asked.body), `action="`+held.header.Get("Location")+`/withdraw"`); !found || strings.LastIndex(before, `<details class="confirm">`) <= strings.LastIndex(before, "</details>") {
		t.Errorf("ok/withdrawing is not asked for twice: %s", asked.body)
	}
	f.want(t, f.page(f.clerk, "POST", held.header.Get("Location")+"/withdraw", ""), 303, "")
	f.want(t, f.page(f.clerk, "POST", held.header.Get("Location")+"/withdraw", ""), 409, "")
	f.want(t, f.page(f.clerk, "POST", "/counter/applications/"+nobody+"/submit", ""), 404, "application")
	f.testApprovalPages(t)
	f.testNextPerson(t, string(token[1]))
}

// S-029: what one officer asks for another approves on a page, and nobody one's own.
func (f *fixture) testApprovalPages(t *testing.T) {
	asked := f.do(f.officer, "POST", "/accounts/requests", accountForm("by-page", office.Clerk)).json(t)
	path := "/counter/approvals/" + asked["approval"].(string)
	other := f.officers(t, 1)[0]
	f.want(t, f.page(f.officer, "GET", "/counter/approvals", ""), 200, "")
	f.want(t, f.page(f.officer, "GET", "/counter/approvals?cursor=x", ""), 400, "cursor")
	f.want(t, f.page(f.officer, "GET", "/counter/approvals/"+nobody, ""), 404, "approval")
	if own := f.page(f.officer, "GET", path, ""); own.status != 200 || bytes.Contains(own.body, []byte(path+"/approve")) {
		t.Errorf("error/one's own: %d", own.status)
	}
	f.want(t, f.page(f.officer, "POST", path+"/approve", "reason%3Atext="), 403, "")
	if page := f.page(other, "GET", path, ""); !bytes.Contains(page.body, []byte(path+"/approve")) {
		t.Errorf("ok/another's: %s", page.body)
	}
	f.want(t, f.page(other, "POST", path+"/approve", "reason%3Atext="), 303, "")
	f.want(t, f.page(other, "POST", path+"/refuse", "reason=x"), 409, "")
	again := f.do(f.officer, "POST", "/accounts/requests", accountForm("by-page2", office.Clerk)).json(t)
	f.want(t, f.page(other, "POST", "/counter/approvals/"+again["approval"].(string)+"/refuse", "reason=x"), 303, "")
	third := f.do(f.officer, "POST", "/accounts/requests", accountForm("by-page3", office.Clerk)).json(t)
	f.want(t, f.page(f.officer, "POST", "/counter/approvals/"+third["approval"].(string)+"/withdraw", ""), 303, "")
	f.want(t, f.page(f.officer, "POST", "/counter/approvals/"+third["approval"].(string)+"/withdraw", ""), 409, "")
}

// What was handed in can be corrected: the form comes back as it was, and goes the
// same way again.
func (f *fixture) testEdit(t *testing.T) {
	expired := strings.Replace(strings.Replace(zoneOfSample, "3206308", "2206301", 1), "<00", "<02", 1)
	made := f.page(f.clerk, "POST", "/counter", plainForm("passport.mrz", expired, "_key", "three"))
	f.want(t, made, 303, "")
	path := made.header.Get("Location")
	form := f.page(f.clerk, "GET", path+"/edit", "")
	if f.want(t, form, 200, ""); !bytes.Contains(form.body, []byte(`action="`+path+`/edit"`)) || !bytes.Contains(form.body, []byte(`value="桜井"`)) || !bytes.Contains(form.body, []byte("2206301")) ||
		!regexp.MustCompile(`value="passport" checked`).Match(form.body) {
		t.Errorf("ok/form again: %s", form.body)
	}
	f.want(t, f.page(f.clerk, "GET", "/counter/applications/"+nobody+"/edit", ""), 404, "application")
	f.want(t, f.page(f.clerk, "POST", path+"/edit", plainForm("kind", "domestic")), 400, "")
	seen := regexp.MustCompile(`name="version:int" value="([0-9]+)"`).FindSubmatch(form.body)
	if seen == nil {
		t.Fatal("ok/form again: no version in it")
	}
	f.want(t, f.page(f.clerk, "POST", path+"/edit", plainForm("version:int", string(seen[1]))), 303, "")
	f.want(t, f.page(f.clerk, "POST", path+"/edit", plainForm("version:int", string(seen[1]), "subject.name.given", "凪")), 409, "") // somebody was faster
	if shown := f.page(f.clerk, "GET", path, ""); !bytes.Contains(shown.body, []byte("/issue")) {
		t.Errorf("ok/corrected: %s", shown.body)
	}
	f.testSeen(t, path)
}

// L-03: "next person" ends the context of the last applicant, and a form of it is
// refused without showing what stood in it.
func (f *fixture) testNextPerson(t *testing.T, token string) {
	mine := f.SignIn(t, world.ClerkUser+"-leaves", office.Clerk)
	own := hiddenApplicant.FindSubmatch(f.page(mine, "GET", "/counter", "").body)
	next := f.page(mine, "POST", "/counter/next-person", "")
	f.want(t, next, 303, "")
	f.want(t, f.page("", "POST", "/counter/next-person", ""), 401, "session")
	var cookie string
	for _, c := range next.header["Set-Cookie"] {
		if name, rest, _ := strings.Cut(c, "="); name == sessionCookie {
			cookie, _, _ = strings.Cut(rest, ";")
		}
	}
	old := f.page(cookie, "POST", "/counter", plainForm("_applicant", string(own[1]), "_key", "old"), asBrowser)
	if f.want(t, old, 409, ""); !bytes.Contains(old.body, []byte("<html")) || bytes.Contains(old.body, []byte("桜井")) || bytes.Contains(old.body, []byte("SAKURAI")) {
		t.Errorf("error/old form: %s", old.body)
	}
	f.want(t, f.page(cookie, "POST", "/counter", plainForm("_applicant", token, "_key", "other")), 409, "applicant_changed")
	f.want(t, f.page(cookie, "POST", "/counter/sign-out", ""), 303, "")
	f.want(t, f.page(cookie, "POST", "/counter/sign-out", ""), 401, "session")
	away := f.page(cookie, "GET", "/counter", "", asBrowser)
	if away.status != 303 || away.header.Get("Location") != "/sign-in" {
		t.Errorf("error/signed out: %d %s", away.status, away.header)
	}
}

// The fields of a form make the very body that the API takes.
func TestFormAsBody(t *testing.T) {
	for name, c := range map[string]struct {
		form, want string
		bad        bool
	}{
		"ok/nested":          {"a.b=1&a.c=2", `{"a":{"b":"1","c":"2"}}`, false},
		"ok/kinds":           {"n%3Aint=7&yes%3Abool=true&list%5B%5D=x&list%5B%5D=y", `{"list":["x","y"],"n":7,"yes":true}`, false},
		"ok/empty left out":  {"a=&b=x&_key=k", `{"b":"x"}`, false},
		"ok/empty text":      {"a%3Atext=&b=", `{"a":""}`, false},
		"ok/empty list":      {"list%5B%5D=", `{"list":[]}`, false},
		"ok/lines":           {"list%3Alines=x%0D%0A%0D%0A+y", `{"list":["x","y"]}`, false},
		"ok/no number":       {"n%3Aint=x", `{"n":"x"}`, false},
		"error/on a value":   {"a=1&a.b=2", "", true},
		"error/in two forms": {"a=1&a%3Aint=2", "", true},
	} {
		t.Run(name, func(t *testing.T) {
			for range 20 { // in whatever order the fields come
				v, _ := url.ParseQuery(c.form)
				var call call
				err := call.asJSON(v)
				if (err != nil) != c.bad || !c.bad && string(call.body) != c.want {
					t.Fatalf("%s %v", call.body, err)
				}
			}
		})
	}
}

// Two offices never meet on a page: checked for each route by TestOthersDoNotExist;
// here that the frame names the right one.
func TestFrame(t *testing.T) {
	f := newFixture(t)
	for session, name := range map[string]string{f.clerk: "Akashi City", f.foreignClerk: "Tonari City"} {
		if r := f.page(session, "GET", "/counter", ""); !bytes.Contains(r.body, []byte(name)) {
			t.Errorf("%s: %d", name, r.status)
		}
	}
}

// Issue 6, section 1: after issuing, what to tell the holder, and every copy with its number,
// when and by whom; a copy is shown again in one step, with the bytes that it had.
func (f *fixture) testHandOver(t *testing.T, certificate string, last []byte) {
	path := strings.TrimPrefix(certificate, "/counter")
	r := f.do(f.clerk, "GET", path+"/prints", "")
	f.want(t, r, 200, "")
	var list printList
	if err := json.Unmarshal(r.body, &list); err != nil || len(list.Prints) != 2 || list.Prints[1].Number != 2 || list.Prints[1].By != world.ClerkUser ||
		time.Since(list.Prints[1].At) > time.Hour || list.Prints[1].Paper != prefix+path+"/prints/2" || list.Certificate.Copies != 2 {
		t.Errorf("ok/prints: %v %s", err, r.body)
	}
	page := f.page(f.clerk, "GET", certificate, "")
	f.want(t, page, 200, "")
	for _, piece := range []string{"お渡しのときの説明", "There is no seal", "VDS-NC", world.ClerkUser, certificate + `/prints/2"`} {
		if !bytes.Contains(page.body, []byte(piece)) {
			t.Errorf("ok/page: no %s", piece)
		}
	}
	if name := []byte(f.staffName(t)); bytes.Count(page.body, name) != 1 { // that of who is signed in, above
		t.Errorf("error/the page names who printed: %d", bytes.Count(page.body, name))
	}
	again := f.page(f.clerk, "GET", certificate+"/prints/2", "")
	if f.want(t, again, 200, ""); !bytes.Equal(again.body, last) || !strings.HasPrefix(again.header.Get("Content-Disposition"), "inline") {
		t.Errorf("ok/again: other bytes, or saved: %s", again.header)
	}
	f.want(t, f.page(f.clerk, "GET", certificate+"/prints/9", ""), 404, "copy")
	f.want(t, f.do(f.clerk, "GET", "/certificates/ABCDEFGHJKLM/prints", ""), 404, "certificate")
}

func (f *fixture) staffName(t *testing.T) string {
	t.Helper()
	p, err := f.World.Accounts.Store.Staff(t.Context(), f.Clerk.Office, f.Clerk.Person)
	if err != nil {
		t.Fatal(err)
	}
	return p.Name
}
