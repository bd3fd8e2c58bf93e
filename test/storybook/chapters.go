package storybook

import (
	"cmp"
	"context"
	"encoding/json"
	"log/slog"
	"maps"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strings"

	"akashi/internal/application"
	"akashi/internal/clock"
	"akashi/internal/office"
	"akashi/internal/vaccination"
	"akashi/internal/watch"
)

// chapters write the stories down, each about some pages.
var chapters = []func(*hand){entrance, newApplication, applications, certificates, together, filesBrought, officers, machines, nothingYet}

// nowhere is a row that does not exist.
const nowhere = "ffffffff-ffff-7fff-bfff-ffffffffffff"

func entrance(h *hand) {
	h.story("/", "the face", "", "/")
	h.story("/sign-in", "nobody is signed in", "", "/sign-in")
	h.story("/setup", "without a link", "", "/setup")
}

// plain is the form of the plain case, with changes: name, value, …
func plain(change ...string) url.Values {
	v := url.Values{
		"kind": {"travel"}, "channel": {"counter"}, "notice_version": {"2026-11"}, "applicant.relationship": {"self"},
		"subject.ticket_number": {"0000000001"}, "subject.name.family": {"桜井"}, "subject.name.given": {"澪"},
		"passport.mrz": {Zone("SAKURAI", "MIO", "TK0000000", "910218", "F", "320630")}, "documents[]": {"passport", "vaccination_ticket"},
	}
	for i := 0; i+1 < len(change); i += 2 {
		v.Set(change[i], change[i+1])
	}
	return v
}

// domestic is a form without a passport.
func domestic(ticket, family, given, birth string, change ...string) url.Values {
	v := plain(append([]string{
		"kind", "domestic", "subject.ticket_number", ticket, "subject.name.family", family, "subject.name.given", given, "subject.birth_date", birth,
	}, change...)...)
	v.Del("passport.mrz")
	v["documents[]"] = []string{"my_number_card"}
	return v
}

func newApplication(h *hand) {
	const page = "/counter"
	h.story(page, "empty", office.Clerk, page)
	h.story(page, "empty as an approver", office.Approver, page)
	h.wrong(page, "wrong date", office.Clerk, page, plain("subject.birth_date", "31.2.1991"))
	h.wrong(page, "zone misread", office.Clerk, page, plain("passport.mrz", strings.Replace(plain().Get("passport.mrz"), "TK0000000", "TK0000001", 1)))
	h.wrong(page, "ticket of elsewhere", office.Clerk, page, plain("subject.ticket_number", "211310160000000001"))
	h.wrong(page, "long names, proxy", office.Clerk, page, longForm("subject.birth_date", "十二月"))
	h.wrong(page, "yellow card", office.Clerk, page, plain("kind", "icvp", "programme", "polio", "subject.birth_date", "?"))
}

// longForm is for the person with the longest names, by a proxy.
func longForm(change ...string) url.Values {
	return plain(append([]string{
		"subject.ticket_number", "0000000103", "subject.name.family", longFamily, "subject.name.given", longGiven, "subject.birth_date", "1972-12-12",
		"passport.mrz", Zone(longLatin[:39], "", "TK0000000", "721212", "M", "320630"), "passport.data_page_name.primary", longLatin,
		"passport.alternative.surname", longLatin, "passport.alternative.given_name", longLatin, "subject.former_name", longFamily,
		"applicant.relationship", "grandchild", "applicant.name.family", longFamily, "applicant.name.given", longGiven, "applicant.proof", "",
	}, change...)...)
}

const applicationPage = "/counter/applications/{id}"

