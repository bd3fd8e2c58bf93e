package main

import (
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"akashi/internal/office"
	"akashi/internal/testkit"
	"akashi/test/outside"
)

// aClerk makes an account of a clerk as it has to be: asked for, approved by another,
// carried out by a third. It returns the set-up link.
func aClerk(t *testing.T, p *process, user, one, two string) string {
	t.Helper()
	ends := time.Now().AddDate(1, 0, 0).Format(time.DateOnly)
	body := `{"user_id":"` + user + `","name":"窓口 花子","unit":"健康推進課","role":"` + string(office.Clerk) + `","section_head":"健康推進課長","system_owner":"情報政策課長","ends_on":"` +
		ends + `","trained_on":"` + time.Now().Format(time.DateOnly) + `"}`
	base := p.origin + "/api/v1"
	status, request, raw := call(t, "POST", base+"/accounts/requests", one, "application/json", []byte(body))
	if status != 201 {
		t.Fatalf("request: %d %s", status, raw)
	}
	if status, _, raw := call(t, "POST", base+"/approvals/"+request["approval"].(string)+"/approve", two, "application/json", []byte(`{"reason":""}`)); status != 200 {
		t.Fatalf("approve: %d %s", status, raw)
	}
	cmd := exec.Command(os.Args[0], slices.Concat([]string{"office", "account", "carry-out", user[:6], request["id"].(string)}, p.line)...)
	cmd.Env = append(clean(os.Environ()), "TEST_AS_AKASHI=1", "AKASHI_DATA="+p.data)
	out, err := cmd.CombinedOutput()
	link := regexp.MustCompile(user[:6] + `\.[A-Za-z0-9_-]{43}`).Find(out)
	if err != nil || link == nil {
		t.Fatalf("carry out: %v %s", err, out)
	}
	return string(link)
}

// Issue 6, section 3: a clerk in a real browser on the real server, by keyboard, with
// scanners that type; then the next person, an old form, an error, and leaving.
func TestCounterInBrowser(t *testing.T) {
	p := start(t, t.TempDir())
	one, two := officers(t, p)
	bring(t, p.origin, one, two)
	const user = "900001-clerk1"
	got := outside.Counter(t, p.origin, aClerk(t, p, user, one, two), user, "長い合言葉は覚えやすくて安全です",
		"PPJPNSAKURAI<<MIO<<<<<<<<<<<<<<<<<<<<<<<<<<<\nTK00000003JPN9102181F3206308<<<<<<<<<<<<<<00")
	if got.Keys > 40 || got.Loads > 3 || got.Keys < 5 {
		t.Errorf("error/%d keys and %d pages for the plain case", got.Keys, got.Loads)
	}
	if !slices.Equal(got.Papers, []bool{true, true}) {
		t.Errorf("error/papers that stay open: closed %v", got.Papers)
	}
	if !got.Composed || got.ComposedAt != "subject.name.family" {
		t.Errorf("error/the Enter of an input method: %v, then at %q", got.Composed, got.ComposedAt)
	}
	t.Logf("%d keys, %d pages; %s", got.Keys, got.Loads, got.Paper)
	for what, c := range map[string][2]string{
		"zone": {got.Zone, "SAKURAI"}, "old form": {got.Stale, "別の申請者"}, "wrong date": {got.Wrong, "日"},
	} {
		if !strings.Contains(c[0], c[1]) {
			t.Errorf("ok/%s: %q", what, c[0])
		}
	}
	if len(got.Left) != 0 || strings.Contains(got.StaleShows, "前の人") {
		t.Errorf("error/something of the last person: %v %q", got.Left, got.StaleShows)
	}
	if got.Focus != "subject.birth_date" || got.AfterBack != p.origin+"/sign-in" || slices.Max(got.Stored) != 0 || len(got.Trouble) != 0 {
		t.Errorf("%+v", got)
	}
	if h := got.Held; h.Repeats != 10 || len(h.Sent) != 0 || h.Issued != 0 || h.Waits != 1 {
		t.Errorf("error/a key that is held down issues: %+v", h)
	}
	for _, a := range got.Addresses { // no personal value in an address or a title
		if text, _ := url.QueryUnescape(a); regexp.MustCompile(`桜井|SAKURAI|TK000|0000000001|1991`).MatchString(text) {
			t.Errorf("error/address %q", a)
		}
	}
	// What was printed is a paper with codes that verify.
	status, _, paper := call(t, "GET", p.origin+"/api/v1/certificates/"+got.Certificate+"/prints/1", one, "", nil)
	if status != 200 {
		t.Fatalf("print: %d %s", status, paper)
	}
	base := filepath.Join(t.TempDir(), "paper")
	if err := os.WriteFile(base+".pdf", paper, 0o600); err != nil {
		t.Fatal(err)
	}
	if out, err := exec.Command(testkit.Tool(t, "pdftoppm"), "-r", "200", "-gray", "-png", "-singlefile", base+".pdf", base).CombinedOutput(); err != nil {
		t.Fatalf("pdftoppm: %v %s", err, out)
	}
	picture, err := os.ReadFile(base + ".png")
	if err != nil {
		t.Fatal(err)
	}
	status, _, verdict := call(t, "POST", p.faces["public"]+"/api/v1/verify", "", "image/png", picture)
	if status != 200 || strings.Count(string(verdict), `"outcome":"valid"`) != 2 {
		t.Errorf("ok/codes of the paper: %d %s", status, verdict)
	}
}

// Issue 6, section 3: two people at one application, slow, cut and dead lines, an impatient
// hand and rare characters do no harm, on the real server.
func TestLinesInBrowser(t *testing.T) {
	p := start(t, t.TempDir())
	one, two := officers(t, p)
	bring(t, p.origin, one, two)
	got := outside.Lines(t, p.origin, [2]string{one, two}, approved(t, p.origin, one), approved(t, p.origin, one), approved(t, p.origin, one))
	if s := got.Second; s.Status != 409 || !strings.Contains(s.Said, "ほかの人が先に変更しました") || s.Given != "か\u3099葛󠄀𠮷﨑" || s.Other != "TANAKA" {
		t.Errorf("error/the second of two: %+v", s)
	}
	if n := got.Name; n.Typed == "" || n.Shown != n.Typed {
		t.Errorf("error/name: typed %q, shown %q", n.Typed, n.Shown)
	}
	if ours := []string{"Noto Sans JP ours"}; !slices.Equal(got.Fonts, ours) || !slices.Equal(got.TypedFonts, ours) {
		t.Errorf("error/fonts of a rare name: %v, while typed %v", got.Fonts, got.TypedFonts)
	}
	if len(got.AfterCut) != 1 || got.AfterDown != 0 || len(got.AfterUp) != 1 {
		t.Errorf("error/certificates after a line was cut %v, down %d, up again %v", got.AfterCut, got.AfterDown, got.AfterUp)
	}
	if n := got.Newest; len(n.Listed) != 2 || n.Listed[0] != n.Made || n.Listed[1] == n.Made {
		t.Errorf("error/sent twice: %+v", n)
	}
	if o := got.Once; o.File != 1 || o.Mailing != 1 || o.Request != 1 {
		t.Errorf("error/sent twice, made: %+v", o)
	}
	if len(got.Leaked)+len(got.Trouble) != 0 {
		t.Errorf("error/%v %v", got.Leaked, got.Trouble)
	}
}
