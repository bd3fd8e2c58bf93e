package server

import (
	"bytes"
	"encoding/json"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"akashi/certificate"
	"akashi/internal/cli"
	"akashi/internal/office"
	"akashi/internal/testkit"
	"akashi/internal/testkit/world"
)

// Issue 6, section 1: what would be issued, as JSON and as paper, by the API and on the page.
func (f *fixture) testPreview(t *testing.T) {
	id := f.approved(t, certificate.Travel)
	path := "/applications/" + id + "/preview"
	r := f.do(f.clerk, "GET", path, "")
	f.want(t, r, 200, "")
	var b previewBody
	if err := json.Unmarshal(r.body, &b); err != nil || !b.Issuable || len(b.Codes) != 2 || b.Codes[0].Modules < 100 || len(b.Rows) < 10 || b.Paper != prefix+path+".pdf" || b.Doses != 3 || len(b.Digest) != 22 {
		t.Errorf("ok/preview: %v %s", err, r.body)
	}
	f.want(t, f.do(f.clerk, "POST", "/applications/"+id+"/another", `{"why":"because"}`), 400, "unknown_value")
	f.want(t, f.do(f.clerk, "POST", "/applications/"+id+"/another", `{"why":"wish","version":1}`), 409, "version")
	if r := f.do(f.clerk, "POST", "/applications/"+id+"/another", `{"why":"wish"}`); r.status != 200 || r.json(t)["another"] != "wish" {
		t.Errorf("ok/another: %s", r.body)
	}
	for _, row := range b.Rows {
		if row.Field == "passport_name" && (row.Mark != "same" || row.Hint != "SAKURAI MIO" || row.Register == "") {
			t.Errorf("ok/name: %+v", row)
		}
	}
	paper := f.do(f.clerk, "GET", path+".pdf", "")
	f.want(t, paper, 200, "")
	if !bytes.HasPrefix(paper.body, []byte("%PDF")) || paper.header.Get("Cache-Control") != "no-store" || !strings.HasPrefix(paper.header.Get("Content-Disposition"), "attachment") {
		t.Errorf("ok/paper: %s", paper.header)
	}
	f.noCodeIn(t, paper.body)
	page := f.page(f.clerk, "GET", "/counter/applications/"+id, "")
	f.want(t, page, 200, "")
	for _, piece := range []string{"/counter" + path + `"`, "サクライ", "→ SAKURAI MIO", "日本 / Japan (JPN)", `/issue"`, "1991-02-18（平成3年）", `✓ 同じ</span> <span lang="en">same</span> <b>1`} {
		if !bytes.Contains(page.body, []byte(piece)) {
			t.Errorf("ok/page: no %s", piece)
		}
	}
	shown := f.page(f.clerk, "GET", "/counter"+path, "")
	if f.want(t, shown, 200, ""); !bytes.HasPrefix(shown.body, []byte("%PDF")) || !strings.HasPrefix(shown.header.Get("Content-Disposition"), "inline") {
		t.Errorf("ok/shown: %s", shown.header)
	}
	if auditor := f.page(f.everyRole(t, cli.TestOffice)[office.Auditor], "GET", "/counter/applications/"+id, ""); bytes.Contains(auditor.body, []byte("compare")) {
		t.Error("error/a preview for somebody who does not issue")
	}
	for _, path := range []string{"/api/v1" + path, "/api/v1" + path + ".pdf", "/counter" + path} {
		f.want(t, f.page(f.foreign, "GET", path, ""), 404, "application")
		f.want(t, f.page(f.clerk, "GET", strings.Replace(path, id, nobody, 1), ""), 404, "application")
	}
	f.want(t, f.do(f.clerk, "POST", "/applications/"+id+"/certificate", ""), 201, "")
	f.want(t, f.do(f.clerk, "GET", path, ""), 409, "not_approved")
	f.want(t, f.do(f.clerk, "GET", path+".pdf", ""), 409, "not_approved")
	if excuse := f.page(f.clerk, "GET", "/counter"+path, "", asBrowser); excuse.status != 409 || !bytes.Contains(excuse.body, []byte("申請が承認されていません")) {
		t.Errorf("error/issued: %d %.200s", excuse.status, excuse.body)
	}
}

