package server

import (
	"bytes"
	"fmt"
	"slices"
	"strings"
	"testing"

	"akashi/certificate"
	"akashi/certificate/pdf"
	"akashi/internal/office"
	"akashi/internal/paper"
	"akashi/internal/testkit/world"
)

// saying checks that an answer is a paper with the texts on it.
func saying(t *testing.T, r reply, texts ...string) {
	t.Helper()
	sheets, err := pdf.Text(r.body)
	if err != nil || !strings.HasPrefix(r.header.Get("Content-Type"), pdfType) {
		t.Fatalf("no paper: %d %v %.200s", r.status, err, r.body)
	}
	all := slices.Concat(sheets...)
	for _, want := range texts {
		if !slices.Contains(all, want) {
			t.Errorf("%q is not on the paper: %q", want, all)
		}
	}
}

// Issue 6, section 1: the papers around a certificate, from the API and from the pages; each once
// well and once refused.
func (f *fixture) testPapers(t *testing.T) {
	const missing = "/applications/" + nobody + "/papers/"
	for _, p := range []string{"form", "receipt", "refusal"} {
		f.want(t, f.do(f.clerk, "GET", missing+p, ""), 404, "application")
		f.want(t, f.page(f.clerk, "GET", "/counter"+missing+p, ""), 404, "application")
		if seen := f.page(f.clerk, "GET", "/counter"+missing+p, "", asBrowser); seen.status != 404 || !bytes.Contains(seen.body, []byte("<html")) {
			t.Errorf("error/%s for people: %d %.80s", p, seen.status, seen.body)
		}
	}
	blank := f.do(f.clerk, "GET", "/papers/application-form", "")
	saying(t, blank, "架空県証市長 あて")
	if shown := f.page(f.clerk, "GET", "/counter/papers/application-form", ""); !bytes.Equal(shown.body, blank.body) || !strings.HasPrefix(shown.header.Get("Content-Disposition"), "inline") {
		t.Errorf("ok/blank: %d %s", shown.status, shown.header)
	}
	f.want(t, f.do("", "GET", "/papers/application-form", ""), 401, "session")
	f.want(t, f.page("", "GET", "/counter/papers/application-form", ""), 401, "session")

	id := f.approved(t, certificate.Travel)
	of := "/applications/" + id + "/papers/"
	saying(t, f.do(f.clerk, "GET", of+"form", ""), "桜井　澪", "1991-02-18", "0000000001", "SAKURAI MIO", "TK0000000", "✓")
	saying(t, f.page(f.clerk, "GET", "/counter"+of+"form", ""), "桜井　澪")
	f.want(t, f.do(f.clerk, "GET", of+"refusal", ""), 409, "not_refused")
	f.want(t, f.do(f.clerk, "GET", of+"receipt", ""), 404, "certificate")
	issued := f.do(f.clerk, "POST", "/applications/"+id+"/certificate", "").json(t)["id"].(string)
	saying(t, f.do(f.clerk, "GET", of+"receipt", ""), id, issued, "架空県証市 / Akashi City", "1")
	saying(t, f.page(f.clerk, "GET", "/counter"+of+"receipt", ""), issued)
	f.testCollectionList(t, issued)
	for _, path := range []string{"/counter/applications/" + id, "/counter/certificates/" + issued} {
		if page := f.page(f.clerk, "GET", path, ""); !bytes.Contains(page.body, []byte(of+"receipt")) || bytes.Contains(page.body, []byte(of+"refusal")) {
			t.Errorf("ok/links on %s: %s", path, page.body)
		}
	}

	unknown := strings.Replace(form(certificate.Domestic), "0000000001", "0000099999", 1)
	refused := f.do(f.clerk, "POST", "/applications", strings.Replace(unknown, "桜井", "吉𠮷", 1)).json(t)["id"].(string)
	f.want(t, f.do(f.clerk, "POST", "/applications/"+refused+"/submit", ""), 200, "")
	f.want(t, f.do(f.clerk, "POST", "/applications/"+refused+"/decision", `{"outcome":"reject","reason":"記録なし"}`), 200, "")
	of = "/applications/" + refused + "/papers/"
	saying(t, f.do(f.clerk, "GET", of+"refusal", ""), "吉𠮷　澪 様", refused, "接種記録が見つかりません。接種時に住民登録のあった市区町村か、入力内容を確かめてください。")
	notice := f.page(f.clerk, "GET", "/counter"+of+"refusal", "")
	saying(t, notice, "吉𠮷　澪 様")
	if text, _ := pdf.Text(notice.body); slices.Contains(slices.Concat(text...), "記録なし") {
		t.Error("error/the clerk's own words are on the notice")
	}
}

// S-029, R-171: the collection list names who fetches what was issued on a day, at most a hundred;
// each look-up is logged by itself and taken from the budget.
func (f *fixture) testCollectionList(t *testing.T, issued string) {
	today := string(f.World.Clock.Today())
	for key, ask := range map[string]func(session, query string) reply{
		"date": func(session, query string) reply { return f.do(session, "GET", "/papers/collection-list"+query, "") },
		"date_unclear": func(session, query string) reply {
			return f.page(session, "GET", "/counter/papers/collection-list"+query, "")
		},
	} {
		list := ask(f.clerk, "?day="+today)
		saying(t, list, issued, "桜井　澪", "1")
		f.want(t, ask(f.clerk, "?day=x"), 400, key)
		f.want(t, ask(f.clerk, "?part=0"), 400, "unknown_value")
		for name, none := range map[string]reply{"another day": ask(f.clerk, "?day=2021-07-26"), "after the last": ask(f.clerk, "?part=2"), "another office": ask(f.foreignClerk, "")} {
			sheets, err := pdf.Text(none.body)
			if all := slices.Concat(sheets...); err != nil || slices.Contains(all, "桜井　澪") || slices.Contains(all, issued) {
				t.Errorf("error/%s: %v %q", name, err, all)
			}
		}
	}
	own := f.Clerk // S-029: one's own stands there without the name
	own.Name = "桜井 澪"
	d, err := f.World.Issuance.CollectionList(t.Context(), own, paper.Head{On: f.World.Clock.Today()}, f.World.Clock.Today(), 1, []string{issued})
	if text := fmt.Sprint(d); err != nil || strings.Contains(text, "桜井") || !strings.Contains(text, issued) {
		t.Errorf("error/own case: %v %s", err, text)
	}
	if page := f.page(f.clerk, "GET", "/counter/certificates", ""); !bytes.Contains(page.body, []byte(`action="/counter/papers/collection-list"`)) {
		t.Errorf("ok/form: %s", page.body)
	}
}

// L-10: a collection list takes as many look-ups as it has names, before anybody is named.
func TestCollectionListBudget(t *testing.T) {
	f := newFixture(t)
	f.SetOffice(t, func(s *office.Settings) { s.Lookups = office.Lookups{Soft: 1, Hard: 2} })
	for range 2 {
		issue(t, f)
	}
	f.want(t, f.do(f.clerk, "GET", "/papers/collection-list", ""), 200, "")
	issue(t, f)
	f.want(t, f.do(f.SignIn(t, world.ClerkUser+"-fresh", office.Clerk), "GET", "/papers/collection-list", ""), 429, "budget")
}

// issue issues a certificate without a request.
func issue(t *testing.T, f *fixture) {
	t.Helper()
	if _, _, err := f.World.Issuance.Issue(t.Context(), f.Clerk, f.Approved(t, certificate.Domestic)); err != nil {
		t.Fatal(err)
	}
}
