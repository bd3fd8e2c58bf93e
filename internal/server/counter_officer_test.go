package server

import (
	"bytes"
	"context"
	"html"
	"net/url"
	"regexp"
	"strings"
	"testing"

	"akashi/certificate"
	"akashi/internal/audit"
	"akashi/internal/audit/tree"
	"akashi/internal/cli"
	"akashi/internal/clock"
	"akashi/internal/issuance"
	"akashi/internal/office"
	"akashi/internal/testkit/world"
)

// holds demands that a page says each of the texts.
func (f *fixture) holds(t *testing.T, r reply, texts ...string) {
	t.Helper()
	f.want(t, r, 200, "")
	for _, text := range texts {
		if !bytes.Contains(r.body, []byte(text)) {
			t.Errorf("the page does not say %q: %.3000s", text, r.body[bytes.Index(r.body, []byte("<main")):])
		}
	}
}

// at demands that a form comes back with what is wrong at its field.
func (f *fixture) at(t *testing.T, r reply, status int, field string) {
	t.Helper()
	f.want(t, r, status, "")
	if !bytes.Contains(r.body, []byte(`id="`+field+`-told"`)) {
		t.Errorf("nothing at %s: %.3000s", field, r.body[bytes.Index(r.body, []byte("<main")):])
	}
}

func accountFields(change ...string) string {
	return dutyFields(append([]string{"user_id", cli.TestOffice + "-page", "name", "新人 一"}, change...)...)
}

func dutyFields(change ...string) string {
	v := url.Values{
		"unit": {"健康推進課"}, "role": {"clerk"}, "ends_on": {nextYear},
		"trained_on": {"2026-01-05"}, "section_head": {"健康推進課長"}, "system_owner": {"情報政策課長"},
	}
	for i := 0; i+1 < len(change); i += 2 {
		v.Set(change[i], change[i+1])
	}
	return v.Encode()
}

// Issue 6, section 1, officer: what those who answer for the office do, on pages; each
// page once well and once refused, and who has to act next is said.
func (f *fixture) testOfficer(t *testing.T) {
	second := f.officers(t, 2)[1]
	operator := f.SignIn(t, cli.TestOffice+"-operator", office.Operator)
	f.holds(t, f.page(f.officer, "GET", "/counter/office", ""), "/counter/alerts", "/counter/accounts", "/counter/settings", "/counter/lookups")
	maintenance := f.SignIn(t, cli.TestOffice+"-maintenance", office.Maintenance)
	f.want(t, f.page(maintenance, "GET", "/counter/office", ""), 403, "permission")
	f.testAccountPages(t, second, operator)
	f.testRecoveryPages(t, second)
	f.testRosterPages(t, second)
	f.testSettingsPages(t, second)
	f.testAlertPages(t, second, operator)
	f.testLogPages(t)
	f.testLogExport(t)
	f.testRunPages(t)
	refused := f.page(f.clerk, "GET", "/counter/accounts", "", asBrowser)
	if f.want(t, refused, 403, ""); !bytes.Contains(refused.body, []byte("<html")) || bytes.Contains(refused.body, []byte(`href="/counter/accounts"`)) || bytes.Contains(refused.body, []byte(`href="/counter/office"`)) {
		t.Errorf("error/a clerk's menu: %s", refused.body)
	}
}

