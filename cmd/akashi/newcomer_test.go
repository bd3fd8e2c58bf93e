package main

import (
	"database/sql"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"akashi/internal/clock"
	"akashi/internal/office"
	"akashi/internal/testkit"
	"akashi/samples"
	"akashi/test/outside"
)

// Issue 6, section 3: people who have only the links that a first start prints come to a
// clerk's account, a register and a certificate through the pages alone, by keyboard;
// then many at once; and a terminal that is left (S-017) shows nothing.
func TestNewcomerInBrowser(t *testing.T) {
	p := start(t, t.TempDir())
	links := printedLinks(t, p)
	files := map[string]string{
		"applications": "種類,接種券番号,姓,名,生年月日\n国内用,0000000001,桜井,澪,1991-02-18\n国内用,12,見本,人,31.2.1991\n",
		"today":        string(clock.DateOf(time.Now())),
	}
	for _, kind := range []string{"subjects", "records"} {
		b, err := samples.Files.ReadFile(kind + ".csv")
		if err != nil {
			t.Fatal(err)
		}
		files[kind] = string(b)
	}
	got := outside.Newcomers(t, p.origin, links, "長い合言葉は覚えやすくて安全です",
		"PPJPNSAKURAI<<MIO<<<<<<<<<<<<<<<<<<<<<<<<<<<\nTK00000003JPN9102181F3206308<<<<<<<<<<<<<<00", sessionsIdle(t, p), files)

	if !regexp.MustCompile(`^` + regexp.QuoteMeta(p.origin) + `/setup#900001\.[A-Za-z0-9_-]{43}$`).MatchString(got.Link) {
		t.Errorf("ok/the link that is handed over: %q", got.Link)
	}
	if !slices.Equal(got.Imports, []string{"12", "28"}) || got.Alone != 0 {
		t.Errorf("ok/imports: %v; one's own: %d", got.Imports, got.Alone)
	}
	t.Run("ok/codes of the paper", func(t *testing.T) { verifyPaper(t, p, got.Paper) })
	if len(got.Mailing) != 5 || got.Mailing[2] == "" || got.Mailing[3] != "1" || got.Posted != "%PDF-" {
		t.Errorf("ok/mailing: %v %q", got.Mailing, got.Posted)
	}
	if !strings.Contains(got.Returned, "31.2.1991") || !strings.Contains(got.Returned, "A ticket number has ten digits.") || got.Progress != "1 / 1" {
		t.Errorf("ok/file of applications: %q, %q", got.Progress, got.Returned)
	}
	if i := got.Idle; i.Before != http.StatusOK || i.After != http.StatusUnauthorized || !i.Paper || i.Pages != 3 || i.Shows != 0 || got.Before == "" {
		t.Errorf("error/a terminal that was left: %q %+v", got.Before, i)
	}
	if len(got.Unseen)+len(got.Leaked)+len(got.Trouble) != 0 {
		t.Errorf("error/focus %v, personal %v, trouble %v", got.Unseen, got.Leaked, got.Trouble)
	}
	t.Run("ok/docs", func(t *testing.T) { checkTimes(t, got.Counts) })
}

// printedLinks are the addresses that a first start prints, by user id.
func printedLinks(t *testing.T, p *process) map[string]string {
	t.Helper()
	links, user := map[string]string{}, ""
	for line := range p.rest {
		fields := strings.Fields(line)
		switch {
		case strings.HasPrefix(line, "  900001-"):
			user = fields[0]
		case user != "":
			links[user], user = fields[0], ""
		case strings.Contains(line, "Stop with Ctrl-C"):
			return links
		}
	}
	t.Fatal("the server has stopped")
	return nil
}

// sessionsIdle is an address that lets a time pass for the sessions of the server for which
// they end when nobody is there.
func sessionsIdle(t *testing.T, p *process) string {
	t.Helper()
	s := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {
		db, err := sql.Open("sqlite", "file:"+filepath.Join(p.data, "akashi.db")+"?_pragma=busy_timeout(10000)")
		if err == nil {
			_, err = db.ExecContext(t.Context(), "UPDATE sessions SET seen_at = seen_at - ?", office.IdleLimit.Milliseconds())
			_ = db.Close()
		}
		if err != nil {
			t.Error(err)
		}
	}))
	t.Cleanup(s.Close)
	return s.URL
}

// verifyPaper reads the codes of a page as printed at 200 dpi with another program, and
// verifies each with `akashi verify`.
func verifyPaper(t *testing.T, p *process, paper []byte) {
	base := filepath.Join(t.TempDir(), "paper")
	if err := os.WriteFile(base+".pdf", paper, 0o600); err != nil {
		t.Fatal(err)
	}
	if out, err := exec.Command(testkit.Tool(t, "pdftoppm"), "-r", "200", "-gray", "-png", "-singlefile", base+".pdf", base).CombinedOutput(); err != nil {
		t.Fatalf("pdftoppm: %v %s", err, out)
	}
	out, err := exec.Command(testkit.Tool(t, "zbarimg"), "--quiet", "--raw", "-Sdisable", "-Sqrcode.enable", base+".png").Output()
	codes := strings.Split(strings.TrimSpace(string(out)), "\n")
	if err != nil || len(codes) != 2 {
		t.Fatalf("zbarimg: %v, %d codes", err, len(codes))
	}
	for _, code := range codes {
		file := filepath.Join(t.TempDir(), "code.txt")
		if err := os.WriteFile(file, []byte(code), 0o600); err != nil {
			t.Fatal(err)
		}
		cmd := exec.Command(os.Args[0], "verify", file)
		cmd.Env = append(clean(os.Environ()), "TEST_AS_AKASHI=1", "AKASHI_DATA="+p.data)
		if out, err := cmd.CombinedOutput(); err != nil || !strings.Contains(string(out), "VALID") {
			t.Errorf("ok/%.5s: %v %s", code, err, out)
		}
	}
}
