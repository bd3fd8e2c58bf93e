package server

import (
	"bytes"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"image"
	"image/color"
	"image/jpeg"
	"image/png"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"

	"akashi/certificate"
	"akashi/certificate/qr"
	"akashi/internal/counter"
	"akashi/internal/office"
	"akashi/internal/publish"
	"akashi/internal/testkit"
	"akashi/internal/testkit/world"
	"akashi/samples"
)

const nobody = "00000000-0000-7000-8000-000000000000"

// Issue 2, section 9: every route of the contract, once well and once refused.
func TestEveryRoute(t *testing.T) {
	f := newFixture(t)
	t.Run("pages", f.testPages)
	t.Run("sign-in", f.testSignIn)
	t.Run("recovery", f.testRecovery)
	t.Run("imports", f.testImports)
	t.Run("import pages", f.testImportPages)
	t.Run("applications", f.testApplications)
	t.Run("numbers", f.testNumbers)
	t.Run("certificates", f.testCertificates)
	t.Run("papers", f.testPapers)
	t.Run("statistics", f.testStatistics)
	t.Run("reissues", f.testReissues)
	t.Run("revocations", f.testRevocations)
	t.Run("mailings", f.testMailings)
	t.Run("batches", f.testBatches)
	t.Run("approvals", f.testApprovals)
	t.Run("office", f.testOffice)
	t.Run("terminals", f.testTerminals)
	t.Run("accounts", f.testAccounts)
	t.Run("kin", f.testKin)
	t.Run("retention", f.testRetention)
	t.Run("rosters", f.testRosters)
	t.Run("verify", f.testVerify)
	t.Run("open", f.testOpen)
	t.Run("issuance log", f.testIssuanceLog)
	t.Run("log", f.testLog)
	t.Run("preview", f.testPreview)
	t.Run("counter", f.testCounter)
	t.Run("officer", f.testOfficer)
	f.wantActs(t)
	cannotFail := []string{"show-sign-in", "show-setup", "get-script", "get-style", "home", "openapi", "live", "get-keys", "get-keys-options", "get-card-list-options", "get-withdrawn-options", "get-trust-file-options", "get-trust-part-options", "metrics", "get-nodes", "ready", "get-asset-counter.css", "get-asset-counter.js", "get-asset-htmx.js", "get-asset-" + counter.NameFont} // has its own test
	for _, r := range f.routes() {
		met := f.met[string(r.faces[0])+" "+r.id]
		if !met[true] || !met[false] && !slices.Contains(cannotFail, r.id) {
			t.Errorf("%s %s: met success %v, failure %v", r.faces[0], r.id, met[true], met[false])
		}
	}
}

func (f *fixture) testPages(t *testing.T) {
	for _, path := range []string{"/sign-in", "/setup", "/assets/sign-in.js", "/assets/sign-in.css"} {
		r := ask(f.Staff(), "", "GET", path, "", nil)
		f.note(staffFace, "GET", path, r)
		f.want(t, r, 200, "")
		if len(r.body) < 300 || bytes.Contains(r.body, []byte("<script>")) || bytes.Contains(r.body, []byte("style=")) || bytes.Contains(r.body, []byte("http")) {
			t.Errorf("%s: empty, inline or from elsewhere", path)
		}
	}
}

func (f *fixture) testImports(t *testing.T) {
	good, err := samples.Files.ReadFile("subjects.csv")
	if err != nil {
		t.Fatal(err)
	}
	r := f.do(f.clerk, "POST", "/imports/subjects", string(good))
	f.want(t, r, 201, "")
	m := r.json(t)
	path := "/imports/" + m["id"].(string)
	if m["state"] != "staged" || r.header.Get("Location") != prefix+path {
		t.Errorf("ok/staged: %s", r.body)
	}
	f.want(t, f.do(f.clerk, "GET", path, ""), 200, "")
	f.want(t, f.do(f.clerk, "POST", path+"/commit", ""), 403, "permission")
	r = f.do(f.officer, "POST", path+"/commit", "")
	f.want(t, r, 200, "")
	if o := r.json(t)["outcome"].(map[string]any); o["new"] != 0.0 || o["unchanged"] == 0.0 { // the same file twice changes nothing
		t.Errorf("ok/committed: %s", r.body)
	}
	f.want(t, f.do(f.officer, "POST", path+"/commit", ""), 409, "import_state")
	f.want(t, f.do(f.officer, "POST", path+"/withdraw", ""), 403, "approval_needed") // it would undo what counts for many
	f.want(t, f.do(f.clerk, "POST", "/approvals", `{"kind":"import.withdraw","object":"`+m["id"].(string)+`"}`), 201, "")
	f.want(t, f.do(f.officer, "POST", path+"/withdraw", ""), 200, "")
	f.want(t, f.do(f.officer, "POST", path+"/withdraw", ""), 409, "import_state")
	f.want(t, f.do(f.officer, "GET", "/imports/"+nobody, ""), 404, "import")

	bad, err := samples.Files.ReadFile("records-bad.csv")
	if err != nil {
		t.Fatal(err)
	}
	r = f.do(f.officer, "POST", "/imports/records", string(bad))
	f.want(t, r, 201, "")
	findings := r.json(t)["report"].(map[string]any)["findings"].([]any)
	if len(findings) == 0 {
		t.Fatal("ok/report: no findings")
	}
	for _, line := range findings {
		l := line.(map[string]any)
		if l["code"] == "" || l["ja"] == "" || l["en"] == "" || l["line"] == nil {
			t.Errorf("ok/report: %v", l)
		}
	}
	own := f.do(f.officer, "POST", "/imports/records", string(good)) // the wrong layout
	f.want(t, own, 201, "")
	if own.json(t)["state"] != "refused" {
		t.Errorf("ok/refused: %s", own.body)
	}
	f.want(t, ask(f.Staff(), f.clerk, "POST", prefix+"/imports/records", "application/json", []byte("{}")), 415, "media_type")
	f.do("", "POST", "/imports/records", "x")
	f.want(t, f.do("", "POST", "/imports/subjects", "x"), 401, "session")
	// Another person has to commit.
	mine := f.do(f.officer, "POST", "/imports/subjects", string(good))
	f.want(t, f.do(f.officer, "POST", "/imports/"+mine.json(t)["id"].(string)+"/commit", ""), 403, "second_person")
}