// an account by three people, on pages.
func (f *fixture) testAccountPages(t *testing.T, second, operator string) {
	f.holds(t, f.page(f.officer, "GET", "/counter/accounts", ""), cli.TestOffice+"-clerk", `value="`+cli.TestOffice+`-"`)
	f.at(t, f.page(f.officer, "GET", "/counter/accounts?on=2026-02-30", ""), 400, "on")
	f.at(t, f.page(f.officer, "POST", "/counter/accounts", accountFields("ends_on", "2020-03-31")), 400, "ends_on")
	if r := f.page(f.officer, "POST", "/counter/accounts", accountFields("user_id", "x")); r.status != 400 || !bytes.Contains(r.body, []byte(`id="user_id-told"`)) || !bytes.Contains(r.body, []byte("新人 一")) {
		t.Errorf("error/user id: %d", r.status)
	}
	asked := f.page(f.officer, "POST", "/counter/accounts", accountFields())
	f.want(t, asked, 303, "")
	request := asked.header.Get("Location")
	page := f.page(f.officer, "GET", request, "")
	f.holds(t, page, "新人 一", "依頼した人以外", "承認待ち")
	f.want(t, f.page(f.officer, "GET", "/counter/account-requests/"+nobody, ""), 404, "account_request")
	f.holds(t, f.page(f.officer, "GET", "/counter/accounts", ""), request)
	approval := "/counter/approvals/" + regexp.MustCompile(`/counter/approvals/([0-9a-f-]{36})`).FindStringSubmatch(string(page.body))[1]
	f.holds(t, f.page(second, "GET", approval, ""), "新人 一", "設定リンクを一度だけ出します", request)
	f.want(t, f.page(operator, "POST", request+"/carry-out", ""), 403, "") // not approved yet
	f.want(t, f.page(second, "POST", approval+"/approve", "reason%3Atext="), 303, "")
	done := f.page(operator, "POST", request+"/carry-out", "")
	f.holds(t, done, world.Origin+"/setup#", "一度だけ表示します")
	if again := f.page(operator, "GET", request, ""); bytes.Contains(again.body, []byte("/setup#")) {
		t.Error("error/the link is shown twice")
	}
	f.want(t, f.page(operator, "POST", request+"/carry-out", ""), 409, "")
	account := regexp.MustCompile(`/counter/accounts/[0-9a-f-]{36}`).FindString(string(done.body))
	f.holds(t, f.page(f.officer, "GET", account, ""), "新人 一", "権限の移り変わり", account+"/change", account+"/lost")
	f.want(t, f.page(f.officer, "GET", "/counter/accounts/"+nobody, ""), 404, "account")
	if r := f.do(f.officer, "GET", strings.TrimPrefix(account, "/counter"), ""); r.status != 200 || len(r.json(t)["history"].([]any)) != 1 {
		t.Errorf("ok/history: %s", r.body)
	}
	f.want(t, f.do(f.officer, "GET", "/accounts/"+nobody, ""), 404, "account")

	f.at(t, f.page(f.officer, "POST", account+"/change", dutyFields("trained_on", "2099-01-01")), 400, "trained_on")
	duties := dutyFields("role", "register_clerk")
	changed := f.page(f.officer, "POST", account+"/change", duties)
	f.want(t, changed, 303, "")
	f.holds(t, f.page(f.officer, "GET", changed.header.Get("Location"), ""), "登録担当", "今の権限")
	f.want(t, f.page(f.officer, "POST", account+"/disable", ""), 303, "")
	f.want(t, f.page(f.officer, "POST", "/counter/accounts/"+nobody+"/disable", ""), 404, "account")
	f.holds(t, f.page(f.officer, "GET", account, ""), account+"/enable", "停止")
	f.at(t, f.page(f.officer, "POST", account+"/enable", strings.Replace(duties, nextYear, "2020-03-31", 1)), 400, "ends_on")
	f.want(t, f.page(f.officer, "POST", account+"/enable", duties), 303, "")
}

// A lost passkey: asked for by one officer, approved and given by another.
func (f *fixture) testRecoveryPages(t *testing.T, second string) {
	f.SignIn(t, cli.TestOffice+"-loser", office.Clerk)
	path := "/counter/accounts/" + f.accountOf(t, "loser")
	f.want(t, f.page(f.officer, "POST", "/counter/accounts/"+nobody+"/lost", ""), 404, "account")
	f.want(t, f.page(f.officer, "POST", path+"/lost", ""), 303, "")
	f.want(t, f.page(f.officer, "POST", path+"/recover", ""), 403, "")
	f.holds(t, f.page(second, "GET", path, ""), path+"/recover")
	f.holds(t, f.page(second, "POST", path+"/recover", ""), world.Origin+"/setup#", "一度だけ表示します")
}

