package server

import (
	"bytes"
	"net/url"
	"regexp"
	"strings"
	"testing"

	"akashi/certificate"
	"akashi/internal/cli"
	"akashi/internal/office"
	"akashi/internal/vaccination"
)

var (
	markup = regexp.MustCompile(`(?s)<[^>]*>`)
	// apiWord is a code as the API has it, which no page shows.
	apiWord = regexp.MustCompile(`\b[a-z]+(?:_[a-z]+)+\b`)
)

// inWords checks that a page shows no codes where it has sentences for people.
func inWords(t *testing.T, r reply) string {
	t.Helper()
	text := markup.ReplaceAllString(string(r.body), " ")
	if found := apiWord.FindAllString(text, -1); found != nil {
		t.Errorf("error/words of the API on a page: %v", found)
	}
	return text
}

// appliedBy hands in a form and returns the path of the page of its application.
func (f *fixture) appliedBy(t *testing.T, session string, change ...string) string {
	t.Helper()
	made := f.page(session, "POST", "/counter", plainForm(change...))
	f.want(t, made, 303, "")
	return made.header.Get("Location")
}

// person of the samples, by ticket, as a form has it.
func samplePerson(ticket, family, given, birth string) []string {
	return []string{"kind", "domestic", "subject.ticket_number", ticket, "subject.name.family", family, "subject.name.given", given, "subject.birth_date", birth, "_key", ticket}
}

// Issue 6, section 1: the record as a time line, with what looks wrong beside the dose
// that it concerns, and who may see it.
func TestRecordPage(t *testing.T) {
	f := newFixture(t)
	t.Run("ok/time line", func(t *testing.T) {
		page := f.page(f.clerk, "GET", f.appliedBy(t, f.clerk), "")
		f.want(t, page, 200, "")
		text := inWords(t, page)
		for _, want := range []string{"自治体の台帳", "Akashi City", "2021-06-21（令和3年）", "コミナティ", "COMIRNATY", "ZA1001", "架空県証市保健センター", "予防接種台帳", "記載します", "桜井　澪"} {
			if !strings.Contains(text, want) {
				t.Errorf("ok/%s is missing", want)
			}
		}
		if n := bytes.Count(page.body, []byte(`class="printed"`)); n != 3 {
			t.Errorf("ok/%d doses", n)
		}
	})
	t.Run("ok/findings at their dose", func(t *testing.T) {
		path := f.appliedBy(t, f.clerk, samplePerson("0000000003", "髙橋", "一郎", "1984-06-30")...)
		page := f.page(f.clerk, "GET", path, "")
		inWords(t, page)
		doses := strings.Split(string(page.body), `<li class="printed">`)
		if len(doses) != 3 || strings.Contains(doses[1], "接種日の順序") || !strings.Contains(doses[2], "接種日の順序が接種回の順序と合いません。") || !strings.Contains(doses[2], "The dates do not ascend") {
			t.Errorf("ok/order: %d", len(doses))
		}
		if !strings.Contains(string(page.body), "決裁者") || strings.Contains(string(page.body), "data-step-up") {
			t.Error("ok/who has to act")
		}
		if page := f.page(f.officer, "GET", path, ""); !bytes.Contains(page.body, []byte(`id="decide" data-step-up`)) {
			t.Error("ok/an approver is asked for the passkey")
		}
	})
	t.Run("ok/only the latest five", func(t *testing.T) {
		page := f.page(f.clerk, "GET", f.appliedBy(t, f.clerk, samplePerson("0000000004", "𠮷野", "花子", "1949-01-08")...), "")
		text := inWords(t, page)
		if bytes.Count(page.body, []byte(`class="older"`)) != 1 || bytes.Count(page.body, []byte(`class="printed"`)) != 5 || !strings.Contains(text, "最新の5回分") {
			t.Errorf("ok/six doses: %s", text)
		}
	})
	t.Run("error/protected", func(t *testing.T) {
		path := f.appliedBy(t, f.clerk, samplePerson("0000000006", "森", "千尋", "1995-04-21")...)
		hidden, shown := f.page(f.clerk, "GET", path, ""), f.page(f.officer, "GET", path, "")
		if text := inWords(t, hidden); strings.Contains(text, "9004011") || !strings.Contains(text, "決裁者が確かめます") {
			t.Errorf("error/shown to a clerk: %s", text)
		}
		if !bytes.Contains(shown.body, []byte("9004011")) {
			t.Error("ok/shown to an approver")
		}
	})
	t.Run("ok/not there is not cannot be asked", func(t *testing.T) {
		page := f.page(f.clerk, "GET", f.appliedBy(t, f.clerk, samplePerson("0000099999", "誰", "某", "1980-01-01")...), "")
		if text := inWords(t, page); !strings.Contains(text, "記録はありません") || bytes.Contains(page.body, []byte(`record unavailable`)) {
			t.Errorf("ok/none: %s", text)
		}
	})
	t.Run("error/auditor", func(t *testing.T) {
		id := f.approved(t, certificate.Domestic)
		people := f.everyRole(t, cli.TestOffice)
		if r := f.do(people[office.Auditor], "GET", "/applications/"+id, ""); r.json(t)["now"] != nil || bytes.Contains(r.body, []byte("ZA1001")) {
			t.Errorf("error/an auditor sees doses: %s", r.body)
		}
		if r := f.do(people[office.Clerk], "GET", "/applications/"+id, ""); r.json(t)["now"] == nil || !bytes.Contains(r.body, []byte("ZA1001")) {
			t.Errorf("ok/a clerk does: %s", r.body)
		}
		for _, r := range []reply{f.do(f.clerk, "GET", "/applications", ""), f.do(f.clerk, "POST", "/applications/"+id+"/submit", "")} {
			if bytes.Contains(r.body, []byte("ZA1001")) || bytes.Contains(r.body, []byte("1991-02-18")) {
				t.Errorf("error/more than the look at one application tells: %s", r.body)
			}
		}
	})
}