func (f *fixture) testApplications(t *testing.T) {
	id := f.approved(t, certificate.Travel)
	r := f.do(f.clerk, "GET", "/applications/"+id, "")
	f.want(t, r, 200, "")
	var got applicationBody
	if err := json.Unmarshal(r.body, &got); err != nil {
		t.Fatal(err)
	}
	if got.Form == nil || got.Form.Passport == nil || got.Record == nil || !slices.Equal(got.Record.DoseNumbers, []int{1, 2, 3}) ||
		got.Decision == nil || got.Decision.By != "rule:automatic" || got.Passport == nil || got.Passport.Refused {
		t.Errorf("ok/read: %s", r.body)
	}

	f.want(t, f.do(f.clerk, "GET", "/applications/"+nobody, ""), 404, "application")
	for _, c := range []struct{ old, new, code, field string }{
		{`"travel"`, `"both"`, "unknown_value", "kind"},
		{`"travel"`, `"domestic"`, "not_for_domestic", "passport"},
		{`"travel"`, `1`, "json_form", "kind"},
		{`"kind"`, `"Kind"`, "unknown_field", ""},
		{`"kind"`, `"programme":"influenza","kind"`, "unknown_value", "programme"},
		{`"kind"`, `"office":"900010","kind"`, "unknown_field", ""},
		{`"kind"`, `"state":"approved","kind"`, "unknown_field", ""},
		{`"kind"`, `"documents":["passport","diary"],"kind"`, "unknown_value", "documents[1]"},
		{`"self"`, `"neighbour"`, "unknown_value", "applicant.relationship"},
		{`"self"`, `"spouse"`, "required", "applicant.name.family"},
		{`"self"`, `"self","role":"officer"`, "unknown_field", "applicant"},
		{`1991-02-18`, `1991-02-30`, "date", "subject.birth_date"},
		{`1991-02-18`, ``, "required", "subject.birth_date"},
		{`"given"`, `"middle"`, "unknown_field", "subject.name"},
		{`"桜井"`, `null`, "json_form", "subject.name.family"},
		{`"桜井"`, `"1"`, "name_character", "subject.name.family"},
		{`澪`, `\u202e澪`, "invisible_character", "subject.name.given"},
		{`澪`, `\ue000`, "private_use_character", "subject.name.given"},
		{`澪`, `\ud800`, "json_text", ""},
		{`SAKURAI"`, `SAKURAI\u0007"`, "control_character", "passport.data_page_name.primary"},
		{`"kind"`, `"kind":"travel","kind"`, "json_duplicate", ""},
		{`"mrz"`, `"alternative":{"surname":"#"},"mrz"`, "name_character", "passport.alternative.surname"},
	} {
		r := f.do(f.clerk, "POST", "/applications", strings.Replace(form(certificate.Travel), c.old, c.new, 1))
		f.want(t, r, 400, c.code)
		if field, _ := r.json(t)["field"].(string); field != c.field {
			t.Errorf("error/%s %s: field %q, want %q", c.old, c.code, field, c.field)
		}
	}

	// A misread zone comes back with the proposal that repairs it, and is answered.
	broken := strings.Replace(form(certificate.Travel), "3206308", "32O6308", 1)
	r = f.do(f.clerk, "POST", "/applications", broken)
	f.want(t, r, 201, "")
	held := "/applications/" + r.json(t)["id"].(string)
	r = f.do(f.clerk, "POST", held+"/submit", "")
	f.want(t, r, 200, "")
	m := r.json(t)
	reasons := m["reasons"].([]any)
	if m["state"] != "needs_info" || len(reasons) == 0 || m["form"] != nil {
		t.Fatalf("ok/held: %s", r.body)
	}
	first := reasons[0].(map[string]any)
	if first["code"] != "passport_unreadable" || first["weight"] != "supply" || first["ja"] == "" || first["en"] == "" {
		t.Errorf("ok/held: %v", first)
	}
	if zone := m["passport"].(map[string]any); len(zone["repairs"].([]any)) == 0 || !strings.Contains(fmt.Sprint(zone["repaired"]), "3206308") {
		t.Errorf("ok/repair: %v", zone)
	}
	f.want(t, f.do(f.clerk, "POST", held+"/answer", form(certificate.Domestic)), 400, "kind_fixed")
	r = f.do(f.clerk, "POST", held+"/answer", form(certificate.Travel))
	f.want(t, r, 200, "")
	if r.json(t)["state"] != "approved" {
		t.Errorf("ok/answered: %s", r.body)
	}
	f.want(t, f.do(f.clerk, "POST", held+"/withdraw", ""), 200, "")
	f.want(t, f.do(f.clerk, "POST", held+"/withdraw", ""), 409, "transition")
	f.want(t, f.do(f.clerk, "POST", held+"/submit", ""), 409, "transition")

	// A protected person is for an officer to decide.
	protected := strings.NewReplacer("0000000001", "0000000006", "桜井", "森", "澪", "千尋", "1991-02-18", "1995-04-21").Replace(form(certificate.Domestic))
	r = f.do(f.clerk, "POST", "/applications", protected)
	f.want(t, r, 201, "")
	path := "/applications/" + r.json(t)["id"].(string)
	r = f.do(f.clerk, "POST", path+"/submit", "{}")
	f.want(t, r, 200, "")
	if r.json(t)["state"] != "review" {
		t.Fatalf("ok/protected: %s", r.body)
	}
	f.want(t, f.do(f.clerk, "POST", path+"/certificate", ""), 409, "not_approved")
	approve := `{"outcome":"approve","reason":"本人を確認した\r\n旅券も見た"}`
	f.want(t, f.do(f.clerk, "POST", path+"/decision", approve), 403, "override")
	f.want(t, f.do(f.officer, "POST", path+"/decision", `{"outcome":"approve","reason":"x","version":1}`), 409, "version")
	r = f.do(f.officer, "POST", path+"/decision", approve)
	f.want(t, r, 200, "")
	if r.json(t)["state"] != "approved" {
		t.Errorf("ok/decided: %s", r.body)
	}

	r = f.do(f.clerk, "GET", "/applications?state=approved&limit=1", "")
	f.want(t, r, 200, "")
	var page applicationList
	if err := json.Unmarshal(r.body, &page); err != nil || len(page.Applications) != 1 || page.Next == "" {
		t.Fatalf("ok/list: %s", r.body)
	}
	if bytes.Contains(r.body, []byte("桜井")) || bytes.Contains(r.body, []byte("千尋")) || bytes.Contains(r.body, []byte("TK0000000")) {
		t.Errorf("ok/list holds something personal: %s", r.body)
	}
	next := f.do(f.clerk, "GET", "/applications?state=approved&cursor="+page.Next, "")
	f.want(t, next, 200, "")
	if bytes.Contains(next.body, []byte(page.Next)) {
		t.Error("ok/list: the next page repeats the last one")
	}
	for query, code := range map[string]string{
		"?limit=0": "limit", "?limit=51": "limit", "?limit=x": "limit", "?state=open": "unknown_value", "?cursor=1": "cursor",
		"?name=1": "unknown_parameter", "?limit=1&limit=2": "repeated_parameter", "?a=%zz": "query",
	} {
		f.want(t, f.do(f.clerk, "GET", "/applications"+query, ""), 400, code)
	}
}