// who left the office is disabled when another officer has looked.
func (f *fixture) testRosterPages(t *testing.T, second string) {
	f.SignIn(t, cli.TestOffice+"-left", office.Clerk)
	people, err := f.Store.ListStaff(t.Context(), cli.TestOffice)
	if err != nil {
		t.Fatal(err)
	}
	file := "user_id,name,unit\n"
	for _, p := range people {
		if p.User != cli.TestOffice+"-left" {
			file += p.User + ",氏名," + p.Unit + "\n"
		}
	}
	const list = "/counter/rosters"
	for name, bad := range map[string]string{"empty": "", "other columns": "id,unit\nx,y\n", "twice the same": file + cli.TestOffice + "-clerk,窓口,課\n", "a quotation mark": "user_id,name,unit\na\"b,c,d\n", "no people": "user_id,name,unit\n", "Shift_JIS": "user_id,name,unit\nx,\x8e\x81,y\n"} {
		r := f.upload(f.officer, list, bad)
		if f.want(t, r, 400, ""); !bytes.Contains(r.body, []byte(`id="file-told"`)) || bytes.Contains(r.body, []byte("窓口,課")) {
			t.Errorf("error/%s: %s", name, r.body)
		}
	}
	f.want(t, f.upload(f.clerk, list, file), 403, "")
	f.want(t, f.upload(f.officer, list, strings.Repeat("x", maxRosterBytes+maxUpload)), 413, "")
	staged := f.upload(f.officer, list, file, "_key", "roster")
	f.want(t, staged, 303, "")
	path := staged.header.Get("Location")
	if again := f.upload(f.officer, list, file, "_key", "roster"); again.header.Get("Location") != path {
		t.Errorf("ok/sent twice: %d", again.status)
	}
	f.holds(t, f.page(f.officer, "GET", list, ""), path, "確認待ち", `enctype="multipart/form-data"`)
	f.want(t, f.page(f.officer, "GET", "/counter/rosters?cursor=x", ""), 400, "cursor")
	f.holds(t, f.page(f.officer, "GET", path, ""), cli.TestOffice+"-left", "ほかの人の承認が必要です")
	f.want(t, f.page(f.officer, "GET", "/counter/rosters/"+nobody, ""), 404, "roster")
	f.want(t, f.page(f.officer, "POST", path+"/commit", ""), 403, "")
	f.want(t, f.page(second, "POST", path+"/commit", ""), 303, "")
	f.holds(t, f.page(f.officer, "GET", path, ""), "適用済み")
}