func applications(h *hand) {
	seen := func(state string, path string) { h.story(applicationPage, state, office.Clerk, path) }
	apply := func(form url.Values) string { return h.send(office.Clerk, "/counter", form) }

	made := h.api(office.Clerk, "/applications", map[string]any{
		"kind": "domestic", "channel": "mail", "notice_version": "2026-11", "applicant": map[string]any{"relationship": "self"},
		"subject": map[string]any{"ticket_number": "0000000002", "name": map[string]any{"family": "見本", "given": "太郎"}, "birth_date": "1958-11-03"},
	})
	id, _ := made["id"].(string)
	seen("draft", "/counter/applications/"+id)

	h.cut(func() { seen("cannot be asked now", apply(domestic("0000000002", "見本", "太郎", "1958-11-03"))) })
	expired := plain("passport.mrz", Zone("SAKURAI", "MIO", "TK0000000", "910218", "F", "220630"))
	needs := apply(expired)
	seen("needs information", needs)
	h.story(applicationPage+"/edit", "as handed in", office.Clerk, needs+"/edit")
	h.wrong(applicationPage+"/edit", "somebody was faster", office.Clerk, needs+"/edit", plain("version:int", "1"))

	nothing := domestic("0000000002", "見本", "太郎", "1958-11-03")
	nothing["documents[]"] = []string{""}
	seen("no identity document marked", apply(nothing))
	seen("no record", apply(domestic("0000000999", "無名", "人", "1970-01-01")))
	seen("more than one record", apply(domestic("", "双葉", "ひかり", "1990-07-07")))
	seen("anomaly in the record", apply(domestic("0000000003", "髙橋", "一郎", "1984-06-30")))
	seen("protected person", apply(domestic("0000000006", "森", "千尋", "1995-04-21")))
	seen("rare characters", apply(domestic("0000000005", "葛󠄀城", "健", "1976-09-12")))
	several := apply(longForm())
	seen("review with several reasons, long names", several)
	h.wrong(applicationPage, "decision without a reason", office.Clerk, several+"/decision", url.Values{"outcome": {"approve"}, "reason": {""}})
	h.wrong(applicationPage, "decision too late", office.Clerk, several+"/decision", url.Values{"outcome": {"reject"}, "reason": {"重複"}, "version:int": {"1"}})
	h.story(applicationPage, "review, as an approver", office.Approver, several)
	h.story(applicationPage, "review, as an auditor", office.Auditor, several)
	h.story(applicationPage+"/edit", "long names", office.Clerk, several+"/edit")

	approved := apply(plain("_key", "approved"))
	seen("approved", approved)
	h.wrong(applicationPage, "not what the page showed", office.Clerk, approved+"/issue", url.Values{"preview": {"of another day"}})

	rejected := apply(domestic("0000000008", "神田", "由美", "1969-05-05"))
	h.send(office.Officer, rejected+"/decision", url.Values{"outcome": {"reject"}, "reason": {"別の市区町村の記録です。"}})
	seen("rejected", rejected)
	withdrawn := apply(domestic("0000000012", "小島", "未来", "2001-10-10"))
	h.send(office.Clerk, withdrawn+"/withdraw", url.Values{})
	seen("withdrawn", withdrawn)
	h.story(applicationPage, "does not exist", office.Clerk, "/counter/applications/"+nowhere)

	const list = "/counter/applications"
	h.story(list, "all", office.Clerk, list)
	h.story(list, "in review", office.Clerk, list+"?state="+string(application.Review))
	h.story(list, "unknown state", office.Clerk, list+"?state=x")
}

// cut lets something happen while the register cannot be asked.
func (h *hand) cut(fn func()) {
	store := h.book.app.Applications.Store
	h.book.app.Applications.Store = cutStore{store}
	fn()
	h.book.app.Applications.Store = store
}

type cutStore struct{ application.Store }

func (cutStore) Register(string) vaccination.Register { return cutRegister{} }

func certificates(h *hand) {
	const page, list = "/counter/certificates/{id}", "/counter/certificates"
	issue := func(form url.Values) (application, certificate string) {
		application = h.send(office.Clerk, "/counter", form)
		return application, h.send(office.Clerk, application+"/issue", url.Values{})
	}
	seen := func(state, path string) { h.story(page, state, office.Clerk, path) }

	fulfilled, first := issue(plain("_key", "fulfilled"))
	h.story(applicationPage, "fulfilled", office.Clerk, fulfilled)
	again := h.send(office.Clerk, first+"/reissue", url.Values{"reason": {"correction"}})
	h.do(office.Clerk, func(cookie string) *http.Request { return h.book.request(h.ctx, cookie, again+"/print", url.Values{}) })
	seen("superseded", first)
	seen("issued", again)
	h.story(page, "issued, as an officer", office.Officer, again)
	h.story(page, "issued, as an auditor", office.Auditor, again)
	h.wrong(page, "made again by somebody else", office.Clerk, first+"/reissue", url.Values{"reason": {"correction"}})
	h.wrong(page, "reissued without a reason", office.Clerk, again+"/reissue", url.Values{"reason": {""}})

	_, revoked := issue(plain("_key", "revoked"))
	h.send(office.Officer, revoked+"/revoke", url.Values{"reason": {"fraud"}})
	seen("revoked", revoked)
	_, card := issue(plain("_key", "card", "kind", "icvp", "programme", "yellow_fever"))
	seen("yellow card", card)
	long := longForm("applicant.proof", "power_of_attorney")
	maps.Copy(long, url.Values{"passport.alternative.surname": {""}, "passport.alternative.given_name": {""}, "subject.former_name": {""}})
	held := h.send(office.Clerk, "/counter", long)
	h.send(office.Officer, held+"/decision", url.Values{"outcome": {"approve"}, "reason": {strings.Repeat("旅券の現物と見比べて確かめた。", 20)}})
	h.story(applicationPage, "approved by a person, long names", office.Clerk, held)

	seen("does not exist", list+"/ABCDEFGHJKLM")
	h.story(list, "some", office.Clerk, list)
	h.story(list, "no such id", office.Clerk, list+"?id=nonsense")
}