func (f *fixture) testCertificates(t *testing.T) {
	application := f.approved(t, certificate.Travel)
	made := f.do(f.clerk, "POST", "/applications/"+application+"/certificate", "")
	f.want(t, made, 201, "")
	again := f.do(f.clerk, "POST", "/applications/"+application+"/certificate", "")
	f.want(t, again, 200, "")
	id := made.json(t)["id"].(string)
	if again.json(t)["id"] != id {
		t.Error("ok/issued: two certificates")
	}
	path := certificatePath(id)
	r := f.do(f.clerk, "GET", path, "")
	f.want(t, r, 200, "")
	if m := r.json(t); m["state"] != "issued" || m["kind"] != "travel" || len(m["families"].([]any)) != 2 || m["application"] != application {
		t.Errorf("ok/read: %s", r.body)
	}
	app := f.do(f.clerk, "GET", "/applications/"+application, "").json(t)
	list := f.do(f.clerk, "GET", strings.TrimPrefix(app["certificates"].(string), prefix), "")
	f.want(t, list, 200, "")
	if !bytes.Contains(list.body, []byte(id)) {
		t.Errorf("ok/list: %s", list.body)
	}
	f.want(t, f.do(f.clerk, "GET", "/certificates?state=valid", ""), 400, "unknown_value")
	f.want(t, f.do(f.clerk, "GET", "/certificates?application=1", ""), 400, "unknown_value")

	f.testPrints(t, id)

	codes := f.do(f.clerk, "GET", path+"/codes", "")
	f.want(t, codes, 200, "")
	if list := codes.json(t)["codes"].([]any); len(list) != 2 {
		t.Errorf("ok/codes: %s", codes.body)
	}
	card := f.do(f.clerk, "GET", path+"/card", "")
	f.want(t, card, 200, "")
	if card.header.Get("Content-Type") != "application/smart-health-card" ||
		card.header.Get("Content-Disposition") != `attachment; filename="certificate-`+id+`.smart-health-card"` || !bytes.Contains(card.body, []byte("verifiableCredential")) {
		t.Errorf("ok/card: %v", card.header)
	}

	f.want(t, f.do(f.clerk, "POST", path+"/reissue", `{"reason":"because"}`), 400, "unknown_value")
	r = f.do(f.clerk, "POST", path+"/reissue", `{"reason":"lost"}`)
	f.want(t, r, 201, "")
	second := r.json(t)
	if second["supersedes"] != id {
		t.Errorf("ok/reissue: %s", r.body)
	}
	newer := certificatePath(second["id"].(string))
	f.want(t, f.do(f.clerk, "POST", path+"/reissue", `{"reason":"lost"}`), 409, "reissued")
	f.want(t, f.do(f.clerk, "POST", path+"/prints", ""), 409, "certificate_state")
	f.want(t, f.do(f.clerk, "GET", path+"/codes", ""), 409, "certificate_state")
	f.want(t, f.do(f.clerk, "GET", path+"/card", ""), 409, "certificate_state")
	f.want(t, f.do(f.clerk, "GET", certificatePath("ABCDEFGHJKLM"), ""), 404, "certificate")
	f.want(t, f.do(f.clerk, "POST", newer+"/revoke", `{"reason":"wrong_content"}`), 403, "permission")
	f.want(t, f.do(f.officer, "POST", newer+"/revoke", `{"reason":"x"}`), 400, "unknown_value")
	r = f.do(f.officer, "POST", newer+"/revoke", `{"reason":"wrong_content"}`)
	f.want(t, r, 200, "")
	if r.json(t)["state"] != "revoked" {
		t.Errorf("ok/revoked: %s", r.body)
	}
}