// R-131, L-09: settings, with what is and what was asked for side by side.
func (f *fixture) testSettingsPages(t *testing.T, second string) {
	shown := f.page(f.officer, "GET", "/counter/settings", "")
	f.holds(t, shown, "架空県証市長", "日本国内用", "/counter/settings/suspend")
	fields := func(change ...string) string {
		v := url.Values{
			"issuer.ja:lines": {"架空県証市長\r\n日本国厚生労働大臣"}, "issuer.en:lines": {"Mayor of Akashi City\r\nMinister of Health, Labour and Welfare, Government of Japan"},
			"open[]": {"", "domestic", "travel"}, "auto_approve:bool": {"true"}, "number_rule": {"with_application"}, "lookups.soft:int": {"200"}, "lookups.hard:int": {"500"},
			"hours.holidays:lines": {"2026-12-29\r\n2026-12-30"}, "keep.records:int": {"20"}, "keep.applications:int": {"5"}, "keep.log:int": {"7"},
		}
		for i := 0; i+1 < len(change); i += 2 {
			v.Set(change[i], change[i+1])
		}
		return v.Encode()
	}
	for field, change := range map[string][]string{
		"issuer.ja": {"issuer.ja:lines", strings.Repeat("長", 101)}, "lookups": {"lookups.hard:int", "1"}, "hours.week": {"hours.week.mon.from", "25:00", "hours.week.mon.to", "26:00"},
		"hours.holidays": {"hours.holidays:lines", "29.12."}, "keep": {"keep.records:int", "1"},
	} {
		f.at(t, f.page(f.officer, "POST", "/counter/settings", fields(change...)), 400, field)
	}
	f.want(t, f.page(f.clerk, "POST", "/counter/settings", fields()), 403, "permission")
	asked := f.page(f.officer, "POST", "/counter/settings", fields("issuer.en:lines", "Mayor of Akashi"))
	f.want(t, asked, 303, "")
	approval := asked.header.Get("Location")
	f.holds(t, f.page(second, "GET", approval, ""), "Mayor of Akashi</p>", "Mayor of Akashi City</p>", "変わる", "2026-12-29")
	f.holds(t, f.page(second, "GET", "/counter/settings", ""), approval, "/counter/settings/apply")
	id := "approval=" + strings.TrimPrefix(approval, "/counter/approvals/")
	f.want(t, f.page(f.officer, "POST", "/counter/settings/apply", id), 403, "")
	f.want(t, f.page(second, "POST", "/counter/settings/apply", "approval=x"), 400, "")
	f.want(t, f.page(second, "POST", "/counter/settings/apply", id), 303, "")
	if now := f.page(f.officer, "GET", "/counter/settings", ""); bytes.Contains(now.body, []byte("Mayor of Akashi City")) || bytes.Contains(now.body, []byte("<td><p>予防接種国際証明書")) {
		t.Errorf("ok/changed: %s", now.body)
	}
	// What is not offered stands on no form, and is refused with a sentence at its field.
	form := f.page(f.clerk, "GET", "/counter", "")
	if f.want(t, form, 200, ""); bytes.Contains(form.body, []byte(`value="icvp"`)) || !bytes.Contains(form.body, []byte(`value="travel" checked`)) {
		t.Errorf("ok/offered: %s", form.body)
	}
	if r := f.page(f.clerk, "POST", "/counter", plainForm("kind", "icvp", "_key", "not offered")); r.status != 409 || !bytes.Contains(r.body, []byte("現在この窓口では受け付けていません")) {
		t.Errorf("error/not offered: %d %s", r.status, r.body)
	}

	f.at(t, f.page(f.officer, "POST", "/counter/settings/suspend", "reason%3Atext="), 400, "reason")
	f.want(t, f.page(f.officer, "POST", "/counter/settings/resume-request", ""), 409, "")
	f.want(t, f.page(f.officer, "POST", "/counter/settings/suspend", "reason=端末の盗難"), 303, "")
	f.want(t, f.page(f.clerk, "GET", "/counter", ""), 403, "office_suspended")
	f.holds(t, f.page(f.officer, "GET", "/counter/settings", ""), "端末の盗難", "/counter/settings/resume-request")
	f.want(t, f.page(f.officer, "POST", "/counter/settings/resume", ""), 409, "") // nobody approved it for this suspension
	f.want(t, f.page(f.officer, "POST", "/counter/settings/resume-request", ""), 303, "")
	f.holds(t, f.page(second, "GET", "/counter/settings", ""), `action="/counter/settings/resume"`)
	f.want(t, f.page(second, "POST", "/counter/settings/resume", ""), 303, "")
	f.want(t, f.page(f.clerk, "GET", "/counter", ""), 200, "")
	f.want(t, f.page(maintenanceOf(f, t), "GET", "/counter/settings", ""), 403, "permission")
}

func maintenanceOf(f *fixture, t *testing.T) string {
	return f.SignIn(t, cli.TestOffice+"-maintenance", office.Maintenance)
}

// S-089: alerts, open ones first, seen to with a note.
func (f *fixture) testAlertPages(t *testing.T, second, operator string) {
	id := f.alertedOf(t, f.Officer.Person)
	path := "/counter/alerts/" + id
	f.holds(t, f.page(f.officer, "GET", "/counter/alerts", ""), path, "拒否が続いた利用者")
	f.want(t, f.page(f.officer, "GET", "/counter/alerts?state=x", ""), 400, "unknown_value")
	f.want(t, f.page(operator, "GET", "/counter/alerts?scope=office", ""), 403, "permission")
	f.holds(t, f.page(f.officer, "GET", path, ""), "あなたについての警報です", "すること")
	f.want(t, f.page(f.officer, "GET", "/counter/alerts/"+nobody, ""), 404, "alert")
	f.want(t, f.page(f.officer, "POST", path+"/acknowledge", "note%3Atext=x"), 403, "")
	f.at(t, f.page(second, "POST", path+"/acknowledge", "note%3Atext="+strings.Repeat("x", 501)), 400, "note")
	f.want(t, f.page(second, "POST", path+"/acknowledge", "note%3Atext=研修中の操作でした"), 303, "")
	f.holds(t, f.page(f.officer, "GET", path, ""), "研修中の操作でした", "確認した人")
	f.holds(t, f.page(f.officer, "GET", "/counter/alerts?state=acknowledged", ""), path)
	if open := f.page(f.officer, "GET", "/counter/alerts", ""); bytes.Contains(open.body, []byte(path)) {
		t.Error("error/seen to, and still among the open ones")
	}
	f.want(t, f.do(f.officer, "GET", "/alerts/"+id, ""), 200, "")
	f.want(t, f.do(f.officer, "GET", "/alerts/"+nobody, ""), 404, "alert")
}