// together is work on many at once: files of applications and certificates for the post.
func together(h *hand) {
	const file, mailing = "/counter/batches/{id}", "/counter/mailings/{id}"
	bring := func(rows string) string {
		brought := h.do(office.Clerk, func(cookie string) *http.Request {
			return post(h.ctx, cookie, "/api/v1/batches", "text/csv", strings.NewReader("種類,接種券番号,姓,名,生年月日\n"+rows))
		})
		var of struct{ ID string }
		if h.err == nil {
			h.err = json.Unmarshal(brought.Body.Bytes(), &of)
		}
		return "/counter/batches/" + of.ID
	}
	good := "国内用,0000000001,桜井,澪,1991-02-18\n"
	faulty := bring(good + "国内用,12," + longFamily + ",人,31.2.1991\n")
	h.story(file, "with a row that is wrong", office.Clerk, faulty)
	h.wrong(file, "all, though one is wrong", office.Clerk, faulty+"/commit", url.Values{"whole:bool": {"true"}})
	h.story(file, "all right", office.Clerk, bring(good))
	h.story(file, "does not exist", office.Clerk, "/counter/batches/"+nowhere)

	h.send(office.Clerk, "/counter", plain("_key", "by mail", "channel", "mail"))
	h.story("/counter/batches", "some wait for the post", office.Clerk, "/counter/batches")
	h.story(mailing, "asked for", office.Clerk, h.send(office.Clerk, "/counter/batches/mailing", url.Values{"_key": {"mailing"}}))
	h.story(mailing, "does not exist", office.Clerk, "/counter/mailings/"+nowhere)
}

func officers(h *hand) {
	const page, list = "/counter/approvals/{id}", "/counter/approvals"
	ask := func(as office.Role, user, name string) string {
		asked := h.api(as, "/accounts/requests", map[string]any{
			"user_id": user, "name": name, "unit": "健康推進課", "role": "clerk", "section_head": "健康推進課長", "system_owner": "情報政策課長",
			"ends_on": "2027-03-31", "trained_on": "2026-10-01",
		})
		id, _ := asked["approval"].(string)
		return list + "/" + id
	}
	pending := ask(office.Approver, full+"-new", "新人 八重")
	h.story(page, "asked for by somebody else", office.Officer, pending)
	h.story(page, "one's own", office.Approver, pending)
	h.story(page, "as an auditor", office.Auditor, pending)
	h.wrong(page, "refused without a reason", office.Officer, pending+"/refuse", url.Values{"reason": {""}})
	approved := ask(office.Approver, full+"-long", string([]rune(longFamily)[:60]))
	h.send(office.Officer, approved+"/approve", url.Values{"reason:text": {"面談した。"}})
	h.story(page, "approved", office.Officer, approved)
	h.story(list, "some", office.Officer, list)
	h.story(page, "does not exist", office.Officer, list+"/"+nowhere)

	// A list of the staff system in which most people of the office are missing.
	roster := "user_id,name,unit\n" + userOf(full, office.Officer) + "," + people[office.Officer] + ",健康推進課\n"
	staged := h.do(office.Officer, func(cookie string) *http.Request {
		return post(h.ctx, cookie, "/api/v1/rosters", "text/csv", strings.NewReader(roster))
	})
	var of struct{ ID string }
	if h.err == nil {
		h.err = json.Unmarshal(staged.Body.Bytes(), &of)
	}
	h.story("/counter/rosters/{id}", "people missing", office.Officer, "/counter/rosters/"+of.ID)

	// Work of others that pages tell of: runs over many certificates, and alerts, of
	// somebody who tried to approve one's own request and of the log.
	own, _ := h.api(office.Officer, "/reissues", map[string]any{"selection": map[string]any{"issued_from": "2026-11-01"}, "reason": "correction"})["approval"].(string)
	h.api(office.Approver, "/revocations", map[string]any{"selection": map[string]any{"issued_from": "2026-11-01"}, "reason": "wrong_content"})
	for range 2 {
		h.do(office.Officer, func(cookie string) *http.Request {
			return h.book.request(h.ctx, cookie, list+"/"+own+"/approve", url.Values{"reason:text": {""}})
		})
	}
	if h.err == nil {
		h.err = cmp.Or(h.book.forward(h.ctx, 0), h.book.app.Watch.Step(h.ctx, slog.Default()), h.book.app.Watch.Tell(h.ctx, watch.LogBroken, "log", nil))
	}
}

