package storybook

import (
	"cmp"
	"context"
	"encoding/json"
	"log/slog"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"akashi/internal/actor"
	"akashi/internal/office"
	"akashi/internal/watch"
)

const approvalsPage = "/counter/approvals"

// askAccount asks for an account and returns where the request and its approval are.
func (h *hand) askAccount(as office.Role, user, name string) (request, approval string) {
	asked := h.api(as, "/accounts/requests", map[string]any{
		"user_id": full + "-" + user, "name": name, "unit": "健康推進課", "role": "clerk", "section_head": "健康推進課長", "system_owner": "情報政策課長",
		"ends_on": "2027-03-31", "trained_on": "2026-10-01",
	})
	id, _ := asked["id"].(string)
	by, _ := asked["approval"].(string)
	return "/counter/account-requests/" + id, approvalsPage + "/" + by
}

// askedFor are requests for accounts and their approvals.
func askedFor(h *hand) {
	const page, request = approvalsPage + "/{id}", "/counter/account-requests/{id}"
	seen := func(state string, as office.Role, of, approval string) {
		h.story(request, state, as, of)
		h.story(page, state, as, approval)
	}
	of, pending := h.askAccount(office.Approver, "new", "新人 八重")
	h.story(page, "asked for by somebody else", office.Officer, pending)
	h.story(page, "one's own", office.Approver, pending)
	h.story(page, "as an auditor", office.Auditor, pending)
	h.story(request, "asked for by somebody else", office.Officer, of)
	h.wrong(request, "carried out too soon", office.Operator, of+"/carry-out", url.Values{})
	h.wrong(page, "refused without a reason", office.Officer, pending+"/refuse", url.Values{"reason": {""}})
	of, approved := h.askAccount(longOfficer, "long", longFamily)
	h.send(office.Officer, approved+"/approve", url.Values{"reason:text": {strings.Repeat(longLatin, 10)}})
	seen("approved", office.Operator, of, approved)
	of, used := h.askAccount(office.Approver, "made", "職員 九重")
	h.send(office.Officer, used+"/approve", url.Values{"reason:text": {"面談した。"}})
	h.do(office.Operator, func(cookie string) *http.Request {
		return h.book.request(h.ctx, cookie, of+"/carry-out", url.Values{})
	})
	seen("carried out", office.Officer, of, used)
	for _, state := range []office.ApprovalState{office.Refused, office.Withdrawn} {
		of, asked := h.askAccount(longOfficer, string(state), "職員 十郎")
		h.decide(strings.TrimPrefix(asked, approvalsPage+"/"), state)
		seen(string(state), office.Officer, of, asked)
	}
	h.story(approvalsPage, "some", office.Officer, approvalsPage)
	h.story(page, "does not exist", office.Officer, approvalsPage+"/"+nowhere)
}

// accounts are those of clerks, in each state.
func accounts(h *hand) {
	const list, page = "/counter/accounts", "/counter/accounts/{id}"
	for _, state := range []office.AccountState{office.NewAccount, office.SuspendedAccount, office.LockedAccount} {
		var id string
		h.act(office.Operator, func(ctx context.Context, _ actor.Actor) error {
			s, _, err := h.book.app.Accounts.Make(ctx, office.Staff{
				Office: full, User: full + "-account-" + string(state), Name: longLatin, Unit: longFamily, Role: office.Clerk, Ends: h.book.now().AddDate(1, 0, 0),
			})
			if id = s.ID; err == nil {
				_, err = h.book.app.Accounts.Change(ctx, full, id, func(s *office.Staff) { s.State = state })
			}
			return err
		})
		h.story(page, string(state), office.Officer, list+"/"+id)
	}
	path := list + "/" + h.staff(office.Clerk)
	h.story(page, "active", office.Officer, path)
	h.story(page, "one's own", office.Officer, list+"/"+h.staff(office.Officer))
	h.story(page, "as an auditor", office.Auditor, path)
	h.send(longOfficer, list+"/"+h.staff(office.ExchangeClerk)+"/lost", url.Values{})
	h.story(page, "has lost the passkey", office.Officer, list+"/"+h.staff(office.ExchangeClerk))
	wrong := url.Values{"unit": {longFamily}, "role": {"clerk"}, "ends_on": {"2099-01-01"}, "trained_on": {"昨日"}, "section_head": {""}, "system_owner": {longLatin}}
	h.wrong(page, "changed wrongly", office.Officer, path+"/change", wrong)
	wrong["user_id"], wrong["name"] = []string{"hanako"}, []string{longLatin}
	h.wrong(list, "asked for wrongly", office.Officer, list, wrong)
	h.story(list, "of no day", office.Officer, list+"?on=x")
	h.story(list, "some", office.Officer, list)
}