// who looked up how many, and what the log says of it; by keys and
// counts, never by the name of a person, and that it was read stands in the log.
func (f *fixture) testLogPages(t *testing.T) {
	f.issued(t, certificate.Domestic)
	own := f.page(f.clerk, "POST", "/counter/applications/"+nobody+"/submit", "")
	f.want(t, own, 404, "application")
	if err := f.Notaries[0].Checkpoint(t.Context()); err != nil {
		t.Fatal(err)
	}
	today := string(clock.DateOf(f.World.Clock.Now()))
	auditor := f.everyRole(t, cli.TestOffice)[office.Auditor]
	usage := f.page(auditor, "GET", "/counter/lookups", "")
	f.holds(t, usage, "/counter/log?staff="+f.Clerk.Person+"&amp;day="+today, "証明書の交付")
	for _, name := range []string{"桜井", "SAKURAI", "1991-02-18", "0000000001"} {
		if bytes.Contains(usage.body, []byte(name)) {
			t.Errorf("error/a person's data in the table: %s", name)
		}
	}
	f.want(t, f.page(f.officer, "GET", "/counter/lookups?from="+today+"&until=2020-01-01", ""), 400, "")
	f.holds(t, f.page(f.officer, "GET", "/counter/lookups?from=2020-01-01&until=2020-01-31", ""), "この期間に照会はありません")
	f.want(t, f.page(f.clerk, "GET", "/counter/lookups", ""), 403, "permission")
	f.want(t, f.do(f.officer, "GET", "/lookups?from=2020-01-01", ""), 400, "days")
	rows := f.do(auditor, "GET", "/lookups", "").json(t)
	found := false
	for _, r := range rows["rows"].([]any) {
		row := r.(map[string]any)
		found = found || row["staff"] == f.Clerk.Person && row["lookups"].(float64) > 3 && row["refused"].(float64) > 0 && row["without_application"].(float64) == 0
	}
	if !found || rows["proven"].(float64) == 0 {
		t.Errorf("ok/counts: %v", rows)
	}

	log := f.page(auditor, "GET", "/counter/log?staff="+f.Clerk.Person+"&action=certificate.issue", "")
	f.holds(t, log, "証明書を発行する", "証明済み", "/counter/certificates/")
	f.holds(t, f.page(f.officer, "GET", "/counter/log", ""), "自分の課の職員")
	f.holds(t, f.page(auditor, "GET", "/counter/log?day=2020-01-01", ""), "該当する記録はありません")
	f.at(t, f.page(f.officer, "GET", "/counter/log?day=yesterday", ""), 400, "day")
	f.at(t, f.page(f.officer, "GET", "/counter/log?object=sakurai", ""), 400, "object")
	f.want(t, f.page(f.clerk, "GET", "/counter/log", ""), 403, "permission")
	f.want(t, f.do(f.officer, "GET", "/log/unit?day="+today, ""), 200, "")
	f.want(t, f.do(f.officer, "GET", "/log/unit", ""), 400, "required")
	for _, e := range f.do(f.officer, "GET", "/log/unit?day="+today, "").json(t)["entries"].([]any) {
		if e.(map[string]any)["concerned"] != nil {
			t.Errorf("error/whose data it was: %v", e)
		}
	}
	f.holds(t, f.page(auditor, "GET", "/counter/log?action=lookup.list", ""), "職員ごとの照会を数える")
	all := f.page(auditor, "GET", "/counter/log?day="+today, "")
	older := regexp.MustCompile(`href="(/counter/log\?[^"]*cursor=[^"]+)"`).FindSubmatch(all.body)
	if older == nil {
		t.Fatalf("ok/older: %s", all.body)
	}
	f.holds(t, f.page(auditor, "GET", html.UnescapeString(string(older[1])), ""), "操作記録")

	// Who is in another unit is read by the auditor alone.
	moved := f.SignIn(t, cli.TestOffice+"-elsewhere", office.Clerk)
	f.want(t, f.page(moved, "GET", "/counter/applications", ""), 200, "")
	id := f.accountOf(t, "elsewhere")
	read := func(session, path string) int {
		return len(f.do(session, "GET", path+"?staff="+id, "").json(t)["entries"].([]any))
	}
	head := f.officers(t, 1)[0] // of the same unit
	before := read(head, "/log/unit")
	if err := f.World.Log.Act(t.Context(), f.Officer, audit.Entry{Action: "account.carry_out"}, func(ctx context.Context, _ *audit.Entry) error {
		_, err := f.World.Accounts.Change(ctx, cli.TestOffice, id, func(p *office.Staff) { p.Unit = "別の課" })
		return err
	}); err != nil {
		t.Fatal(err)
	}
	if after, all := read(head, "/log/unit"), read(auditor, "/log"); before == 0 || after != 0 || all < before {
		t.Errorf("error/another unit: %d entries, after the move %d, the auditor's %d", before, after, all)
	}
}