// machines are terminals: one in use, one that was stolen, one that was asked for.
func machines(h *hand) {
	const page = "/counter/terminals"
	for _, name := range []string{"窓口1 Counter 1", "窓口2 Counter 2（" + longFamily + "）"} {
		made, err := h.book.app.AddTerminal(h.ctx, full, name, []byte("invented "+name))
		if err == nil && name != "窓口1 Counter 1" {
			err = h.book.app.RevokeTerminal(h.ctx, full, made.ID)
		}
		h.err = cmp.Or(h.err, err)
	}
	h.send(office.Operator, page, url.Values{"name": {"窓口3 Counter 3"}, "certificate": {h.certificate()}})
	h.story(page, "one in use, one revoked, one asked for", office.Officer, page)
	h.story(page, "as the one who asked", office.Operator, page)
	h.story(page, "as an auditor", office.Auditor, page)
	h.wrong(page, "not a certificate", office.Officer, page, url.Values{"name": {"窓口4"}, "certificate": {"MII"}})
	h.wrong(page, "without a name", office.Officer, page, url.Values{"name": {""}, "certificate": {"MII"}})
}

// nothingYet is an office that nobody has come to, and whatever page has no story of
// its own: as the first one sees it who may.
func nothingYet(h *hand) {
	for _, page := range h.book.Pages {
		if strings.Contains(page, "{") {
			continue
		}
		if as := h.seer(full, page); !h.told(page) {
			h.story(page, "as it is", as, page)
		}
		if as := h.seer(empty, page); as != "" {
			h.of(empty, page, "nothing yet", as, page, nil)
		}
	}
}

// told tells whether there is a story of a page.
func (h *hand) told(page string) bool {
	return slices.ContainsFunc(h.book.Stories, func(s Story) bool { return s.Page == page })
}

// seer is the first role that gets to see a page; empty: nobody has to sign in, or
// nobody gets there.
func (h *hand) seer(code, page string) office.Role {
	if h.err != nil {
		return ""
	}
	for _, role := range append([]office.Role{""}, office.Roles()...) {
		if people[role] == "" && role != "" {
			continue
		}
		r := httptest.NewRequestWithContext(h.ctx, http.MethodGet, page, nil)
		if role != "" {
			cookie, err := h.book.signIn(h.ctx, code, role)
			if h.err = err; err != nil {
				return ""
			}
			r.AddCookie(&http.Cookie{Name: sessionCookie, Value: cookie})
		}
		rec := httptest.NewRecorder()
		h.book.staff.ServeHTTP(rec, r)
		if rec.Code == http.StatusOK {
			return role
		}
	}
	return ""
}

type cutRegister struct{}

func (cutRegister) FindByTicket(context.Context, string) ([]vaccination.Person, error) {
	return nil, vaccination.ErrUnavailable
}

func (cutRegister) FindByAddress(context.Context, string) ([]vaccination.Person, error) {
	return nil, vaccination.ErrUnavailable
}

func (cutRegister) FindByName(context.Context, vaccination.SearchKey, clock.Date) ([]vaccination.Person, error) {
	return nil, vaccination.ErrUnavailable
}