var hiddenPreview = regexp.MustCompile(`name="preview" value="([\w-]{22})"`)

// testSeen issues from the page of an approved application what that page shows, and
// shows the page anew where something else would be issued.
func (f *fixture) testSeen(t *testing.T, path string) {
	shown := hiddenPreview.FindSubmatch(f.page(f.clerk, "GET", path, "").body)
	if shown == nil {
		t.Fatal("ok/the page names no preview")
	}
	f.SetOffice(t, func(s *office.Settings) { s.EU = true })
	defer f.SetOffice(t, func(s *office.Settings) { s.EU = false })
	for _, print := range []string{"", "&_print=yes"} {
		refused := f.page(f.clerk, "POST", path+"/issue", "_key=seen&preview="+string(shown[1])+print)
		anew := hiddenPreview.FindSubmatch(refused.body)
		if f.want(t, refused, 409, ""); anew == nil || bytes.Equal(anew[1], shown[1]) || !bytes.Contains(refused.body, []byte(messages["preview_changed"].JA)) {
			t.Errorf("error/changed since: %s", refused.body)
		}
	}
	api := "/applications" + strings.TrimPrefix(path, "/counter/applications") + "/certificate"
	f.want(t, f.do(f.clerk, "POST", api, `{"preview":"`+string(shown[1])+`"}`), 409, "preview_changed")
	f.want(t, f.do(f.clerk, "POST", api, `{"seen":"x"}`), 400, "unknown_field")
	f.want(t, f.page(f.clerk, "POST", prefix+api, "preview=x"), 415, "media_type")
	f.SetOffice(t, func(s *office.Settings) { s.EU = false })
	made := f.page(f.clerk, "POST", path+"/issue", "_key=seen&preview="+string(shown[1]))
	f.want(t, made, 303, "")
	f.want(t, f.do(f.clerk, "POST", api, `{"preview":"`+string(shown[1])+`"}`), 200, "")
	f.want(t, f.do(f.clerk, "POST", api, ""), 200, "")
	late := f.page(f.clerk, "POST", path+"/issue", "_key=seen&_print=yes&preview=another")
	if f.want(t, late, 409, ""); !bytes.Contains(late.body, []byte(made.header.Get("Location"))) {
		t.Errorf("error/issued meanwhile: %s", late.body)
	}
}

// Issue 6, section 1: the page of a yellow card before issuing has a row for each field of each
// dose, a code for each, the disease and the guardian.
func TestPreviewOfYellowCard(t *testing.T) {
	f := newFixture(t)
	f.BringInternational(t)
	id := f.ApprovedForm(t, world.ChildForm())
	r := f.do(f.clerk, "GET", "/applications/"+id+"/preview", "")
	f.want(t, r, 200, "")
	var b previewBody
	if err := json.Unmarshal(r.body, &b); err != nil || b.Programme != "polio" || b.Doses < 2 || len(b.Codes) != b.Doses || b.RenewBy.IsZero() {
		t.Fatalf("ok/preview: %v %s", err, r.body)
	}
	rows := map[string]int{}
	for _, row := range b.Rows {
		rows[row.Field]++
	}
	for _, field := range []string{"vaccinated_on", "product", "maker", "lot", "clinician", "valid_from"} {
		if rows[field] != b.Doses {
			t.Errorf("ok/%s: %d rows for %d doses", field, rows[field], b.Doses)
		}
	}
	page := f.page(f.clerk, "GET", "/counter/applications/"+id, "")
	f.want(t, page, 200, "")
	for _, piece := range []string{"IKEDA Jun", "急性灰白髄炎（ポリオ）", "有効となる日", "申請書の記載", `/issue"`} {
		if !bytes.Contains(page.body, []byte(piece)) {
			t.Errorf("ok/page: no %s", piece)
		}
	}
}