// Issue 2, section 7: several certificates in one file; the same copy, the same
// bytes; file names without personal data.
func (f *fixture) testPrints(t *testing.T, id string) {
	first := f.do(f.clerk, "POST", certificatePath(id, "/prints"), "")
	f.want(t, first, 201, "")
	if first.header.Get("Content-Type") != "application/pdf" || !bytes.HasPrefix(first.body, []byte("%PDF-")) ||
		first.header.Get("Content-Disposition") != `attachment; filename="certificate-`+id+`-copy-1.pdf"` ||
		first.header.Get("Certificate-Copies") != id+"/1" || first.header.Get("Location") != prefix+certificatePath(id, "/prints/1") {
		t.Errorf("ok/print: %v", first.header)
	}
	again := f.do(f.clerk, "GET", certificatePath(id, "/prints/1"), "")
	f.want(t, again, 200, "")
	if !bytes.Equal(again.body, first.body) {
		t.Error("ok/print again: other bytes")
	}
	for _, n := range []string{"2", "0", "-1", "01", "x", "99999999999999999999"} {
		f.want(t, f.do(f.clerk, "GET", certificatePath(id, "/prints/"+n), ""), 404, "copy")
	}
	other := f.issued(t, certificate.Domestic)
	both := f.do(f.clerk, "POST", "/prints", fmt.Sprintf(`{"certificates":[%q,%q]}`, id, other), "Idempotency-Key: both")
	f.want(t, both, 201, "")
	if both.header.Get("Certificate-Copies") != id+"/2, "+other+"/1" || both.header.Get("Content-Disposition") != `attachment; filename="certificates-2.pdf"` {
		t.Errorf("ok/several: %v", both.header)
	}
	replay := f.do(f.clerk, "POST", "/prints", fmt.Sprintf(`{"certificates":[%q,%q]}`, id, other), "Idempotency-Key: both")
	f.want(t, replay, 200, "")
	if !bytes.Equal(replay.body, both.body) || replay.header.Get("Idempotency-Replayed") != "true" {
		t.Error("ok/several again: other bytes")
	}
	for body, code := range map[string]string{
		`{"certificates":[]}`: "required", `{}`: "required", fmt.Sprintf(`{"certificates":[%q,%q]}`, id, id): "repeated_value",
		`{"certificates":[` + strings.Repeat(`"X",`, 100) + `"X"]}`: "too_many", `{"certificates":[1]}`: "json_form",
	} {
		f.want(t, f.do(f.clerk, "POST", "/prints", body), 400, code)
	}
	var refused []string
	for _, c := range []struct{ key, id string }{{f.clerk, "../../etc"}, {f.clerk, "ABCDEFGHJKLM"}, {f.foreign, id}} {
		r := f.do(c.key, "POST", "/prints", fmt.Sprintf(`{"certificates":[%q]}`, c.id))
		f.want(t, r, 404, "certificate")
		refused = append(refused, strings.ReplaceAll(string(r.body), r.header.Get("X-Request-Id"), ""))
	}
	if refused[0] != refused[1] || refused[1] != refused[2] {
		t.Errorf("error/others: %v", refused)
	}
}