// "Cannot be asked now" has its own words, sign and next step.
func TestRecordAway(t *testing.T) {
	f := newFixture(t)
	path := f.appliedBy(t, f.clerk)
	rename := f.renaming(t)
	rename("persons", "persons_away")
	now := f.page(f.clerk, "GET", path, "")
	asked := f.page(f.clerk, "GET", f.appliedBy(t, f.clerk, "_key", "away"), "")
	for _, page := range []reply{now, asked} {
		if text := inWords(t, page); !bytes.Contains(page.body, []byte(`record unavailable`)) || strings.Contains(text, "記録はありません") || !strings.Contains(text, "もう一度照会する") ||
			!strings.Contains(text, "記録がないという意味ではありません") {
			t.Errorf("ok/away: %s", text)
		}
	}
	rename("persons_away", "persons")
}

// Several who fit stand side by side, each taken from the budget; one is chosen with a
// reason, by the form of the page.
func TestCandidatesPage(t *testing.T) {
	f := newFixture(t)
	f.Bring(t, vaccination.Subjects, []byte("municipality_code,ticket_number,atena_number,family_name,given_name,family_kana,given_kana,birth_date,sex,status,status_date\n"+
		"900001,0000000101,100101,櫻井,澪,サクライ,ミオ,1991-02-18,1,resident,\n"+"900001,0000000102,100102,桜井,澪,サクライ,ミオ,1991-02-18,2,resident,\n"))
	f.Bring(t, vaccination.Records, []byte("municipality_code,ticket_number,dose_number,vaccinated_on,maker,product,lot,place,doctor,origin,source_file_line,programme\n"+
		"900001,0000000102,1,2021-08-02,ファイザー,コミナティ,ZA7001,架空県証市体育館,,ledger,1,covid19\n"))
	path := f.appliedBy(t, f.clerk, "subject.ticket_number", "")
	page := f.page(f.clerk, "GET", path, "")
	f.want(t, page, 200, "")
	text := inWords(t, page)
	marks := regexp.MustCompile(`name="candidate" value="([0-9a-f]{32})"`).FindAllSubmatch(page.body, -1)
	if len(marks) != 2 || !strings.Contains(text, "ZA7001") || !strings.Contains(text, "ZA1001") || strings.Contains(text, "架空県証市体育館") || strings.Contains(text, "100102") {
		t.Fatalf("ok/side by side: %d %s", len(marks), text)
	}
	at := 0
	if bytes.Index(page.body, []byte("ZA7001")) > bytes.Index(page.body, []byte("ZA1001")) {
		at = 1
	}
	form := func(mark, reason string) string {
		return url.Values{"outcome": {"approve"}, "candidate": {mark}, "reason": {reason}}.Encode()
	}
	refused := f.page(f.clerk, "POST", path+"/decision", form(strings.Repeat("0", 32), "接種済証と一致"))
	if f.want(t, refused, 409, ""); !strings.Contains(inWords(t, refused), "候補が変わりました") || !bytes.Contains(refused.body, []byte("接種済証と一致</textarea>")) {
		t.Errorf("error/no such candidate: %s", refused.body)
	}
	f.want(t, f.page(f.clerk, "POST", path+"/decision", form(string(marks[at][1]), "接種済証と一致")), 303, "")
	shown := f.page(f.clerk, "GET", path, "")
	if text := inWords(t, shown); !strings.Contains(text, "職員が候補から選択") || !strings.Contains(text, "ZA7001") || strings.Contains(text, "ZA1001") {
		t.Errorf("ok/chosen: %s", text)
	}
	f.want(t, f.page(f.clerk, "POST", path+"/issue", "_key=k"), 303, "")

	// L-10: a look at two people counts two.
	again := f.appliedBy(t, f.clerk, "subject.ticket_number", "", "_key", "again")
	if _, err := f.ChangeOffice(t.Context(), cli.TestOffice, func(s *office.Settings) { s.Lookups = office.Lookups{Soft: 3, Hard: 3} }); err != nil {
		t.Fatal(err)
	}
	f.rules.known = nil // the office as it was a moment ago
	session := f.SignIn(t, cli.TestOffice+"-counted", office.Clerk)
	id := strings.TrimPrefix(again, "/counter")
	f.want(t, f.do(session, "GET", id, ""), 200, "")
	f.want(t, f.do(session, "GET", id, ""), 429, "budget")
}

