package server

import (
	"bytes"
	"database/sql"
	"fmt"
	"path/filepath"
	"strings"
	"testing"

	"akashi/certificate"
	"akashi/internal/cli"
	"akashi/internal/office"
	"akashi/internal/vaccination"
	"akashi/internal/vault"
	"akashi/samples"
)

// withNumber is the first sample person with an individual number, as a file.
func withNumber(t *testing.T, number string) string {
	t.Helper()
	b, err := samples.Files.ReadFile("subjects.csv")
	if err != nil {
		t.Fatal(err)
	}
	lines := strings.SplitN(string(b), "\n", 3)
	return strings.Replace(lines[0], "atena_number", "atena_number,individual_number", 1) + "\n" + strings.Replace(lines[1], "100001", "100001,"+number, 1) + "\n"
}

// shownCard is the number with the items of the first sample person's card.
func shownCard(number string) string {
	return fmt.Sprintf(`{"individual_number":%q,"name":{"family":"桜井","given":"澪"},"birth_date":"1991-02-18","sex":"2","address_number":"100001"}`, number)
}

const unknownPerson = `{"kind":"domestic","programme":"covid19","channel":"counter","notice_version":"2026-11","documents":[%s],` +
	`"applicant":{"relationship":"self"},"subject":{"name":{"family":"Sakurai","given":"Mio"},"birth_date":"1991-02-18"}}`

// S-031, S-091: the number finds the record where nothing
// else does, and is never shown.
func (f *fixture) testNumbers(t *testing.T) {
	const number, other = "123456789018", "111111111118"
	r := f.do(f.clerk, "POST", "/imports/subjects", withNumber(t, number))
	f.want(t, r, 201, "")
	f.want(t, f.do(f.officer, "POST", "/imports/"+r.json(t)["id"].(string)+"/commit", ""), 200, "")
	held := func(documents string) string {
		r := f.do(f.clerk, "POST", "/applications", fmt.Sprintf(unknownPerson, documents))
		f.want(t, r, 201, "")
		path := "/applications/" + r.json(t)["id"].(string)
		f.want(t, f.do(f.clerk, "POST", path+"/number", shownCard(number)), 409, "number_case_closed") // a draft
		r = f.do(f.clerk, "POST", path+"/submit", "")
		f.want(t, r, 200, "")
		if r.json(t)["number_may_be_asked"] != true {
			t.Fatalf("not to be asked: %s", r.body)
		}
		return path
	}
	f.want(t, f.do(f.clerk, "POST", held("")+"/number", shownCard(number)), 409, "number_documents")
	path := held(`"my_number_card"`)
	f.want(t, f.do(f.clerk, "POST", path+"/number", shownCard("123456789019")), 400, "number_form")
	f.want(t, f.do(f.clerk, "POST", path+"/number", strings.Replace(shownCard(number), "100001", "100002", 1)), 409, "number_items_differ")
	f.want(t, f.do(f.clerk, "POST", path+"/number", strings.Replace(shownCard(number), "1991-02-18", "1991-02-19", 1)), 409, "number_items_differ")
	exchange := f.SignIn(t, cli.TestOffice+"-exchange2", office.ExchangeClerk) // who reads no applications
	if r := f.do(exchange, "POST", path+"/number", shownCard(other)); r.status != 200 || r.json(t)["application"] != nil || strings.Contains(string(r.body), "桜井") {
		t.Errorf("error/shown to who may not read it: %d %s", r.status, r.body)
	}
	r = f.do(f.clerk, "POST", path+"/number", shownCard(other))
	f.want(t, r, 200, "")
	if m := r.json(t); m["found"] != false || m["kept"] != false {
		t.Errorf("ok/nobody's number: %s", r.body)
	}
	f.want(t, f.do(f.clerk, "POST", path+"/decision", `{"outcome":"ask","reason":"カードを持参"}`), 200, "")
	r = f.do(f.clerk, "POST", path+"/number", shownCard(number))
	f.want(t, r, 200, "")
	m := r.json(t)
	if !strings.Contains(string(r.body), `"earlier_decisions":[{`) || !strings.Contains(string(r.body), "カードを持参") {
		t.Errorf("error/the reason of what was decided before: %s", r.body)
	}
	if m["found"] != true || m["individual_number"] != vault.Masked || m["application"].(map[string]any)["record"].(map[string]any)["outcome"] != vaccination.Found.String() {
		t.Errorf("ok/found: %s", r.body)
	}
	f.want(t, f.do(f.clerk, "POST", path+"/number", shownCard(number)), 403, "number_not_needed") // it is found now
	for _, text := range [][]byte{[]byte(f.log.String()), r.body} {
		if bytes.Contains(text, []byte(number)) {
			t.Errorf("error/the number is shown: %s", text)
		}
	}
}

// renaming returns how a table is taken away under the feet of the service.
func (f *fixture) renaming(t *testing.T) func(from, to string) {
	t.Helper()
	db, err := sql.Open("sqlite", filepath.Join(f.Config.Data, "akashi.db"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = db.Close() })
	return func(from, to string) {
		t.Helper()
		if _, err := db.ExecContext(t.Context(), "PRAGMA busy_timeout = 10000; ALTER TABLE "+from+" RENAME TO "+to); err != nil {
			t.Fatal(err)
		}
	}
}

// S-016: a text that holds an individual number is refused, a row's id whose end only reads
// like one is not.
func TestNumberInText(t *testing.T) {
	const number = "123456789018"
	for text, refused := range map[string]bool{
		"01a2031b-40a5-7acb-a4e1-" + number: false, number: true, "1234-5678-9018": true, "01a2031b-40a5-7acb-a4e1-" + number + " " + number: true,
	} {
		if err := checkTexts("applications[0]", text); (err != nil) != refused {
			t.Errorf("%q: %v", text, err)
		}
	}
}

// S-105: while the vault alone is away, the counter says "later" to a number, keeps
// nothing of it, and does everything else; afterwards the number is taken.
func TestVaultDown(t *testing.T) {
	const number = "123456789018"
	f := newFixture(t)
	r := f.do(f.clerk, "POST", "/imports/subjects", withNumber(t, number))
	f.want(t, r, 201, "")
	f.want(t, f.do(f.officer, "POST", "/imports/"+r.json(t)["id"].(string)+"/commit", ""), 200, "")
	rename := f.renaming(t)
	rename("vault", "vault_away")
	r = f.do(f.clerk, "POST", "/applications", fmt.Sprintf(unknownPerson, `"my_number_card"`))
	f.want(t, r, 201, "")
	path := "/applications/" + r.json(t)["id"].(string)
	f.want(t, f.do(f.clerk, "POST", path+"/submit", ""), 200, "")
	r = f.do(f.clerk, "POST", path+"/number", shownCard(number))
	f.want(t, r, 503, "vault_later")
	if bytes.Contains(r.body, []byte(number)) || strings.Contains(f.log.String(), number) || bytes.Contains(r.body, []byte("table")) {
		t.Errorf("error/the number is shown: %s", r.body)
	}
	id := f.issued(t, certificate.Travel)
	f.want(t, f.do(f.clerk, "POST", certificatePath(id, "/prints"), ""), 201, "")
	f.want(t, f.do(f.clerk, "GET", path, ""), 200, "")
	rename("vault_away", "vault")
	f.want(t, f.do(f.clerk, "POST", path+"/number", shownCard(number)), 200, "")
}