func (f *fixture) testVerify(t *testing.T) {
	id := f.issued(t, certificate.Travel)
	codes := f.do(f.clerk, "GET", certificatePath(id, "/codes"), "").json(t)["codes"].([]any)
	card := f.do(f.clerk, "GET", certificatePath(id, "/card"), "")
	verify := func(h http.Handler, at face, key, media string, body []byte) reply {
		r := ask(h, key, "POST", prefix+"/verify", media, body)
		f.note(at, "POST", prefix+"/verify", r)
		return r
	}
	outcome := func(r reply) string {
		t.Helper()
		f.want(t, r, 200, "")
		var v verdictsBody
		if err := json.Unmarshal(r.body, &v); err != nil || len(v.Verdicts) == 0 {
			t.Fatalf("%s %v", r.body, err)
		}
		for _, facet := range v.Verdicts[0].Facets {
			if v.Sentences[facet.Code].JA == "" || v.Sentences[facet.Code].EN == "" || v.Sentences[facet.Code].FR == "" || v.Sentences[facet.Code].Next.FR == "" {
				t.Errorf("no sentence for %s", facet.Code)
			}
		}
		return string(v.Verdicts[0].Outcome)
	}
	for _, at := range []struct {
		face face
		h    http.Handler
		key  string
	}{{staffFace, f.Staff(), f.clerk}, {publicFace, f.Public(), ""}} {
		for _, c := range codes {
			code := c.(map[string]any)
			text := code["text"].(string)
			if got := outcome(verify(at.h, at.face, at.key, "text/plain; charset=utf-8", []byte(text))); got != "valid" {
				t.Errorf("ok/%s %s: %s", at.face, code["family"], got)
			}
			body, _ := json.Marshal(map[string]any{"text": text})
			if got := outcome(verify(at.h, at.face, at.key, "application/json", body)); got != "valid" {
				t.Errorf("ok/%s %s JSON: %s", at.face, code["family"], got)
			}
			body, _ = json.Marshal(map[string]any{"text": text, "at": "2001-01-01T00:00:00Z"})
			if got := outcome(verify(at.h, at.face, at.key, "application/json", body)); got != "not_valid" {
				t.Errorf("ok/%s %s before its time: %s", at.face, code["family"], got)
			}
			changed := strings.Replace(text, text[len(text)-6:], "000000", 1)
			if got := outcome(verify(at.h, at.face, at.key, "text/plain", []byte(changed))); got == "valid" {
				t.Errorf("error/%s %s changed: %s", at.face, code["family"], got)
			}
		}
		if got := outcome(verify(at.h, at.face, at.key, cardType, card.body)); got != "valid" {
			t.Errorf("ok/%s card: %s", at.face, got)
		}
		for _, c := range codes {
			code := c.(map[string]any)
			for media, file := range drawn(t, code["text"].(string)) {
				if got := outcome(verify(at.h, at.face, at.key, media, file)); got != "valid" {
					t.Errorf("ok/%s %s as %s: %s", at.face, code["family"], media, got)
				}
			}
		}
		if got := outcome(verify(at.h, at.face, at.key, "image/png", []byte("hello"))); got != "unreadable" {
			t.Errorf("error/%s no picture: %s", at.face, got)
		}
		if got := outcome(verify(at.h, at.face, at.key, "text/plain", []byte("hello"))); got != "unreadable" {
			t.Errorf("ok/%s nonsense: %s", at.face, got)
		}
		for _, c := range []struct {
			media, body string
			status      int
			code        string
		}{
			{"image/gif", "GIF89a", 415, "media_type"}, {"image/png", "", 400, "required"},
			{"text/html", "x", 415, "media_type"}, {"", "x", 415, "media_type"}, {"text/plain; charset=shift_jis", "x", 415, "media_type"},
			{"text/plain", "", 400, "required"}, {"application/json", `{"text":""}`, 400, "required"}, {"application/json", `{"Text":"x"}`, 400, "unknown_field"},
			{"application/json", `{"text":"x","at":"yesterday"}`, 400, "json_form"}, {"application/json", `{}`, 400, "required"}, {"application/json", "", 400, "json_syntax"},
		} {
			f.want(t, verify(at.h, at.face, at.key, c.media, []byte(c.body)), c.status, c.code)
		}
	}
	f.want(t, verify(f.Staff(), staffFace, "", "text/plain", []byte("x")), 401, "session")
}

// drawn is a picture of a code as files of both media types.
func drawn(t *testing.T, text string) map[string][]byte {
	t.Helper()
	m, err := qr.EncodeBest(qr.Segments(text), []qr.Level{qr.M, qr.L}, qr.MaxVersion)
	if err != nil {
		t.Fatal(err)
	}
	const module, quiet = 4, 4
	side := (m.Size() + 2*quiet) * module
	img := image.NewGray(image.Rect(0, 0, side, side))
	for y := range side {
		for x := range side {
			if !m.Black(x/module-quiet, y/module-quiet) {
				img.SetGray(x, y, color.Gray{Y: 255})
			}
		}
	}
	var lossless, photo bytes.Buffer
	if err := errors.Join(png.Encode(&lossless, img), jpeg.Encode(&photo, img, nil)); err != nil {
		t.Fatal(err)
	}
	return map[string][]byte{"image/png": lossless.Bytes(), "image/jpeg": photo.Bytes()}
}