// staff is the id of somebody's account.
func (h *hand) staff(role office.Role) string {
	if h.err != nil {
		return ""
	}
	p, err := h.book.app.Store.StaffByUser(h.ctx, full, userOf(full, role))
	h.err = err
	return p.ID
}

// rosters are lists of the staff system: one in which most people of the office are
// missing, and one that was taken, in which one person is.
func rosters(h *hand) {
	const list, page = "/counter/rosters", "/counter/rosters/{id}"
	taken := h.bringRoster(longOfficer, full+"-made")
	h.send(office.Officer, taken+"/commit", url.Values{})
	h.story(page, "taken", office.Officer, taken)
	missing := h.bringRoster(office.Officer)
	h.story(page, "people missing", office.Officer, missing)
	h.wrong(page, "one's own, taken", office.Officer, missing+"/commit", url.Values{})
	h.wrong(list, "a line is wrong", office.Officer, list, url.Values{"file": {"user_id,name,unit\nx\n"}})
	h.story(list, "some", office.Officer, list)
}

// bringRoster hands in a list of all staff but some; of none, of one person alone.
func (h *hand) bringRoster(as office.Role, missing ...string) (path string) {
	var all []office.Staff
	if h.err == nil {
		all, h.err = h.book.app.Store.ListStaff(h.ctx, full)
	}
	lines := "user_id,name,unit\n"
	for _, p := range all {
		if slices.Contains(missing, p.User) || missing == nil && p.User != userOf(full, office.Officer) {
			continue
		}
		lines += p.User + "," + p.Name + "," + p.Unit + "\n"
	}
	staged := h.do(as, func(cookie string) *http.Request {
		return post(h.ctx, cookie, "/api/v1/rosters", "text/csv", strings.NewReader(lines))
	})
	var of struct{ ID string }
	if h.err == nil {
		h.err = json.Unmarshal(staged.Body.Bytes(), &of)
	}
	return "/counter/rosters/" + of.ID
}

// settings are those of an office that goes on and of one that is stopped.
func settings(h *hand) {
	const page = "/counter/settings"
	h.story(page, "as a clerk", office.Clerk, page)
	h.send(office.Operator, page, wantedSettings())
	h.story(approvalsPage+"/{id}", "of settings", office.Officer, h.latest(office.ChangeSettings))
	h.send(longOfficer, page, wantedSettings("issuer.ja:lines", "架空県証市長\n"+longFamily))
	h.story(page, "a change is asked for", office.Officer, page)
	h.story(page, "one's own change", longOfficer, page)
	h.wrong(page, "wrong in every part", office.Officer, page, wantedSettings(
		"issuer.en:lines", "", "lookups.soft:int", "9", "lookups.hard:int", "1", "hours.week.mon.to", "", "keep.log:int", "0",
	))
	if h.err != nil {
		return
	}
	p, err := h.book.app.Store.StaffByUser(h.ctx, stopped, userOf(stopped, longOfficer))
	if err == nil {
		a := p.Actor(actor.Operate, "storybook", "", h.book.now())
		if _, err = h.book.app.Offices.Suspend(h.ctx, a, strings.Repeat("窓口の端末が盗まれた。", 20)); err == nil {
			_, err = h.book.app.Offices.AskResume(h.ctx, a, nil)
		}
	}
	h.err = err
	h.of(stopped, page, "stopped, to go on again", office.Officer, page, nil)
	h.of(stopped, "/counter", "all work is stopped", office.Clerk, "/counter", nil)
}

// latest is where the last approval of a kind is.
func (h *hand) latest(kind office.Kind) (path string) {
	h.act(office.Officer, func(ctx context.Context, _ actor.Actor) error {
		list, err := h.book.app.Store.Approvals(ctx, full, office.ApprovalFilter{Kind: kind, Limit: 1})
		if len(list) > 0 {
			path = approvalsPage + "/" + list[0].ID
		}
		return err
	})
	return path
}