// the number of the card is entered where the rules allow it, and no page
// shows it again.
func TestNumberPage(t *testing.T) {
	f := newFixture(t)
	r := f.do(f.clerk, "POST", "/imports/subjects", withNumber(t, "123456789018"))
	f.want(t, r, 201, "")
	f.want(t, f.do(f.officer, "POST", "/imports/"+r.json(t)["id"].(string)+"/commit", ""), 200, "")
	path := f.testNumberPage(t)
	if page := f.page(f.clerk, "GET", path, ""); bytes.Contains(page.body, []byte(path+"/number")) {
		t.Error("error/asked for though the record is found")
	}
}

func (f *fixture) testNumberPage(t *testing.T) (path string) {
	t.Helper()
	const number = "123456789018"
	path = f.appliedBy(t, f.clerk, "kind", "domestic", "subject.ticket_number", "", "subject.name.family", "Sakurai", "subject.name.given", "Mio", "subject.birth_date", "1991-02-18", "_key", "no card")
	if text := inWords(t, f.page(f.clerk, "GET", path, "")); !strings.Contains(text, "個人番号カード、または通知カード") {
		t.Errorf("ok/documents first: %s", text)
	}
	path = f.appliedBy(t, f.clerk, "kind", "domestic", "subject.ticket_number", "", "subject.name.family", "Sakurai", "subject.name.given", "Mio", "subject.birth_date", "1991-02-18", "documents[]", "my_number_card", "_key", "card")
	page := f.page(f.clerk, "GET", path, "")
	inWords(t, page)
	if !bytes.Contains(page.body, []byte(path+"/number")) || !bytes.Contains(page.body, []byte(`name="name.family" value="Sakurai"`)) {
		t.Fatalf("ok/form: %s", page.body)
	}
	card := func(change ...string) string {
		v := url.Values{"individual_number": {"１２３４ 5678 9018"}, "name.family": {"桜井"}, "name.given": {"澪"}, "birth_date": {"H3.2.18"}, "sex": {"2"}, "address_number": {"100001"}}
		for i := 0; i+1 < len(change); i += 2 {
			v.Set(change[i], change[i+1])
		}
		return v.Encode()
	}
	for name, c := range map[string]struct {
		form   string
		status int
		says   string
	}{
		"check digit": {card("individual_number", "123456789019"), 400, "個人番号が正しくありません"},
		"nobody's":    {card("individual_number", "111111111118"), 200, "登録されていません"},
		"other items": {card("birth_date", "1991-02-19"), 409, "一致しません"},
	} {
		got := f.page(f.clerk, "POST", path+"/number", c.form)
		f.want(t, got, c.status, "")
		text := inWords(t, got)
		if !strings.Contains(text, c.says) || !bytes.Contains(got.body, []byte(`value="桜井"`)) || regexp.MustCompile(`name="individual_number" value="[^"]`).Match(got.body) {
			t.Errorf("error/%s: %s", name, text)
		}
		if name == "check digit" && !regexp.MustCompile(`(?s)name="individual_number"[^>]*aria-invalid`).Match(got.body) {
			t.Error("error/check digit: not at the field")
		}
		for _, n := range []string{"123456789019", "111111111118", number} {
			if bytes.Contains(got.body, []byte(n)) {
				t.Errorf("error/%s: the number is shown", name)
			}
		}
	}
	// Whoever enters numbers and does not read applications is told the fault, and nothing of the page.
	exchange := f.SignIn(t, cli.TestOffice+"-exchange", office.ExchangeClerk)
	f.want(t, f.page(exchange, "POST", path+"/number", card("individual_number", "111111111118")), 404, "number_nobody")
	f.want(t, f.page(exchange, "POST", path+"/number", card("individual_number", "123456789019")), 400, "number_form")
	f.want(t, f.page(f.clerk, "POST", path+"/number", card()), 303, "")
	if text := inWords(t, f.page(f.clerk, "GET", path, "")); !strings.Contains(text, "ZA1001") || strings.Contains(text, number) {
		t.Errorf("ok/found: %s", text)
	}
	if strings.Contains(f.log.String(), number) {
		t.Error("error/the number is in the log of the service")
	}
	return path
}