// Issue 6, S-018, S-088: the auditor takes the log of some days with its proofs, which
// stand by themselves; it names nobody, and that it was taken is logged.
func (f *fixture) testLogExport(t *testing.T) {
	const path = "/counter/log/export"
	auditor := f.everyRole(t, cli.TestOffice)[office.Auditor]
	f.issued(t, certificate.Domestic)
	if err := f.Notaries[0].Checkpoint(t.Context()); err != nil {
		t.Fatal(err)
	}
	today := string(clock.DateOf(f.World.Clock.Now()))
	span := func(from, until string) string {
		return url.Values{"from:text": {from}, "until:text": {until}}.Encode()
	}
	f.holds(t, f.page(auditor, "GET", "/counter/log", ""), `action="`+path+`"`, `value="`+today+`"`)
	if page := f.page(f.officer, "GET", "/counter/log", ""); bytes.Contains(page.body, []byte(path)) {
		t.Error("error/offered to who reads one unit only")
	}
	taken := f.page(auditor, "POST", path, span(strings.ReplaceAll(today, "-", ""), today))
	f.want(t, taken, 200, "")
	if got := taken.header.Get("Content-Disposition"); got != `attachment; filename="log-`+cli.TestOffice+"-"+today+"-"+today+`.jsonl"` {
		t.Errorf("ok/name: %s", got)
	}
	key := f.Notaries[0].Key.Verifier()
	report, err := tree.ProveFile(bytes.NewReader(taken.body), nil, key)
	if err != nil || !report.Sound() || report.Proven < 10 || report.Verdict != tree.Whole {
		t.Errorf("ok/proven: %+v %v", report, err)
	}
	for _, personal := range []string{"桜井", "SAKURAI", "1991-02-18", "0000000001", foreignOffice} {
		if bytes.Contains(taken.body, []byte(personal)) {
			t.Errorf("error/the file holds %s", personal)
		}
	}
	for field, form := range map[string]string{"from": span("yesterday", today), "until": span(today, "2020-01-01"), "": span(today, "")} {
		if field == "" {
			field = "until"
		}
		r := f.page(auditor, "POST", path, form)
		if f.at(t, r, 400, field); !bytes.Contains(r.body, []byte(`name="from:text" value="`+form[len("from%3Atext="):strings.Index(form, "&")])) {
			t.Errorf("error/%s: what was typed is gone: %s", field, r.body)
		}
	}
	f.want(t, f.page(f.officer, "POST", path, span(today, today)), 403, "permission")
	f.holds(t, f.page(auditor, "GET", "/counter/log?action=log.export", ""), "操作記録を書き出す")
	f.want(t, f.do(auditor, "POST", "/log/export", `{"from":"`+today+`","until":"`+today+`"}`), 200, "")
	f.want(t, f.do(auditor, "POST", "/log/export", `{"from":"`+today+`","until":"2099-01-01"}`), 400, "days")
	f.want(t, f.do(f.officer, "POST", "/log/export", `{"from":"`+today+`","until":"`+today+`"}`), 403, "permission")
}

// accountOf is the id of an account of the office.
func (f *fixture) accountOf(t *testing.T, user string) string {
	t.Helper()
	people, err := f.Store.ListStaff(t.Context(), cli.TestOffice)
	if err != nil {
		t.Fatal(err)
	}
	for _, p := range people {
		if p.User == cli.TestOffice+"-"+user {
			return p.ID
		}
	}
	t.Fatal("no account " + user)
	return ""
}