// noCodeIn asks zbar and the service's own reader whether a paper has a code.
func (f *fixture) noCodeIn(t *testing.T, file []byte) {
	t.Helper()
	base := filepath.Join(t.TempDir(), "paper")
	if err := os.WriteFile(base+".pdf", file, 0o600); err != nil {
		t.Fatal(err)
	}
	if out, err := exec.Command(testkit.Tool(t, "pdftoppm"), "-r", "200", "-png", "-singlefile", base+".pdf", base).CombinedOutput(); err != nil {
		t.Fatalf("%v %s", err, out)
	}
	out, err := exec.Command(testkit.Tool(t, "zbarimg"), "--raw", "-q", base+".png").Output()
	var exit *exec.ExitError
	if !errors.As(err, &exit) || exit.ExitCode() != 4 || len(out) > 0 { // 4: no code found
		t.Errorf("error/zbarimg: %v %s", err, out)
	}
	picture, err := os.ReadFile(base + ".png")
	if err != nil {
		t.Fatal(err)
	}
	got := ask(f.Public(), "", "POST", prefix+"/verify", "image/png", picture)
	var v verdictsBody
	if err := json.Unmarshal(got.body, &v); err != nil || len(v.Verdicts) != 1 || v.Verdicts[0].Outcome != "unreadable" {
		t.Errorf("error/verify: %d %s", got.status, got.body)
	}
}

// Issue 6, section 1: what would be refused cannot be asked for on the page, which says why
// and how to mend it; a preview is counted as a look-up.
func TestPreviewRefuses(t *testing.T) {
	now := time.Now()
	f := newFixture(t, func(s *Services) { s.Clock = func() time.Time { return now } })
	id := f.approved(t, certificate.Travel)
	f.World.Issuance.Clock = func() time.Time { return now.AddDate(20, 0, 0) }
	page := f.page(f.clerk, "GET", "/counter/applications/"+id, "")
	f.want(t, page, 200, "")
	if bytes.Contains(page.body, []byte(id+`/issue"`)) || bytes.Contains(page.body, []byte(id+`/preview"`)) ||
		!bytes.Contains(page.body, []byte("新しい旅券で申請を直してください")) || !bytes.Contains(page.body, []byte("旅券の有効期限")) {
		t.Errorf("error/expired: %s", page.body)
	}
	f.want(t, f.do(f.clerk, "GET", "/applications/"+id+"/preview.pdf", ""), 409, "content_expired")
	f.World.Issuance.Clock = nil

	if _, err := f.ChangeOffice(t.Context(), cli.TestOffice, func(s *office.Settings) { s.Lookups = office.Lookups{Soft: 5, Hard: 7} }); err != nil {
		t.Fatal(err)
	}
	now = now.Add(2 * rulesLast)
	codes := map[int]int{}
	for range 4 {
		codes[f.do(f.clerk, "GET", "/applications/"+id+"/preview", "").status]++
		codes[f.do(f.clerk, "GET", "/applications/"+id+"/preview.pdf", "").status]++
	}
	if codes[200] != 4 || codes[429] != 4 { // three look-ups before: submitted, shown, refused
		t.Errorf("error/budget: %v", codes)
	}
}

var ruleCode = regexp.MustCompile(`l\.rule\(.*"([a-z_0-9]+)"\)`)

// Every code of a content finding has a sentence that says how to mend it.
func TestEveryContentFindingHasASentence(t *testing.T) {
	codes := map[string]bool{"form": true}
	for _, name := range []string{"certificate/lint.go", "certificate/international.go"} {
		b, err := os.ReadFile(filepath.Join(testkit.Root(t), name))
		if err != nil {
			t.Fatal(err)
		}
		for _, m := range ruleCode.FindAllSubmatch(b, -1) {
			codes[string(m[1])] = true
		}
	}
	if len(codes) < 25 {
		t.Fatalf("only %d codes found", len(codes))
	}
	for code := range codes {
		if m := messages["content_"+code]; m.JA == "" || m.EN == "" {
			t.Errorf("no sentence for %q", code)
		}
	}
	for key := range messages {
		if code, ok := strings.CutPrefix(key, "content_"); ok && !codes[code] {
			t.Errorf("nothing finds %q", code)
		}
	}
}