// wantedSettings is the form of an office's settings, with changes: name, value, …
func wantedSettings(change ...string) url.Values {
	v := url.Values{
		"issuer.ja:lines": {"架空県証市長\n日本国厚生労働大臣"}, "issuer.en:lines": {"Mayor of Akashi City\nMinister of Health, Labour and Welfare, Government of Japan"}, "open[]": {"", "domestic", "travel", "icvp"}, "eu_certificates:bool": {"true"},
		"auto_approve:bool": {"true"}, "number_rule": {"when_needed"}, "lookups.soft:int": {"60"}, "lookups.hard:int": {"200"},
		"hours.week.mon.from": {"08:45"}, "hours.week.mon.to": {"17:15"}, "hours.holidays:lines": {"2026-12-29\n2026-12-30"},
		"keep.records:int": {"20"}, "keep.applications:int": {"5"}, "keep.log:int": {"7"},
	}
	for i := 0; i+1 < len(change); i += 2 {
		v.Set(change[i], change[i+1])
	}
	return v
}

// alerts are of people who tried to approve their own requests, and of the log.
func alerts(h *hand) {
	const list, page = "/counter/alerts", "/counter/alerts/{id}"
	for _, as := range []office.Role{longOfficer, office.Officer, office.Approver} {
		own, _ := h.api(as, "/revocations", map[string]any{"selection": map[string]any{"issued_from": "2026-11-01"}, "reason": "wrong_content"})["approval"].(string)
		for range 2 {
			h.do(as, func(cookie string) *http.Request {
				return h.book.request(h.ctx, cookie, approvalsPage+"/"+own+"/approve", url.Values{"reason:text": {""}})
			})
		}
		if h.err == nil {
			h.err = cmp.Or(h.book.forward(h.ctx, time.Millisecond), h.book.app.Watch.Step(h.ctx, slog.Default()))
		}
	}
	if h.err == nil {
		h.err = h.book.app.Watch.Tell(h.ctx, watch.LogBroken, "log", nil)
	}
	var open []watch.Alert
	h.by(office.Officer, func(ctx context.Context, a actor.Actor) (err error) {
		open, err = h.book.app.Alerts.List(ctx, a, false, watch.Open, "", 10)
		return err
	})
	for _, one := range open {
		path := list + "/" + one.ID
		if one.Subject == h.staff(office.Officer) {
			h.story(page, "about oneself", office.Officer, path)
			h.wrong(page, "about oneself, acknowledged", office.Officer, path+"/acknowledge", url.Values{"note:text": {"自分で確かめた。"}})
			h.story(page, "open", longOfficer, path)
		}
		if one.Subject == h.staff(office.Approver) {
			h.story(page, "about somebody else", office.Officer, path)
		}
		if one.Subject == h.staff(longOfficer) {
			h.send(office.Officer, path+"/acknowledge", url.Values{"note:text": {strings.Repeat("本人と話した。", 40)}})
			h.story(page, "acknowledged", office.Officer, path)
		}
	}
	h.story(list, "open", longOfficer, list)
	h.story(list, "acknowledged", office.Officer, list+"?state=acknowledged")
	h.story(list, "of the installation", office.Operator, list+"?scope=installation")
}

// looks are what an officer looks at from time to time.
func looks(h *hand) {
	for page, query := range map[string]string{"/counter/statistics": "?from=x&to=2026-11-24", "/counter/lookups": "?from=x&until=2026-11-24", "/counter/log": "?day=x"} {
		h.story(page, "some", office.Officer, page)
		h.story(page, "of no day", office.Officer, page+query)
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
	h.send(office.Operator, page, url.Values{"name": {"窓口4 Counter 4"}, "certificate": {h.certificate()}})
	h.story(page, "one in use, one revoked, one asked for", office.Officer, page)
	h.story(page, "as the one who asked", office.Operator, page)
	h.story(page, "as an auditor", office.Auditor, page)
	h.wrong(page, "not a certificate", office.Officer, page, url.Values{"name": {"窓口4"}, "certificate": {"MII"}})
	h.wrong(page, "without a name", office.Officer, page, url.Values{"name": {""}, "certificate": {"MII"}})
}