// A wrong batch: counted, asked for by one, started by another, told how far it is.
func (f *fixture) testRunPages(t *testing.T) {
	one, two := f.approvers(t)
	f.issued(t, certificate.Domestic)
	since := "selection.issued_from=" + string(clock.DateOf(f.World.Clock.Now()))
	for _, path := range []string{"/counter/reissues", "/counter/revocations"} {
		f.holds(t, f.page(one, "GET", path, ""), `action="`+path+`"`)
		f.want(t, f.page(one, "GET", path+"?cursor=x", ""), 400, "cursor")
		f.holds(t, f.page(one, "POST", path+"/count", since), "枚が当てはまります", since[len("selection.issued_from="):])
		f.at(t, f.page(one, "POST", path+"/count", "selection.issued_from=x"), 400, "issued_from")
		f.at(t, f.page(one, "POST", path, since), 400, "reason")
		asked := f.page(one, "POST", path, since+"&reason=key_compromised")
		f.want(t, asked, 303, "")
		run := asked.header.Get("Location")
		f.holds(t, f.page(one, "GET", run, ""), "ほかの人の承認が必要です", "承認待ち", "/counter/approvals/")
		f.want(t, f.page(one, "GET", path+"/"+nobody, ""), 404, "bulk")
		f.want(t, f.page(one, "POST", run+"/start", ""), 403, "")
		f.want(t, f.page(two, "POST", run+"/start", ""), 303, "")
		f.holds(t, f.page(one, "GET", path, ""), run, "実行中")
		f.want(t, f.page(one, "POST", run+"/stop", ""), 303, "")
		f.want(t, f.page(one, "POST", run+"/stop", ""), 409, "")
		f.holds(t, f.page(one, "GET", run, ""), "止めた人")

		// Approved on the approval's page by the other: then who asked may start it as well.
		asked = f.page(one, "POST", path, since+"&reason=key_compromised")
		f.want(t, asked, 303, "")
		run = asked.header.Get("Location")
		approval := regexp.MustCompile(`/counter/approvals/[0-9a-f-]+`).FindString(string(f.page(two, "GET", run, "").body))
		f.want(t, f.page(two, "POST", approval+"/approve", "reason=x"), 303, "")
		f.holds(t, f.page(one, "GET", run, ""), "承認済み（開始待ち）", run+"/start")
		f.want(t, f.page(one, "POST", run+"/start", ""), 303, "")
		f.want(t, f.page(one, "POST", run+"/stop", ""), 303, "")
		f.want(t, f.page(f.clerk, "GET", path, ""), 403, "permission")
	}

	// Asked for from the command line: one approves, another starts.
	command := f.World.Officer
	command.Person, command.Name, command.Kin = office.Command, "", nil
	command.Permissions, command.SteppedUp = map[string]bool{string(office.RevokeMany): true}, f.World.Clock.Now()
	r, err := f.World.Revocations.Ask(t.Context(), command, issuance.Selection{From: clock.DateOf(f.World.Clock.Now())}, "fraud", nil)
	if err != nil {
		t.Fatal(err)
	}
	run, approval := "/counter/revocations/"+r.ID, "/counter/approvals/"+r.Approval
	page := f.page(one, "GET", run, "")
	f.holds(t, page, "一人が承認のページで承認し、別の人が始めます", approval)
	if strings.Contains(string(page.body), run+"/start") {
		t.Error("what nobody has approved is offered to be started")
	}
	f.want(t, f.page(one, "POST", run+"/start", ""), 403, "")
	f.want(t, f.page(one, "POST", approval+"/approve", "reason=x"), 303, "")
	f.holds(t, f.page(two, "GET", run, ""), "承認済み（開始待ち）", run+"/start", "始める")
	if page := f.page(one, "GET", run, ""); strings.Contains(string(page.body), run+"/start") || !strings.Contains(string(page.body), "別の人が始めます") {
		t.Error("who approved it is offered to start it")
	}
	f.want(t, f.page(one, "POST", run+"/start", ""), 403, "")
	f.want(t, f.page(two, "POST", run+"/start", ""), 303, "")
	f.want(t, f.page(two, "POST", run+"/stop", ""), 303, "")
}