func (f *fixture) testOpen(t *testing.T) {
	bundle, err := f.World.Published.Whole(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	signer := sha256.Sum256(bundle.Signers()[0].Raw)
	certificate := fmt.Sprintf("%s/trust/dsc/%x.der", prefix, signer[:16])
	lists, err := f.World.Store.ListVersions(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	list := ""
	for name := range lists {
		if key, ok := strings.CutPrefix(name, publish.CardListName("")); ok {
			list = "/.well-known/crl/" + key + ".json"
		}
	}
	for _, c := range []struct {
		at     face
		h      http.Handler
		method string
		path   string
		status int
		media  string
	}{
		{staffFace, f.Staff(), "GET", "/", 200, "text/html; charset=utf-8"},
		{publicFace, f.Public(), "GET", "/", 200, "text/html; charset=utf-8"},
		{staffFace, f.Staff(), "GET", "/openapi.json", 200, openAPIType},
		{publicFace, f.Public(), "GET", "/openapi.json", 200, openAPIType},
		{publicFace, f.Public(), "GET", "/.well-known/jwks.json", 200, "application/json"},
		{publicFace, f.Public(), "OPTIONS", "/.well-known/jwks.json", 204, ""},
		{publicFace, f.Public(), "OPTIONS", list, 204, ""},
		{publicFace, f.Public(), "GET", list, 200, "application/json"},
		{publicFace, f.Public(), "GET", "/.well-known/crl/none.json", 404, "application/problem+json"},
		{publicFace, f.Public(), "OPTIONS", "/.well-known/dcc/index.json", 204, ""},
		{publicFace, f.Public(), "GET", "/.well-known/dcc/index.json", 200, "application/json"},
		{publicFace, f.Public(), "GET", "/.well-known/dcc/none.bloom", 404, "application/problem+json"},
		{publicFace, f.Public(), "OPTIONS", certificate, 204, ""},
		{publicFace, f.Public(), "GET", certificate, 200, "application/pkix-cert"},
		{publicFace, f.Public(), "GET", prefix + "/trust/dsc/none.der", 404, "application/problem+json"},
		{publicFace, f.Public(), "OPTIONS", prefix + "/trust/manifest.json", 204, ""},
		{publicFace, f.Public(), "GET", prefix + "/trust/manifest.json", 200, "application/json"},
		{publicFace, f.Public(), "GET", prefix + "/trust/vci-issuers.json", 200, "application/json"},
		{publicFace, f.Public(), "GET", prefix + "/trust/none.json", 404, "application/problem+json"},
		{opsFace, f.Ops(), "GET", "/healthz", 200, "application/json"},
		{opsFace, f.Ops(), "GET", "/readyz", 200, "application/json"},
		{opsFace, f.Ops(), "GET", "/nodes", 200, "application/json"},
		{opsFace, f.Ops(), "GET", "/metrics", 200, "text/plain; version=0.0.4; charset=utf-8"},
	} {
		r := ask(c.h, "", c.method, c.path, "", nil)
		f.note(c.at, c.method, c.path, r)
		if r.status != c.status || r.header.Get("Content-Type") != c.media {
			t.Errorf("ok/%s %s: %d %s", c.at, c.path, r.status, r.header.Get("Content-Type"))
		}
	}
	keys := ask(f.Public(), "", "GET", "/.well-known/jwks.json", "", nil).json(t)["keys"].([]any)
	if len(keys) == 0 || strings.Contains(fmt.Sprint(keys), " d:") {
		t.Errorf("ok/keys: %v", keys)
	}
}

// Design 2, step 1: the same key and body, the same answer; another body, 409.
func TestIdempotency(t *testing.T) {
	f := newFixture(t)
	subjects, _ := samples.Files.ReadFile("subjects.csv")
	id := f.issued(t, certificate.Domestic)
	for _, c := range []struct{ name, path, body, other string }{
		{"application", "/applications", form(certificate.Domestic), form(certificate.Travel)},
		{"import", "/imports/subjects", string(subjects), "x"},
		{"prints", "/prints", fmt.Sprintf(`{"certificates":[%q]}`, id), `{"certificates":["ABCDEFGHJKLM"]}`},
		{"print", certificatePath(id, "/prints"), "", "{}"},
	} {
		first := f.do(f.clerk, "POST", c.path, c.body, "Idempotency-Key: k1")
		f.want(t, first, 201, "")
		again := f.do(f.officer, "POST", c.path, c.body, "Idempotency-Key: k1")
		f.want(t, again, 200, "")
		same := bytes.Equal(first.body, again.body)
		if first.header.Get("Content-Type") == "application/json" {
			same = first.json(t)["id"] == again.json(t)["id"]
		}
		if !same || again.header.Get("Idempotency-Replayed") != "true" || first.header.Get("Idempotency-Replayed") != "" {
			t.Errorf("ok/%s: not the same again: %v", c.name, again.header)
		}
		f.want(t, f.do(f.clerk, "POST", c.path, c.other, "Idempotency-Key: k1"), 409, "idempotency_key_reused")
		f.want(t, f.do(f.clerk, "POST", c.path, c.body, "Idempotency-Key: k2"), 201, "")
		f.want(t, f.do(f.clerk, "POST", c.path, c.body, "Idempotency-Key: "+strings.Repeat("k", 200)), 201, "")
		f.want(t, f.do(f.clerk, "POST", c.path, c.body, "Idempotency-Key: "+strings.Repeat("k", 201)), 400, "idempotency_key")
		f.want(t, f.do(f.clerk, "POST", c.path, c.body, "Idempotency-Key: k\u00e9"), 400, "idempotency_key")
		f.want(t, f.do(f.clerk, "POST", c.path, c.body, "Idempotency-Key: a", "Idempotency-Key: b"), 400, "repeated_header")
	}
	// The office is part of the key.
	f.want(t, f.do(f.foreign, "POST", "/applications", form(certificate.Domestic), "Idempotency-Key: k1"), 201, "")
	// An act that was refused is not remembered.
	f.want(t, f.do(f.clerk, "POST", "/applications", "{}", "Idempotency-Key: k3"), 400, "required")
	f.want(t, f.do(f.clerk, "POST", "/applications", form(certificate.Domestic), "Idempotency-Key: k3"), 201, "")
}

// L-08: 20 twins at once make one thing.
func TestIdempotencyInParallel(t *testing.T) {
	f := newFixture(t)
	id := f.issued(t, certificate.Domestic)
	for _, c := range []struct{ name, path, body string }{
		{"application", "/applications", form(certificate.Domestic)}, {"print", certificatePath(id, "/prints"), ""},
	} {
		replies := make([]reply, 20)
		var work sync.WaitGroup
		for i := range replies {
			work.Go(func() { replies[i] = f.do(f.clerk, "POST", c.path, c.body, "Idempotency-Key: twins") })
		}
		work.Wait()
		made, things := 0, map[string]bool{}
		for _, r := range replies {
			if r.status == 201 {
				made++
			} else {
				f.want(t, r, 200, "")
			}
			if c.name == "application" {
				things[r.json(t)["id"].(string)] = true
			} else {
				things[r.header.Get("Certificate-Copies")+string(r.body)] = true
			}
		}
		if made != 1 || len(things) != 1 {
			t.Errorf("%s: made %d times, %d things", c.name, made, len(things))
		}
	}
	if m := f.do(f.clerk, "GET", certificatePath(id), "").json(t); m["copies"] != 1.0 {
		t.Errorf("print: %v copies", m["copies"])
	}
}

// T-IDOR (L-11): what is not this office's does not exist, in the same words.
func TestOthersDoNotExist(t *testing.T) {
	f := newFixture(t)
	app := f.approved(t, certificate.Domestic)
	cert := f.issued(t, certificate.Domestic)
	f.want(t, f.do(f.clerk, "POST", certificatePath(cert, "/prints"), ""), 201, "")
	subjects, _ := samples.Files.ReadFile("subjects.csv")
	imp := f.do(f.clerk, "POST", "/imports/subjects", string(subjects)).json(t)["id"].(string)
	approval := f.do(f.officer, "POST", "/approvals", `{"kind":"account.recover","object":"`+nobody+`"}`).json(t)["id"].(string)
	ids := map[string]string{"applications": app, "certificates": cert, "imports": imp, "approvals": approval, "accounts": f.Clerk.Person, "account": strings.Repeat("a1", 12)}
	asked := f.do(f.officer, "POST", "/accounts/requests", accountForm("new", office.Clerk)).json(t)["id"].(string)
	ids["requests"] = asked
	ids["rosters"] = ask(f.Staff(), f.officer, "POST", prefix+"/rosters", "text/csv", []byte("user_id,name,unit\n"+world.OfficerUser+",x,x\n")).json(t)["id"].(string)
	ids["alerts"], ids["retention"] = f.alerted(t), f.due(t).ID
	ids["terminals"] = kindsOfID["terminals"].make(f, t)
	operator := f.SignIn(t, foreignOffice+"-operator", office.Operator)
	approver := f.SignIn(t, foreignOffice+"-approver", office.Approver)
	one, _ := f.approvers(t)
	ids["mailings"] = f.do(f.clerk, "POST", "/mailings", `{"applications":["`+app+`"]}`).json(t)["id"].(string)
	ids["batches"] = f.bring(f.clerk, f.aFile()).json(t)["id"].(string)
	for _, acts := range []string{"revocations", "reissues"} {
		ids[acts] = f.do(one, "POST", "/"+acts, `{"selection":{"issued_from":"2020-01-01"},"reason":"key_compromised"}`).json(t)["id"].(string)
	}
	duties := `{"unit":"課","role":"clerk",` + answered + `}`
	for _, r := range f.routes() {
		if !strings.Contains(r.path, "{id}") {
			continue
		}
		onPage := strings.HasPrefix(r.path, "/counter/")
		kind := strings.Split(strings.TrimPrefix(strings.TrimPrefix(r.path, prefix+"/"), "/counter/"), "/")[0]
		if strings.Contains(r.path, "requests/{id}") {
			kind = "requests"
		}
		stranger := f.foreign
		if !office.Officer.Permissions()[string(r.permission)] {
			stranger = operator
		}
		if r.permission == office.RevokeMany || r.permission == office.ReissueMany {
			stranger = approver
		}
		own := ids[kind]
		near := own[:len(own)-1] + map[bool]string{true: "3", false: "2"}[own[len(own)-1] == '2']
		body := map[string]string{"answer-application": form(certificate.Domestic), "enter-number": shownCard("123456789018"), "decide-application": `{"outcome":"reject","reason":"x"}`, "justify-application": `{"why":"wish"}`,
			"reissue-certificate": `{"reason":"lost"}`, "revoke-certificate": `{"reason":"fraud"}`, "approve-approval": `{"reason":""}`, "refuse-approval": `{"reason":""}`, "request-account-change": duties, "request-account-enable": duties, "add-account-kin": sakurai, "acknowledge-alert": noted, "commit-batch": `{"whole":false}`}[r.id]
		var first problem
		for i, id := range []string{own, near, nobody, "ABCDEFGHJKLM", "1", "x", "sakurai-mio", strings.ToUpper(own) + "0", strings.Repeat("A", 1000)} {
			path := strings.NewReplacer("{id}", id, "{number}", "1").Replace(strings.TrimPrefix(r.path, prefix))
			var got reply
			if onPage {
				got = f.page(map[bool]string{true: f.foreignClerk, false: stranger}[r.permission == office.EnterNumber], r.method, path, map[string]string{"judge-application": "outcome=reject&reason=x", "make-certificate-again": "reason=lost", "end-certificate": "reason=fraud", "supply-application": plainForm("subject.ticket_number", "0000000001"), "agree-approval": "reason=x", "deny-approval": "reason=x", "see-to-alert": "note%3Atext=", "ask-for-change": dutyFields(), "ask-for-enabling": dutyFields(), "enter-number-at-counter": bodyOf["enter-number-at-counter"]}[r.id])
			} else {
				got = f.do(map[bool]string{true: f.foreignClerk, false: stranger}[r.permission == office.EnterNumber], r.method, path, body)
			}
			var p problem
			_ = json.Unmarshal(got.body, &p)
			p.RequestID = ""
			if i == 0 {
				first = p
			}
			if got.status != 404 || p != first {
				t.Errorf("%s with %.20s: %d %+v, for another office's %+v", r.id, id, got.status, p, first)
			}
		}
	}
	if strings.Contains(f.log.String(), "sakurai") {
		t.Error("an id that is none came into the log")
	}
}

// S-091 to S-093: what is personal in a broken request is in no answer and no log.
func TestNothingPersonalInProblems(t *testing.T) {
	f := newFixture(t)
	canaries := []string{"カナリア", "CANARYNAME", "canaryname", "TK9999CANARY", "Ö̈canary", "1977-13-77", "123456789018", "akashi_900001_canary"}
	joined := strings.Join(canaries[:5], " ")
	bodies := []string{
		`{"kind":"travel","` + joined + `":1}`, `{"kind":"` + joined + `"}`, `{"` + joined + `"`, joined, `["` + joined + `"]`, `"` + joined + `"`,
		strings.Replace(form(certificate.Travel), "1991-02-18", "1977-13-77", 1),
		strings.Replace(form(certificate.Travel), "桜井", "123456789018", 1),
		strings.Replace(form(certificate.Travel), "澪", "カナリア\u202e", 1),
		strings.Replace(form(certificate.Travel), "澪", `カナリア\u0000`, 1),
		strings.Replace(form(certificate.Travel), `"澪"`, `{"CANARYNAME":"TK9999CANARY"}`, 1),
		strings.Replace(form(certificate.Travel), `"澪"`, `["TK9999CANARY"]`, 1),
		strings.Replace(form(certificate.Travel), `"self"`, `"CANARYNAME"`, 1),
		strings.Replace(form(certificate.Travel), `"counter"`, `"CANARYNAME","channel":"カナリア"`, 1),
		strings.Replace(form(certificate.Travel), `"primary"`, `"Primary":"CANARYNAME","primary"`, 1),
		strings.Replace(form(certificate.Travel), "2026-11", strings.Repeat("CANARYNAME", 9), 1),
		strings.Replace(form(certificate.Domestic), `"kind"`, `"passport":{"mrz":"TK9999CANARY"},"kind"`, 1),
		form(certificate.Travel) + `{"CANARYNAME":1}`,
	}
	for _, body := range bodies {
		for _, path := range []string{"/applications", "/applications/" + nobody + "/answer", "/applications/" + nobody + "/decision", "/prints", "/verify"} {
			got := ask(f.Staff(), f.clerk, "POST", prefix+path, "application/json", []byte(body))
			if got.status < 400 {
				t.Errorf("%s took %.60s", path, body)
			}
			for _, c := range canaries {
				if bytes.Contains(got.body, []byte(c)) || strings.Contains(fmt.Sprint(got.header), c) {
					t.Errorf("%s repeats %s: %s", path, c, got.body)
				}
			}
		}
	}
	for _, target := range []string{"/applications?name=canaryname", "/applications?cursor=canaryname", "/applications/canaryname", "/canaryname", "/certificates/CANARYNAME/codes"} {
		got := ask(f.Staff(), f.clerk, "GET", prefix+target, "", nil)
		if got.status < 400 || bytes.Contains(bytes.ToLower(got.body), []byte("canaryname")) {
			t.Errorf("%s: %d %s", target, got.status, got.body)
		}
	}
	ask(f.Staff(), "akashi_900001_canary", "GET", prefix+"/applications", "", nil)
	ask(f.Staff(), f.clerk, "CANARYNAME", prefix+"/applications", "", nil)
	log := f.log.String()
	for _, c := range append(canaries, f.clerk, "桜井", "TK0000000") {
		if strings.Contains(log, c) {
			t.Errorf("the log holds %s", c)
		}
	}
	if strings.Count(log, `"msg":"request"`) < len(bodies) || !strings.Contains(log, `"staff":"`+f.Clerk.Person) {
		t.Error("the log holds no requests")
	}
}

// S-092: individual numbers in every form are refused and appear nowhere.
func TestIndividualNumbers(t *testing.T) {
	var canaries struct{ Valid []string }
	if err := json.Unmarshal(testkit.Read(t, "security/own/my-number-canaries.json"), &canaries); err != nil {
		t.Fatal(err)
	}
	f := newFixture(t)
	for _, n := range canaries.Valid {
		for _, field := range []string{"0000000001", "桜井", "澪", "2026-11"} {
			got := f.do(f.clerk, "POST", "/applications", strings.Replace(form(certificate.Domestic), field, n, 1))
			if got.status != 400 || bytes.Contains(got.body, []byte(n)) {
				t.Errorf("error/%s: %d %s", field, got.status, got.body)
			}
		}
	}
	for _, n := range canaries.Valid {
		forms := []string{n, base64.StdEncoding.EncodeToString([]byte(n))}
		for _, c := range forms {
			if strings.Contains(f.log.String(), c) {
				t.Errorf("the log holds %s", c)
			}
			data, err := filepath.Glob(filepath.Join(f.World.Config.Data, "akashi.db*"))
			if err != nil || len(data) == 0 {
				t.Fatal(err)
			}
			for _, file := range data {
				b, err := os.ReadFile(file)
				if err != nil {
					t.Fatal(err)
				}
				if bytes.Contains(b, []byte(c)) {
					t.Errorf("%s holds %s", filepath.Base(file), c)
				}
			}
		}
	}
}