// The list shows first what waits, the oldest first, with who has to act.
func TestQueuePage(t *testing.T) {
	f := newFixture(t)
	if text := inWords(t, f.page(f.clerk, "GET", "/counter/applications", "")); !strings.Contains(text, "待っている申請はありません") {
		t.Errorf("ok/empty: %s", text)
	}
	approved := f.appliedBy(t, f.clerk)
	held := f.appliedBy(t, f.clerk, "subject.former_name", "古川", "_key", "held")
	page := f.page(f.clerk, "GET", "/counter/applications", "")
	if text := inWords(t, page); bytes.Contains(page.body, []byte(approved)) || !bytes.Contains(page.body, []byte(held)) || !strings.Contains(text, "0分前") || strings.Contains(text, "桜井") {
		t.Errorf("ok/what waits: %s", text)
	}
	all := f.page(f.clerk, "GET", "/counter/applications?state=all", "")
	if inWords(t, all); !bytes.Contains(all.body, []byte(approved)) || !bytes.Contains(all.body, []byte(held)) {
		t.Error("ok/all")
	}
	if r := f.do(f.clerk, "GET", "/applications?state=review,approved&order=oldest", ""); len(r.json(t)["applications"].([]any)) != 2 || !strings.HasSuffix(approved, r.json(t)["applications"].([]any)[0].(map[string]any)["id"].(string)) {
		t.Errorf("ok/two states: %s", r.body)
	}
	f.want(t, f.do(f.clerk, "GET", "/applications?state=review,x", ""), 400, "unknown_value")
	f.want(t, f.do(f.clerk, "GET", "/applications?order=x", ""), 400, "unknown_value")
	// What is held is corrected by its form.
	form := f.page(f.clerk, "GET", held+"/edit", "")
	f.want(t, form, 200, "")
	f.want(t, f.page(f.clerk, "POST", held+"/edit", plainForm("_key", "mended")), 303, "")
	if page := f.page(f.clerk, "GET", held, ""); !bytes.Contains(page.body, []byte(held+"/issue")) {
		t.Errorf("ok/corrected: %s", inWords(t, page))
	}
}

