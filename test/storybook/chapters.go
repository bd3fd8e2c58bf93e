package storybook

import (
	"context"
	"errors"
	"maps"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strings"

	"akashi/internal/actor"
	"akashi/internal/application"
	"akashi/internal/clock"
	"akashi/internal/office"
	"akashi/internal/vaccination"
)

// chapters write the stories down, each about some pages.
var chapters = []func(*hand){
	weeksBefore, theDayBefore, entrance, newApplication, applications, certificates, runsOfMany, mailings, batches, filesBrought,
	askedFor, accounts, rosters, settings, alerts, looks, machines, nothingYet,
}

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
	h.story(applicationPage+"/preview", "approved", office.Clerk, approved+"/preview")
	h.wrong(applicationPage, "not what the page showed", office.Clerk, approved+"/issue", url.Values{"preview": {"of another day"}})
	half := apply(plain("_key", "half made"))
	h.halfMade(half)
	seen("half made", half)

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

// halfMade issues as a process does that dies when it has kept what it means to sign.
func (h *hand) halfMade(application string) {
	service := h.book.app.Issuance
	died := errors.New("storybook: nobody died")
	service.Point = func(name string) {
		if name == "intent_stored" {
			died = nil
			panic("the process dies")
		}
	}
	h.by(office.Clerk, func(ctx context.Context, a actor.Actor) error {
		func() {
			defer func() { _ = recover() }()
			_, _, _ = service.Issue(ctx, a, application[strings.LastIndexByte(application, '/')+1:])
		}()
		return died
	})
	service.Point = nil
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
	h.story(applicationPage+"/history", "some", office.Clerk, fulfilled+"/history")
	again := h.send(office.Clerk, first+"/reissue", url.Values{"reason": {"correction"}})
	h.do(office.Clerk, func(cookie string) *http.Request { return h.book.request(h.ctx, cookie, again+"/print", url.Values{}) })
	seen("superseded", first)
	seen("issued", again)
	h.story(page+"/prints/{number}", "first copy", office.Clerk, again+"/prints/1")
	h.story(page, "issued, as an officer", office.Officer, again)
	h.story(page, "issued, as an auditor", office.Auditor, again)
	h.wrong(page, "made again by somebody else", office.Clerk, first+"/reissue", url.Values{"reason": {"correction"}})
	h.wrong(page, "reissued without a reason", office.Clerk, again+"/reissue", url.Values{"reason": {""}})

	h.story(applicationPage+"/history", "none", office.Clerk, h.send(office.Clerk, "/counter", domestic("0000000009", "池田", "陽菜", "2014-08-17"))+"/history")
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