// Issue 6, section 1: what was corrected is told where the certificate is, and is made
// again in one step with its reason; the history is reached from an application only.
func TestHistoryPage(t *testing.T) {
	f := newFixture(t)
	path := f.appliedBy(t, f.clerk)
	certificate := f.page(f.clerk, "POST", path+"/issue", "_key=k").header.Get("Location")
	if page := f.page(f.clerk, "GET", path, ""); bytes.Contains(page.body, []byte("/reissue")) {
		t.Errorf("ok/nothing to mend: %s", inWords(t, page))
	}
	f.Bring(t, vaccination.Records, []byte("municipality_code,ticket_number,dose_number,vaccinated_on,maker,product,lot,place,doctor,origin,source_file_line,programme\n"+
		"900001,0000000001,3,2022-02-14,モデルナ,スパイクバックス,900013A,架空県証市保健センター,,ledger,3,covid19\n"))
	for _, at := range []string{path, path + "/history"} {
		page := f.page(f.clerk, "GET", at, "")
		if text := inWords(t, page); !strings.Contains(text, "訂正されました") || !bytes.Contains(page.body, []byte(certificate+"/reissue")) || !bytes.Contains(page.body, []byte(`value="correction" selected`)) {
			t.Errorf("ok/%s: %s", at, text)
		}
	}
	listed := f.page(f.clerk, "GET", "/counter/certificates?corrected=true", "")
	if text := inWords(t, listed); !bytes.Contains(listed.body, []byte(certificate)) || !strings.Contains(text, "記録が訂正されています") || strings.Contains(text, "桜井") {
		t.Errorf("ok/list: %s", text)
	}
	f.want(t, f.page(f.clerk, "GET", "/counter/certificates?corrected=x", ""), 400, "unknown_value")
	anew := f.page(f.clerk, "POST", certificate+"/reissue", "reason=correction")
	f.want(t, anew, 303, "")
	history := f.page(f.clerk, "GET", path+"/history", "")
	if text := inWords(t, history); !strings.Contains(text, "記録の訂正") || !strings.Contains(text, "差し替え済み") || !bytes.Contains(history.body, []byte(anew.header.Get("Location"))) ||
		bytes.Contains(history.body, []byte("/reissue")) {
		t.Errorf("ok/chain: %s", text)
	}
	if r := f.do(f.clerk, "GET", strings.TrimPrefix(path, "/counter")+"/history", ""); len(r.json(t)["certificates"].([]any)) != 2 || bytes.Contains(r.body, []byte("桜井")) {
		t.Errorf("ok/nothing personal: %s", r.body)
	}
	if page := f.page(f.clerk, "GET", path, ""); !bytes.Contains(page.body, []byte(path+"/history")) {
		t.Error("ok/no way to the history")
	}
}
